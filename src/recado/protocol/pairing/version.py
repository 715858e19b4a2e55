"""Which version of WhatsApp Web is current, as its own service worker script says: `"client_revision":1043857760`."""

from __future__ import annotations

import re

from recado.errors import DecodeError

Version = tuple[int, int, int]

_REVISION = re.compile(rb'\\?"client_revision\\?"\s*:\s*(\d{6,12})\b')
_NAMED = re.compile(r"2\.3000\.(\d{6,12})")


def read_web_version(script: bytes) -> Version:
    """The version a script of WhatsApp Web names. Raises DecodeError when it names none."""
    found = _REVISION.search(script)
    if found is None:
        raise DecodeError("the page names no version of WhatsApp Web")
    return (2, 3000, int(found[1]))


def parse_version(text: str) -> Version:
    """A version as it is written in settings: 2.3000.1043857760. Raises DecodeError."""
    found = _NAMED.fullmatch(text)
    if found is None:
        raise DecodeError("a version of WhatsApp Web reads like 2.3000.1043857760")
    return (2, 3000, int(found[1]))
