"""
The seam between the gateway and a road to WhatsApp. Five verbs everyone has: `open close events send forget`; what only
some can do are small protocols beside it, tested for with isinstance. Speaks recado.content, events, errors and
pairing, and nothing of any one provider.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from recado.content import Content
from recado.errors import CloseReason
from recado.events import MessageId, Quote, Signal
from recado.jid import JID
from recado.pairing import PairingStep

if TYPE_CHECKING:
    from recado.gateway.runtime.leases import Lease


class Provider(Protocol):
    """One mentorado's connection. Facts go into the mentorado's stream by themselves, in their own transactions."""

    async def open(self) -> None:
        """Start, and keep the connection from now on. Raises StoreError, AlreadyOpen."""
        ...

    async def close(self) -> None:
        """Let go of the connection and everything held; the account stays linked."""
        ...

    def events(self) -> AsyncIterator[Signal]:
        """What is happening right now, for who looks: typing, presence."""
        ...

    async def until_ready(self) -> None:
        """Return when something can be sent."""
        ...

    async def until_over(self) -> None:
        """Wait for the end of the connection for good, and raise it: LoggedOut, ConnectionLost, StoreError."""
        ...

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        """
        Send the message `id`, and return when WhatsApp took it, by its clock. Raises Rejected, NoRecipients, TooLarge
        for what will never go; ConnectionLost, NotConnected, AckTimeout when its fate is unknown: send it again with
        the same id, and it stays one message.
        """
        ...

    async def forget(self, reason: str) -> None:
        """Unlink from the account as far as possible, back up what is held, then delete it. History is not touched."""
        ...


@dataclass(frozen=True, slots=True)
class Setback:
    """An attempt to connect failed for `reason`; the next one is due at `retry_at`."""

    reason: CloseReason
    retry_at: datetime


@runtime_checkable
class SupportsPairing(Protocol):
    """Linked by a person with a phone."""

    @property
    def is_linked(self) -> bool:
        """Is there an account already?"""
        ...

    def link(self, *, expect: JID | None, phone: JID | None = None) -> AsyncIterator[PairingStep]:
        """
        Link step by step; `Paired` is the last. With `phone` a code is shown to be typed there, where the road has
        them. With `expect`, another number is refused or asked about first, and nothing of it is kept before.
        Raises PairingExpired, PairingRefused, WrongAccount, ConnectionLost.
        """
        ...

    def setbacks(self) -> AsyncIterator[Setback]:
        """The attempts that failed while linking, as they do: no fact tells them, for there is no account yet."""
        ...


@runtime_checkable
class SupportsAnswers(Protocol):
    """Asks a person something while it links: for a passkey's signature, and about another number."""

    def sign_passkey(self, assertion: str) -> None:
        """Give the signature. Raises UsageError when it is not asked for any more."""
        ...

    def settle_number(self, *, keep: bool) -> None:
        """Keep the other number, or refuse it. Raises UsageError when it is not asked about any more."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """What an open connection has been waiting for, in seconds each; 0: there is nothing of the kind."""

    receiving_for: float = 0.0
    """Since something that arrived waits without any progress."""
    sending_for: float = 0.0
    """Since the oldest message that is being sent was begun."""
    unanswered_for: float = 0.0
    """Since the first message the server did not answer, with no answer to any later one."""
    working_for: float = 0.0
    """Since the piece of scheduled work that is being done was begun."""
    silent_for: float = 0.0
    """Since anything was heard, while connected."""


@runtime_checkable
class SupportsHealth(Protocol):
    """Can say whether it makes progress."""

    def health(self) -> Health:
        """What it is waiting for right now. Never waits itself."""
        ...


@runtime_checkable
class SupportsCut(Protocol):
    """Can let go of its connection without waiting for anything of ours, the database least of all."""

    async def cut(self) -> None:
        """Close the socket now and open no other; `close` puts the rest in order."""
        ...


@runtime_checkable
class SupportsHandover(Protocol):
    """Can close as one who goes on elsewhere, so that no fact tells of an account that went away."""

    async def hand_over(self) -> None:
        """As `close`, but what is told is that it reconnects."""
        ...


@runtime_checkable
class SupportsReading(Protocol):
    """Can tell the other side that messages were read."""

    async def mark_read(self, chat: JID, ids: list[MessageId]) -> None:
        """Tell so. Raises NotConnected."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Who has a number, as WhatsApp tells; `phone` may be spelt otherwise than it was asked for."""

    asked: JID = field(repr=False)
    is_on_whatsapp: bool
    phone: JID | None = field(default=None, repr=False)
    lid: JID | None = field(default=None, repr=False)
    verified_name: str | None = field(default=None, repr=False)


@runtime_checkable
class SupportsPeople(Protocol):
    """Knows of people beside their messages. Every verb raises NotConnected, ConnectionLost, QueryError."""

    async def look_up(self, phones: list[JID]) -> list[Found]:
        """Which of these numbers are on WhatsApp."""
        ...

    async def set_blocked(self, person: JID, *, is_blocked: bool) -> None:
        """Block a person, or no longer."""
        ...

    async def watch(self, person: JID) -> None:
        """Tell, as signals, when a person comes and goes."""
        ...

    async def set_about(self, about: str) -> None:
        """Say something else of the account's person."""
        ...

    async def reject_call(self, id: str, caller: JID) -> None:
        """Refuse a call."""
        ...


@runtime_checkable
class SupportsPast(Protocol):
    """Can ask for older messages of a chat."""

    async def request_past(
        self, chat: JID, before: MessageId, *, from_me: bool, sent_at: datetime, count: int, request: str
    ) -> None:
        """Ask for those before that one; what comes names `request`. Raises NotConnected, QueryError, SendError."""
        ...


@runtime_checkable
class SupportsTyping(Protocol):
    """Can show the other side that a message is being written."""

    async def show_typing(self, chat: JID, *, is_typing: bool) -> None:
        """Show so, or stop. Raises NotConnected."""
        ...


MakeProvider = Callable[["Lease"], Provider]
"""A provider for the account of a lease, not open yet."""


@runtime_checkable
class SendsMarked(Protocol):
    """A provider whose messages can say that they were passed on, or that they disappear."""

    async def send_marked(
        self,
        chat: JID,
        content: Content,
        *,
        id: MessageId,
        quoting: Quote | None = None,
        forwarded: int = 0,
        expires_in: int | None = None,
    ) -> datetime:
        """As `send`; `forwarded` counts how often, `expires_in` is in seconds. Raises what `send` raises."""
        ...
