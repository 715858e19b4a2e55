"""
One account at work: its lease, its provider, the linking when there is none yet, its outbox and its signals, in one
task group. Whatever ends it closes the socket first and gives the lease back last.

    claim ▶ open ▶ (link) ▶ { outbox · signals · until over · until the lease is lost } ▶ close ▶ release
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from recado.clock import Clock
from recado.errors import BadRecord, ConnectionLost, LoggedOut, PairingExpired, RecadoError, StoreError, WrongAccount
from recado.events import ConnectionState
from recado.gateway.connections import repository as connections
from recado.gateway.connections import service
from recado.gateway.connections.repository import UNLINKED, Connection
from recado.gateway.connections.service import Step
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.provider import MakeProvider, Provider, SupportsPairing
from recado.gateway.runtime.leases import Lease, Leases
from recado.gateway.runtime.outbox import Outbox
from recado.gateway.runtime.signals import Signals
from recado.gateway.security import Principal
from recado.jid import JID, PHONE
from recado.pairing import NeedsPasskey, Paired, PairingStep, ShowCode, ShowQR

_log = logging.getLogger(__name__)
_PASSKEY_LASTS = timedelta(minutes=5)

ANOTHER_NUMBER = "another_number"
CODES_RAN_OUT = "codes_ran_out"
WAITS_FOR_ANOTHER_LINK = "another_mentorado_is_being_linked"
UNLINKED_BY_US = "unlinked"
UNREADABLE_STORE = "unreadable_store"
INTERNAL = "internal"


class Accounts:
    """How this worker runs an account: everything they share."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        leases: Leases,
        providers: Mapping[str, MakeProvider],
        *,
        clock: Clock,
        one_link_at_a_time: bool = True,
    ) -> None:
        self.signals = Signals()
        self._database = database
        self._vault = vault
        self._leases = leases
        self._providers = providers
        self._clock = clock
        self._ending: set[tuple[UUID, str]] = set()
        self._linking = asyncio.Semaphore(1 if one_link_at_a_time else 1000)

    async def run(self, mentorado_id: UUID, provider: str) -> None:
        """
        Run one account until it is over, or cancelled; nothing happens when another worker has it, or this one cannot
        run the provider. Raises nothing of the account's own: how it ended is in its connection's row.
        """
        make = self._providers.get(provider)
        lease = await self._leases.claim(mentorado_id, provider) if make is not None else None
        if make is None or lease is None:
            return
        try:
            await _Account(self, lease, make(lease)).run()
        finally:
            await self._release(lease)

    def is_ending(self, mentorado_id: UUID, provider: str) -> bool:
        """Is that account putting its things in order, and not to be disturbed?"""
        return (mentorado_id, provider) in self._ending

    async def _release(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except StoreError as error:
            _log.warning("a lease was not given back, and runs out by itself (%s)", type(error).__name__)


class _Account:
    """The run of one account under one lease."""

    def __init__(self, shared: Accounts, lease: Lease, provider: Provider) -> None:
        self._shared = shared
        self._database = shared._database
        self._lease = lease
        self._provider = provider
        self._principal = Principal.runtime(lease.mentorado_id)

    async def run(self) -> None:
        """Until it is over; the reason goes to the connection's row, unless somebody else owns that by now."""
        try:
            async with self._opened():
                await self._live()
        except asyncio.CancelledError:
            await self._save_state(ConnectionState.DISCONNECTED, None)
            raise
        except Exception as error:  # noqa: BLE001 - a job's top: one account's mistake is not its neighbours'
            await self._conclude(_first(error))
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from None

    async def _conclude(self, error: BaseException) -> None:
        match error:
            case BadRecord():
                _log.error("an account stops: a stored record cannot be read")
                await self._save_state(ConnectionState.FAILED, UNREADABLE_STORE)
            case StoreError():
                _log.warning("an account stops: %s", type(error).__name__)
            case RecadoError():
                _log.info("an account is over: %s", type(error).__name__)
            case _:
                _log.error("an account broke: %s at %s", type(error).__name__, _where(error))
                await self._save_state(ConnectionState.FAILED, INTERNAL)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        await self._provider.open()
        try:
            yield
        finally:
            await self._provider.close()

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            guard = group.create_task(self._lease.until_lost())
            connection = await self._connection()
            if connection is None or connection.desired == UNLINKED:
                await self._unlink(connection)
            elif await self._is_linked(connection):
                outbox = Outbox(self._database, self._provider, self._lease, clock=self._shared._clock)
                jobs = [group.create_task(outbox.run()), group.create_task(self._pass_signals_on())]
                try:
                    await self._provider.until_over()
                except LoggedOut:
                    # The keys are worth nothing now: backed up, then cleared, and the next link shows a QR.
                    await self._forget(ConnectionState.LOGGED_OUT.value)
                finally:
                    for job in jobs:
                        job.cancel()
            guard.cancel()

    async def _connection(self) -> Connection | None:
        async with self._database.unit(self._principal) as unit:
            return await connections.find_connection(unit, self._lease.provider)

    async def _pass_signals_on(self) -> None:
        async for signal in self._provider.events():
            self._shared.signals.tell(self._lease.mentorado_id, signal)

    async def _unlink(self, connection: Connection | None) -> None:
        """What was asked for is done before it is taken off the list: a crash in between does it again."""
        if connection is None:
            return
        await self._forget(UNLINKED_BY_US)
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            await connections.settle_desired(unit, self._lease.provider, generation=connection.generation)
            await connections.save_state(
                unit, self._lease.provider, ConnectionState.DISCONNECTED.value, reason=UNLINKED_BY_US
            )
            unit.tell(CONNECTIONS)

    async def _forget(self, reason: str) -> None:
        """Half of this would leave dead keys behind: whoever asks for a new link meanwhile waits for the end of it."""
        key = (self._lease.mentorado_id, self._lease.provider)
        self._shared._ending.add(key)
        try:
            await self._provider.forget(reason)
        finally:
            self._shared._ending.discard(key)

    async def _is_linked(self, connection: Connection) -> bool:
        """Link first when need be; False when that came to nothing, and the row says why."""
        provider = self._provider
        if not isinstance(provider, SupportsPairing) or provider.is_linked:
            return True
        waits = self._shared._linking.locked()
        await self._save_state(ConnectionState.CONNECTING, WAITS_FOR_ANOTHER_LINK if waits else None)
        async with self._shared._linking:
            expect = JID(connection.account_phone, PHONE) if connection.account_phone else None
            try:
                await self._link(provider, expect)
                return True
            except WrongAccount:
                await self._save_state(ConnectionState.FAILED, ANOTHER_NUMBER)
            except PairingExpired:
                await self._save_state(ConnectionState.FAILED, CODES_RAN_OUT)
            except StoreError:
                raise
            except (ConnectionLost, LoggedOut) as error:
                await self._save_state(ConnectionState.FAILED, error.reason.name.lower())
            except RecadoError as error:
                await self._save_state(ConnectionState.FAILED, type(error).__name__)
        return False

    async def _link(self, provider: SupportsPairing, expect: JID | None) -> None:
        problem: RecadoError | None = None
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._tell_setbacks(provider))
            try:
                async for step in provider.link(expect=expect):
                    await self._show(step)
            except RecadoError as error:
                problem = error  # raised below: out of the group it would come wrapped
            finally:
                watch.cancel()
        if problem is not None:
            raise problem

    async def _tell_setbacks(self, provider: SupportsPairing) -> None:
        async for setback in provider.setbacks():
            await self._save_state(ConnectionState.CONNECTING, setback.reason.name.lower(), setback.retry_at)

    async def _show(self, step: PairingStep) -> None:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            if isinstance(step, Paired):
                number = step.account.user
                await connections.save_account(unit, self._lease.provider, phone=number, lid=None)
                unit.tell(CONNECTIONS)
            else:
                shown = _shown(step, self._shared._clock.now())
                await service.save_step(unit, self._shared._vault, self._lease.provider, shown)

    async def _save_state(self, state: ConnectionState, reason: str | None, retry_at: datetime | None = None) -> None:
        """Where the connection stands, when no fact of the provider says so."""
        try:
            async with self._database.unit(self._principal) as unit:
                await self._lease.check(unit)
                await connections.save_state(unit, self._lease.provider, state.value, reason=reason, retry_at=retry_at)
                unit.tell(CONNECTIONS)
        except StoreError as error:
            _log.warning("a connection's state was not saved (%s)", type(error).__name__)


def _shown(step: ShowQR | ShowCode | NeedsPasskey, now: datetime) -> Step:
    match step:
        case ShowQR(text=text, expires_at=at):
            return Step("qr", text, at)
        case ShowCode(code=code, expires_at=at):
            return Step("code", code, at)
        case NeedsPasskey(url=url):
            return Step("passkey", url, now + _PASSKEY_LASTS)


def _first(error: BaseException) -> BaseException:
    """The error that ended a task group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _where(error: BaseException) -> str:
    """The file and line an error came from, without its text, which may quote what it tripped over."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
