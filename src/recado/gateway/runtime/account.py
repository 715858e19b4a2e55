"""
One account at work under its lease: its provider, the linking when there is none yet, its outbox and its signals, in
one task group. Whatever ends it closes the socket and gives the lease back last; when the lease is lost the socket is
cut at once, before anything of the account is waited for.

    lease ▶ open ▶ (link) ▶ { outbox · signals · until over · until the lease is lost · progress } ▶ close ▶ release
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from recado.clock import Clock
from recado.errors import (
    AnotherBrowser,
    BadRecord,
    CodeRefused,
    ConnectionLost,
    DecodeError,
    LoggedOut,
    PairingExpired,
    PasskeyRefused,
    RecadoError,
    StoreError,
    UsageError,
    WrongAccount,
    where,
)
from recado.events import ConnectionState
from recado.gateway.connections import repository as connections
from recado.gateway.connections import service
from recado.gateway.connections.repository import UNLINKED, Connection
from recado.gateway.connections.service import Step
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.metrics import ACCOUNTS_RESTARTED
from recado.gateway.providers.provider import (
    MakeProvider,
    Provider,
    SupportsAnswers,
    SupportsCut,
    SupportsHandover,
    SupportsHealth,
    SupportsPairing,
)
from recado.gateway.runtime import leases
from recado.gateway.runtime.leases import Stay
from recado.gateway.runtime.liveness import Patience, Stalled, in_time, watch
from recado.gateway.runtime.outbox import Outbox
from recado.gateway.runtime.signals import Signals
from recado.gateway.security import Principal
from recado.gateway.stream.notices import AccountRestarted, tell
from recado.jid import JID, PHONE
from recado.pairing import AnotherNumber, NeedsPasskey, Paired, PairingStep, ShowCode, ShowQR

_log = logging.getLogger(__name__)
_SETTLE_SECONDS = 10.0
_REST_SECONDS = 2.0
_TURN_SECONDS = 1.0

ANOTHER_BROWSER = "another_browser"
ANOTHER_NUMBER = "another_number"
CODE_FOR_NOBODY = "code_for_nobody"
CODE_REFUSED = "code_refused"
CODE_TOO_OFTEN = "code_too_often"
CODES_RAN_OUT = "codes_ran_out"
HANDED_OVER = "handed_over"
NO_PROGRESS = "no_progress"
PASSKEY_REFUSED = "passkey_refused"
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
        providers: Mapping[str, MakeProvider],
        *,
        clock: Clock,
        one_link_at_a_time: bool = True,
        patience: Patience | None = None,
    ) -> None:
        self.signals = Signals()
        self._database = database
        self._vault = vault
        self._providers = providers
        self._clock = clock
        self._patience = patience or Patience()
        self._ending: set[tuple[UUID, str]] = set()
        self._linking = asyncio.Semaphore(1) if one_link_at_a_time else None

    @property
    def providers(self) -> list[str]:
        """The providers this worker can run."""
        return list(self._providers)

    async def run(self, stay: Stay) -> None:
        """
        Run one account under its lease until it is over, or cancelled, and give the lease back. Raises nothing of the
        account's own: how it ended is in its connection's row.
        """
        account = _Account(self, stay, self._providers[stay.lease.provider](stay.lease))
        try:
            await account.run()
        finally:
            stay.settle()
            await account.release()

    def is_ending(self, mentorado_id: UUID, provider: str) -> bool:
        """Is that account putting its things in order, and not to be disturbed?"""
        return (mentorado_id, provider) in self._ending


class _Account:
    """The run of one account under one lease."""

    def __init__(self, shared: Accounts, stay: Stay, provider: Provider) -> None:
        self._shared = shared
        self._database = shared._database
        self._clock = shared._clock
        self._stay = stay
        self._lease = stay.lease
        self._provider = provider
        self._principal = Principal.runtime(stay.lease.mentorado_id)
        self._started = self._clock.monotonic()
        self._rest = 0.0
        self._last: tuple[ConnectionState, str | None] | None = None
        self._restarted: str | None = None

    async def run(self) -> None:
        """Until it is over; the reason goes to the connection's row, unless somebody else owns that by now."""
        try:
            async with self._opened():
                await self._live()
        except asyncio.CancelledError:
            self._last = self._parting()
            raise
        except Exception as error:  # noqa: BLE001 - a job's top: one account's mistake is not its neighbours'
            if (task := asyncio.current_task()) is not None and task.cancelling():
                self._last = self._parting()
                raise asyncio.CancelledError from None
            self._conclude(_first(error))
        # What ended by itself at once is not begun again in a tight circle, here or elsewhere.
        self._rest = max(0.0, _REST_SECONDS - (self._clock.monotonic() - self._started))

    async def release(self) -> None:
        """The last word and the lease, in one unit: whoever goes on finds both."""
        try:
            async with self._database.unit(self._principal) as unit:
                if self._last is not None or self._restarted is not None:
                    await self._lease.check(unit)
                if self._last is not None:
                    state, reason = self._last
                    await connections.save_state(unit, self._lease.provider, state.value, reason=reason)
                await leases.release(unit, self._lease, rest=self._rest)
                if self._restarted is not None:
                    at = self._clock.now()
                    await tell(unit, AccountRestarted(at=at, provider=self._lease.provider, reason=self._restarted))
                unit.tell(CONNECTIONS)
        except StoreError as error:
            _log.warning("a lease was not given back, and runs out by itself (%s)", type(error).__name__)

    def _parting(self) -> tuple[ConnectionState, str | None]:
        """How it stands when it was ended from outside."""
        if not self._stay.goes_on:
            return ConnectionState.DISCONNECTED, None
        is_linked = not isinstance(self._provider, SupportsPairing) or self._provider.is_linked
        return ConnectionState.RECONNECTING if is_linked else ConnectionState.CONNECTING, HANDED_OVER

    def _conclude(self, error: BaseException) -> None:
        match error:
            case Stalled():
                ACCOUNTS_RESTARTED.labels(error.reason).inc()
                self._restarted = error.reason
                self._last = ConnectionState.RECONNECTING, NO_PROGRESS
            case BadRecord():
                _log.error("an account stops: a stored record cannot be read")
                self._last = ConnectionState.FAILED, UNREADABLE_STORE
            case AnotherBrowser():
                _log.error("an account stops: it was linked as another browser than the settings say")
                self._last = ConnectionState.FAILED, ANOTHER_BROWSER
            case StoreError():
                _log.warning("an account stops: %s", type(error).__name__)
            case RecadoError():
                _log.info("an account is over: %s", type(error).__name__)
            case _:
                _log.error("an account broke: %s at %s", type(error).__name__, where(error))
                self._last = ConnectionState.FAILED, INTERNAL

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            guard = group.create_task(self._cut_in_time())
            try:
                await self._provider.open()
                try:
                    yield
                finally:
                    await in_time(self._close, self._shared._patience.close, self._clock)
            finally:
                guard.cancel()

    async def _cut_in_time(self) -> None:
        """
        Beside everything, its end too: jobs that wait for a database that never answers cannot be waited for while
        another worker may open the account.
        """
        await self._lease.expired.wait()
        if isinstance(self._provider, SupportsCut):
            await self._provider.cut()

    async def _close(self) -> None:
        if self._stay.goes_on and isinstance(self._provider, SupportsHandover):
            await self._provider.hand_over()
        else:
            await self._provider.close()

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            guard = group.create_task(self._lease.until_lost())
            connection = await self._connection()
            if connection is None or connection.desired == UNLINKED:
                await self._unlink(connection)
            elif await self._is_linked(connection):
                outbox = Outbox(self._database, self._provider, self._lease, clock=self._clock)
                jobs = [group.create_task(job) for job in (outbox.run(), self._pass_signals_on(), self._settle())]
                if isinstance(self._provider, SupportsHealth):
                    patience = self._shared._patience
                    jobs.append(group.create_task(watch(self._provider, self._lease, patience, self._clock)))
                try:
                    await self._provider.until_over()
                except LoggedOut:
                    # The keys are worth nothing now: backed up, then cleared, and the next link shows a QR.
                    await self._forget(ConnectionState.LOGGED_OUT.value)
                finally:
                    for job in jobs:
                        job.cancel()
            guard.cancel()

    async def _settle(self) -> None:
        """Past its start once it can send; one that cannot connect does not hold up the others for long."""
        async with asyncio.TaskGroup() as group:
            ready = group.create_task(self._provider.until_ready())
            patience = group.create_task(self._clock.sleep(_SETTLE_SECONDS))
            await asyncio.wait([ready, patience], return_when=asyncio.FIRST_COMPLETED)
            arrived = ready.done()
            for wait in (ready, patience):
                wait.cancel()
        self._stay.settle(arrived=arrived)

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
        self._stay.settle()
        async with self._turn():
            expect = JID(connection.account_phone, PHONE) if connection.account_phone else None
            phone = JID(connection.link_phone, PHONE) if connection.link_phone else None
            try:
                await self._link(provider, expect, phone)
                return True
            except WrongAccount:
                await self._save_state(ConnectionState.FAILED, ANOTHER_NUMBER)
            except CodeRefused as error:
                await self._save_state(ConnectionState.FAILED, _no_code(error.code))
            except PasskeyRefused:
                await self._save_state(ConnectionState.FAILED, PASSKEY_REFUSED)
            except PairingExpired:
                await self._save_state(ConnectionState.FAILED, CODES_RAN_OUT)
            except StoreError:
                raise
            except (ConnectionLost, LoggedOut) as error:
                await self._save_state(ConnectionState.FAILED, error.reason.name.lower())
            except RecadoError as error:
                await self._save_state(ConnectionState.FAILED, type(error).__name__)
        return False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """The turn to be linked: among this worker's accounts first, then among all workers'."""
        here = self._shared._linking
        if here is None:
            await self._save_state(ConnectionState.CONNECTING, None)
            yield
            return
        await self._save_state(ConnectionState.CONNECTING, WAITS_FOR_ANOTHER_LINK if here.locked() else None)
        async with here:
            with self._database.hints.watching(CONNECTIONS) as bell:
                waited = False
                while not await self._takes_turn():
                    if not waited:
                        waited = True
                        await self._save_state(ConnectionState.CONNECTING, WAITS_FOR_ANOTHER_LINK)
                    await bell.wait(_TURN_SECONDS)
            yield
            async with self._database.unit(self._principal) as unit:
                await leases.end_link_turn(unit, self._lease)
                unit.tell(CONNECTIONS)

    async def _takes_turn(self) -> bool:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            return await leases.take_link_turn(unit, self._lease)

    async def _link(self, provider: SupportsPairing, expect: JID | None, phone: JID | None) -> None:
        problem: RecadoError | None = None
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._tell_setbacks(provider))]
            if isinstance(provider, SupportsAnswers):
                beside.append(group.create_task(self._pass_answers_on(provider)))
            try:
                async for step in provider.link(expect=expect, phone=phone):
                    await self._show(step)
            except RecadoError as error:
                problem = error  # raised below: out of the group it would come wrapped
            finally:
                for task in beside:
                    task.cancel()
        if problem is not None:
            raise problem

    async def _tell_setbacks(self, provider: SupportsPairing) -> None:
        async for setback in provider.setbacks():
            await self._save_state(ConnectionState.CONNECTING, setback.reason.name.lower(), setback.retry_at)

    async def _pass_answers_on(self, provider: SupportsAnswers) -> None:
        """What a person answers to a step, to the link that asks."""
        with self._database.hints.watching(CONNECTIONS) as bell:
            while True:
                async with self._database.unit(self._principal) as unit:
                    answer = await service.claim_answer(unit, self._shared._vault, self._lease.provider)
                try:
                    if answer is not None and answer.kind == service.PASSKEY:
                        provider.sign_passkey(answer.text)
                    elif answer is not None:
                        provider.settle_number(keep=answer.text == service.KEEP)
                except (UsageError, DecodeError) as error:
                    _log.info("an answer came too late: %s", type(error).__name__)
                await bell.wait(self._database.hints.poll_seconds)

    async def _show(self, step: PairingStep) -> None:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            if isinstance(step, Paired):
                lid = step.lid.user if step.lid is not None else None
                await connections.save_account(unit, self._lease.provider, phone=step.account.user, lid=lid)
                unit.tell(CONNECTIONS)
            else:
                shown = _shown(step)
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


def _no_code(code: int) -> str:
    """Why there is no linking code: nobody has that number, it was asked for too often, or another refusal."""
    return {404: CODE_FOR_NOBODY, 429: CODE_TOO_OFTEN}.get(code, CODE_REFUSED)


def _shown(step: ShowQR | ShowCode | NeedsPasskey | AnotherNumber) -> Step:
    match step:
        case ShowQR(text=text, expires_at=at):
            return Step("qr", text, at)
        case ShowCode(code=code, expires_at=at):
            return Step("code", code, at)
        case NeedsPasskey(options=options, expires_at=at):
            return Step(service.PASSKEY, options, at)
        case AnotherNumber(account=account, expires_at=at):
            return Step(service.HELD, account.user, at)


def _first(error: BaseException) -> BaseException:
    """The error that ended a task group; that there was no progress, when it was that."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    found = [_first(each) for each in error.exceptions]
    return next((each for each in found if isinstance(each, Stalled)), found[0])
