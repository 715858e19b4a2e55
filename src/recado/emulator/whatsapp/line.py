"""
A line: how the emulated server reaches whoever is connected, be it a socket or a phone in the same process.

Moves of the world return `Outgoing` values; the shell carries each out. A line never raises and never answers at once:
what it has to say comes back as a move of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from recado.protocol.node import Node


class Line(Protocol):
    """A connected peer of the server."""

    def deliver(self, node: Node) -> None:
        """Take a stanza."""
        ...

    def hang_up(self) -> None:
        """End the connection, after what was delivered before."""
        ...

    def cut(self) -> None:
        """End the connection at once, dropping what has not gone out."""
        ...

    def later(self, seconds: float, move: Move) -> None:
        """Make a move of the world after that time, if the line still stands."""
        ...


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give the stanza to the line."""

    line: Line
    node: Node


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the line; what was delivered before still goes out."""

    line: Line


@dataclass(frozen=True, slots=True)
class Cut:
    """End the line at once, as the weather does."""

    line: Line


@dataclass(frozen=True, slots=True)
class Later:
    """Make `move` after that many seconds, if the line still stands."""

    line: Line
    seconds: float
    move: Move


Outgoing = Deliver | HangUp | Cut | Later
Move = Callable[[], list[Outgoing]]
