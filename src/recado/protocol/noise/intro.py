"""
The first bytes of a link, before any frame: whom we want to talk to, and in which dialect.

    [ 'E' 'D' 00 01 | length, 3 bytes | routing ]   optional: the edge the server told us to ask for last time
    'W' 'A' 06 03                                   protocol version 6, token dictionary 3

Only the last four bytes are the handshake's prologue: both ends hash them, neither hashes the routing.
"""

from __future__ import annotations

from recado.errors import DecodeError

PROTOCOL_VERSION = 6
DICTIONARY_VERSION = 3
PROLOGUE = bytes((*b"WA", PROTOCOL_VERSION, DICTIONARY_VERSION))
MAX_ROUTING = 4096

_ROUTING_HEADER = b"ED\x00\x01"


def write_intro(routing: bytes | None = None) -> bytes:
    """The intro's bytes. The routing is a hint: an empty one, or one of more than 4 KiB, is left out."""
    if not routing or len(routing) > MAX_ROUTING:
        return PROLOGUE
    return _ROUTING_HEADER + len(routing).to_bytes(3, "big") + routing + PROLOGUE


def intro_size(received: bytes | bytearray) -> int | None:
    """
    How many bytes at the start of `received` are the intro; None while it is incomplete.

    Raises DecodeError as soon as it cannot become one, so that a stray visitor is not waited for.
    """
    start = 0
    if received[:1] == _ROUTING_HEADER[:1]:
        _expect(received, 0, _ROUTING_HEADER, "this is not a WhatsApp link")
        if len(received) < 7:
            return None
        size = int.from_bytes(received[4:7], "big")
        if size > MAX_ROUTING:
            raise DecodeError("the routing information is too long")
        start = 7 + size
    _expect(received, start, PROLOGUE[:2], "this is not a WhatsApp link")
    _expect(received, start + 2, PROLOGUE[2:3], "the link speaks another protocol version")
    _expect(received, start + 3, PROLOGUE[3:4], "the link speaks another token dictionary")
    return start + 4 if len(received) >= start + 4 else None


def _expect(received: bytes | bytearray, at: int, wanted: bytes, complaint: str) -> None:
    found = received[at : at + len(wanted)]
    if found != wanted[: len(found)]:
        raise DecodeError(complaint)
