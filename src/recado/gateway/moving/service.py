"""
Moving a cohort: a dry run that asks and changes nothing, its approval while it is fresh, the go-ahead after the first
one, and the way back. The steps in between are taken by the gateways at work (runtime/moving.py), so whoever asked may
go away. Only an administrator may: a cohort is of many mentorados.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recado.errors import BadRecord
from recado.gateway.audit.repository import add_entry
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.moving import repository
from recado.gateway.moving.probing import Probed, probe
from recado.gateway.moving.report import look, report
from recado.gateway.moving.repository import AFTER_THE_SWITCH, BEFORE_THE_SWITCH, Move, Named, NewPerson, Person
from recado.gateway.moving.steps import start_back, undo
from recado.gateway.providers.credentials import Credentials, MetaCredentials, ZapiCredentials, load_credentials
from recado.gateway.providers.roads import META, ROADS, ZAPI
from recado.gateway.refusals import BadContent, InUse, NoCredentials, NotFound, Stale
from recado.gateway.security import ADMIN, Principal
from recado.gateway.settings import Settings

FRESH = timedelta(minutes=30)
"""How long a dry run may be approved."""

LONGEST_COHORT = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a cohort: a mentorado, by id or name, and whom the test is sent to (None: their own number)."""

    mentorado: str
    test_to: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """How a cohort is moved."""

    retire_old: bool = False
    """Disconnect the old connection when it has nothing left."""
    coexistence: bool = False
    """The number stays on its phone: that its devices are unlinked is expected."""
    another_number: bool = False
    """The new connection may be another number's."""
    at_once: bool = False
    """Nobody is asked after the first one."""

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "retire_old": self.retire_old,
            "coexistence": self.coexistence,
            "another_number": self.another_number,
            "at_once": self.at_once,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan and everybody in it."""

    move: Move
    people: list[Person]

    @property
    def state(self) -> str:
        """dry_run, running, waiting_for_you, stopped, rolling_back, rolled_back or finished."""
        states = {person.state for person in self.people}
        if self.move.approved_at is None:
            return "dry_run"
        if states & {"rolling_back", "restoring"}:
            return "rolling_back"
        if "rolled_back" in states and "settling" not in states:
            return "rolled_back"
        if "failed" in states and "settling" not in states:
            return "stopped"
        if "waiting" in states and self.move.confirmed_at is None and states & set(AFTER_THE_SWITCH):
            return "waiting_for_you"
        return "running" if states & {*BEFORE_THE_SWITCH, "settling"} else "finished"


async def dry_run(
    database: Database,
    vault: Vault,
    settings: Settings,
    principal: Principal,
    *,
    to: str,
    cohort: Sequence[Wanted],
    options: Options,
    now: datetime,
) -> Plan:
    """Look at everybody, ask the providers, and keep what was found. Raises Forbidden, NotFound, BadContent."""
    principal.require(ADMIN)
    if to not in ROADS:
        raise NotFound
    if not 0 < len(cohort) <= LONGEST_COHORT:
        raise BadContent(f"a cohort has 1 to {LONGEST_COHORT} mentorados")
    async with database.unit(principal) as unit:
        found = _match(cohort, await repository.find_mentorados(unit, [one.mentorado for one in cohort]))
    people = []
    for named, wanted in found:
        acting = principal.acting_for(named.id)
        probed = await _ask(database, vault, settings, acting, to)
        async with database.unit(acting) as unit:
            people.append(await _examine(unit, named.id, wanted, probed, to, options, now))
    async with database.unit(principal) as unit:
        move = await repository.add_move(unit, to, options.as_json(), people, now=now)
        await add_entry(unit, "move.planned", move=str(move.id), to=to, people=len(people))
        return Plan(move, await repository.list_people(unit, move.id))


async def get_plan(unit: Unit, move_id: UUID) -> Plan:
    """Raises Forbidden, NotFound."""
    unit.principal.require(ADMIN)
    return Plan(await repository.get_move(unit, move_id), await repository.list_people(unit, move_id))


async def apply(database: Database, principal: Principal, move_id: UUID, *, approved_by: str, now: datetime) -> Plan:
    """
    Have it done, one by one. Approved already, it is only told again. Raises Forbidden, NotFound, Stale (too old, or
    the world changed since), InUse, BadContent.
    """
    principal.require(ADMIN)
    if not approved_by.strip() or len(approved_by) > 100:
        raise BadContent("say who approves it, in 1 to 100 characters")
    async with database.unit(principal) as unit:
        plan = await get_plan(unit, move_id)
    if plan.move.approved_at is None:
        await _check_unchanged(database, principal, plan)
    async with database.unit(principal) as unit:
        move = await repository.lock_move(unit, move_id)
        if move.approved_at is None:
            people = await repository.list_people(unit, move_id)
            await _check_may_start(unit, move, people, now)
            at_once = bool(move.options.get("at_once"))
            await repository.approve(unit, move_id, approved_by.strip(), at_once=at_once, now=now)
            await add_entry(unit, "move.approved", move=str(move_id), to=move.to_provider, approved_by=approved_by)
            _tell(unit, people)
        return await get_plan(unit, move_id)


async def go_on(database: Database, principal: Principal, move_id: UUID, *, now: datetime) -> Plan:
    """The first one is well: the others follow. Raises Forbidden, NotFound, Stale."""
    principal.require(ADMIN)
    async with database.unit(principal) as unit:
        move = await repository.lock_move(unit, move_id)
        if move.approved_at is None:
            raise Stale("this plan was never approved")
        if move.confirmed_at is None:
            await repository.confirm(unit, move_id, now=now)
            await add_entry(unit, "move.confirmed", move=str(move_id))
            _tell(unit, await repository.list_people(unit, move_id))
        return await get_plan(unit, move_id)


async def roll_back(database: Database, principal: Principal, move_id: UUID, *, now: datetime) -> Plan:
    """
    Whoever was moved goes back, whoever was not stays, and nobody begins any more. Again, it goes on where it was.
    Raises Forbidden, NotFound, Stale, InUse.
    """
    principal.require(ADMIN)
    async with database.unit(principal) as unit:
        move = await repository.lock_move(unit, move_id)
        if move.approved_at is None:
            raise Stale("this plan was never applied: there is nothing to take back")
        people = await repository.list_people(unit, move_id)
        if any(person.state in AFTER_THE_SWITCH for person in people) and await repository.is_under_way(unit, move_id):
            raise InUse("another plan moves one of these now")
        await add_entry(unit, "move.roll_back", move=str(move_id))
    for person in reversed(people):  # the last first: whoever has not begun never does
        async with database.unit(principal.acting_for(person.mentorado_id)) as unit:
            held = await repository.lock_person(unit, move_id)
            if held is None:
                continue
            if held.state in BEFORE_THE_SWITCH:
                await undo(unit, held, "rolled_back", "asked_for", now=now)
            elif held.state in AFTER_THE_SWITCH:
                await start_back(unit, held, now=now)
            unit.tell(CONNECTIONS)
    async with database.unit(principal) as unit:
        return await get_plan(unit, move_id)


def _match(cohort: Sequence[Wanted], found: Sequence[Named]) -> list[tuple[Named, Wanted]]:
    """Each line's one mentorado. Raises BadContent, saying which line is none's, several's or another line's too."""
    matched: list[tuple[Named, Wanted]] = []
    seen: set[UUID] = set()
    for line, wanted in enumerate(cohort, 1):
        fits = [one for one in found if wanted.mentorado in (str(one.id), one.name)]
        if len(fits) != 1:
            problem = "nobody has that id or name" if not fits else "several have that name: say the id"
            raise BadContent(f"mentorado {line} of the cohort: {problem}")
        if fits[0].id in seen:
            raise BadContent(f"mentorado {line} of the cohort is in it twice")
        seen.add(fits[0].id)
        matched.append((fits[0], wanted))
    return matched


async def _ask(database: Database, vault: Vault, settings: Settings, principal: Principal, to: str) -> Probed | None:
    """What the provider answers for their credentials; None where there are none to ask with."""
    credentials: Credentials
    try:
        async with database.unit(principal) as unit:
            if to == META:
                credentials = await load_credentials(unit, vault, MetaCredentials)
            elif to == ZAPI:
                credentials = await load_credentials(unit, vault, ZapiCredentials)
            else:
                return None
    except NoCredentials:
        return None
    except BadRecord:
        return Probed("refused", is_connected=False)
    return await probe(credentials, settings)


async def _examine(
    unit: Unit, mentorado_id: UUID, wanted: Wanted, probed: Probed | None, to: str, options: Options, now: datetime
) -> NewPerson:
    stand = await look(unit, to)
    test_to = _digits(wanted.test_to)
    told = await report(unit, stand, probed, to=to, options=options.as_json(), test_to=test_to, now=now)
    return NewPerson(mentorado_id, stand.from_provider, test_to, told, stand.fingerprint, not told["blockers"])


async def _check_unchanged(database: Database, principal: Principal, plan: Plan) -> None:
    """Raises Stale: what the dry run told is not so any more."""
    for person in plan.people:
        if person.is_ready:
            async with database.unit(principal.acting_for(person.mentorado_id)) as unit:
                stand = await look(unit, person.to_provider)
            if stand.fingerprint != person.fingerprint:
                raise Stale("what this dry run looked at has changed since; make another one")


async def _check_may_start(unit: Unit, move: Move, people: Sequence[Person], now: datetime) -> None:
    if now - move.made_at > FRESH:
        raise Stale("this dry run is too old to be applied; make another one")
    if not any(person.is_ready for person in people):
        raise BadContent("nobody in this plan is ready")
    if await repository.is_under_way(unit, move.id):
        raise InUse("another plan moves one of these now")


def _tell(unit: Unit, people: Sequence[Person]) -> None:
    unit.hints += [(CONNECTIONS, person.mentorado_id) for person in people]


def _digits(number: str | None) -> str | None:
    if number is None or not number.strip():
        return None
    digits = "".join(character for character in number if character not in " -().+")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        raise BadContent("the number to test with has a country code and 7 to 15 digits")
    return digits
