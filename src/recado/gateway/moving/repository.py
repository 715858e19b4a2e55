"""Plans that move people, as rows: what was asked, who approved it, and how far each mentorado is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)

BEFORE_THE_SWITCH = ("waiting", "connecting", "testing")
AFTER_THE_SWITCH = ("settling", "done")
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Move:
    """A plan: a dry run until it is approved; the others follow the first once that is confirmed."""

    id: UUID
    to_provider: str
    options: dict[str, Any]
    made_by: str
    made_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """One mentorado of a plan, and how far."""

    mentorado_id: UUID
    move_id: UUID
    position: int
    from_provider: str | None
    to_provider: str
    test_to: str | None = field(repr=False)
    options: dict[str, Any]
    report: dict[str, Any] = field(repr=False)
    fingerprint: bytes = field(repr=False)
    is_ready: bool
    state: str
    state_at: datetime
    deadline: datetime | None
    reason: str | None
    pin_before: str | None
    pin_after: str | None
    wanted_before: str | None
    test_message: str | None
    carried_over: int
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """One mentorado, as the dry run found them."""

    mentorado_id: UUID
    from_provider: str | None
    test_to: str | None = field(repr=False)
    report: dict[str, Any] = field(repr=False)
    fingerprint: bytes = field(repr=False)
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A mentorado by name."""

    id: UUID
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits on a road, and surely has not left."""

    id: int
    conversation_id: UUID
    chat: str = field(repr=False)
    content: dict[str, Any] = field(repr=False)
    send_at: datetime | None
    campaign_id: UUID | None
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    bsuid: str | None = field(repr=False)
    is_behind: bool
    is_open: bool


async def find_mentorados(unit: Unit, named: Sequence[str]) -> list[Named]:
    """Those of these ids or names."""
    return await unit.all(Named, _queries.find_mentorados, named=list(named))


async def add_move(
    unit: Unit, to_provider: str, options: dict[str, Any], people: Sequence[NewPerson], *, now: datetime
) -> Move:
    """A dry run."""
    move = await unit.one(
        Move,
        _queries.add_move,
        to_provider=to_provider,
        options=Jsonb(options),
        made_by=unit.principal.actor,
        now=now,
    )
    assert move is not None
    for position, person in enumerate(people):
        await unit.run(
            _queries.add_person,
            mentorado_id=person.mentorado_id,
            move_id=move.id,
            position=position,
            from_provider=person.from_provider,
            to_provider=to_provider,
            test_to=person.test_to,
            options=Jsonb(options),
            report=Jsonb(person.report),
            fingerprint=person.fingerprint,
            is_ready=person.is_ready,
            now=now,
        )
    return move


async def get_move(unit: Unit, move_id: UUID) -> Move:
    """Raises NotFound."""
    return _there(await unit.one(Move, _queries.find_move, id=move_id))


async def lock_move(unit: Unit, move_id: UUID) -> Move:
    """Held to the unit's end. Raises NotFound."""
    return _there(await unit.one(Move, _queries.lock_move, id=move_id))


async def list_moves(unit: Unit, *, limit: int) -> list[Move]:
    """The newest first."""
    return await unit.all(Move, _queries.list_moves, limit=limit)


async def list_people(unit: Unit, move_id: UUID) -> list[Person]:
    """In the order in which they go; in a mentorado's own unit, that one."""
    return await unit.all(Person, _queries.list_people, move_id=move_id)


async def claim_person(unit: Unit, move_id: UUID) -> Person | None:
    """The unit's mentorado in that plan, held; None while another is at it."""
    return await unit.one(Person, _queries.claim_person, move_id=move_id)


async def lock_person(unit: Unit, move_id: UUID) -> Person | None:
    """The unit's mentorado in that plan, held, waited for."""
    return await unit.one(Person, _queries.lock_person, move_id=move_id)


async def is_under_way(unit: Unit, move_id: UUID) -> bool:
    """Is one of those of this plan being moved by another one?"""
    found: bool = await unit.value(_queries.is_under_way, move_id=move_id)
    return found


async def approve(unit: Unit, move_id: UUID, approved_by: str, *, at_once: bool, now: datetime) -> None:
    """Those who are ready wait for their turn; with `at_once` nobody is asked after the first."""
    await unit.run(_queries.approve, id=move_id, approved_by=approved_by, at_once=at_once, now=now)
    await unit.run(_queries.approve_people, id=move_id, now=now)


