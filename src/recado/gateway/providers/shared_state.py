"""
What some roads know of the account itself, beside its messages: how its own devices show chats, its profile and who
may see what, and which devices are linked. Capabilities beside the five verbs of provider.py; every verb raises what
that road's library raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from recado.events import MessageId
from recado.jid import JID


@dataclass(frozen=True, slots=True)
class NamedMessage:
    """A message as the account's own devices name it; `author` in groups, when it is not ours."""

    chat: JID = field(repr=False)
    id: MessageId
    from_me: bool
    sent_at: datetime
    author: JID | None = field(default=None, repr=False)


class ChatVerbs(Protocol):
    """How the account's own devices show chats and messages. Nothing here is seen by anybody else."""

    async def archive(self, chat: JID, *, is_archived: bool) -> None:
        """Put a chat away, or bring it back."""
        ...

    async def pin(self, chat: JID, *, is_pinned: bool) -> None:
        """Keep a chat on top, or no more."""
        ...

    async def mute(self, chat: JID, until: datetime | None) -> None:
        """Silence a chat until then; without a time, for good."""
        ...

    async def unmute(self, chat: JID) -> None:
        """Let it be heard again."""
        ...

    async def mark(self, chat: JID, *, is_read: bool) -> None:
        """Show a chat as read or unread, and tell its authors nothing."""
        ...

    async def clear(self, chat: JID, *, keep_starred: bool) -> None:
        """Empty a chat on the account's devices."""
        ...

    async def delete(self, chat: JID) -> None:
        """Delete a chat from the account's devices."""
        ...

    async def star(self, message: NamedMessage, *, is_starred: bool) -> None:
        """Put a star on a message, or take it off."""
        ...

    async def hide(self, message: NamedMessage) -> None:
        """Delete a message from the account's devices alone."""
        ...

    async def edit_label(self, label: str, name: str, *, color: int) -> None:
        """Make a label, rename or recolour it."""
        ...

    async def delete_label(self, label: str) -> None:
        """Delete a label."""
        ...

    async def label(self, label: str, on: JID | NamedMessage, *, is_labeled: bool) -> None:
        """Put a label on a chat or message, or take it off."""
        ...


@runtime_checkable
class SupportsChats(Protocol):
    """Shares how chats are shown with the account's other devices."""

    @property
    def chats(self) -> ChatVerbs:
        """What can be done."""
        ...


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """What the account shows of itself, who may see what, whom it blocks, and after how long new chats disappear."""

    name: str = field(repr=False)
    about: str | None = field(repr=False)
    has_picture: bool
    privacy: Mapping[str, str]
    default_timer: int
    blocked: tuple[JID, ...] = field(repr=False)


class ProfileVerbs(Protocol):
    """The account's own profile and settings, and what businesses tell of themselves."""

    async def read(self) -> OwnProfile:
        """All of it."""
        ...

    async def set_name(self, name: str) -> None:
        """Call oneself something else."""
        ...

    async def set_about(self, about: str) -> None:
        """Say something else of oneself."""
        ...

    async def set_picture(self, jpeg: bytes | None) -> None:
        """Show this picture, or none."""
        ...

    async def set_privacy(self, setting: str, value: str) -> None:
        """Give one setting another value."""
        ...

    async def set_default_timer(self, seconds: int) -> None:
        """Have messages of new chats disappear; 0 is never."""
        ...

    async def business(self, person: JID) -> dict[str, Any] | None:
        """What a business tells of itself, as JSON; None for who is none."""
        ...

    async def picture(self, person: JID, *, preview: bool) -> Shown | None:
        """The picture of a person or group; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture: its id, and where it can be fetched for a while."""

    id: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """One linked device; 0 is the phone."""

    number: int
    is_this: bool
    is_hosted: bool
    is_vouched: bool


class DeviceVerbs(Protocol):
    """The account's linked devices."""

    async def list(self) -> tuple[OwnDevice, ...]:
        """All of them, the phone first."""
        ...

    async def remove(self, number: int) -> None:
        """Take another linked device off the account."""
        ...


@runtime_checkable
class SupportsProfile(Protocol):
    """Knows the account's own profile, settings and devices."""

    @property
    def profile(self) -> ProfileVerbs:
        """What can be done with the profile."""
        ...

    @property
    def devices(self) -> DeviceVerbs:
        """What can be done with the devices."""
        ...
