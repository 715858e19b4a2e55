"""
How a string is written: as a word of the dictionary, packed digits, an address, or plain UTF-8, in that order.

    Spelling()["type"] == b"\\x04"

The encoder's half; the decoder reads the same forms in strings.py. Addresses and names come back all day long (the
same few contacts), so their spelling is remembered, a bounded number of them; what is packed (message ids, times) is
not, for it never comes back. Everyday forms are made in one go from hex text: this runs for every attribute sent.
"""

from __future__ import annotations

import re

from recado.errors import UsageError
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
    INTEROP,
    INTEROP_JID,
    JID_PAIR,
    LIST_EMPTY,
    MESSENGER,
    NIBBLE_8,
    PACKED_MAX,
)

REMEMBERED_MAX = 8192
"""How many strings are remembered before all are forgotten."""

_LONGEST_REMEMBERED = 64

_WORDS: dict[str, bytes] = {
    "": bytes((BINARY_8, 0)),
    **{word: bytes((number,)) for number, word in enumerate(tokens.SINGLE) if word},
    **{
        word: bytes((DICTIONARY_0 + dictionary, number))
        for dictionary, words in enumerate(tokens.DOUBLE)
        for number, word in enumerate(words)
    },
}

BLOB_HEADS = tuple(bytes((BINARY_8, size)) for size in range(256))
"""What stands before that many plain bytes, up to 255."""

# Hex text, so that one `fromhex` makes a whole form: the mark and size before so many packed characters …
_SIZES = [(size + 1) >> 1 | (size & 1) << 7 for size in range(PACKED_MAX + 1)]
_NIBBLE_HEADS = [f"{NIBBLE_8:02x}{size:02x}" for size in _SIZES]
_HEX_HEADS = [f"{HEX_8:02x}{size:02x}" for size in _SIZES]
# … what opens a device's address ("17@lid" → mark, domain, device), and what closes an address ("lid" → its word).
_DEVICES = {
    f"{device}@{server}": f"{AD_JID:02x}{domain:02x}{device:02x}"
    for domain, server in DOMAINS.items()
    for device in range(256)
}
_PAIR = f"{JID_PAIR:02x}"
# A shorter number may be a word of the dictionary.
_LONGEST_NUMBER = max(len(word) for word in _WORDS if word.isdigit())

_NIBBLES = "0123456789-."
_HEX = "0123456789ABCDEF"
_TO_HEX = {ord("-"): "a", ord("."): "b"}
_HOST = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
_INTEGRATED = re.compile(r"([0-9]{1,5})-([^-@:]+)", re.ASCII)
_from_hex = bytes.fromhex


def blob_head(size: int) -> bytes:
    """What stands before `size` plain bytes. Raises UsageError when no length field holds it."""
    if size < 256:
        return BLOB_HEADS[size]
    if size < 1 << 20:
        return (BINARY_20 << 24 | size).to_bytes(4, "big")
    if size < 1 << 32:
        return (BINARY_32 << 32 | size).to_bytes(5, "big")
    raise UsageError("a value this long has no form on the wire")


def _plain(text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise UsageError("a string with a lone surrogate has no form on the wire") from None
    return blob_head(len(encoded)) + encoded


_SERVERS = {
    server: (_WORDS.get(server) or _plain(server)).hex()
    for server in ("s.whatsapp.net", "lid", "g.us", "broadcast", "newsletter", "hosted", "hosted.lid", "call", "bot")
}


class Spelling(dict[str, bytes]):
    """Every string's form on the wire: `spelling[text]`. Raises UsageError for what UTF-8 cannot hold."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_WORDS)

    def __missing__(self, text: str) -> bytes:
        if type(text) is not str:
            raise UsageError("tags, attributes and their values are strings")
        if "@" in text:
            form = _address(text) or _plain(text)
        else:
            packed = _packed(text)
            if packed is not None:
                return packed
            form = _plain(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= len(_WORDS) + REMEMBERED_MAX:
                self.clear()
                self.update(_WORDS)
            self[text] = form
        return form


def _packed(text: str) -> bytes | None:
    """Two characters to a byte, for digits, "-" and "." and for upper-case hex; None for everything else."""
    size = len(text)
    if size > PACKED_MAX:
        return None
    if text.isdigit() and text.isascii():
        return _from_hex(f"{_NIBBLE_HEADS[size]}{text}f" if size & 1 else f"{_NIBBLE_HEADS[size]}{text}")
    if text.isupper() and not text.strip(_HEX):
        return _from_hex(f"{_HEX_HEADS[size]}{text}f" if size & 1 else f"{_HEX_HEADS[size]}{text}")
    if text.strip(_NIBBLES):
        return None
    return _from_hex(f"{_NIBBLE_HEADS[size]}{text.translate(_TO_HEX)}{'f' * (size & 1)}")


def _address(text: str) -> bytes | None:
    """An address; None when the text only resembles one, and must stay the text it is."""
    head: str | None = _PAIR
    tail: str | None = ""
    user, colon, rest = text.partition(":")
    if colon:
        head = _DEVICES.get(rest)
    else:
        user, _, rest = text.partition("@")
        tail = _SERVERS.get(rest)
    size = len(user)
    usual = user.isdigit() and user.isascii() and _LONGEST_NUMBER < size <= PACKED_MAX
    if not usual or head is None or tail is None:
        return _unusual_device(user, rest) if colon else _unusual_pair(user, rest)
    return _from_hex(f"{head}{_NIBBLE_HEADS[size]}{user}{'f' if size & 1 else ''}{tail}")


def _word(text: str) -> bytes:
    return _WORDS.get(text) or _packed(text) or _plain(text)


def _unusual_pair(user: str, server: str) -> bytes | None:
    if not _HOST.fullmatch(server):
        return None
    return b"%c%b%b" % (JID_PAIR, _word(user) if user else bytes((LIST_EMPTY,)), _word(server))


def _unusual_device(user: str, rest: str) -> bytes | None:
    number, _, server = rest.partition("@")
    if not user or "@" in user or not _NUMBER.fullmatch(number):
        return None
    # "user_agent:device" was written by old clients; the agent is not part of who somebody is.
    head = _DEVICES.get(f"{int(number)}@{server}")
    if head is not None:
        return _from_hex(head) + _word(user.partition("_")[0] or user)
    device = int(number)
    if server == MESSENGER and device < 65536:
        return b"%c%b%b%b" % (FB_JID, _word(user), device.to_bytes(2, "big"), _word(server))
    integrated = _INTEGRATED.fullmatch(user) if server == INTEROP else None
    if integrated is None or device > 65535 or int(integrated[1]) > 65535:
        return None
    numbers = (device << 16 | int(integrated[1])).to_bytes(4, "big")
    return b"%c%b%b%b" % (INTEROP_JID, _word(integrated[2]), numbers, _word(server))
