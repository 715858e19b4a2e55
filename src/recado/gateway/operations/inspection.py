"""
Looking at every key of a session: does it open, is it a record of its kind? What is damaged is told by kind; the keys
themselves name people, and stay inside for whoever mends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import BadRecord
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.operations import repository
from recado.gateway.operations.restore_plan import Value
from recado.gateway.providers.baileys import session_rows as rows
from recado.gateway.security import MentoradoKeys
from recado.store.records import Credentials

DOES_NOT_OPEN = "does_not_open"
UNREADABLE = "unreadable"
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with `count` keys of one kind."""

    kind: str
    problem: str
    count: int


@dataclass(frozen=True, slots=True)
class Inspected:
    """A session as it was found. `values` are those that open, in the clear; `damaged` are the keys to drop."""

    counts: dict[str, int]
    damages: tuple[Damage, ...]
    damaged: tuple[str, ...] = field(repr=False)
    values: dict[str, Value] = field(repr=False)
    is_sealed_by_another: bool = False
    """Nothing opens: the master key is another one. Nothing is damaged, and nothing may be dropped."""

    @property
    def is_empty(self) -> bool:
        """Is there no session at all?"""
        return not self.counts

    @property
    def credentials(self) -> Credentials | None:
        """Who this device is, when that can be read."""
        found = self.values.get(rows.CREDENTIALS)
        try:
            return Credentials.decode(found.value) if found is not None else None
        except BadRecord:
            return None

    @property
    def is_linked(self) -> bool:
        """Is there a readable device that was linked?"""
        credentials = self.credentials
        return credentials is not None and credentials.account is not None

    @property
    def has_lost_its_identity(self) -> bool:
        """Are there keys of a device, and nothing to log in with?"""
        return not self.is_sealed_by_another and any(
            damage.kind == rows.CREDENTIALS and damage.problem in (MISSING, UNREADABLE, DOES_NOT_OPEN)
            for damage in self.damages
        )


async def inspect(unit: Unit, vault: Vault) -> Inspected:
    """Read the session of the unit's mentorado, all of it. Raises StoreUnavailable."""
    counts: dict[str, int] = {}
    try:
        sealing = await vault.keys(unit)
    except BadRecord:
        async for key, _, _ in repository.each_row(unit):
            counts[rows.kind_of(key)] = counts.get(rows.kind_of(key), 0) + 1
        return Inspected(counts, (), (), {}, is_sealed_by_another=True)
    values: dict[str, Value] = {}
    found: dict[tuple[str, str], int] = {}
    damaged: list[str] = []
    async for key, envelope, expires_at in repository.each_row(unit):
        kind = rows.kind_of(key)
        counts[kind] = counts.get(kind, 0) + 1
        problem = _open(sealing, key, envelope, expires_at, values)
        if problem is not None:
            damaged.append(key)
            found[kind, problem] = found.get((kind, problem), 0) + 1
    damages = [Damage(kind, problem, count) for (kind, problem), count in sorted(found.items())]
    linked = Inspected(counts, (), (), values).is_linked
    if rows.CREDENTIALS not in counts and set(counts) - {rows.CURSOR}:
        damages.insert(0, Damage(rows.CREDENTIALS, MISSING, 1))
    if linked and rows.PREKEY not in counts:
        damages.append(Damage(rows.PREKEY, MISSING, 1))
    return Inspected(counts, tuple(damages), tuple(damaged), values)


def _open(
    sealing: MentoradoKeys, key: str, envelope: bytes, expires_at: datetime | None, values: dict[str, Value]
) -> str | None:
    try:
        value = sealing.open(key, envelope)
    except BadRecord:
        return DOES_NOT_OPEN
    values[key] = Value(value, expires_at)
    return None if rows.is_readable(key, value) else UNREADABLE
