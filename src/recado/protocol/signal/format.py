"""
The two messages as bytes: what a session writes (WhisperMessage) and what begins one (PreKeyWhisperMessage).

    0x33 · WhisperMessage · MAC (8)          0x33 · PreKeyWhisperMessage{… message = the former, whole}

The MAC covers the version byte and the message as it was received, never as we would write it again. Nothing here
knows a key's meaning.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import MalformedEnvelope
from recado.protocol.proto import signal_pb2
from recado.protocol.signal.agreement import KEY_TYPE
from recado.protocol.signal.chain import MAC_SIZE

VERSION = 0x33

_VERSION = b"\x33"
_KEY_SIZE = 33


class WhisperMessage(NamedTuple):
    """A message of a session, taken apart: `signed` is what the MAC covers, the version byte in front."""

    ratchet: bytes
    counter: int
    ciphertext: bytes
    signed: bytes
    mac: bytes


class PreKeyWhisperMessage(NamedTuple):
    """The first messages of a session: public keys without their type byte, and the message proper."""

    prekey_id: int | None
    signed_prekey_id: int
    base_key: bytes
    identity: bytes
    registration_id: int
    message: bytes


def encode_message(ratchet: bytes, counter: int, previous: int, ciphertext: bytes) -> bytes:
    """Version byte and WhisperMessage, without the MAC that is yet to be made over them."""
    message = signal_pb2.WhisperMessage(
        ratchet_key=KEY_TYPE + ratchet, counter=counter, previous_counter=previous, ciphertext=ciphertext
    )
    return _VERSION + message.SerializeToString()


def decode_message(data: bytes) -> WhisperMessage:
    """Take a message apart. Raises MalformedEnvelope."""
    if len(data) <= MAC_SIZE or data[0] != VERSION:
        raise MalformedEnvelope
    signed = data[:-MAC_SIZE]
    try:
        message = signal_pb2.WhisperMessage.FromString(signed[1:])
    except ProtobufError as error:
        raise MalformedEnvelope from error
    ratchet, ciphertext = message.ratchet_key, message.ciphertext
    if len(ratchet) != _KEY_SIZE or ratchet[0] != 5 or not ciphertext or not message.HasField("counter"):
        raise MalformedEnvelope
    return WhisperMessage(ratchet[1:], message.counter, ciphertext, signed, data[-MAC_SIZE:])


def encode_prekey_message(message: PreKeyWhisperMessage) -> bytes:
    """Version byte and PreKeyWhisperMessage."""
    encoded: bytes = signal_pb2.PreKeyWhisperMessage(
        prekey_id=message.prekey_id,
        base_key=KEY_TYPE + message.base_key,
        identity_key=KEY_TYPE + message.identity,
        message=message.message,
        registration_id=message.registration_id,
        signed_prekey_id=message.signed_prekey_id,
    ).SerializeToString()
    return _VERSION + encoded


@lru_cache(maxsize=128)  # who opens one reads first which keys it names, and a batch reads that of all ahead
def decode_prekey_message(data: bytes) -> PreKeyWhisperMessage:
    """Take the beginning of a session apart. Raises MalformedEnvelope."""
    if not data or data[0] != VERSION:
        raise MalformedEnvelope
    try:
        message = signal_pb2.PreKeyWhisperMessage.FromString(data[1:])
    except ProtobufError as error:
        raise MalformedEnvelope from error
    if not message.HasField("signed_prekey_id") or not message.message:
        raise MalformedEnvelope
    return PreKeyWhisperMessage(
        message.prekey_id or None,  # ids begin at 1: a zero is how some libraries write "none"
        message.signed_prekey_id,
        _public_key(message.base_key),
        _public_key(message.identity_key),
        message.registration_id,
        message.message,
    )


def _public_key(typed: bytes) -> bytes:
    if len(typed) != _KEY_SIZE or typed[:1] != KEY_TYPE:
        raise MalformedEnvelope
    return typed[1:]
