"""
Asking the own phone to put a file on the servers again, and what it says to that. Both are sealed with a key that comes
from the file's own, bound to the message's id: only who can open the file can ask for it, or say where it is now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from google.protobuf.message import DecodeError as Malformed

from recado.errors import DecodeError
from recado.protocol.crypto.keys import hkdf
from recado.protocol.crypto.symmetric import gcm_open, gcm_seal
from recado.protocol.proto.mediaretry_pb2 import MediaRetryNotification, ServerErrorReceipt

_INFO = b"WhatsApp Media Retry Notification"
_NONCE = 12


class Reupload(IntEnum):
    """What came of it."""

    FAILED = 0
    DONE = 1
    NOT_FOUND = 2
    NOT_OPENED = 3


_RESULTS = {result.value: result for result in Reupload}


@dataclass(frozen=True, slots=True)
class SealedRetry:
    """One side's words as they travel."""

    ciphertext: bytes = field(repr=False)
    nonce: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReuploadResult:
    """What the phone says; `direct_path` is where the file is now."""

    result: Reupload
    direct_path: str | None = field(default=None, repr=False)


def seal_request(key: bytes, id: str, entropy: Callable[[int], bytes]) -> SealedRetry:
    """Please upload the file of message `id` again."""
    return _seal(key, id, ServerErrorReceipt(stanza_id=id).SerializeToString(), entropy)


def check_request(key: bytes, id: str, sealed: SealedRetry) -> None:
    """The phone's side: does who asks hold the file's key? Raises DecodeError."""
    try:
        asked = ServerErrorReceipt.FromString(_open(key, id, sealed))
    except Malformed as error:
        raise DecodeError("a request for a file is not well-formed") from error
    if asked.stanza_id != id:
        raise DecodeError("a request for a file is about another message")


def seal_result(
    key: bytes, id: str, result: Reupload, direct_path: str | None, entropy: Callable[[int], bytes]
) -> SealedRetry:
    """The phone's answer."""
    told = MediaRetryNotification(stanza_id=id, direct_path=direct_path, result=result.value)  # type: ignore[arg-type]
    return _seal(key, id, told.SerializeToString(), entropy)


def open_result(key: bytes, id: str, sealed: SealedRetry) -> ReuploadResult:
    """What the phone answered. Raises DecodeError, also for an answer about another message."""
    try:
        told = MediaRetryNotification.FromString(_open(key, id, sealed))
    except Malformed as error:
        raise DecodeError("an answer about a file is not well-formed") from error
    if told.stanza_id != id:
        raise DecodeError("an answer about a file is about another message")
    return ReuploadResult(_RESULTS.get(int(told.result), Reupload.FAILED), told.direct_path or None)


def _seal(key: bytes, id: str, plaintext: bytes, entropy: Callable[[int], bytes]) -> SealedRetry:
    nonce = entropy(_NONCE)
    return SealedRetry(gcm_seal(_retry_key(key), nonce, plaintext, id.encode()), nonce)


def _open(key: bytes, id: str, sealed: SealedRetry) -> bytes:
    return gcm_open(_retry_key(key), sealed.nonce, sealed.ciphertext, id.encode())


def _retry_key(key: bytes) -> bytes:
    return hkdf(key, 32, info=_INFO)
