"""
Recovery that keeps history, in order, stopping at the first step that works; each is in the audit with who, when, why.

    scope      one mentorado, or everybody? what is damaged?
    reconnect  without touching the session
    back up    all of the session, before anything of it goes
    mend       drop only what cannot be read; the rest of the session stays, and no new code is needed
    clear      only this mentorado's session, and only when that can help
    ask        for a new code

Messages, contacts and conversations are not touched at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import service
from recado.gateway.connections.repository import CONNECTED, Connection
from recado.gateway.connections.service import BAILEYS
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.operations import repository
from recado.gateway.operations.in_hand import Operator, account_in_hand
from recado.gateway.operations.inspection import MISSING, Inspected, inspect
from recado.gateway.operations.repository import Scope
from recado.gateway.providers.baileys import archive
from recado.gateway.providers.baileys import session_rows as rows
from recado.gateway.runtime.leases import Lease

_STEPS_OF_A_LINK = ("qr", "code", "passkey")
_ENDED = ("logged_out", "replaced", "restricted", "failed")
_LOOK_SECONDS = 0.25

NEVER_CURED = frozenset(
    {
        "restricted",
        "forbidden",
        "outdated",
        "bad_user_agent",
        "not_multi_device",
        "untrusted",
        "another_number",
        "another_browser",
    }
)
"""Reasons a new link changes nothing about, or makes worse."""
WEATHER = frozenset({"closed", "lost", "server_error", "unavailable", "rate_limited", "unreachable"})
"""Reasons that are the network's or WhatsApp's, and pass."""


class Outcome(StrEnum):
    """What recovery came to."""

    CONNECTED = "connected"
    NEEDS_SCAN = "needs_scan"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was done (or left) and what came of it, in stable words; who shows them says them nicely."""

    name: str
    result: str
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recovery:
    """All steps that were made, what they came to, and where the session was backed up if it was touched."""

    outcome: Outcome
    steps: tuple[Step, ...]
    backup_id: UUID | None = None


async def recover(operator: Operator, *, why: str = "", even_so: bool = False, may_clear: bool = True) -> Recovery:
    """
    Bring one mentorado's connection back. `why` is kept in the audit; `even_so` clears the session also where that is
    not known to help (never while the master key is another one); without `may_clear` it stops before clearing and
    says `would_clear`, so that a person can be asked. Raises NotFound, Forbidden, AccountBusy.
    """
    return await _Course(operator, why, even_so, may_clear).run()


