"""
A part of the history, walked by hand: it is deflated protobuf of any length with whole conversations as single fields,
so it is inflated and taken apart piece by piece, and no more of it is in memory than one block and one message.

    HistorySync { 1 kind  2 conversation { 1 id  2 message … }…  3 status  5 order  6 progress  7 name  15 addresses }

Knows where fields begin and end; what they mean is read in history.py.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from recado.errors import DecodeError, HistoryTooLarge

Read = Callable[[int], bytes]
"""Up to that many bytes of the deflated part; b"" at its end."""

MAX_FIELD = 8 * 1024 * 1024
"""The largest message, name or head of a conversation that is read, bytes; larger ones are passed over."""

_BLOCK = 64 * 1024
_INFLATED = 256 * 1024
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_CONVERSATION, _STATUS, _NAME, _ADDRESSES = 2, 3, 7, 15
_MESSAGE = 2


class Found(Enum):
    """What a piece is."""

    NUMBER = "number"  # a field of the part itself, in `number` and `value`
    NAME = "name"
    ADDRESSES = "addresses"
    HEAD = "head"  # a conversation without its messages, once all of it was passed
    MESSAGE = "message"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Piece:
    """One field, not read yet; `body` is None when it is larger than `MAX_FIELD`. `conversation` counts from 0."""

    found: Found
    body: bytes | None = None
    conversation: int = -1
    number: int = 0
    value: int = 0


def walk(read: Read, *, most: int) -> Iterator[Piece]:
    """The pieces of a part in their order. Raises DecodeError, HistoryTooLarge beyond `most` inflated bytes."""
    source = _Source(read, most)
    conversations = 0
    while not source.is_over():
        number, kind = source.tag()
        if kind == _VARINT:
            yield Piece(Found.NUMBER, number=number, value=source.varint())
        elif kind == _BYTES and number == _CONVERSATION:
            yield from _conversation(source, source.varint(), conversations)
            conversations += 1
        elif kind == _BYTES and number in _SINGLE:
            yield Piece(_SINGLE[number], source.field(source.varint()))
        else:
            source.skip_field(kind)


_SINGLE = {_NAME: Found.NAME, _ADDRESSES: Found.ADDRESSES, _STATUS: Found.STATUS}


def _conversation(source: _Source, size: int, index: int) -> Iterator[Piece]:
    """Its messages one by one, then the rest of it: a head may stand before them or behind."""
    end = source.position + size
    head = bytearray()
    while source.position < end:
        number, kind = source.tag()
        if kind == _BYTES and number == _MESSAGE:
            yield Piece(Found.MESSAGE, source.field(source.varint()), conversation=index)
            continue
        body = source.raw_field(kind)
        if body is not None and len(head) + len(body) <= MAX_FIELD:
            head += _encoded(number << 3 | kind)
            head += body
    if source.position != end:
        raise DecodeError("a conversation of the history ends in the middle of a field")
    yield Piece(Found.HEAD, bytes(head), conversation=index)


class _Source:
    """The inflated bytes, as far as they are needed now."""

    __slots__ = ("_at", "_buffer", "_inflater", "_left", "_most", "_read", "_total")

    def __init__(self, read: Read, most: int) -> None:
        self._read = read
        self._most = most
        self._inflater = zlib.decompressobj()
        self._left = b""
        self._buffer = b""
        self._at = 0
        self._total = 0

    @property
    def position(self) -> int:
        """How many bytes were passed."""
        return self._total - len(self._buffer) + self._at

    def is_over(self) -> bool:
        """Whether everything was passed. Raises DecodeError when the part is cut short."""
        return self._at >= len(self._buffer) and not self._more()

    def tag(self) -> tuple[int, int]:
        """A field's number and kind."""
        value = self.varint()
        if value >> 3 == 0:
            raise DecodeError("a field of the history has no number")
        return value >> 3, value & 7

    def varint(self) -> int:
        """A number."""
        value = shift = 0
        while True:
            if self._at >= len(self._buffer) and not self._more():
                raise DecodeError("the history ends in the middle of a number")
            byte = self._buffer[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise DecodeError("a number of the history is too long")

    def field(self, size: int) -> bytes | None:
        """The next `size` bytes; None, and passed over, when they are too many."""
        if size > MAX_FIELD:
            self._skip(size)
            return None
        end = self._at + size
        if end <= len(self._buffer):
            taken = self._buffer[self._at : end]
            self._at = end
            return taken
        parts, missing = [], size
        while missing:
            if self._at >= len(self._buffer) and not self._more():
                raise DecodeError("the history ends in the middle of a field")
            part = self._buffer[self._at : self._at + missing]
            self._at += len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def raw_field(self, kind: int) -> bytes | None:
        """What stands behind a tag, as it stands."""
        if kind == _VARINT:
            return _encoded(self.varint())
        if kind == _BYTES:
            size = self.varint()
            body = self.field(size)
            return None if body is None else _encoded(size) + body
        return self.field(_width(kind))

    def skip_field(self, kind: int) -> None:
        """Pass a field over."""
        if kind == _VARINT:
            self.varint()
        else:
            self._skip(self.varint() if kind == _BYTES else _width(kind))

    def _skip(self, size: int) -> None:
        while size:
            if self._at >= len(self._buffer) and not self._more():
                raise DecodeError("the history ends in the middle of a field")
            step = min(size, len(self._buffer) - self._at)
            self._at += step
            size -= step

    def _more(self) -> bool:
        """The next block; False at the end of the part."""
        while not self._inflater.eof:
            if not self._left:
                self._left = self._read(_BLOCK)
                if not self._left:
                    raise DecodeError("the history is cut short")
            try:
                block = self._inflater.decompress(self._left, _INFLATED)
            except zlib.error as error:
                raise DecodeError("the history does not inflate") from error
            self._left = self._inflater.unconsumed_tail
            if block:
                self._take(block)
                return True
        return False

    def _take(self, block: bytes) -> None:
        self._total += len(block)
        if self._total > self._most:
            raise HistoryTooLarge
        self._buffer, self._at = block, 0


def _width(kind: int) -> int:
    if kind == _FIXED64:
        return 8
    if kind == _FIXED32:
        return 4
    raise DecodeError("a field of the history is of no known kind")


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
