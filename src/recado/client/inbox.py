"""
The inbound spine: stanzas wait here in order, are taken in batches into one transaction, and are acknowledged after its
commit (law 1). A lone stanza commits at once; a backlog shares commits.

    put ──▶ [ … bounded … ] ──▶ transaction: a savepoint each ──commit──▶ answers, in order ──▶ callbacks

What a stanza does wrong stays with that stanza: a peer's mistake rolls its savepoint back and is kept raw; when the
database refuses the batch, it is replayed one by one. Losing the lease or the database ends the connection with nothing
acknowledged, and the server will send it all again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client import router
from recado.client.account import Account
from recado.client.handlers import messages
from recado.client.turn import Turn
from recado.crashpoints import CrashPoint
from recado.errors import EnvelopeError, NotPaired, PeerError, RecadoError, StoreRefused
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

ACKNOWLEDGED = frozenset({"message", "receipt", "notification", "call"})
"""Tags the server waits for an acknowledgement of, known to us or not; without one it ends the stream."""

BORDERS = frozenset({"success", "iq", "ib"})
"""Tags that may tell who we are: what comes behind them is read with that committed."""


class Inbox:
    """The stanzas of one connection that are not committed yet."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._limits = account.limits
        self._waiting: deque[Node] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._stopping = False

    @property
    def is_full(self) -> bool:
        """Whether `put` would wait."""
        return len(self._waiting) >= self._limits.inbox

    async def put(self, node: Node) -> None:
        """Queue a stanza; waits while the inbox is full."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(node)
        self._account.pulse.arrived()
        self._arrived.set()

    def stop(self) -> None:
        """Finish the batch that is in a transaction, and take no other."""
        self._stopping = True
        self._arrived.set()

    async def run(self, connection: Connection) -> None:
        """Take batch after batch, until `stop`. Raises LeaseLost, StoreUnavailable."""
        while True:
            await self._arrived.wait()
            if self._stopping:
                self._account.pulse.received(more=False)
                return
            batch = self._next()
            if not self._waiting:
                self._arrived.clear()
            self._room.set()
            await self._take(batch, connection)
            self._account.pulse.received(more=bool(self._waiting))

    def _next(self) -> list[Node]:
        batch: list[Node] = []
        while self._waiting and len(batch) < self._limits.batch:
            batch.append(self._waiting.popleft())
            if batch[-1].tag in BORDERS:
                break
        return batch

    async def _take(self, batch: list[Node], connection: Connection) -> None:
        try:
            turns = await self._commit(batch)
        except StoreRefused:
            if len(batch) > 1:
                for node in batch:
                    await self._take([node], connection)
                return
            turns = await self._keep_raw(batch[0])
        crashpoints.reach(CrashPoint.INBOUND_AFTER_COMMIT)
        for turn in turns:
            connection.send(*turn.answers)
        crashpoints.reach(CrashPoint.INBOUND_AFTER_ACK)
        for turn in turns:
            for callback in turn.callbacks:
                callback()

    async def _commit(self, batch: list[Node]) -> list[Turn]:
        turns = []
        async with self._account.store.transaction() as tx:
            begun = [(Turn(self._account, tx, self._account.now()), node) for node in batch]
            await tx.prefetch_peers(*router.read_ahead(begun, self._account))
            for turn, node in begun:
                turns.append(await self._one(turn, node))
            crashpoints.reach(CrashPoint.INBOUND_BEFORE_COMMIT)
        return turns

    async def _one(self, turn: Turn, node: Node) -> Turn:
        try:
            async with turn.tx.savepoint():
                await router.handler_of(node)(turn, node)
        except (PeerError, EnvelopeError, NotPaired) as error:
            logger.info("kept raw: %r, for %s", node, type(error).__name__)
            turn = Turn(self._account, turn.tx, turn.now)
            await self._record_raw(turn, node, error)
        return turn

    async def _keep_raw(self, node: Node) -> list[Turn]:
        """The database refuses what this stanza says: keep its bytes, as a message without a text if it is one."""
        error = StoreRefused()
        if node.tag == "message":
            try:
                async with self._account.store.transaction() as tx:
                    turn = Turn(self._account, tx, self._account.now())
                    await messages.keep_unread(turn, node, error)
            except (StoreRefused, PeerError):
                logger.info("not even its addresses can be kept: %r", node)
            else:
                return [turn]
        async with self._account.store.transaction() as tx:
            turn = Turn(self._account, tx, self._account.now())
            await self._record_raw(turn, node, error)
        return [turn]

    async def _record_raw(self, turn: Turn, node: Node, error: RecadoError) -> None:
        await turn.record_unknown(node, type(error).__name__)
        if node.tag in ACKNOWLEDGED and "id" in node.attrs:
            turn.answer(ack(node))
