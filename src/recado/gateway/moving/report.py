"""
Is a mentorado ready to move, and what would come of it? Read from the rows and from what the provider answered;
nothing is changed. The fingerprint is of all that the answer rests on and that no move of ours changes by itself: a
plan is good for as long as it stays the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recado.gateway.connections import choosing, service
from recado.gateway.connections.repository import Connection
from recado.gateway.db.unit import Unit
from recado.gateway.moving import repository
from recado.gateway.moving.carrying import part
from recado.gateway.moving.probing import Probed
from recado.gateway.providers.credentials import find_hint
from recado.gateway.providers.meta.repository import list_approved
from recado.gateway.providers.roads import BAILEYS, META, PRIORITY, ROADS
from recado.gateway.refusals import NotFound

_LOOKED_BACK = timedelta(days=30)
_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a mentorado stands before a move."""

    from_provider: str | None
    pin: str | None
    old: Connection | None
    new: Connection | None
    fingerprint: bytes


async def look(unit: Unit, to: str) -> Stand:
    """Where the unit's mentorado stands, and the fingerprint of that."""
    weighed = await choosing.weigh(unit)
    connections = {name: await _find(unit, name) for name in PRIORITY}
    hint = await find_hint(unit, to)
    old = connections[weighed.chosen] if weighed.chosen else None
    new = connections[to]
    rests_on = [
        to,
        weighed.chosen,
        weighed.pin,
        [hint.account, hint.updated_at.isoformat()] if hint else None,
        [[each.account_phone, each.desired] if each else None for each in connections.values()],
    ]
    return Stand(weighed.chosen, weighed.pin, old, new, hashlib.sha256(json.dumps(rests_on).encode()).digest())


async def report(
    unit: Unit,
    stand: Stand,
    probed: Probed | None,
    *,
    to: str,
    options: Mapping[str, Any],
    test_to: str | None,
    now: datetime,
) -> dict[str, Any]:
    """What there is to know before: `blockers` keep them from moving, `warnings` do not."""
    facts: dict[str, Any] = {
        "from": stand.from_provider,
        "to": to,
        "state": stand.new.state if stand.new is not None else "disconnected",
        "has_credentials": await find_hint(unit, to) is not None if ROADS[to].has_credentials else None,
        "answers": None if probed is None else probed.problem or "yes",
        "number_is_the_same": _same_number(stand, probed),
        "devices_to_be_unlinked": int(_unlinks(stand, to, options)),
        "queued": await _queued(unit, stand.from_provider, to, now=now),
        "campaigns": await repository.count_campaigns(unit, stand.from_provider) if stand.from_provider else 0,
        "media_kept_elsewhere": (
            await repository.count_remote_media(unit, stand.from_provider) if stand.from_provider else 0
        ),
    }
    if ROADS[to].has_window:
        facts |= await _windows(unit, probed, now=now)
    blockers = [
        *_unfit(stand, probed, to, facts, options),
        *(await _untestable(unit, stand, probed, to, test_to, facts, now)),
    ]
    return facts | {"blockers": blockers, "warnings": _warnings(facts, options)}


def own_number(stand_old: Connection | None, new: Connection | None, told: str | None = None) -> str | None:
    """The mentorado's own number, as the old road knows it, else the new one."""
    for known in (stand_old, new):
        if known is not None and known.account_phone:
            return known.account_phone
    return told


def _unfit(
    stand: Stand, probed: Probed | None, to: str, facts: Mapping[str, Any], options: Mapping[str, Any]
) -> list[str]:
    found = []
    if stand.from_provider == to:
        found.append("is_there_already")
    if facts["has_credentials"] is False:
        found.append("no_credentials")
    if probed is not None and probed.problem is not None:
        found.append(f"provider_{probed.problem}")
    elif probed is not None and not probed.is_connected:
        found.append("no_phone_connected")
    if facts["number_is_the_same"] is False and not options.get("another_number"):
        found.append("another_number")
    if to == BAILEYS and (stand.new is None or stand.new.account_phone is None):
        found.append("not_linked")
    if stand.new is not None and stand.new.state in ("failed", "restricted", "logged_out"):
        found.append(f"connection_{stand.new.state}")
    return found


async def _untestable(
    unit: Unit,
    stand: Stand,
    probed: Probed | None,
    to: str,
    test_to: str | None,
    facts: Mapping[str, Any],
    now: datetime,
) -> list[str]:
    """The Cloud API writes neither to its own number, nor freely to who has not written."""
    own = own_number(stand.old, stand.new, probed.phone if probed else None)
    target = test_to or own
    if target is None:
        return ["no_number_to_test_with"]
    if to != META or probed is None or probed.problem is not None:
        return []
    if target == probed.phone:
        return ["the_number_cannot_test_itself"]
    if facts["templates_without_values"] == 0 and not await repository.has_written(unit, target, since=now - _WINDOW):
        return ["nothing_may_be_sent_as_a_test"]
    return []


async def _windows(unit: Unit, probed: Probed | None, *, now: datetime) -> dict[str, Any]:
    over_meta, over_any = await repository.count_windows(unit, now=now)
    messages, conversations = await repository.count_unprompted(unit, since=now - _LOOKED_BACK)
    known = [(one.name, one.language, one.places) for one in await list_approved(unit)]
    approved = probed.templates if probed is not None and probed.templates else known
    return {
        "open_windows": over_meta,
        "windows_that_open_with_their_next_message": over_any - over_meta,
        "wrote_first": {"messages": messages, "conversations": conversations},
        "templates_approved": len(approved),
        "templates_without_values": sum(places == 0 for _, _, places in approved),
    }


async def _queued(unit: Unit, old: str | None, to: str, *, now: datetime) -> dict[str, Any]:
    if old is None or old == to:
        return {"goes": 0, "stays": {}, "under_way": 0}
    parted = await part(unit, old, to, now=now)
    _, left = await repository.count_outstanding(unit, old)
    return {"goes": len(parted.goes), "stays": dict(sorted(parted.stays.items())), "under_way": left}


def _warnings(facts: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    found = []
    if facts["from"] is None:
        found.append("nothing_carries_now")
    if facts["queued"]["stays"] or facts["queued"]["under_way"]:
        found.append("some_messages_go_the_old_way")
    if facts["campaigns"]:
        found.append("campaigns_stay_on_the_old_road")
    if facts["media_kept_elsewhere"]:
        found.append("media_only_the_old_provider_has")
    if facts["devices_to_be_unlinked"]:
        found.append("devices_will_be_unlinked")
    if facts.get("wrote_first", {}).get("messages") and not facts["templates_approved"]:
        found.append("templates_needed_and_none_approved")
    return found


def _unlinks(stand: Stand, to: str, options: Mapping[str, Any]) -> bool:
    """Joining the Cloud API with the number that stays on the phone unlinks the phone's devices."""
    linked = stand.old is not None and stand.old.provider == BAILEYS and stand.old.account_phone is not None
    return to == META and bool(options.get("coexistence")) and linked


def _same_number(stand: Stand, probed: Probed | None) -> bool | None:
    """None: one of the two is not known."""
    old = stand.old.account_phone if stand.old is not None else None
    new = probed.phone if probed is not None and probed.phone else None
    if new is None and stand.new is not None:
        new = stand.new.account_phone
    return old == new if old and new else None


async def _find(unit: Unit, provider: str) -> Connection | None:
    try:
        return await service.get_connection(unit, provider)
    except NotFound:
        return None
