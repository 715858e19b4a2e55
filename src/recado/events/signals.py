"""Signals: told to who listens now, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.events.basis import Signal
from recado.jid import JID


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
