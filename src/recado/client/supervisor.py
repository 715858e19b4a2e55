"""
Keeps a connection: makes one, lives through it, asks `decide` what follows its end, and records where things stand as
`ConnectionChanged`. Reconnecting is this object's job alone; a Connection lives once (law 6).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from recado import crashpoints
from recado.client.account import Account
from recado.client.connection import Connection, close_of, lost
from recado.client.inbox import Inbox
from recado.client.login import log_in, settle_in
from recado.client.prekeys import keep_signed_prekey_fresh
from recado.client.reconnection import Close, Past, Reconnect, Stop, decide
from recado.client.transport import Connect
from recado.client.work import do_work
from recado.crashpoints import CrashPoint
from recado.errors import CloseReason, ConnectionLost, NotPaired, QueryTimeout, RecadoError, StoreError
from recado.events import ConnectionChanged, ConnectionState, DeviceUnlinked
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import Link
from recado.protocol.pairing.payload import login_payload, registration_payload

logger = logging.getLogger("recado.client")

TIDY_EVERY = 6 * 3600.0
"""Seconds between two purges of what has expired."""

Version = tuple[int, int, int]
RefreshVersion = Callable[[], Awaitable[Version]]
"""Finds out which version of the web client is current; asked once when ours is refused."""


class Supervisor:
    """One account's connections, one after the other, until told to stop or until there is no use."""

    def __init__(self, account: Account, connect: Connect, *, refresh: RefreshVersion | None) -> None:
        self._account = account
        self._connect = connect
        self._refresh = refresh
        self._connection: Connection | None = None
        self._opened_at: datetime | None = None
        self._settled = asyncio.Event()
        self.parts_as = ConnectionState.DISCONNECTED
        """What is recorded when we are the ones who leave."""
        self._is_cut = False

    def leave(self) -> bool:
        """End the connection there is, for good; False when there is none to end."""
        if self._connection is None or self._connection.is_over:
            return False
        self._connection.end(Close(CloseReason.CLIENT))
        return True

    async def cut(self) -> None:
        """Close the socket now, whatever the store does, and open no other."""
        self._is_cut = True
        if self._connection is not None:
            await self._connection.cut()

    async def run(self) -> None:
        """Keep a connection until there is no use, and say so in the status."""
        try:
            await self._keep()
        except StoreError as error:
            # Without its store the account can neither receive nor send: whoever owns it now goes on.
            logger.warning("the account stops: %s", type(error).__name__)
            self._over(ConnectionState.FAILED, None, error)

    async def _keep(self) -> None:
        past = Past()
        await self._become(ConnectionState.CONNECTING)
        while True:
            close = await self._live()
            if close.reason is CloseReason.RESTART_REQUIRED and self._account.pairing is not None:
                # The server has our signature: we are linked.
                crashpoints.reach(CrashPoint.PAIRING_AFTER_SIGN)
            now = self._account.now()
            decision = decide(past, close, now=now, jitter=self._account.jitter())
            if isinstance(decision, Reconnect) and decision.refresh and not await self._refreshed():
                decision = Stop(ConnectionState.FAILED)
            if isinstance(decision, Stop):
                await self._stop(decision, close)
                return
            past = decision.past
            retry_at = now + timedelta(seconds=decision.after)
            await self._become(self._between(), reason=close.reason, retry_at=retry_at)
            await self._account.clock.sleep(decision.after)

    def _between(self) -> ConnectionState:
        first = self._account.pairing is not None
        return ConnectionState.CONNECTING if first else ConnectionState.RECONNECTING

    async def _live(self) -> Close:
        """One connection, from the attempt to its end."""
        self._opened_at = None
        self._settled.clear()
        self._account.greeted.clear()
        self._account.caught_up.clear()
        try:
            connection = await self._open()
        except StoreError:
            raise
        except RecadoError as error:
            return close_of(error)
        self._connection = connection
        try:
            close = await connection.run(*self._jobs(connection))
        finally:
            self._connection = None
            self._account.connection = None
            self._account.pulse.answered()
            self._account.pulse.received(more=False)
        held = self._account.now() - self._opened_at if self._opened_at is not None else timedelta()
        return replace(close, held=held)

    async def _open(self) -> Connection:
        account = self._account
        if account.credentials is None:
            raise NotPaired
        transport = await self._connect(account.server.url)
        if self._is_cut:
            await transport.close()
            raise ConnectionLost(CloseReason.CLIENT)
        link = Link.client(
            identity=account.credentials.noise,
            payload=self._payload(),
            root=account.server.root,
            ephemeral=KeyPair.generate(account.entropy),
            now=account.now(),
            routing=account.credentials.routing,
            keepalive=account.limits.ping_every[1] + account.limits.ping_answer,
        )
        prefix = f"{int.from_bytes(account.entropy(2), 'big')}.{int.from_bytes(account.entropy(2), 'big')}"
        return Connection(
            transport,
            link,
            Inbox(account),
            clock=account.clock,
            limits=account.limits,
            jitter=account.jitter,
            prefix=prefix,
            hear=account.nodes.tell,
        )

    def _payload(self) -> bytes:
        account, credentials = self._account, self._account.credentials
        if credentials is None:
            raise NotPaired
        if credentials.account is not None:
            return login_payload(account.profile, credentials.account)
        return registration_payload(
            account.profile,
            registration_id=credentials.registration_id,
            identity=credentials.identity.public,
            signed_prekey=credentials.signed_prekey,
        )

    def _jobs(self, connection: Connection) -> list[Coroutine[Any, Any, None]]:
        if self._account.is_paired:
            return [
                self._serve(connection),
                self._work_long(connection),
                self._hurry(),
                self._tidy(),
                self._rotate(connection),
            ]
        pairing = self._account.pairing
        return [pairing.run(connection)] if pairing is not None else []

    async def _serve(self, connection: Connection) -> None:
        """The connection's own life: log in, be open, do what is scheduled."""
        account = self._account
        await log_in(account, connection)
        self._opened_at = account.now()
        account.connection = connection
        await self._become(ConnectionState.CONNECTED)
        if account.pairing is not None:
            account.pairing.finish(account.jid, account.lid.bare if account.lid is not None else None)
        await settle_in(account, connection)
        self._settled.set()
        await do_work(account, connection)

    async def _work_long(self, connection: Connection) -> None:
        """Beside it, what takes long."""
        await self._settled.wait()
        await do_work(self._account, connection, is_long=True)

    async def _rotate(self, connection: Connection) -> None:
        """And what has to be replaced now and then."""
        await self._settled.wait()
        await keep_signed_prekey_fresh(self._account, connection)

    async def _hurry(self) -> None:
        await self._account.clock.sleep(self._account.limits.login)
        if self._opened_at is None:
            raise QueryTimeout

    async def _tidy(self) -> None:
        """What was kept for a time is let go once that is over."""
        while True:
            await self._account.store.purge(self._account.now())
            await self._account.clock.sleep(TIDY_EVERY)

    async def _refreshed(self) -> bool:
        if self._refresh is None:
            return False
        try:
            version = await self._refresh()
        except RecadoError as error:
            logger.warning("the current version could not be found out: %s", type(error).__name__)
            return False
        self._account.profile = replace(self._account.profile, version=version)
        return True

    async def _become(
        self,
        state: ConnectionState,
        *,
        reason: CloseReason | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        """Record a state, then take it: who waits for it finds the fact."""
        await self._record(state, reason, retry_at)
        self._account.status.become(state, reason=reason, retry_at=retry_at)

    async def _record(self, state: ConnectionState, reason: CloseReason | None, at: datetime | None) -> None:
        account = self._account
        if not account.is_paired:
            return  # nobody's facts yet
        async with account.store.transaction() as tx:
            await tx.record(
                ConnectionChanged(account=account.jid, at=account.now(), state=state, reason=reason, retry_at=at)
            )
            if state is ConnectionState.LOGGED_OUT and reason is not None:
                await tx.record(DeviceUnlinked(account=account.jid, at=account.now(), reason=reason))

    async def _stop(self, stop: Stop, close: Close) -> None:
        if isinstance(close.error, StoreError):
            raise close.error
        leaves = close.reason is CloseReason.CLIENT
        state, reason = (self.parts_as, None) if leaves else (stop.state, close.reason)
        await self._record(state, reason, stop.until)
        error = None if reason is None else lost(reason)
        self._over(state, reason, error, retry_at=stop.until)

    def _over(
        self,
        state: ConnectionState,
        reason: CloseReason | None,
        error: RecadoError | None,
        *,
        retry_at: datetime | None = None,
    ) -> None:
        self._account.status.become(state, reason=reason, retry_at=retry_at, over=error)
        if self._account.pairing is not None and error is not None:
            self._account.pairing.fail(error)


async def stopped(task: asyncio.Task[None], supervisor: Supervisor) -> None:
    """Have a running supervisor stop: its connection ends in order, a pause between two is cut short."""
    if not supervisor.leave():
        task.cancel()
    await asyncio.wait([task])
