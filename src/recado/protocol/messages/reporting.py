"""
The reporting token: by it, a receiver who reports a message can prove to the server what it said, and only that. It is
an HMAC, under a key from the message's secret, over the fields that count, cut out of its bytes as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recado.jid import JID
from recado.protocol.crypto.keys import hmac_sha256
from recado.protocol.messages.secrets import SECRET_SIZE, Use, secret_key

TOKEN_SIZE = 16

Fields = Mapping[int, Any]  # None: the whole field; a table: those fields of it

_FORWARDING: Fields = {21: None, 22: None}
_NOTHING: Fields = {}  # a message in a wrapper: none of its fields is listed, so none counts


def _with_context(*numbers: int, context: int = 17) -> Fields:
    return {**dict.fromkeys(numbers), context: _FORWARDING}


_POLL: Fields = {2: None, 3: {1: None, 2: None}, 5: _FORWARDING, 8: {1: None, 2: None}}
_WRAPPED: Fields = {1: _NOTHING}

FIELDS: Fields = {
    1: None,
    3: _with_context(2, 3, 8, 11, 25),
    4: _with_context(1, 16),
    5: _with_context(3, 4, 5, 16),
    6: _with_context(1, 30),
    7: _with_context(2, 7, 10, 20),
    8: _with_context(2, 7, 9, 21),
    9: _with_context(2, 6, 7, 13, 20),
    12: {1: None, 2: None, 14: _NOTHING, 15: None},
    18: _with_context(6, 16),
    26: _with_context(4, 5, 8, 13),
    28: _with_context(1, 2, 4, 5, 6, context=7),
    49: _POLL,
    60: _POLL,
    64: _POLL,
    66: _with_context(2, 6, 7, 13, 20),
    88: {1: None, 2: {1: None}, 3: _FORWARDING},
    **dict.fromkeys((37, 53, 55, 58, 59, 74, 87, 92, 93, 94), _WRAPPED),
}
"""What counts, by field number: facts of the wire."""


def reporting_token(message: bytes, secret: bytes, *, id: str, sender: JID, chat: JID) -> bytes | None:
    """The 16 bytes for the encoded message `id` from `sender` in `chat`; None when nothing in it counts."""
    if len(secret) != SECRET_SIZE:
        return None
    counted = cut_out(message, FIELDS)
    if not counted:
        return None
    key = secret_key(secret, Use.REPORT, id=id, author=sender, writer=chat)
    return hmac_sha256(key, counted)[:TOKEN_SIZE]


def cut_out(message: bytes, fields: Fields) -> bytes | None:
    """The listed fields of a message, in the order of their numbers; None when it is not well-formed."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        number, form = tag >> 3, tag & 7
        size, at = _size(message, at, form)
        end = at + size
        if size < 0 or end > len(message):
            return None
        if number in fields:
            within = fields[number]
            if within is None or form != 2:
                found.append((number, message[start:end]))
            else:
                part = cut_out(message[at:end], within)
                if part is None:
                    return None
                if part:
                    found.append((number, _number(tag) + _number(len(part)) + part))
        at = end
    return b"".join(part for _, part in sorted(found, key=lambda each: each[0]))


def _size(message: bytes, at: int, form: int) -> tuple[int, int]:
    """How long the value of a field is, and where it begins; negative when it is malformed."""
    if form == 0:
        return _varint(message, at)[1] - at if at < len(message) else -1, at
    if form == 2:
        return _varint(message, at)
    return {1: 8, 5: 4}.get(form, -1), at


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message) and shift <= 63:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
    return -1, at


def _number(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))
