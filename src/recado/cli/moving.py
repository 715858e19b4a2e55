"""
`recado migrate-provider`: a dry run for a cohort, its approval, the go-ahead and the way back, from the command line.
The steps are taken by the gateways at work; this plans, approves, and shows how far they are.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from rich.markup import escape
from rich.table import Table

from recado.cli.operations import _actor, _masters, _opened, _read, console
from recado.clock import SystemClock
from recado.errors import UsageError
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.moving import service
from recado.gateway.moving.schemas import MoveTold
from recado.gateway.moving.service import Options, Plan, Wanted
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

_FOLLOW_SECONDS = 1.0


def read_cohort(path: Path) -> list[Wanted]:
    """
    A mentorado a line, by id or name; after a comma, the number its test goes to. `#` begins a comment. There is no
    place for credentials in it. Raises UsageError.
    """
    lines = _read(path).decode("utf-8-sig", "replace").splitlines()
    cohort = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields = [field.strip() for field in next(csv.reader([line]))]
        if len(fields) > 2 or not fields[0]:
            raise UsageError(f"line {number} of the cohort: a mentorado, and at most a number to test with")
        cohort.append(Wanted(fields[0], fields[1] if len(fields) == 2 and fields[1] else None))
    return cohort


async def dry_run(settings: Settings, to: str, file: Path, options: Options, *, as_json: bool) -> None:
    """Look at everybody in the file, and change nothing. Status 1 when somebody is not ready."""
    cohort = read_cohort(file)
    async with _opened(settings) as database:
        plan = await service.dry_run(
            database,
            Vault(_masters(settings)),
            settings,
            _principal(),
            to=to,
            cohort=cohort,
            options=options,
            now=SystemClock().now(),
        )
    _show(plan, as_json=as_json)
    if not all(person.is_ready for person in plan.people):
        raise SystemExit(1)


async def apply(settings: Settings, plan_id: str, approved_by: str, *, as_json: bool) -> None:
    """Have it done, and follow until it waits, stops or ends. Status 1 when it stopped."""
    move_id = _identifier(plan_id)
    async with _opened(settings) as database:
        now = SystemClock().now()
        await service.apply(database, _principal(), move_id, approved_by=approved_by, now=now)
        await _follow(database, move_id, as_json=as_json)


async def go_on(settings: Settings, plan_id: str, *, as_json: bool) -> None:
    """The first one is well: the others follow."""
    move_id = _identifier(plan_id)
    async with _opened(settings) as database:
        await service.go_on(database, _principal(), move_id, now=SystemClock().now())
        await _follow(database, move_id, as_json=as_json)


async def roll_back(settings: Settings, plan_id: str, *, as_json: bool) -> None:
    """Whoever was moved goes back."""
    move_id = _identifier(plan_id)
    async with _opened(settings) as database:
        await service.roll_back(database, _principal(), move_id, now=SystemClock().now())
        await _follow(database, move_id, as_json=as_json)


async def show(settings: Settings, plan_id: str, *, as_json: bool) -> None:
    """A plan, its report, and how far everybody is."""
    async with _opened(settings) as database:
        _show(await _look(database, _identifier(plan_id)), as_json=as_json)


async def _follow(database: Database, move_id: UUID, *, as_json: bool) -> None:
    """Until it waits for a person, or is over; a gateway has to be running for anything to happen."""
    clock, told = SystemClock(), ""
    while True:
        plan = await _look(database, move_id)
        line = ", ".join(f"{person.name}: {person.state}" for person in plan.people if person.state != "waiting")
        if line != told and not as_json:
            console.print(escape(line), style="dim")
        told = line
        if plan.state not in ("running", "rolling_back"):
            break
        await clock.sleep(_FOLLOW_SECONDS)
    _show(plan, as_json=as_json)
    if plan.state == "stopped":
        raise SystemExit(1)


async def _look(database: Database, move_id: UUID) -> Plan:
    async with database.unit(_principal()) as unit:
        return await service.get_plan(unit, move_id)


def _show(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(MoveTold.of(plan).model_dump(mode="json"), ensure_ascii=False, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("mentorado", "from", "ready", "state", "queued", "what to know"):
        table.add_column(title)
    for person in plan.people:
        queued, report = person.report["queued"], person.report
        words = [person.reason] if person.reason else [*report["blockers"], *report["warnings"]]
        table.add_row(
            escape(person.name or str(person.mentorado_id)),
            person.from_provider or "-",
            "yes" if person.is_ready else "no",
            person.state,
            f"{queued['goes']} go, {sum(queued['stays'].values()) + queued['under_way']} stay",
            ", ".join(word.replace("_", " ") for word in words) or "-",
        )
    console.print(table)
    console.print(f"Plan {plan.move.id} to {plan.move.to_provider}: {plan.state.replace('_', ' ')}.")
    advice = _ADVICE.get(plan.state)
    if advice is not None:
        console.print(escape(advice(plan)), style="dim")


_ADVICE: dict[str, Callable[[Plan], str]] = {
    "dry_run": lambda plan: f"recado migrate-provider --apply {plan.move.id} --approved-by NAME, within half an hour",
    "waiting_for_you": lambda plan: f"Look at the first one, then: recado migrate-provider --continue {plan.move.id}",
    "stopped": lambda plan: f"To take it all back: recado migrate-provider --roll-back {plan.move.id}",
}


def _principal() -> Principal:
    return Principal.admin(_actor())


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError("a plan's id is what the dry run shows") from None
