"""
What a road that has channels can do with them: a capability beside the five verbs of provider.py. Posting is not here:
a post is a message like any other, sent by the outbox into the channel's chat.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from recado.content import Content
from recado.jid import JID


class Channel(Protocol):
    """A channel as WhatsApp tells it."""

    @property
    def jid(self) -> JID:
        """Its address."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def description(self) -> str:
        """What it is about."""
        ...

    @property
    def subscribers(self) -> int:
        """How many follow it."""
        ...

    @property
    def invite(self) -> str:
        """The code in its link."""
        ...

    @property
    def role(self) -> str:
        """What the account is there: owner, admin, subscriber or guest."""
        ...


class Posted(Protocol):
    """A post, by its number in the channel."""

    @property
    def id(self) -> str:
        """The id of the message."""
        ...

    @property
    def server_id(self) -> int:
        """Its number there; the next one is higher."""
        ...

    @property
    def sent_at(self) -> datetime:
        """When."""
        ...

    @property
    def views(self) -> int:
        """How often it was seen."""
        ...

    @property
    def reactions(self) -> Sequence[tuple[str, int]]:
        """Each reaction, and how many chose it."""
        ...


class ChannelVerbs(Protocol):
    """Every verb raises NotConnected, ConnectionLost, QueryError, and UsageError for what cannot be asked."""

    async def subscribed(self) -> Sequence[Channel]: ...
    async def get(self, newsletter: JID | str) -> Channel: ...
    async def create(self, name: str, description: str = "") -> Channel: ...
    async def update(
        self, newsletter: JID, *, name: str | None = None, description: str | None = None, picture: bytes | None = None
    ) -> None: ...
    async def delete(self, newsletter: JID) -> None: ...
    async def follow(self, newsletter: JID) -> None: ...
    async def unfollow(self, newsletter: JID) -> None: ...
    async def mute(self, newsletter: JID, *, is_muted: bool = True) -> None: ...
    async def posts(
        self, newsletter: JID, *, count: int = 50, before: int | None = None
    ) -> Sequence[tuple[Posted, Content | None]]: ...
    async def react(self, newsletter: JID, number: int, emoji: str) -> None: ...


@runtime_checkable
class SupportsChannels(Protocol):
    """Has channels."""

    @property
    def channels(self) -> ChannelVerbs:
        """What can be done with them."""
        ...
