"""
The channels of a world: whose they are, who follows them, and what was posted. Nothing in them is sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.emulator.whatsapp.accounts import Account
from recado.jid import JID, NEWSLETTER
from recado.protocol.node import Node

_FIRST_ID = 120363000000000001


@dataclass(slots=True, eq=False)
class Channel:
    """One channel. `posts` are the messages as they were posted, numbered from 100."""

    id: str
    name: str
    description: str
    owner: Account
    invite: str
    followers: dict[str, Account] = field(default_factory=dict)
    muted: set[str] = field(default_factory=set)
    posts: list[Node] = field(default_factory=list)

    @property
    def jid(self) -> JID:
        """Its address."""
        return JID(self.id, NEWSLETTER)


class Channels:
    """All channels, by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Channel] = {}

    def create(self, name: str, description: str, owner: Account, invite: str) -> Channel:
        """A new channel."""
        id = str(_FIRST_ID + len(self._by_id))
        channel = self._by_id[id] = Channel(id, name, description, owner, invite)
        return channel

    def find(self, key: str) -> Channel | None:
        """The channel with that address or invitation."""
        by_address = self._by_id.get(key.partition("@")[0])
        return by_address or next((channel for channel in self._by_id.values() if channel.invite == key), None)
