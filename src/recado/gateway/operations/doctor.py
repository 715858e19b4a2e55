"""
The doctor: gathers the case of a mentorado and puts every check to it, and looks at the installation as a whole. It
only looks; what it advises is done by recover, by restore, or by a person.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from recado.errors import BadRecord, CloseReason, StoreError
from recado.gateway.connections import repository as connections
from recado.gateway.connections.service import BAILEYS
from recado.gateway.db.migrate import newest_version
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.operations import repository
from recado.gateway.operations.checks import CHECKS
from recado.gateway.operations.finding import (
    Browser,
    Case,
    Change,
    Finding,
    Holder,
    Severity,
    Traffic,
    Waiting,
)
from recado.gateway.operations.in_hand import Operator
from recado.gateway.operations.inspection import Inspected, inspect
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.store import keys
from recado.store.records import DeviceList

_queries = load_queries(__file__, "doctor.sql")
_HOUR, _DAY, _OVERDUE, _REQUESTS = timedelta(hours=1), timedelta(days=1), timedelta(minutes=5), timedelta(minutes=10)
_SKEW = timedelta(seconds=30)
_HINT_SECONDS = 2.0
_FEW_BYTES, _SOME_BYTES = 200 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings of one family of checks after the other."""

    findings: tuple[Finding, ...]

    @property
    def has_problems(self) -> bool:
        """Is there anything that has to be done?"""
        return any(finding.severity is Severity.PROBLEM for finding in self.findings)


async def examine(operator: Operator) -> Diagnosis:
    """Every check of one mentorado. Raises StoreError."""
    case = await gather(operator)
    return Diagnosis(tuple(finding for checks in CHECKS.values() for check in checks for finding in check(case)))


async def gather(operator: Operator) -> Case:
    """Everything the checks look at, in one transaction. Raises StoreError."""
    now = operator.clock.now()
    async with operator.unit() as unit:
        session = await inspect(unit, operator.vault)
        return Case(
            now=now,
            connection=await connections.find_connection(unit, BAILEYS),
            holder=await unit.one(Holder, _queries.find_holder, provider=BAILEYS),
            live_workers=await repository.count_live_workers(unit),
            under_way=await repository.find_under_way(unit, BAILEYS),
            changes=await _changes(unit, now),
            requests=await _count_requests(unit, now),
            session=session,
            linked_devices=_linked_devices(session),
            traffic=await unit.one(Traffic, _queries.sum_traffic, since=now - _DAY) or Traffic(),
            waiting=await unit.one(Waiting, _queries.sum_waiting, since=now - _DAY, overdue=now - _OVERDUE)
            or Waiting(),
            browser=await unit.one(Browser, _queries.find_browser, provider=BAILEYS),
        )


async def examine_installation(
    database: Database, settings: Settings, now: datetime, *, has_workers: bool = True
) -> Diagnosis:
    """What concerns every mentorado: the database, its version, hints, the clock, files and disk."""
    findings = [*check_files(settings)]
    try:
        async with database.unit(Principal.worker()) as unit:
            version = await unit.value(_queries.schema_version)
            at = await unit.value(_queries.find_clock)
            workers = await repository.count_live_workers(unit)
    except StoreError:
        words = "The database cannot be reached, or did not answer."
        advice = "Check DATABASE_URL and that PostgreSQL runs."
        return Diagnosis((Finding("database", Severity.PROBLEM, words, advice), *findings))
    findings = [
        Finding("database", Severity.OK, "The database answers."),
        _check_version(version),
        _check_clock(now, at),
        *([_check_workers(workers)] if has_workers else []),
        *await _check_hints(database),
        *findings,
    ]
    return Diagnosis(tuple(findings))


def check_files(settings: Settings) -> list[Finding]:
    """Who may read the master key, and is there room on the disk?"""
    return [*_check_master_key(settings), *_check_disk(settings.data_dir)]


def _check_version(version: str | None) -> Finding:
    name, newest = "migrations", newest_version()
    if version == newest:
        return Finding(name, Severity.OK, "The database is at this version's migration.")
    words = f"The database is at migration {version or 'none'}, this version's is {newest}."
    return Finding(name, Severity.PROBLEM, words, "Start recado serve of the newest version once: it applies them.")


