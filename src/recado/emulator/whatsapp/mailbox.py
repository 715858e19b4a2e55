"""
What a device still has to be told: every stanza it must acknowledge, kept in order until it does.

    posted ──▶ offered (once for each connection, more with a fault) ──▶ settled by an <ack> or a receipt

A pure value of the emulator's state: no sockets, no clock. A stanza offered and not settled is offered again on the
next connection, which is how WhatsApp delivers at least once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from recado.protocol.node import Node


@dataclass(slots=True, eq=False)
class Letter:
    """One stanza waiting for its acknowledgement; `offered` counts how often it went out."""

    serial: int
    node: Node
    offered: int = 0

    @property
    def kind(self) -> str:
        """The stanza's class: message, receipt, notification or call."""
        return self.node.tag

    @property
    def id(self) -> str:
        """The stanza's id."""
        return self.node.attrs.get("id", "")


class Mailbox:
    """The letters of one device, oldest first; found by class and id without walking the queue."""

    __slots__ = ("_by_name", "_letters", "_serial")

    def __init__(self) -> None:
        self._letters: dict[int, Letter] = {}
        self._by_name: dict[tuple[str, str], list[int]] = {}
        self._serial = 0

    def __len__(self) -> int:
        return len(self._letters)

    def __iter__(self) -> Iterator[Letter]:
        return iter(list(self._letters.values()))

    def post(self, node: Node) -> Letter:
        """Put a stanza at the end."""
        self._serial += 1
        letter = Letter(self._serial, node)
        self._letters[letter.serial] = letter
        self._by_name.setdefault((letter.kind, letter.id), []).append(letter.serial)
        return letter

    def holds(self, kind: str, id: str) -> bool:
        """Does a letter of that class and id wait?"""
        return (kind, id) in self._by_name

    def settle(self, kind: str, id: str, sender: str | None = None) -> Letter | None:
        """Take out the oldest letter of that class and id (from that `sender`, when one is given) that went out."""
        serials = self._by_name.get((kind, id), [])
        for serial in serials:
            letter = self._letters[serial]
            if letter.offered and sender in (None, letter.node.attrs.get("from")):
                self._remove(letter, serials)
                return letter
        return None

    def withdraw(self, kind: str, type: str) -> None:
        """Take out the letters of that class and `type` attribute: a newer one says the same."""
        for letter in self:
            if letter.kind == kind and letter.node.attrs.get("type") == type:
                self._remove(letter, self._by_name[kind, letter.id])

    def clear(self) -> None:
        """Forget everything: the device is gone."""
        self._letters.clear()
        self._by_name.clear()

    def counts(self) -> Counter[str]:
        """How many letters of each class wait."""
        return Counter(letter.kind for letter in self._letters.values())

    def _remove(self, letter: Letter, serials: list[int]) -> None:
        del self._letters[letter.serial]
        serials.remove(letter.serial)
        if not serials:
            del self._by_name[letter.kind, letter.id]