async def confirm(unit: Unit, move_id: UUID, *, now: datetime) -> None:
    """The first one is well."""
    await unit.run(_queries.confirm, id=move_id, now=now)


async def save_state(
    unit: Unit,
    move_id: UUID,
    state: str,
    *,
    now: datetime,
    lasts: timedelta | None = None,
    reason: str | None = None,
) -> None:
    """How far the unit's mentorado is; a state that `lasts` is over by then."""
    deadline = now + lasts if lasts is not None else None
    await unit.run(_queries.save_state, move_id=move_id, state=state, now=now, deadline=deadline, reason=reason)


async def save_before(unit: Unit, move_id: UUID, *, pin: str | None, wanted: str | None) -> None:
    """What was pinned, and wanted of the new connection, before anything was changed."""
    await unit.run(_queries.save_before, move_id=move_id, pin=pin, wanted=wanted)


async def save_test(unit: Unit, move_id: UUID, message_id: str) -> None:
    """The message that tests the new connection."""
    await unit.run(_queries.save_test, move_id=move_id, message_id=message_id)


async def save_switch(unit: Unit, move_id: UUID, *, pin: str | None, carried: int) -> None:
    """What is pinned now, and how many messages changed roads."""
    await unit.run(_queries.save_switch, move_id=move_id, pin=pin, carried=carried)


async def save_carried(unit: Unit, move_id: UUID, carried: int) -> None:
    """So many more changed roads."""
    await unit.run(_queries.save_carried, move_id=move_id, carried=carried)


async def scan_moves(unit: Unit) -> list[tuple[UUID, UUID]]:
    """Whose step is due, of which plan."""
    return [(mentorado_id, move_id) for mentorado_id, move_id in await unit.tuples(_queries.scan_moves)]


async def find_status(unit: Unit, message_id: str) -> str | None:
    """How a message of ours stands."""
    found: str | None = await unit.value(_queries.message_status, message_id=message_id)
    return found


async def has_written(unit: Unit, phone: str, *, since: datetime) -> bool:
    """Did that number write over the Cloud API after that?"""
    found: bool = await unit.value(_queries.has_written, phone=phone, since=since)
    return found


async def count_windows(unit: Unit, *, now: datetime) -> tuple[int, int]:
    """Conversations whose other side wrote within a day: over the Cloud API, and over any road."""
    ((over_meta, over_any),) = await unit.tuples(_queries.count_windows, since=now - _DAY)
    return over_meta, over_any


async def count_unprompted(unit: Unit, *, since: datetime) -> tuple[int, int]:
    """Free words that went to who had not written within a day: how many, in how many conversations."""
    ((messages, conversations),) = await unit.tuples(_queries.count_unprompted, since=since)
    return messages, conversations


async def count_remote_media(unit: Unit, provider: str) -> int:
    """Files that only that provider has."""
    found: int = await unit.value(_queries.count_remote_media, provider=provider)
    return found


async def count_campaigns(unit: Unit, provider: str) -> int:
    """Campaigns that go out on that road, and are not over."""
    found: int = await unit.value(_queries.list_running_campaigns, provider=provider)
    return found


async def count_outstanding(unit: Unit, provider: str) -> tuple[int, int]:
    """What a road still has to settle, and how much of that may have left."""
    ((every, left),) = await unit.tuples(_queries.count_outstanding, provider=provider)
    return every, left


async def list_waiting(unit: Unit, provider: str, *, now: datetime) -> list[Waiting]:
    """What waits there and surely has not left, held to the unit's end."""
    return await unit.all(Waiting, _queries.list_waiting, provider=provider, window_since=now - _DAY)


async def carry_over(unit: Unit, chats: dict[int, str], provider: str) -> None:
    """From now on these go another way, each to that address."""
    await unit.run(_queries.carry_over, ids=list(chats), chats=list(chats.values()), provider=provider)


async def give_up(unit: Unit, provider: str, why: str, *, now: datetime) -> list[tuple[str, UUID]]:
    """What may have left on a road that is gone for good is unknown; their ids and conversations."""
    rows = await unit.tuples(_queries.give_up, provider=provider, why=why, now=now)
    return [(message_id, conversation_id) for message_id, conversation_id in rows]


def _there(move: Move | None) -> Move:
    if move is None:
        raise NotFound
    return move
