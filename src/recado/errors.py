"""
What can go wrong, grouped by who can act on it. `str(error)` never holds a message text, a number or a key.

    RecadoError
    ├── UsageError          you: called it wrong               NotPaired · NotConnected · AlreadyOpen · AnotherBrowser
    ├── PeerError           they: broke the protocol           DecodeError · StanzaError
    │                                                          · HandshakeError › UntrustedServer
    ├── ConnectionLost      the weather                        reason: CloseReason     retryable
    ├── LoggedOut           the account holder                 reason: CloseReason     terminal
    ├── QueryError          the server said no                 code, text  › QueryTimeout (› AckTimeout) · RateLimited
    ├── PairingError        the person with the phone          PairingExpired · WrongAccount
    │                                                          · PairingRefused › CodeRefused · PasskeyRefused
    ├── EnvelopeError       the other device                   NoSession · UnknownPreKey · DuplicateMessage · BadMac
    │                                                          · IdentityChanged · MalformedEnvelope · TooFarAhead
    ├── SendError           the message                        Rejected · NoRecipients · TooLarge · SendUnconfirmed
    ├── MediaError          the file                           MediaGone (› MediaForgotten) · MediaCorrupted
    │                                                          · MediaTooLarge · MediaUnavailable · StickerPackRefused
    ├── AppStateError       the state devices share            AppStateCorrupted · AppStateKeyMissing · AppStateConflict
    └── StoreError          the operator                       LeaseLost · StoreUnavailable · StoreRefused · BadRecord
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import ClassVar


class CloseReason(Enum):
    """Why a connection ended, by WhatsApp's code (docs/howto/states.md says what to do about each)."""

    CLOSED = 428
    LOST = 408
    SERVER_ERROR = 500
    UNAVAILABLE = 503
    RATE_LIMITED = 429
    RESTART_REQUIRED = 515
    REPLACED = 440
    LOGGED_OUT = 401
    FORBIDDEN = 403
    RESTRICTED = 402
    OUTDATED = 405
    BAD_USER_AGENT = 406
    NOT_MULTI_DEVICE = 411
    UNTRUSTED = 495
    UNREACHABLE = 521
    CLIENT = 0

    @classmethod
    def of(cls, code: int) -> CloseReason:
        """The reason a wire code stands for; an unknown one is a server error."""
        try:
            return cls(code)
        except ValueError:
            return cls.SERVER_ERROR


class RecadoError(Exception):
    """Something in recado failed."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or type(self).__name__).strip().splitlines()[0])


class UsageError(RecadoError):
    """The call does not fit the state."""


class NotPaired(UsageError):
    """The account is not linked yet."""


class NotConnected(UsageError):
    """There is no open connection right now."""

    retryable = True


class AlreadyOpen(UsageError):
    """This connection or client is already open."""


class PeerError(RecadoError):
    """The other end broke the protocol."""


class DecodeError(PeerError):
    """The bytes are not a well-formed value."""


class HistoryTooLarge(DecodeError):
    """A part of the history is larger than this client takes."""

    def __init__(self) -> None:
        super().__init__("a part of the history is larger than this client takes")


class HistoryUnanswered(RecadoError):
    """The phone did not answer what was asked of it, or its answer could not be had."""

    retryable = True


class StanzaError(PeerError):
    """A stanza lacks what it must have."""

    def __init__(self, tag: str, missing: Iterable[str]) -> None:
        self.tag = tag
        self.missing = tuple(missing)
        super().__init__(f"<{tag}> lacks or has malformed: {', '.join(self.missing)}")


class HandshakeError(PeerError):
    """The Noise handshake failed."""


class UntrustedServer(HandshakeError):
    """The server's certificate does not hang from the trusted root."""


class ConnectionLost(RecadoError):
    """The connection ended; of a message that was to be sent, `nothing_left` is said where it is known."""

    retryable = True
    nothing_left = False

    def __init__(self, reason: CloseReason, message: str | None = None) -> None:
        self.reason = reason
        super().__init__(message or f"the connection ended ({reason.name.lower()}, {reason.value})")


class LoggedOut(RecadoError):
    """The account holder unlinked this device, or WhatsApp did; `nothing_left` as with a connection that is lost."""

    nothing_left = False

    def __init__(self, reason: CloseReason = CloseReason.LOGGED_OUT) -> None:
        self.reason = reason
        super().__init__(f"this device is no longer linked ({reason.name.lower()}, {reason.value})")


