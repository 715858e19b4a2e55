"""
What a webhook body tells, item by item, as values: a message, a status, a person's new id, a template's fate. Made by
webhook.py from JSON, turned into facts and rows by intake.py. `key` says what makes an item the same when it is told
again: Meta repeats whole bodies, and parts of them in others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.content import Content
from recado.events import ReceiptKind, Source

SENT = "sent"
FAILED = "failed"
RECEIPTS = {
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.READ,
    "played": ReceiptKind.PLAYED,
}


@dataclass(frozen=True, slots=True)
class Who:
    """A person as Meta names them: by number, by business-scoped user id (BSUID), or both; one is always there."""

    phone: str | None = field(default=None, repr=False)
    user_id: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from somebody; or, `from_me`, one the mentorado wrote in the app; or one of the past."""

    id: str
    chat: Who
    group: str | None = None
    content: Content
    sent_at: datetime
    source: Source = Source.LIVE
    from_me: bool = False
    quoted_id: str | None = None
    quoted_phone: str | None = field(default=None, repr=False)
    is_placeholder: bool = False
    """The content follows in another body (a file of the history)."""
    status: ReceiptKind | None = None
    """How far one of the past had got."""

    @property
    def key(self) -> str:
        return f"{'placeholder' if self.is_placeholder else 'message'}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a message of ours got: `sent`, `delivered`, `read`, `played`, or `failed` with Meta's codes."""

    external_id: str
    status: str
    at: datetime
    to: Who | None
    our_id: str | None = None
    codes: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return f"status:{self.external_id}:{self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChanged:
    """A person has another number, another user id, or both, from now on."""

    before: Who
    now: Who
    at: datetime

    @property
    def key(self) -> str:
        return f"changed:{self.before.phone}:{self.before.user_id}:{self.now.phone}:{self.now.user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A person wants marketing no more (`stop`), or again (`resume`)."""

    who: Who
    wish: str
    at: datetime

    @property
    def key(self) -> str:
        return f"preference:{self.who.phone}:{self.who.user_id}:{self.wish}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSynced:
    """How the mentorado calls a person in the app; no name: taken out of the address book there."""

    phone: str = field(repr=False)
    name: str | None = field(repr=False)
    at: datetime

    @property
    def key(self) -> str:
        return f"contact:{self.phone}:{self.at.isoformat()}:{self.name is None}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPart:
    """A part of the app's history came (its messages are items of their own), or, with a code, will not come."""

    phase: str
    chunk: int
    conversations: int
    messages: int
    progress: int | None
    code: int | None = None

    @property
    def key(self) -> str:
        return f"history:{self.phase}:{self.chunk}:{self.progress}:{self.messages}:{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChanged:
    """Meta's word on a template: APPROVED, REJECTED, PAUSED, DISABLED, …; its quality or its category."""

    name: str
    language: str
    at: datetime | None
    template_id: str | None = None
    status: str | None = None
    reason: str | None = None
    quality: str | None = None
    category: str | None = None

    @property
    def key(self) -> str:
        what = f"{self.status}:{self.reason}:{self.quality}:{self.category}"
        return f"template:{self.name}:{self.language}:{what}:{self.at.isoformat() if self.at else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """Meta's word on the number or the business account: quality, limits, restrictions, off-boarding."""

    field: str
    event: str
    at: datetime | None
    limit: str | None = None
    digest: str = ""

    @property
    def key(self) -> str:
        return f"account:{self.field}:{self.event}:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountError:
    """An error that concerns no message (`value.errors`)."""

    code: int
    digest: str

    @property
    def key(self) -> str:
        return f"error:{self.code}:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What this version does not know, or could not read: where it stood, and its bytes."""

    what: str
    raw: bytes = field(repr=False)
    digest: str

    @property
    def key(self) -> str:
        return f"unknown:{self.digest}"


Item = (
    Message
    | Status
    | NumberChanged
    | Preference
    | ContactSynced
    | HistoryPart
    | TemplateChanged
    | AccountChanged
    | AccountError
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Part:
    """One change of a body: whose it is (the business account, and the number where one is named), and its items."""

    waba_id: str
    phone_number_id: str | None
    phone: str = field(repr=False)
    """The number itself, digits; empty when not told."""
    items: tuple[Item, ...]
    raw: object = field(repr=False, compare=False)
    """The change as an entry of its own, so that a body of several mentorados' can be kept apart."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The body is not a webhook of Meta's: `problem` says why, in words of ours."""

    problem: str
