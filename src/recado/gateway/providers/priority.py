"""Which road is taken: the official one first, then WhatsApp Web, then the hosted one."""

from __future__ import annotations

from collections.abc import Iterable

PRIORITY = ("meta", "baileys", "zapi")


def first_by_priority(providers: Iterable[str]) -> str | None:
    """The one of these that carries what is sent."""
    return min(providers, key=PRIORITY.index, default=None)
