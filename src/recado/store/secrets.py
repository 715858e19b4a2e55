"""
The secrets of polls and events, kept so that votes and answers that come later can be opened; with a poll's options, by
which a vote names them. Reached through `Transaction.secrets`; they go by themselves when nobody votes any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.jid import JID
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.records import JSONRecord


@dataclass(frozen=True, slots=True)
class MessageSecret(JSONRecord):
    """A message's own 32 bytes, its author as the message showed them, and the options of a poll."""

    secret: bytes = field(repr=False)
    author: JID = field(repr=False)
    options: tuple[str, ...] = field(default=(), repr=False)


class SecretRecords:
    """Reads and writes within one transaction; `author` is the key's, in the LID space where that is known."""

    __slots__ = ("_overlay",)

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    async def find(self, chat: JID, author: JID, id: str) -> MessageSecret | None:
        """The secret of a message, while it is kept."""
        return await self._overlay.get(keys.message_secret(chat, author, id), MessageSecret.decode)

    async def remember(self, chat: JID, author: JID, id: str, secret: MessageSecret, expires: datetime) -> None:
        """Keep the secret of a message."""
        self._overlay.put(keys.message_secret(chat, author, id), secret, expires)
