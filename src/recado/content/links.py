"""Web addresses in what people write: which is the first, and whether one is an address at all."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LINK = re.compile(r"https?://[^\s<>\"]{1,2048}", re.IGNORECASE)
_BEHIND = ".,;:!?'*_~"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def first_link(text: str) -> str | None:
    """The first web address in a text, as it stands there, without the marks behind it; None when there is none."""
    found = _LINK.search(text)
    if found is None:
        return None
    link = found.group()
    while link[-1] in _BEHIND or (link[-1] in _PAIRS and link.count(link[-1]) > link.count(_PAIRS[link[-1]])):
        link = link[:-1]
    return link if is_web_address(link) else None


def is_web_address(url: str) -> bool:
    """Does it begin with http(s):// and name a host?"""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
