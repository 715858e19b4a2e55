"""Facts of how chats are shown and what the past holds: history, archive, stars, labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.events.basis import Fact, MessageId
from recado.jid import JID

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReceived(Fact):
    """A part of the history is recorded; `progress` is the phone's word (0–100), `request` the question it answers."""

    kind: str
    chunk: int
    conversations: int
    messages: int
    progress: int | None = None
    request: str | None = field(default=None, metadata=_SPARSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOffered(Fact):
    """The phone offers a part of the history (`size` in bytes), which waits: `client.history.fetch(part)` brings it."""

    part: str
    kind: str
    chunk: int
    size: int
    progress: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryMissed(Fact):
    """A part of the history could not be had, or not be read (`reason`: the error's name)."""

    kind: str
    chunk: int
    reason: str
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRemembered(Fact):
    """A chat as the phone's history shows it. `expires_in` is its timer in seconds; what is None was not said."""

    chat: JID
    chat_alt: JID | None = None
    name: str | None = field(default=None, repr=False)
    unread: int = 0
    is_marked_unread: bool = False
    is_archived: bool = False
    pinned_at: datetime | None = None
    muted_until: datetime | None = None
    expires_in: int | None = None
    has_more: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChanged(Fact):
    """A device of the account changed how a chat is shown; None: not told. A mute without an end lasts for good."""

    chat: JID
    chat_alt: JID | None = None
    is_archived: bool | None = None
    is_pinned: bool | None = None
    is_muted: bool | None = None
    muted_until: datetime | None = None
    is_read: bool | None = None
    is_locked: bool | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCleared(Fact):
    """The account's devices no longer show what a chat held up to `until`; `is_deleted`: nor the chat itself."""

    chat: JID
    chat_alt: JID | None = None
    is_deleted: bool = False
    keeps_starred: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStarred(Fact):
    """A message got a star, or lost it."""

    id: MessageId
    chat: JID
    from_me: bool
    is_starred: bool
    chat_alt: JID | None = None
    author: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHidden(Fact):
    """A message was deleted on the account's own devices alone; everybody else still has it."""

    id: MessageId
    chat: JID
    from_me: bool
    chat_alt: JID | None = None
    author: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChanged(Fact):
    """A label of the account was made, renamed, recoloured or deleted."""

    label: str
    name: str = field(default="", repr=False)
    color: int = 0
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlaced(Fact):
    """A label was put on a chat (or, with `message`, on one message in it), or taken off."""

    label: str
    chat: JID
    is_placed: bool
    chat_alt: JID | None = None
    message: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReplyChanged(Fact):
    """A text that a business keeps at hand under a short word was written, changed or deleted."""

    reply: str
    shortcut: str = ""
    text: str = field(default="", repr=False)
    keywords: tuple[str, ...] = ()
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FavoritesChanged(Fact):
    """These chats are the favourites now, in order."""

    chats: tuple[JID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMuted(Fact):
    """Somebody's status posts are hidden on the account's devices, or shown again."""

    contact: JID
    is_muted: bool
