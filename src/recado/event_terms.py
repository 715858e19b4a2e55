"""
The terms in which facts are told: how a message came, what a receipt says, where a connection or a call stands. Closed
sets of words, which are their own wire form; `recado.events` has them too, and is where to import them from.
"""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """How a message came: live, queued while we were away, history, written on another own device, or resent."""

    LIVE = "live"
    OFFLINE = "offline"
    HISTORY = "history"
    ECHO = "echo"
    RESEND = "resend"


class ReceiptKind(StrEnum):
    """What a receipt says of a message."""

    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"


class ConnectionState(StrEnum):
    """Where a connection stands (docs/howto/states.md)."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    QR = "qr"
    CODE = "code"
    PASSKEY = "passkey"
    HELD = "held"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    REPLACED = "replaced"
    RESTRICTED = "restricted"
    LOGGED_OUT = "logged_out"
    FAILED = "failed"


class CallState(StrEnum):
    """How far a call got."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MISSED = "missed"
    ENDED = "ended"