@dataclass(slots=True)
class _Course:
    """One run through the steps."""

    operator: Operator
    why: str
    even_so: bool
    may_clear: bool
    steps: list[Step] = field(default_factory=list)
    backup_id: UUID | None = None

    async def run(self) -> Recovery:
        scope, found, workers = await self._detect_scope()
        if found.is_sealed_by_another:
            return await self._stop("another_master_key")
        connection: Connection | None = None
        if workers == 0:
            await self._note("reconnect", "skipped", reason="no_worker")
        elif found.has_lost_its_identity:
            await self._note("reconnect", "skipped", reason="nothing_to_log_in_with")
        else:
            connection = await self._reconnect("reconnect")
            if _is_done(connection) and not found.damages:
                return await self._end(connection)
        if found.damages and not found.has_lost_its_identity:
            await self._mend(found)
            if workers == 0:
                return await self._stop("no_worker")
            connection = await self._reconnect("reconnect_after_mending")
            if _is_done(connection):
                return await self._end(connection)
        refusal = None if found.has_lost_its_identity else _why_not_to_clear(connection, found, scope, workers)
        if refusal is not None and not (self.even_so and refusal != "no_worker"):
            return await self._stop(refusal)
        if not self.may_clear:
            return await self._stop("would_clear")
        await self._clear()
        if workers == 0:
            return await self._stop("no_worker")
        return await self._end(await self._wait("ask_for_a_code"))

    async def _detect_scope(self) -> tuple[Scope, Inspected, int]:
        async with self.operator.unit() as unit:
            await service.get_connection(unit, BAILEYS)
            scope = await repository.get_scope(unit)
            workers = await repository.count_live_workers(unit)
            found = await inspect(unit, self.operator.vault)
        damages = {f"{damage.kind}:{damage.problem}": damage.count for damage in found.damages}
        await self._note(
            "scope",
            "everybody" if scope.is_everybody else "one",
            wanted=scope.wanted,
            troubled=scope.troubled,
            workers=workers,
            damages=damages,
        )
        return scope, found, workers

    async def _reconnect(self, name: str) -> Connection:
        """Ask for the connection anew, as a person does with Connect."""
        async with self.operator.unit() as unit:
            await service.request_connect(unit, BAILEYS)
        return await self._wait(name)

    async def _wait(self, name: str) -> Connection:
        connection = await self._until_known()
        await self._note(name, connection.state, reason=connection.reason)
        return connection

    async def _until_known(self) -> Connection:
        """The connection once it is up, shows a code or has ended; as it stands when patience runs out."""
        operator = self.operator
        deadline = operator.clock.monotonic() + operator.patience
        with operator.database.hints.watching(CONNECTIONS, operator.principal.mentorado_id) as watch:
            while True:
                async with operator.unit() as unit:
                    connection = await service.get_connection(unit, BAILEYS)
                    is_run = await repository.is_run(unit, BAILEYS)
                if (is_run and _is_done(connection)) or connection.state in _ENDED:
                    return connection
                if operator.clock.monotonic() >= deadline:
                    return connection
                await watch.wait(_LOOK_SECONDS)

    async def _mend(self, found: Inspected) -> None:
        """Drop what cannot be read, and have one-time keys uploaded when some are gone. Found anew, under the lease."""
        async with account_in_hand(self.operator, "mend") as hand:
            async with self.operator.unit() as unit:
                await hand.lease.check(unit)
                found = await inspect(unit, self.operator.vault)
                self.backup_id = await archive.delete_rows(unit, list(found.damaged), "before mending")
                if any(damage.kind == rows.PREKEY for damage in found.damages):
                    name, body = rows.upload_wish(self.operator.clock.now())
                    await repository.save_rows(unit, await self.operator.vault.keys(unit), {name: (body, None)})
            hand.wanted = CONNECTED
            dropped = {damage.kind: damage.count for damage in found.damages if damage.problem != MISSING}
            await self._note("back_up", "done", backup=str(self.backup_id))
            await self._note("mend", "done", dropped=dropped)

    async def _clear(self) -> None:
        async with account_in_hand(self.operator, "clear") as hand:
            self.backup_id = await self._delete_session(hand.lease) or self.backup_id
            await self._note("back_up", "done", backup=str(self.backup_id))
            await self._note("clear", "done")
            hand.wanted = CONNECTED

    async def _delete_session(self, lease: Lease) -> UUID | None:
        async with self.operator.unit() as unit:
            await lease.check(unit)
            keys = [key for key in await repository.list_keys(unit) if rows.kind_of(key) != rows.CURSOR]
            return await archive.delete_rows(unit, keys, "before clearing") if keys else None

    async def _end(self, connection: Connection) -> Recovery:
        if connection.state == CONNECTED:
            outcome = Outcome.CONNECTED
        elif connection.state in _STEPS_OF_A_LINK:
            outcome = Outcome.NEEDS_SCAN
        else:
            return await self._stop(connection.reason or connection.state)
        await self._note("end", outcome.value)
        return Recovery(outcome, tuple(self.steps), self.backup_id)

    async def _stop(self, reason: str) -> Recovery:
        await self._note("end", Outcome.STOPPED.value, reason=reason)
        return Recovery(Outcome.STOPPED, tuple(self.steps), self.backup_id)

    async def _note(self, name: str, result: str, **detail: object) -> None:
        """One step into the audit, in a transaction of its own: it stays whatever comes after."""
        step = Step(name, result, {key: value for key, value in detail.items() if value not in (None, {})})
        told: dict[str, Any] = {"result": result, "why": self.why, **step.detail}
        self.steps.append(step)
        async with self.operator.unit() as unit:
            await add_entry(unit, f"recovery.{name}", **told)


def _is_done(connection: Connection) -> bool:
    return connection.state in (CONNECTED, *_STEPS_OF_A_LINK)


def _why_not_to_clear(connection: Connection | None, found: Inspected, scope: Scope, workers: int) -> str | None:
    """The reason a new link would not help, or would cost more than it gives; None when it is the way on."""
    if workers == 0:
        return "no_worker"
    if connection is None:
        return None
    reason = connection.reason or ""
    if reason in NEVER_CURED or connection.state == "restricted":
        return reason or connection.state
    if scope.is_everybody:
        return "everybody_is_affected"
    if reason in WEATHER and scope.wanted <= 1:
        return reason  # nobody else's connection shows that the road is open
    return None
