"""
What a group's members say to all, and how they hand out the key for it, as bytes.

    0x33 · SenderKeyMessage{id, iteration, ciphertext} · signature (64)
    0x33 · SenderKeyDistributionMessage{id, iteration, chain_key, signing_key}

The signature covers the version byte and the message as they were received, never as we would write them again.
"""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import MalformedEnvelope
from recado.protocol.crypto.curve import KEY_SIZE, SIGNATURE_SIZE
from recado.protocol.proto import signal_pb2
from recado.protocol.signal.agreement import KEY_TYPE

VERSION = 0x33

_VERSION = b"\x33"


class SenderKeyMessage(NamedTuple):
    """A message to a group, taken apart: `signed` is what the signature covers, the version byte in front."""

    id: int
    iteration: int
    ciphertext: bytes
    signed: bytes
    signature: bytes


class Distribution(NamedTuple):
    """A sender key as it is given to others: its number, where its chain stands, and the public signing key (32)."""

    id: int
    iteration: int
    chain_key: bytes
    signing_key: bytes

    def __repr__(self) -> str:
        return f"Distribution(iteration={self.iteration})"


def encode_sender_key_message(id: int, iteration: int, ciphertext: bytes) -> bytes:
    """Version byte and message, without the signature that is yet to be made over them."""
    message = signal_pb2.SenderKeyMessage(id=id, iteration=iteration, ciphertext=ciphertext)
    return _VERSION + message.SerializeToString()


def decode_sender_key_message(data: bytes) -> SenderKeyMessage:
    """Take a message apart; nothing is verified. Raises MalformedEnvelope."""
    if len(data) <= SIGNATURE_SIZE + 1 or data[0] != VERSION:
        raise MalformedEnvelope
    signed = data[:-SIGNATURE_SIZE]
    try:
        message = signal_pb2.SenderKeyMessage.FromString(signed[1:])
    except ProtobufError as error:
        raise MalformedEnvelope from error
    if not message.HasField("id") or not message.HasField("iteration") or not message.ciphertext:
        raise MalformedEnvelope
    return SenderKeyMessage(message.id, message.iteration, message.ciphertext, signed, data[-SIGNATURE_SIZE:])


def encode_distribution(distribution: Distribution) -> bytes:
    """A sender key as it is handed out."""
    encoded: bytes = signal_pb2.SenderKeyDistributionMessage(
        id=distribution.id,
        iteration=distribution.iteration,
        chain_key=distribution.chain_key,
        signing_key=KEY_TYPE + distribution.signing_key,
    ).SerializeToString()
    return _VERSION + encoded


def decode_distribution(data: bytes) -> Distribution:
    """Take a sender key that was handed out apart. Raises MalformedEnvelope."""
    if not data or data[0] != VERSION:
        raise MalformedEnvelope
    try:
        message = signal_pb2.SenderKeyDistributionMessage.FromString(data[1:])
    except ProtobufError as error:
        raise MalformedEnvelope from error
    signing = message.signing_key
    if len(signing) == KEY_SIZE + 1 and signing[:1] == KEY_TYPE:
        signing = signing[1:]
    if not message.HasField("id") or len(message.chain_key) != 32 or len(signing) != KEY_SIZE:
        raise MalformedEnvelope
    return Distribution(message.id, message.iteration, message.chain_key, signing)
