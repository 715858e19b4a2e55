"""
What WhatsApp can be asked by a request, as values: a verb is a name, a function that asks, and whether asking twice
does harm. Verbs know a provider by its capabilities (provider.py), and neither rows nor HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from recado.gateway.db.unit import Unit
from recado.gateway.providers.provider import Provider
from recado.gateway.requests.repository import Asked
from recado.jid import JID

Body = dict[str, Any]
Answer = dict[str, Any]
Run = Callable[[Provider, JID | None, Body], Awaitable[Answer]]
Record = Callable[[Unit, Asked, Answer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Verb:
    """
    One thing that can be asked. `run` raises what the library raises, and UsageError in words for a person for what
    cannot be asked; `record` keeps what was learnt, in the transaction of the answer.
    """

    run: Run
    once: bool = False
    """Would asking again do it again? Then what may have been done is `unknown`, and is not repeated."""
    record: Record | None = None
