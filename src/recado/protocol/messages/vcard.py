"""
Cards of people as WhatsApp passes them on: vCard 3.0 (2.1 is read too), of which the name and the numbers count. A card
that is read keeps its text whole beside them, so that nothing of it is lost.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator, Sequence

LONGEST = 256 * 1024
MOST_PHONES = 100

_FOLD = re.compile(r"\r?\n[ \t]")
_SOFT_BREAK = re.compile(r"=\r?\n")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DIGITS = re.compile(r"[^\d+]")


def write_vcard(name: str, phones: Sequence[str]) -> str:
    """A card with that name and those numbers, which WhatsApp offers to write to."""
    shown = _escape(name)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{shown};;;", f"FN:{shown}"]
    for phone in phones:
        digits = _DIGITS.sub("", phone).lstrip("+")
        lines.append(f"TEL;type=CELL;type=VOICE;waid={digits}:+{digits}")
    return "\n".join([*lines, "END:VCARD"])


def read_vcard(card: str) -> tuple[str, tuple[str, ...]]:
    """The name (empty when it has none) and the numbers, each once, in international form where the card tells it."""
    names: dict[str, str] = {}
    phones: dict[str, None] = {}
    if len(card) > LONGEST:
        card = card[:LONGEST].rpartition("\n")[0]
    for tag, parameters, value in _properties(card):
        if tag in ("FN", "N"):
            names.setdefault(tag, value)
        elif tag == "TEL" and len(phones) < MOST_PHONES:
            number = _number(parameters, value)
            if number:
                phones[number] = None
    structured = " ".join(part for part in reversed(names.get("N", "").split(";")[:2]) if part)
    return _unescape(names.get("FN") or structured).strip(), tuple(phones)


def _properties(card: str) -> Iterator[tuple[str, dict[str, str], str]]:
    if "QUOTED-PRINTABLE" in card.upper():
        card = _SOFT_BREAK.sub("", card)
    for line in _FOLD.sub("", card).splitlines():
        head, colon, value = line.partition(":")
        if not colon:
            continue
        name, *listed = head.split(";")
        parameters: dict[str, str] = {}
        for parameter in listed:
            key, _, said = parameter.partition("=")
            parameters.setdefault(key.strip().lower(), said.strip())
        if parameters.get("encoding", "").upper() == "QUOTED-PRINTABLE":
            value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
        yield name.rpartition(".")[2].strip().upper(), parameters, value


def _number(parameters: dict[str, str], value: str) -> str:
    waid = _DIGITS.sub("", parameters.get("waid", "")).lstrip("+")
    return f"+{waid}" if waid else _DIGITS.sub("", value)


def _escape(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", r"\n")


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
