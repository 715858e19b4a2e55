"""
What an account shows, and to whom: picture, certified name, timer, the trust it gave, whether it may write first.

State and verdicts only. Who may see something: everybody, nobody, or those the account has written with and those it
gave a token; never one it blocks.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recado.emulator.whatsapp.shop import Shop

if TYPE_CHECKING:
    from recado.emulator.whatsapp.accounts import Account

PRIVACY = {
    "last": "all",
    "online": "all",
    "profile": "all",
    "status": "contacts",
    "readreceipts": "all",
    "groupadd": "all",
    "calladd": "all",
    "messages": "all",
}
"""What a new account's privacy settings are."""


@dataclass(slots=True)
class Profile:
    """The rest of an account, beside its devices. `given` are its tokens, by the number of whom it trusts."""

    picture: bytes = b""
    picture_id: str = ""
    about_at: int = 0
    timer: int = 0
    timer_at: int = 0
    business: str = ""
    given: dict[str, bytes] = field(default_factory=dict)
    given_times: int = 0
    salt: bytes = b""
    is_locked: bool = False
    locked_until: int = 0
    shop: Shop = field(default_factory=Shop)
    username: str = ""
    contact_code: str = ""
    message_links: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    reported: list[list[str]] = field(default_factory=list)
    cap: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For a snapshot."""
        return {
            "picture": self.picture.hex(),
            "picture_id": self.picture_id,
            "about_at": self.about_at,
            "timer": self.timer,
            "timer_at": self.timer_at,
            "business": self.business,
            "given": {number: token.hex() for number, token in self.given.items()},
            "salt": self.salt.hex(),
            "is_locked": self.is_locked,
            "locked_until": self.locked_until,
            "shop": self.shop.to_json(),
            "username": self.username,
            "contact_code": self.contact_code,
            "message_links": dict(self.message_links),
            "left_out": {setting: list(people) for setting, people in self.left_out.items()},
            "reported": [list(each) for each in self.reported],
            "cap": dict(self.cap),
        }

    @staticmethod
    def from_json(saved: dict[str, Any]) -> Profile:
        """The same again. Raises KeyError, ValueError."""
        read = dict(saved)
        for name in ("picture", "salt"):
            read[name] = bytes.fromhex(read[name])
        read["given"] = {number: bytes.fromhex(token) for number, token in read["given"].items()}
        read["shop"] = Shop(**read.get("shop", {}))
        return Profile(**read)


def blocks(owner: Account, other: Account) -> bool:
    """Does `owner` block the other?"""
    return not owner.blocked.isdisjoint((str(other.lid), str(other.phone)))


def trusts(owner: Account, other: Account, token: bytes = b"") -> bool:
    """Has `owner` written with the other, or given them a token (the one shown, if any)?"""
    given = owner.profile.given.get(other.number)
    return other.number in owner.contacts or (given is not None and token in (b"", given))


def may_see(owner: Account, viewer: Account, setting: str, token: bytes = b"") -> bool:
    """May `viewer` see what `owner` shows under that privacy setting?"""
    if viewer is owner:
        return True
    if blocks(owner, viewer):
        return False
    value = owner.privacy.get(setting, PRIVACY.get(setting, "all"))
    left_out = owner.profile.left_out.get(setting, ()) if value == "contact_blacklist" else ()
    if str(viewer.lid) in left_out or str(viewer.phone) in left_out:
        return False
    return value == "all" or (value != "none" and trusts(owner, viewer, token))


def may_write_first(author: Account, chat: Account, token: bytes = b"", derived: bytes = b"") -> bool:
    """A locked account reaches those it has written with, and those whose trust it can show."""
    if not author.profile.is_locked or chat is author or chat.number in author.contacts:
        return True
    if token and token == chat.profile.given.get(author.number):
        return True
    salt = author.profile.salt
    return bool(derived and salt) and hmac.compare_digest(derived, hmac.digest(salt, str(chat.lid).encode(), "sha256"))
