"""
The channels of a world: whose they are, who follows them, what was posted and what people said to it. Nothing in them
is sealed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from recado.emulator.whatsapp.accounts import Account, Device, Directory
from recado.jid import JID, NEWSLETTER
from recado.protocol.node import Node
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode

_FIRST_ID = 120363000000000001
FIRST_NUMBER = 100


@dataclass(slots=True, eq=False)
class Channel:
    """
    One channel. `posts` are the messages as they stand, numbered from 100; `reactions` and `views` are by post and by
    whose they are; `watchers` are told of these as they come, for one run.
    """

    id: str
    name: str
    description: str
    owner: Account
    invite: str
    picture: str = ""
    admins: dict[str, Account] = field(default_factory=dict)
    followers: dict[str, Account] = field(default_factory=dict)
    muted: set[str] = field(default_factory=set)
    posts: list[Node] = field(default_factory=list)
    reactions: dict[str, dict[str, str]] = field(default_factory=dict)
    views: dict[str, set[str]] = field(default_factory=dict)
    watchers: set[Device] = field(default_factory=set)

    @property
    def jid(self) -> JID:
        """Its address."""
        return JID(self.id, NEWSLETTER)

    def role(self, account: Account) -> str:
        """What somebody is in it."""
        if self.owner is account:
            return "OWNER"
        if account.number in self.admins:
            return "ADMIN"
        return "SUBSCRIBER" if account.number in self.followers else "GUEST"

    def may_post(self, account: Account) -> bool:
        """May that account post?"""
        return self.role(account) in ("OWNER", "ADMIN")

    @property
    def devices(self) -> list[Device]:
        """Every linked device of who has it, administers it or follows it."""
        accounts = {each.number: each for each in [self.owner, *self.admins.values(), *self.followers.values()]}
        return [device for account in accounts.values() for device in account.companions]

    def post(self, *, id: str = "", number: str = "") -> Node | None:
        """A post by its id or its number."""
        return next((each for each in self.posts if id == each.attrs["id"] or number == each.attrs["server_id"]), None)

    def counted(self, number: str) -> list[Node]:
        """How often a post was seen, and what was said to it."""
        said = Counter(self.reactions.get(number, {}).values())
        reactions = [Node("reaction", {"code": code, "count": str(count)}) for code, count in said.items()]
        seen = str(len(self.views.get(number, ())))
        return [Node("views_count", {"count": seen}), Node("reactions", None, reactions)]


class Channels:
    """All channels, by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Channel] = {}
        self._made = 0

    def create(self, name: str, description: str, owner: Account, invite: str) -> Channel:
        """A new channel."""
        id = str(_FIRST_ID + self._made)
        self._made += 1
        channel = self._by_id[id] = Channel(id, name, description, owner, invite)
        return channel

    def find(self, key: str) -> Channel | None:
        """The channel with that address or invitation."""
        by_address = self._by_id.get(key.partition("@")[0])
        return by_address or next((channel for channel in self._by_id.values() if channel.invite == key), None)

    def of(self, account: Account) -> list[Channel]:
        """The channels an account has, administers or follows."""
        return [channel for channel in self._by_id.values() if channel.role(account) != "GUEST"]

    def delete(self, channel: Channel) -> None:
        """It is no more."""
        self._by_id.pop(channel.id, None)

    # ---- put aside and taken up again

    def to_json(self) -> list[dict[str, Any]]:
        """Every channel as JSON types."""
        return [
            {
                **{name: getattr(each, name) for name in _PLAIN},
                "owner": each.owner.number,
                "admins": sorted(each.admins),
                "followers": sorted(each.followers),
                "muted": sorted(each.muted),
                "posts": [b64encode(encode(post)).decode() for post in each.posts],
                "views": {number: sorted(seen) for number, seen in each.views.items()},
            }
            for each in self._by_id.values()
        ]

    def restore(self, saved: list[dict[str, Any]], directory: Directory) -> None:
        """Take up what `to_json` gave. Raises KeyError, TypeError, ValueError, DecodeError."""

        def account(number: str) -> Account:
            found = directory.account(JID.phone(number))
            if found is None:
                raise KeyError("somebody of a channel is not there")
            return found

        for each in saved:
            channel = Channel(each["id"], each["name"], each["description"], account(each["owner"]), each["invite"])
            for name in _PLAIN:
                setattr(channel, name, each[name])
            channel.admins = {number: account(number) for number in each["admins"]}
            channel.followers = {number: account(number) for number in each["followers"]}
            channel.muted = set(each["muted"])
            channel.posts = [decode(b64decode(post, validate=True)) for post in each["posts"]]
            channel.views = {number: set(seen) for number, seen in each["views"].items()}
            self._by_id[channel.id] = channel
            self._made = max(self._made, int(channel.id) - _FIRST_ID + 1)


_PLAIN = ("id", "name", "description", "invite", "picture", "reactions")
