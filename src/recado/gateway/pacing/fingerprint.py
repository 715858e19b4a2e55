"""
Texts that say the same to different people. A text is normalised (case, accents, digits, marks, the person's name), cut
into pieces of four characters, and each piece hashed with a key; what is kept is, for each of 64 bins, the smallest
hash that fell into it: one-permutation MinHash. It tells how alike two texts are and holds neither.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
from collections.abc import Iterable

_BINS = 64
_PIECE = 4
_LONGEST = 2000
_FORM = struct.Struct(f">{_BINS}H")


def normalised(text: str, names: Iterable[str] = ()) -> str:
    """The text without what differs from person to person: words of lower-case letters; digits are all 0."""
    known = {word for name in names for word in _words(name)}
    return " ".join(word for word in _words(text[:_LONGEST]) if word not in known)


def fingerprint(text: str, key: bytes) -> bytes:
    """The kept form of a normalised text."""
    bins = [0] * _BINS
    pieces = {text[at : at + _PIECE] for at in range(max(1, len(text) - _PIECE + 1))}
    for piece in pieces:
        hashed = int.from_bytes(hashlib.blake2b(piece.encode(), key=key, digest_size=4).digest())
        value = hashed // _BINS % 0xFFFF + 1
        place = hashed % _BINS
        bins[place] = min(bins[place] or value, value)
    return _FORM.pack(*bins)


def likeness(one: bytes, other: bytes) -> float:
    """How much two texts share, from 0 to 1, by their fingerprints."""
    pairs = [pair for pair in zip(_FORM.unpack(one), _FORM.unpack(other), strict=True) if any(pair)]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0


def _words(text: str) -> list[str]:
    plain = "".join(
        "0" if character.isdigit() else character if character.isalpha() else " "
        for character in unicodedata.normalize("NFKD", text).casefold()
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )
    return plain.split()
