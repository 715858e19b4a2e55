"""
What becomes of queued messages when the priority moves. What surely has not left goes over the new road, in the
transaction that moves the priority; it keeps its id, so it is the same message. What may have left stays with the old
road until that has settled it, and so does whatever stands behind it in its conversation, for order is a
conversation's; what the new road cannot carry; and a campaign's, which was approved for its road.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recado.content import Media, Reaction, Template, content_kind
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.unit import Unit
from recado.gateway.moving import repository
from recado.gateway.moving.repository import Waiting
from recado.gateway.providers.roads import ROADS
from recado.jid import BSUID, JID, LID, PHONE
from recado.store.facts import content_from_json


@dataclass(frozen=True, slots=True)
class Parted:
    """What would go over the new road (the address by the row's id), and why the rest stays."""

    goes: dict[int, str]
    stays: Counter[str]


async def part(unit: Unit, old: str, new: str, *, now: datetime) -> Parted:
    """Look at what waits on `old`; held to the unit's end."""
    goes: dict[int, str] = {}
    stays: Counter[str] = Counter()
    stuck: set[UUID] = set()
    for message in await repository.list_waiting(unit, old, now=now):
        why = _why_it_stays(message, new) or ("order" if message.conversation_id in stuck else None)
        if why is None:
            goes[message.id] = str(_address(message, new))
            continue
        stays[why] += 1
        if message.send_at is None or message.send_at <= now:
            stuck.add(message.conversation_id)
    return Parted(goes, stays)


async def carry_over(unit: Unit, old: str, new: str, *, now: datetime) -> int:
    """Have what can go over `new` go there; how many."""
    parted = await part(unit, old, new, now=now)
    if parted.goes:
        await repository.carry_over(unit, parted.goes, new)
        unit.tell(OUTBOX)
    return len(parted.goes)


def _why_it_stays(message: Waiting, new: str) -> str | None:
    road, content = ROADS[new], content_from_json(message.content)
    if message.campaign_id is not None:
        return "campaign"
    if message.is_behind:
        return "order"
    if content_kind(content) not in road.sends:
        return "kind"
    if isinstance(content, Reaction):
        return "reaction"  # the new road may not know the message it is to
    if isinstance(content, Media) and not content.reference.startswith(("media:", "https:")):
        return "media"
    if _address(message, new) is None:
        return "address"
    if road.has_window and not isinstance(content, Template) and not message.is_open:
        return "window"
    return None


def _address(message: Waiting, new: str) -> JID | None:
    """The address by which the new road reaches that person."""
    reaches, asked = ROADS[new].reaches, JID.parse(message.chat)
    if asked.server in reaches:
        return asked
    known = ((PHONE, message.phone), (LID, message.lid), (BSUID, message.bsuid))
    return next((JID(user, server) for server, user in known if user and server in reaches), None)
