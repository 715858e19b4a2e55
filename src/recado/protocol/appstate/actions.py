"""
What entries of the shared state say: one frozen value per kind. reading.py reads them, writing.py writes them. What is
not modelled, or does not read, is an OtherAction: kept as it came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.jid import JID


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A message, as an index names it: its chat, its id, whose it is; `author` in groups, when it is not ours."""

    chat: JID
    id: str
    from_me: bool
    author: JID | None = None


@dataclass(frozen=True, slots=True)
class LastMessage:
    """How far a chat went when something was done to all of it: what came later is not concerned."""

    at: datetime
    key: MessageKey | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A chat was put away, or brought back."""

    chat: JID
    is_archived: bool
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class PinChat:
    """A chat stays on top, or does no more."""

    chat: JID
    is_pinned: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """A chat is silent: until a time, or (None) for good."""

    chat: JID
    is_muted: bool
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarkRead:
    """A chat was marked as read, or as unread."""

    chat: JID
    is_read: bool
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """A chat is behind the phone's lock, or no more."""

    chat: JID
    is_locked: bool


@dataclass(frozen=True, slots=True)
class ClearChat:
    """A chat was emptied."""

    chat: JID
    keeps_starred: bool = False
    deletes_media: bool = False
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class DeleteChat:
    """A chat was deleted."""

    chat: JID
    deletes_media: bool = False
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class Star:
    """A message is marked with a star, or no more."""

    message: MessageKey
    is_starred: bool


@dataclass(frozen=True, slots=True)
class DeleteForMe:
    """A message was deleted on the account's own devices."""

    message: MessageKey
    deletes_media: bool = False
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NameContact:
    """A person in the address book, or (removed) no longer there."""

    contact: JID
    full_name: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    lid: JID | None = None
    phone: JID | None = None
    username: str | None = field(default=None, repr=False)
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class PairAddresses:
    """A chat with a LID is with this phone number."""

    lid: JID
    phone: JID


@dataclass(frozen=True, slots=True)
class SetPushName:
    """The name the account gives itself."""

    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EditLabel:
    """A label of a business account was made, changed or deleted."""

    id: str
    name: str = field(default="", repr=False)
    color: int = 0
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class LabelChat:
    """A label was put on a chat, or taken off."""

    label: str
    chat: JID
    is_labeled: bool


@dataclass(frozen=True, slots=True)
class LabelMessage:
    """A label was put on a message, or taken off."""

    label: str
    chat: JID
    id: str
    is_labeled: bool


@dataclass(frozen=True, slots=True)
class MuteStatus:
    """Somebody's status posts are hidden, or shown again."""

    contact: JID
    is_muted: bool


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    """A setting of the account, by a name of ours: see `SETTINGS`. `people` are those a list of it names."""

    name: str
    value: str
    people: tuple[JID, ...] = ()


@dataclass(frozen=True, slots=True)
class EditQuickReply:
    """A text a business keeps at hand under a short word; `id` is its own."""

    id: str
    shortcut: str = ""
    text: str = field(default="", repr=False)
    keywords: tuple[str, ...] = ()
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class ChooseFavorites:
    """The chats that are favourites, in order; all of them."""

    chats: tuple[JID, ...]


@dataclass(frozen=True, slots=True)
class ExpireKeys:
    """Nothing more is written with keys of this epoch and those before it."""

    epoch: int


@dataclass(frozen=True, slots=True)
class NewSalt:
    """The salt that privacy tokens are made with when there is none of theirs; None when it was taken back."""

    salt: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An entry this version does not model, whole."""

    index: tuple[str, ...] = field(repr=False)
    is_set: bool
    data: bytes = field(repr=False)


Action = (
    Archive
    | PinChat
    | Mute
    | MarkRead
    | Lock
    | ClearChat
    | DeleteChat
    | Star
    | DeleteForMe
    | NameContact
    | PairAddresses
    | SetPushName
    | EditLabel
    | LabelChat
    | LabelMessage
    | MuteStatus
    | ChangeSetting
    | EditQuickReply
    | ChooseFavorites
    | ExpireKeys
    | NewSalt
    | OtherAction
)

SETTINGS = (
    "unarchive_chats",
    "locale",
    "twenty_four_hours",
    "link_previews",
    "relay_calls",
    "security_notifications",
    "status_privacy",
)
"""What a ChangeSetting may be about; switches are "on" and "off"."""

STATUS_PRIVACY = ("allow_list", "deny_list", "contacts", "close_friends")
"""Who sees status posts, in the order of their numbers on the wire."""
