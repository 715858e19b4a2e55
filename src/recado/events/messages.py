"""Facts of messages: what came, went, was refused or could not be opened, and how far it got."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.content import Content
from recado.event_terms import ReceiptKind, Source
from recado.events.basis import Fact, MessageId, Quote
from recado.jid import JID

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


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
    verified_name: str | None = field(default=None, repr=False, metadata=_SPARSE)  # of the business that wrote


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
