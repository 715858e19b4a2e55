"""
The end of a move: the road that carries no more is let go of. Whatever was queued for it in the moment of the switch
follows; it is disconnected, when it is to be, only once it has nothing left to settle. Joining the Cloud API with a
number that stays on its phone (coexistence) unlinks the phone's devices: that is expected then, and no trouble.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import service
from recado.gateway.connections.repository import Connection
from recado.gateway.db.unit import Unit
from recado.gateway.moving import repository
from recado.gateway.moving.carrying import carry_over
from recado.gateway.moving.repository import Person
from recado.gateway.refusals import NotFound
from recado.gateway.stream import notices
from recado.gateway.stream.notices import MessageUnconfirmed

GRACE = timedelta(seconds=15)
"""A request that weighed the roads before the switch is committed by then."""

UNLINKED = "devices_unlinked_as_expected"
KEPT = "the_old_one_has_messages_left"
_GONE = "the devices of this phone were unlinked before anybody said what became of it"


async def let_go(
    unit: Unit,
    person: Person,
    road: str,
    instead: str | None,
    *,
    retire: bool,
    coexistence: bool,
    is_over: bool,
    now: datetime,
) -> str | None:
    """None: not yet; else the end of it, with a word when there is one to say."""
    if now - person.state_at < GRACE:
        return None
    if instead is not None:
        carried = await carry_over(unit, road, instead, now=now)
        if carried:
            await repository.save_carried(unit, person.move_id, carried)
    connection = await _find(unit, road)
    if coexistence and connection is not None and connection.state == "logged_out":
        # Nothing can be asked of it any more, and no new code is to be shown: this is what was meant to happen.
        for id, conversation_id in await repository.give_up(unit, road, _GONE, now=now):
            lost = MessageUnconfirmed(at=now, id=id, conversation_id=conversation_id, why=_GONE)
            await notices.tell(unit, lost)
        await service.request_disconnect(unit, road)
        await add_entry(unit, "move.devices_unlinked", move=str(person.move_id), provider=road, expected=True)
        return UNLINKED
    if not retire:
        return "" if not coexistence or is_over else None
    outstanding, _ = await repository.count_outstanding(unit, road)
    if outstanding == 0:
        if connection is not None:
            await service.request_disconnect(unit, road)
        return ""
    return KEPT if is_over else None


async def _find(unit: Unit, provider: str) -> Connection | None:
    try:
        return await service.get_connection(unit, provider)
    except NotFound:
        return None
