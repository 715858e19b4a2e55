"""The rows operations read and write: a session as a whole, the step that is under way, who runs anything at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.security import MentoradoKeys

_queries = load_queries(__file__)
_PAGE = 500

OPERATIONS = "operations"
"""The name of the worker that holds a lease for an operation: it runs no accounts."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A step that has the account in hand, or that was interrupted while it had."""

    kind: str
    actor: str
    wanted: str | None
    generation: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """How many connections should be up in the whole gateway, and how many of them are not."""

    wanted: int
    troubled: int

    @property
    def is_everybody(self) -> bool:
        """More than one, and most of them: then it is hardly any one mentorado's session."""
        return self.troubled > 1 and self.troubled * 2 > self.wanted


@dataclass(frozen=True, slots=True)
class Named:
    """A mentorado by its id and name."""

    id: UUID
    name: str = field(repr=False)


async def each_row(unit: Unit) -> AsyncIterator[tuple[str, bytes, datetime | None]]:
    """Every key of the session with its sealed value and expiry, page by page."""
    after = ""
    while page := await unit.tuples(_queries.page_rows, after=after, limit=_PAGE):
        for key, value, expires_at in page:
            yield key, value, expires_at
        after = page[-1][0]


async def list_keys(unit: Unit) -> list[str]:
    """Every key of the session, by name alone."""
    return [key for (key,) in await unit.tuples(_queries.list_keys)]


async def save_rows(unit: Unit, sealing: MentoradoKeys, values: Mapping[str, tuple[bytes, datetime | None]]) -> None:
    """Write values, sealed with the newest data key."""
    names = list(values)
    for start in range(0, len(names), _PAGE):
        page = names[start : start + _PAGE]
        await unit.run(
            _queries.save_rows,
            key_id=sealing.current,
            keys=page,
            values=[sealing.seal(name, values[name][0]) for name in page],
            expires=[values[name][1] for name in page],
        )
        await unit.drain()


async def add_under_way(unit: Unit, provider: str, *, kind: str, wanted: str | None, generation: int) -> None:
    """Note what is to be wanted again when this step is over."""
    actor = unit.principal.actor
    await unit.run(
        _queries.add_under_way, provider=provider, kind=kind, actor=actor, wanted=wanted, generation=generation
    )


async def find_under_way(unit: Unit, provider: str) -> UnderWay | None:
    """The step that is under way, or was interrupted."""
    return await unit.one(UnderWay, _queries.find_under_way, provider=provider)


async def delete_under_way(unit: Unit, provider: str) -> None:
    """The step is over."""
    await unit.run(_queries.delete_under_way, provider=provider)


async def get_scope(unit: Unit) -> Scope:
    """How it stands with everybody: two numbers, whoever asks."""
    found = await unit.one(Scope, _queries.count_troubled)
    assert found is not None
    return found


async def count_live_workers(unit: Unit) -> int:
    """How many processes run accounts right now."""
    return int(await unit.value(_queries.count_live_workers, but=OPERATIONS))


async def is_run(unit: Unit, provider: str) -> bool:
    """Does a live worker have this account?"""
    return bool(await unit.value(_queries.is_run, provider=provider, but=OPERATIONS))


async def add_mentorado_again(unit: Unit, mentorado_id: UUID, name: str) -> None:
    """A mentorado of another database, under the same id; in an administrator's unit. One that is there stays."""
    await unit.run(_queries.add_mentorado_again, id=mentorado_id, name=name)
    await unit.run(_queries.add_stream_head_again, id=mentorado_id)


async def find_mentorados(unit: Unit, which: str | None) -> list[Named]:
    """Those with that id or name, or all of them, in an administrator's unit."""
    return await unit.all(Named, _queries.find_mentorados, which=which)
