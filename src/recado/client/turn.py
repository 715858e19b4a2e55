"""
One stanza's turn in a batch: what a handler is given. It reads and writes through the transaction, and says what is to
leave or to happen after the commit; nothing a handler does reaches the network before (law 1), and it asks nobody
anything (law 4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from recado.client.account import Account
from recado.events import Signal, UnknownReceived
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.message import MessageStanza
from recado.protocol.wire.encode import encode
from recado.store.records import Credentials, WorkItem
from recado.store.transaction import Transaction


@dataclass(slots=True)
class Turn:
    """What a handler needs, and what it leaves behind for after the commit."""

    account: Account
    tx: Transaction
    now: datetime
    answers: list[Node] = field(default_factory=list)
    callbacks: list[Callable[[], None]] = field(default_factory=list)
    message: MessageStanza | None = None
    """The stanza as it was read ahead, when it is a message of a batch."""

    @property
    def me(self) -> JID:
        """The account facts belong to."""
        return self.account.jid

    def answer(self, *nodes: Node) -> None:
        """Send these after the commit, in this order."""
        self.answers += nodes

    def then(self, callback: Callable[[], None]) -> None:
        """Call this after the commit and the answers."""
        self.callbacks.append(callback)

    def tell(self, signal: Signal) -> None:
        """Tell whoever listens now, after the commit."""
        self.callbacks.append(lambda: self.account.signals.tell(signal))

    async def schedule(self, work: WorkItem) -> None:
        """Have something asked of the network later; it survives a restart."""
        await self.tx.schedule(work)
        self.callbacks.append(self.account.work_waits.set)

    async def save_credentials(self, credentials: Credentials) -> None:
        """Save the account's credentials; the client's copy follows after the commit."""
        await self.tx.save_credentials(credentials)

        def adopt() -> None:
            self.account.credentials = credentials

        self.callbacks.append(adopt)

    async def record_unknown(self, node: Node, problem: str = "", *, raw: bytes | None = None) -> None:
        """Keep what this version cannot make sense of, visibly."""
        if self.account.is_paired:
            await self.tx.record(
                UnknownReceived(
                    account=self.me,
                    at=self.now,
                    tag=_plain(node.tag),
                    raw=encode(node) if raw is None else raw,
                    problem=_plain(problem),
                )
            )


Handler = Callable[[Turn, Node], Awaitable[None]]


def _plain(word: str) -> str:
    """A word of the peer's that any database takes: what is kept as a last resort must not be refused in turn."""
    return "".join(character if character.isprintable() else "?" for character in word[:80])
