"""
What happened (facts) and what is happening (signals): frozen values, past tense, no client inside.

A `Fact` is durable: recorded in the transaction that made it true, numbered, replayable. A `Signal` is ephemeral. The
class name is the only source of the wire name: `MessageReceived` is `message.received`. Unknown things become
`UnknownReceived`: visible, never silently lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from recado.content import Content
from recado.errors import CloseReason
from recado.event_terms import CallState as CallState
from recado.event_terms import ConnectionState as ConnectionState
from recado.event_terms import ReceiptKind as ReceiptKind
from recado.event_terms import Source as Source
from recado.groups import GroupChange
from recado.jid import JID

MessageId = NewType("MessageId", str)

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (store/codec.py)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a message answers: the quoted message's id, its author and its text, as far as they were given."""

    id: MessageId
    sender: JID | None = None
    text: str | None = None

    def __repr__(self) -> str:
        return f"Quote({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Anything that can be told: whose account it concerns, and when we learnt it."""

    account: JID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Event):
    """Durable: recorded in the transaction, numbered, replayable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Event):
    """Ephemeral: told to who listens now, dropped oldest-first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Fact):
    """A message arrived: from somebody, or written on another device of this account (`from_me`)."""

    id: MessageId
    chat: JID
    sender: JID
    from_me: bool
    content: Content
    sent_at: datetime
    source: Source = Source.LIVE
    chat_alt: JID | None = None  # the same chat in the other address space, where it is known
    push_name: str | None = field(default=None, repr=False)
    quoted: Quote | None = None
    forwarded: int = field(default=0, metadata=_SPARSE)  # how often it was forwarded before it came here
    expires_in: int | None = field(default=None, metadata=_SPARSE)  # seconds, of a disappearing message


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Fact):
    """The server took a message of ours."""

    id: MessageId
    chat: JID
    content: Content
    sent_at: datetime
    chat_alt: JID | None = None
    quoted: Quote | None = None
    forwarded: int = field(default=0, metadata=_SPARSE)
    expires_in: int | None = field(default=None, metadata=_SPARSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRejected(Fact):
    """The server refused a message of ours with `code`."""

    id: MessageId
    chat: JID
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReceived(Fact):
    """The other side (or, `from_me`, another own device) tells how far messages got."""

    ids: tuple[MessageId, ...]
    chat: JID
    sender: JID
    kind: ReceiptKind
    from_me: bool = False
    chat_alt: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeUnreadable(Fact):
    """A message came that could not be opened (`reason`: the error's name); a resend may fill its place."""

    id: MessageId
    chat: JID
    sender: JID
    reason: str
    sent_at: datetime
    source: Source = Source.LIVE
    from_me: bool = False
    chat_alt: JID | None = None
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChanged(Fact):
    """The connection went to another state; `reason` and `retry_at` where there are any."""

    state: ConnectionState
    reason: CloseReason | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Fact):
    """Something was learnt of a person: the other address, or the name they gave themselves."""

    contact: JID
    phone: JID | None = None
    lid: JID | None = None
    push_name: str | None = field(default=None, repr=False)
    verified_name: str | None = field(default=None, repr=False, metadata=_SPARSE)
    also: JID | None = field(default=None, metadata=_SPARSE)  # the same account, as its number was dialled
    full_name: str | None = field(default=None, repr=False, metadata=_SPARSE)  # in the account's address book
    first_name: str | None = field(default=None, repr=False, metadata=_SPARSE)
    is_saved: bool | None = field(default=None, metadata=_SPARSE)  # in the address book, or (False) taken out of it


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFound(Fact):
    """A look-up (`request`) found out who has a number, or that nobody on WhatsApp has."""

    asked: JID
    is_on_whatsapp: bool
    phone: JID | None = None
    lid: JID | None = None
    verified_name: str | None = field(default=None, repr=False)
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChanged(Fact):
    """A person has another phone number now; `lid` stays theirs where it is known."""

    old: JID
    new: JID
    lid: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureChanged(Fact):
    """A person's, a group's or the own picture is new, or gone (`picture` None)."""

    contact: JID
    picture: str | None = None
    author: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutChanged(Fact):
    """A person (or this account) says something else about themselves; None: ask for it."""

    contact: JID
    about: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocklistChanged(Fact):
    """The account blocks people it did not block before, or no longer does."""

    blocked: tuple[JID, ...] = ()
    unblocked: tuple[JID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyChanged(Fact):
    """One of the account's privacy settings (`last`, `online`, `profile`, …) has another value."""

    setting: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisappearingDefaultChanged(Fact):
    """New chats of a person (or of this account) begin with another timer; 0 is none."""

    contact: JID
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachOutRestricted(Fact):
    """WhatsApp forbids this account to write first, as far as `until`; not `is_active`: it may again."""

    is_active: bool
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReceived(Fact):
    """Somebody calls, or a call went on to another state; the voice itself is not for this client."""

    id: str
    caller: JID
    state: CallState
    caller_alt: JID | None = None
    is_video: bool = False
    group: JID | None = None
    is_offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChanged(Fact):
    """Something changed in a group: `what`, whom it concerns or its new `value` (a subject, "on", …), and `by` whom."""

    group: JID
    what: GroupChange
    by: JID | None = None
    people: tuple[JID, ...] = ()
    value: str = field(default="", repr=False)
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerIdentityChanged(Fact):
    """A device's identity key is new: reinstalled, or somebody else's."""

    contact: JID


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
class PushNameChanged(Fact):
    """The account gives itself another name."""

    name: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanged(Fact):
    """A setting that the account's devices share: `locale`, `unarchive_chats` ("on", "off"), `link_previews`, …"""

    setting: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStateRejected(Fact):
    """What the server gave of a collection of the shared state did not authenticate; nothing of it was believed."""

    collection: str
    version: int
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUnlinked(Fact):
    """This device is no longer linked to the account."""

    reason: CloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReceived(Fact):
    """A stanza this version does not know, or could not read; kept raw."""

    tag: str
    raw: bytes = field(repr=False)
    problem: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingChanged(Signal):
    """Somebody types (or records a voice message, `is_audio`), or stopped."""

    chat: JID
    sender: JID
    is_typing: bool
    is_audio: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChanged(Signal):
    """Somebody came or went."""

    contact: JID
    is_available: bool
    last_seen: datetime | None = None


def wire_name(kind: type[object]) -> str:
    """`MessageReceived` → `message.received`: words split, the last one behind a dot."""
    words: list[str] = re.findall(r"[A-Z][a-z]+", kind.__name__)
    return "_".join(words[:-1]).lower() + "." + words[-1].lower()


# A closed set, listed by hand: `__subclasses__()` also holds the twin that `slots=True` leaves behind.
FACT_KINDS: tuple[type[Fact], ...] = (
    MessageReceived,
    MessageSent,
    MessageRejected,
    ReceiptReceived,
    EnvelopeUnreadable,
    ConnectionChanged,
    ContactChanged,
    PersonFound,
    NumberChanged,
    PictureChanged,
    AboutChanged,
    BlocklistChanged,
    PrivacyChanged,
    DisappearingDefaultChanged,
    ReachOutRestricted,
    CallReceived,
    PeerIdentityChanged,
    GroupChanged,
    HistoryReceived,
    HistoryMissed,
    ChatRemembered,
    ChatChanged,
    ChatCleared,
    MessageStarred,
    MessageHidden,
    LabelChanged,
    LabelPlaced,
    PushNameChanged,
    SettingChanged,
    AppStateRejected,
    DeviceUnlinked,
    UnknownReceived,
)
SIGNAL_KINDS: tuple[type[Signal], ...] = (TypingChanged, PresenceChanged)

FACTS: dict[str, type[Fact]] = {wire_name(kind): kind for kind in FACT_KINDS}
"""Every kind of fact by its wire name."""
