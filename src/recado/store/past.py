"""
What the store keeps of the past and of messages that are to come again: how far a part of the history is recorded,
which parts wait, what was asked of the phone, which message is missing, and when a session was last begun anew. A
sibling of transaction.py, on the same overlay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.jid import JID
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.records import JSONRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PartProgress(JSONRecord):
    """How far a part is recorded: that many of its people and chats, then of its messages, in its own order."""

    people: int = 0
    messages: int = 0
    readable: int = 0  # of those messages, how many say something
    conversations: int = 0
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class HeldPart(JSONRecord):
    """A part of the history that was offered and waits to be asked for: what fetches it, with its key."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRequest(JSONRecord):
    """Something asked of the phone: more of `chat`'s past, or all there is (None)."""

    chat: JID | None = field(default=None, repr=False)
    count: int = 0
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMessage(JSONRecord):
    """A message that could not be opened, and may be had from the phone; `asked` says how often that was asked."""

    chat: JID = field(repr=False)
    chat_alt: JID | None = field(default=None, repr=False)
    sender: JID = field(repr=False)
    id: str
    from_me: bool
    sent_at: datetime
    push_name: str | None = field(default=None, repr=False)
    asked: int = 0


@dataclass(frozen=True, slots=True)
class RenewedSession(JSONRecord):
    """When a session was last begun anew with keys that were fetched for it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ResentIn(JSONRecord):
    """The base key of the session in which a message was last sent again."""

    base_key: bytes = field(repr=False)


class Past:
    """Reads and writes of one transaction."""

    __slots__ = ("_overlay",)

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    async def progress(self, part: str) -> PartProgress:
        """How far that part of the history is recorded."""
        return await self._overlay.get(keys.history_part(part), PartProgress.decode) or PartProgress()

    def save_progress(self, part: str, progress: PartProgress, expires: datetime) -> None:
        """Note how far that part is recorded, beside what was recorded of it."""
        self._overlay.put(keys.history_part(part), progress, expires)

    async def held(self, part: str) -> HeldPart | None:
        """The part that waits under that name."""
        return await self._overlay.get(keys.held_part(part), HeldPart.decode)

    def hold(self, part: str, held: HeldPart, expires: datetime) -> None:
        """Note a part that is to wait."""
        self._overlay.put(keys.held_part(part), held, expires)

    def drop_held(self, part: str) -> None:
        """It waits no more."""
        self._overlay.put(keys.held_part(part), None)

    async def request(self, id: str) -> PastRequest | None:
        """What was asked of the phone under that id, while it is not answered."""
        return await self._overlay.get(keys.past_request(id), PastRequest.decode)

    def save_request(self, id: str, request: PastRequest, expires: datetime) -> None:
        """Note what is asked of the phone; before it is."""
        self._overlay.put(keys.past_request(id), request, expires)

    def drop_request(self, id: str) -> None:
        """It was answered."""
        self._overlay.put(keys.past_request(id), None)

    async def missing(self, chat: JID, id: str) -> MissingMessage | None:
        """The message with that id that is missing in a chat (its canonical address)."""
        return await self._overlay.get(keys.missing_message(chat, id), MissingMessage.decode)

    def save_missing(self, message: MissingMessage, expires: datetime) -> None:
        """Note a message that is missing."""
        self._overlay.put(keys.missing_message(message.chat, message.id), message, expires)

    def drop_missing(self, chat: JID, id: str) -> None:
        """It came, or is given up."""
        self._overlay.put(keys.missing_message(chat, id), None)

    async def renewed_at(self, device: JID) -> datetime | None:
        """When the session with a device was last begun anew with fetched keys."""
        found = await self._overlay.get(keys.renewed(device), RenewedSession.decode)
        return None if found is None else found.at

    def save_renewed(self, device: JID, at: datetime, expires: datetime) -> None:
        """Note that the session with a device is begun anew."""
        self._overlay.put(keys.renewed(device), RenewedSession(at), expires)

    async def resent_in(self, device: JID, id: str) -> bytes | None:
        """The base key of the session in which a message was last sent again to a device."""
        found = await self._overlay.get(keys.resent_in(device, id), ResentIn.decode)
        return None if found is None else found.base_key

    def save_resent_in(self, device: JID, id: str, base_key: bytes, expires: datetime) -> None:
        """Note in which session a message is sent again."""
        self._overlay.put(keys.resent_in(device, id), ResentIn(base_key), expires)