def _check_clock(now: datetime, at: datetime) -> Finding:
    off = abs(now - at)
    if off > _SKEW:
        words = f"This machine's clock and the database's are {off.total_seconds():.0f} seconds apart."
        return Finding("clock", Severity.PROBLEM, words, "Set both clocks, and keep them with NTP.")
    return Finding("clock", Severity.OK, "This machine's clock agrees with the database's.")


def _check_workers(workers: int) -> Finding:
    if workers == 0:
        return Finding("workers", Severity.PROBLEM, "No worker is running.", "Start recado serve.")
    return Finding("workers", Severity.OK, f"{workers} worker(s) are running.")


async def _check_hints(database: Database) -> list[Finding]:
    """Send a hint through the database and hear it come back: it carries what pages and streams wait for."""
    name, id = "event_stream", uuid4()
    with database.hints.watching("doctor", id) as watch:
        try:
            async with database.unit(Principal.worker()) as unit:
                await unit.run(_queries.ring, id=str(id))
            async with asyncio.timeout(_HINT_SECONDS):
                await watch.wait(_HINT_SECONDS * 2)
        except (TimeoutError, StoreError):
            words = "Hints do not come through the database; pages and streams learn of changes only by looking."
            advice = "A pooler in transaction mode swallows LISTEN: connect to PostgreSQL itself, or in session mode."
            return [Finding(name, Severity.WARNING, words, advice)]
    return [Finding(name, Severity.OK, "Hints come through: pages and streams learn of changes at once.")]


def _check_master_key(settings: Settings) -> list[Finding]:
    name, path = "master_key_file", settings.master_key_file
    if settings.master_key is not None:
        return [Finding(name, Severity.OK, "The master key comes from the environment.")]
    if not path.exists():
        words = "There is no master key file here, and none in the environment."
        advice = "On the machine of the workers this would be a loss: put the key back before you start them."
        return [Finding(name, Severity.WARNING, words, advice)]
    found = path.stat()
    if found.st_mode & 0o077:
        words = f"Others may read the master key file (mode {found.st_mode & 0o777:04o})."
        return [Finding(name, Severity.PROBLEM, words, f"chmod 600 {path}")]
    if found.st_uid != os.geteuid():
        words = "The master key file belongs to another user than this one."
        return [Finding(name, Severity.WARNING, words, "Let the user that runs recado own it.")]
    return [Finding(name, Severity.OK, "Only its owner may read the master key file.")]


def _check_disk(folder: Path) -> list[Finding]:
    name = "disk"
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    words = f"{free / (1 << 30):.1f} GiB are free where recado keeps its data."
    if free < _FEW_BYTES:
        return [Finding(name, Severity.PROBLEM, words, "Make room: a full disk stops the database.")]
    if free < _SOME_BYTES:
        return [Finding(name, Severity.WARNING, words, "Make room soon.")]
    return [Finding(name, Severity.OK, words)]


async def _changes(unit: Unit, now: datetime) -> list[Change]:
    """The last hour's changes of state, with their reasons by name."""
    told = await unit.tuples(_queries.list_changes, since=now - _HOUR)
    return [
        Change(state, CloseReason.of(code).name.lower() if code is not None else None, retry_at, at)
        for state, code, retry_at, at in told
    ]


async def _count_requests(unit: Unit, now: datetime) -> int:
    return int(await unit.value(_queries.count_requests, since=now - _REQUESTS))


def _linked_devices(session: Inspected) -> int | None:
    """As the account's own device list says, if it was ever asked for: the phone itself is not a linked device."""
    credentials = session.credentials
    if credentials is None or credentials.account is None:
        return None
    for own in (credentials.lid, credentials.account):
        found = session.values.get(keys.devices(own)) if own is not None else None
        try:
            if found is not None:
                return len([number for number in DeviceList.decode(found.value).devices if number])
        except BadRecord:
            continue
    return None


def worst(findings: Sequence[Finding]) -> Severity:
    """The severity of all of them together."""
    order = list(Severity)
    return max((finding.severity for finding in findings), key=order.index, default=Severity.OK)
