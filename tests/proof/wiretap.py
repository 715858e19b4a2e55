"""
What a listener at the server sees of the envelopes: which message key each was sealed with. A key that seals two
different ciphertexts is a broken promise of the ratchet, though nobody's screen shows it: it is what a process leaves
behind that sends before it commits.
"""

from __future__ import annotations

from collections.abc import Iterator

from recado.protocol.node import Node
from recado.protocol.signal.format import decode_message, decode_prekey_message


class Wiretap:
    """Told every stanza of a world."""

    def __init__(self) -> None:
        self._sealed: dict[tuple[bytes, int], bytes] = {}
        self._reused: dict[str, list[str]] = {}

    def __call__(self, direction: str, whose: str, node: Node) -> None:
        """Take down what a device sends; a ratchet key and a counter name a message key, in the whole world."""
        if direction != "C→S" or node.tag != "message":
            return
        for enc in _envelopes(node):
            sealed = enc.blob if enc.attrs["type"] == "msg" else decode_prekey_message(enc.blob).message
            message = decode_message(sealed)
            before = self._sealed.setdefault((message.ratchet, message.counter), message.ciphertext)
            if before != message.ciphertext:
                self._reused.setdefault(whose, []).append(node.attrs["id"])

    def reused(self, whose: str) -> list[str]:
        """The messages that device sealed with a key it had used for something else."""
        return self._reused.get(whose, [])


def _envelopes(node: Node) -> Iterator[Node]:
    if node.tag == "enc":
        yield node
    for child in node.children:
        yield from _envelopes(child)
