"""
What a message says: plain data, no bytes of the wire and no client inside.

`Text` is what a person typed. `Unsupported` keeps a message whose kind this version does not model: its name for
people, its bytes so that nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    body: str

    def __repr__(self) -> str:
        return f"Text({len(self.body)} characters)"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A message of a kind not modelled yet: `kind` is its wire name (imageMessage, …), `raw` its protobuf bytes."""

    kind: str
    raw: bytes

    def __repr__(self) -> str:
        return f"Unsupported({self.kind}, {len(self.raw)} bytes)"


Content = Text | Unsupported
