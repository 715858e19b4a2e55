"""
A sender key inside a message: how a device is given it, alone or with what it could not open. Knows protobuf, no keys.
"""

from __future__ import annotations

from typing import NamedTuple

from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.messages.content import parse_message
from recado.protocol.proto.e2e_pb2 import Message
from recado.protocol.signal.sender_key_format import Distribution, decode_distribution


class GivenKey(NamedTuple):
    """A sender key and the group it is for."""

    group: JID
    key: Distribution


def read_distribution(plaintext: bytes) -> GivenKey | None:
    """The sender key in an unpadded plaintext, if there is one. Raises DecodeError, MalformedEnvelope."""
    message = parse_message(plaintext)
    if not message.HasField("sender_key_distribution_message"):
        return None
    given = message.sender_key_distribution_message
    try:
        group = JID.parse(given.group_id)
    except ValueError as error:
        raise DecodeError("a sender key is for a malformed address") from error
    return GivenKey(group, decode_distribution(given.axolotl_sender_key_distribution_message))


def encode_distribution_message(group: JID, distribution: bytes, body: bytes = b"") -> bytes:
    """The unpadded message that hands out a sender key; with `body` (an encoded message) both travel in one."""
    message = Message.FromString(body)
    message.sender_key_distribution_message.group_id = str(group)
    message.sender_key_distribution_message.axolotl_sender_key_distribution_message = distribution
    return message.SerializeToString()