class QueryError(RecadoError):
    """The server refused a question."""

    def __init__(self, code: int, text: str = "") -> None:
        self.code = code
        self.text = text
        super().__init__(f"the server answered {code} {text}".rstrip())


class QueryTimeout(QueryError):
    """The server did not answer in time."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(408, "no answer in time")


class AckTimeout(QueryTimeout):
    """The server did not acknowledge in time what was sent: it may have arrived."""


class RateLimited(QueryError):
    """The server asks us to slow down."""

    retryable = True

    def __init__(self, retry_at: datetime | None = None) -> None:
        self.retry_at = retry_at
        super().__init__(429, "too many requests")


class PairingError(RecadoError):
    """Linking failed."""


class PairingExpired(PairingError):
    """The codes ran out before anyone scanned one."""


class PairingRefused(PairingError):
    """The phone's proof did not check out, or the phone refused."""


class CodeRefused(PairingRefused):
    """The server gives no linking code for that number, or takes it no more."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the server refused to link by code ({code})")


class PasskeyRefused(PairingRefused):
    """The server does not take the passkey's signature."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the server refused the passkey ({code})")


class WrongAccount(PairingError):
    """Another number was scanned than the one this history belongs to."""


class AnotherBrowser(UsageError):
    """This device was linked as another browser than it would say it is now."""


class EnvelopeError(RecadoError):
    """An encrypted message could not be opened."""


class NoSession(EnvelopeError):
    """There is no session with that device."""


class UnknownSenderKey(EnvelopeError):
    """The author of a message to a group never gave us the key it was sealed with."""


class NoSecret(EnvelopeError):
    """The message that this one answers, and is sealed with the secret of, is not known here."""


class UnknownPreKey(EnvelopeError):
    """The message names a one-time key we do not hold."""


class DuplicateMessage(EnvelopeError):
    """The message key was already used."""


class BadMac(EnvelopeError):
    """The message does not authenticate."""


class MalformedEnvelope(EnvelopeError):
    """The encrypted message is not well-formed."""


class TooFarAhead(EnvelopeError):
    """The message skips more keys than we keep."""


class IdentityChanged(EnvelopeError):
    """The other device's identity key is not the one we know."""


class SendError(RecadoError):
    """The message was not sent."""


class Rejected(SendError):
    """The server refused the message."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the server refused the message ({code})")


class NoRecipients(SendError):
    """No device of the recipient can be written to."""


class TooLarge(SendError):
    """The message is larger than WhatsApp takes."""


class SendUnconfirmed(SendError):
    """The request may have been taken, and no answer came: only the provider's own word can settle it now."""


class MediaError(RecadoError):
    """A file could not be fetched or sent."""


class MediaGone(MediaError):
    """The servers do not have the file any more, and the phone did not put it there again."""


class MediaForgotten(MediaGone):
    """The servers do not have the file any more, and the phone said that it has not either."""


class MediaCorrupted(MediaError):
    """What came is not the file that was sent."""


class MediaTooLarge(MediaError):
    """The file is larger than was allowed."""


class MediaUnavailable(MediaError):
    """No server for files could be used just now."""

    retryable = True


class StickerPackRefused(MediaError):
    """The archive of a pack of stickers is not one that is opened."""


class AppStateError(RecadoError):
    """The state that the account's devices share could not be read or changed."""


class AppStateCorrupted(AppStateError):
    """A part of the shared state does not authenticate."""


class AppStateKeyMissing(AppStateError):
    """A key of the shared state is not here: the phone is asked for it."""

    retryable = True

    def __init__(self, ids: Iterable[bytes] = ()) -> None:
        self.ids = tuple(ids)
        super().__init__()


class AppStateConflict(AppStateError):
    """Other devices changed the shared state faster than this one could."""

    retryable = True


class StoreError(RecadoError):
    """The store failed."""


class LeaseLost(StoreError):
    """Another worker owns this account now."""


class StoreUnavailable(StoreError):
    """The database cannot be reached."""

    retryable = True


class StoreRefused(StoreError):
    """The database refused a value (U+0000 in a text, …)."""


class BadRecord(StoreError):
    """A stored record cannot be read."""


def before_sending(error: ConnectionLost | LoggedOut) -> ConnectionLost | LoggedOut:
    """The same, of a message nothing of which was written yet (a new one: others may wait for the one given)."""
    said = type(error)(error.reason)
    said.nothing_left = True
    return said


def where(error: BaseException) -> str:
    """The file and line an error came from, without its text, which may quote what it tripped over."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
