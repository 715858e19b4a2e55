"""
Every form a string has on the wire, read one at a time: `READERS[mark](data, at) -> (text, next)`.

The decoder's half of spelling.py. decode.py reads the everyday forms itself and comes here for the rest. Nothing
here checks the end of `data`: an index beyond it raises IndexError, a slice beyond it leaves `next` beyond it, and
`decode` makes a DecodeError of both.
"""

from __future__ import annotations

from collections.abc import Callable

from recado.errors import DecodeError
from recado.protocol.wire import tokens
from recado.protocol.wire.marks import (
    AD_JID,
    BINARY_8,
    BINARY_20,
    BINARY_32,
    DICTIONARY_0,
    DOMAINS,
    FB_JID,
    HEX_8,
    INTEROP_JID,
    JID_PAIR,
    LIST_EMPTY,
    NIBBLE_8,
)

Read = tuple[str, int]

WORDS: list[str | None] = [word or None for word in tokens.SINGLE] + [None] * (256 - len(tokens.SINGLE))
"""The word a byte stands for; None for a byte that opens something longer."""

SERVERS: list[str | None] = [word and f"@{word}" for word in WORDS]
"""The same words as the end of an address."""

DEVICES: list[str] = [
    f":{device}@{server}" if device else f"@{server}"
    # An unknown domain is read as a phone number's, as both Baileys and whatsmeow do.
    for server in (DOMAINS.get(domain, DOMAINS[0]) for domain in range(256))
    for device in range(256)
]
"""The end of a device's address, by its domain and device bytes read as one number."""

TWO_DIGITS: list[str] = [f"{byte:02x}" for byte in range(256)]
"""A byte of packed digits, as `bytes.hex` gives it: device numbers are no longer than that."""

_TO_PUNCTUATION = {ord("a"): "-", ord("b"): "."}


def punctuated(digits: str) -> str:
    """Packed digits that are not all digits: ten stands for a dash, eleven for a dot. Raises DecodeError."""
    text = digits.translate(_TO_PUNCTUATION)
    if text.strip("0123456789-."):
        raise DecodeError("a packed string holds what is no digit")
    return text


def _unaddressed(data: bytes, at: int) -> Read:
    mark = data[at]
    if mark in _ADDRESSES:
        # Refused so that reading never recurses.
        raise DecodeError("an address holds an address")
    return READERS[mark](data, at)


def _empty(data: bytes, at: int) -> Read:
    return "", at + 1


def _word(data: bytes, at: int) -> Read:
    return tokens.SINGLE[data[at]], at + 1


def _long_word(data: bytes, at: int) -> Read:
    return tokens.DOUBLE[data[at] - DICTIONARY_0][data[at + 1]], at + 2


def _binary_8(data: bytes, at: int) -> Read:
    end = at + 2 + data[at + 1]
    return data[at + 2 : end].decode(), end


def _binary_20(data: bytes, at: int) -> Read:
    end = at + 4 + ((data[at + 1] & 15) << 16 | data[at + 2] << 8 | data[at + 3])
    return data[at + 4 : end].decode(), end


def _binary_32(data: bytes, at: int) -> Read:
    end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
    return data[at + 5 : end].decode(), end


def _packed(data: bytes, at: int) -> Read:
    end = at + 2 + (data[at + 1] & 127)
    text = data[at + 2 : end].hex()
    if data[at + 1] > 127:
        text = text[:-1]
    if data[at] == HEX_8:
        return text.upper(), end
    return (text if text.isdigit() else punctuated(text)), end


def _pair(data: bytes, at: int) -> Read:
    # The server's own address has no user, and is everywhere.
    user, at = ("", at + 2) if data[at + 1] == LIST_EMPTY else _unaddressed(data, at + 1)
    server = SERVERS[data[at]]
    if server is not None:
        return user + server, at + 1
    server, at = read_server(data, at)
    return user + server, at


def read_server(data: bytes, at: int) -> Read:
    """The end of an address, its "@" included."""
    parts = [""]
    # Baileys writes "a@b@c" as an address whose server is the address "b@c".
    while data[at] == JID_PAIR:
        part, at = _unaddressed(data, at + 1)
        parts.append(part)
    server, at = READERS[data[at]](data, at)
    if not server:
        raise DecodeError("an address lacks its server")
    return "@".join((*parts, server)), at


def _device(data: bytes, at: int) -> Read:
    user, end = _unaddressed(data, at + 3)
    if not user:
        raise DecodeError("a device's address lacks its user")
    return user + DEVICES[data[at + 1] << 8 | data[at + 2]], end


def _messenger(data: bytes, at: int) -> Read:
    user, at = _unaddressed(data, at + 1)
    device = data[at] << 8 | data[at + 1]
    server, at = _unaddressed(data, at + 2)
    return f"{user}:{device}@{server}", at


def _interop(data: bytes, at: int) -> Read:
    user, at = _unaddressed(data, at + 1)
    device = data[at] << 8 | data[at + 1]
    integrator = data[at + 2] << 8 | data[at + 3]
    server, at = _unaddressed(data, at + 4)
    return f"{integrator}-{user}:{device}@{server}", at


def _unknown(data: bytes, at: int) -> Read:
    raise DecodeError("a byte opens no string")


_ADDRESSES = {JID_PAIR: _pair, AD_JID: _device, FB_JID: _messenger, INTEROP_JID: _interop}
_FORMS = {
    LIST_EMPTY: _empty,
    **dict.fromkeys(range(1, len(tokens.SINGLE)), _word),
    **{DICTIONARY_0 + dictionary: _long_word for dictionary in range(len(tokens.DOUBLE))},
    BINARY_8: _binary_8,
    BINARY_20: _binary_20,
    BINARY_32: _binary_32,
    NIBBLE_8: _packed,
    HEX_8: _packed,
    **_ADDRESSES,
}
READERS: list[Callable[[bytes, int], Read]] = [_FORMS.get(mark, _unknown) for mark in range(256)]
"""How to read the string that a byte opens."""
