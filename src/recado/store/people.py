"""
What the store keeps of people besides their devices: the tokens of trust, and the account's blocklist and privacy
settings as last told. Reached through `Transaction.people`; like all of the store, it knows nothing of the network.

    tctoken-77_1      the token a person gave us, and when we last gave them one; goes by itself after four weeks
    nct-salt          what stands in for a token with people who gave none
    blocklist, privacy, default-timer
    contact-77_1      somebody in the account's address book: whom a status is for
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from recado.jid import JID
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.records import JSONRecord

NCT_SALT = "nct-salt"
BLOCKLIST = "blocklist"
PRIVACY = "privacy"
DEFAULT_TIMER = "default-timer"

BUCKET = timedelta(days=7)
BUCKETS = 4
"""A token is good in the week it was given and the three after it, by weeks counted from 1970."""


def tokens_key(person: JID) -> str:
    """The tokens between us and a person."""
    return f"tctoken-{keys.address_user(person)}"


@dataclass(frozen=True, slots=True)
class Tokens(JSONRecord):
    """Trust with one person: the token they gave us and its time, and when we last gave them one."""

    token: bytes = field(default=b"", repr=False)
    at: datetime | None = None
    given_at: datetime | None = None

    def shown(self, now: datetime) -> bytes | None:
        """The token to show them, while it is good."""
        return self.token if self.token and self.at is not None and self.at >= _oldest(now) else None

    def is_due(self, now: datetime) -> bool:
        """Is it time to give them one? Once a week."""
        return self.given_at is None or _bucket(now) > _bucket(self.given_at)

    def with_token(self, token: bytes, at: datetime) -> Tokens:
        """The same with a newer token; an older one changes nothing."""
        return self if self.at is not None and self.at > at else replace(self, token=token, at=at)

    @property
    def expires(self) -> datetime:
        """When nothing of it counts any more."""
        last = max((at for at in (self.at, self.given_at) if at is not None), default=datetime.fromtimestamp(0, UTC))
        return last + BUCKET * BUCKETS


@dataclass(frozen=True, slots=True)
class Blocked(JSONRecord):
    """Whom the account blocks."""

    people: tuple[JID, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Contact(JSONRecord):
    """Somebody in the account's address book."""

    person: JID = field(repr=False)


@dataclass(frozen=True, slots=True)
class Setting(JSONRecord):
    """One privacy setting."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Settings(JSONRecord):
    """The account's privacy settings."""

    VERSION: ClassVar[int] = 1
    settings: tuple[Setting, ...] = ()


class PeopleRecords:
    """The typed reads and writes of one transaction; `canonical` is its own."""

    __slots__ = ("_canonical", "_overlay")

    def __init__(self, overlay: Overlay, canonical: Callable[[JID], Awaitable[JID]]) -> None:
        self._overlay = overlay
        self._canonical = canonical

    async def tokens(self, person: JID) -> Tokens:
        """The tokens between us and a person."""
        key = tokens_key((await self._canonical(person)).bare)
        return await self._overlay.get(key, Tokens.decode) or Tokens()

    async def save_tokens(self, person: JID, tokens: Tokens) -> None:
        """Replace them; they go by themselves once they count no more."""
        self._overlay.put(tokens_key((await self._canonical(person)).bare), tokens, tokens.expires)

    async def nct_salt(self) -> bytes | None:
        """What stands in for tokens, while the account has it."""
        return await self._overlay.get(NCT_SALT, bytes)

    async def save_nct_salt(self, salt: bytes | None) -> None:
        """Keep it, or (None) forget it: app state and history tell."""
        self._overlay.put(NCT_SALT, bytes(salt) if salt else None)

    async def blocked(self) -> frozenset[JID] | None:
        """Whom the account blocks, None before it was ever told."""
        kept = await self._overlay.get(BLOCKLIST, Blocked.decode)
        return None if kept is None else frozenset(kept.people)

    async def save_blocked(self, people: frozenset[JID]) -> None:
        """Replace the blocklist."""
        self._overlay.put(BLOCKLIST, Blocked(tuple(sorted(people))))

    async def default_timer(self) -> int:
        """The seconds after which messages of chats that the account begins disappear, as last told; 0 for never."""
        kept = await self._overlay.get(DEFAULT_TIMER, Setting.decode)
        return 0 if kept is None else int(kept.value)

    async def save_default_timer(self, seconds: int) -> None:
        """Keep it."""
        self._overlay.put(DEFAULT_TIMER, Setting(DEFAULT_TIMER, str(seconds)))

    async def privacy(self) -> dict[str, str] | None:
        """The privacy settings, None before they were ever told."""
        kept = await self._overlay.get(PRIVACY, Settings.decode)
        return None if kept is None else {each.name: each.value for each in kept.settings}

    async def save_privacy(self, settings: dict[str, str]) -> None:
        """Replace the privacy settings."""
        named = tuple(Setting(name, value) for name, value in sorted(settings.items()))
        self._overlay.put(PRIVACY, Settings(named))

    async def save_contact(self, person: JID, *, is_saved: bool) -> None:
        """Somebody is in the address book, or no longer."""
        person = (await self._canonical(person)).bare
        self._overlay.put(keys.contact(person), Contact(person) if is_saved else None)

    async def contacts(self) -> list[JID]:
        """Everybody in the address book, each once, by the addresses that are known now."""
        names = await self._overlay.scan(keys.CONTACTS)
        await self._overlay.prefetch(names)
        found = [await self._overlay.get(name, Contact.decode) for name in names]
        people = [(await self._canonical(each.person)).bare for each in found if each is not None]
        return list(dict.fromkeys(people))


async def move_tokens(overlay: Overlay, pairs: list[tuple[JID, JID]]) -> None:
    """What was kept of trust under numbers goes to the LIDs; where both have some, the newer of each counts."""
    names = [(tokens_key(old), tokens_key(new)) for old, new in pairs]
    await overlay.prefetch([name for pair in names for name in pair])
    for old, new in names:
        kept = await overlay.get(old, Tokens.decode)
        if kept is None:
            continue
        other = await overlay.get(new, Tokens.decode) or Tokens()
        merged = other if kept.at is None else other.with_token(kept.token, kept.at)
        stamps = [stamp for stamp in (kept.given_at, other.given_at) if stamp is not None]
        merged = replace(merged, given_at=max(stamps, default=None))
        overlay.put(new, merged, merged.expires)
        overlay.put(old, None)


def _bucket(at: datetime) -> int:
    return int(at.timestamp()) // int(BUCKET.total_seconds())


def _oldest(now: datetime) -> datetime:
    return datetime.fromtimestamp((_bucket(now) - (BUCKETS - 1)) * int(BUCKET.total_seconds()), UTC)
