"""
What can be asked and told of people beside messages. It is queued here and done by the process that owns the account,
at once when it is connected; what comes of it is told by events. Only some roads can do it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from recado.gateway.connections.choosing import weigh
from recado.gateway.conversations.service import parse_address
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.unit import Unit
from recado.gateway.people import repository
from recado.gateway.providers.roads import ROADS
from recado.gateway.refusals import BadAddress, BadContent, NotConnectable, NotSupported
from recado.gateway.security import MANAGE, SEND
from recado.jid import JID

MOST_PHONES = 50
LONGEST_ABOUT = 139
_LONGEST_ID = 100


class Errand(StrEnum):
    """What is asked or told, as the rows name it."""

    LOOK_UP = "look_up"
    BLOCK = "block"
    UNBLOCK = "unblock"
    WATCH = "watch"
    ABOUT = "about"
    REJECT_CALL = "reject_call"


async def look_up(unit: Unit, phones: list[str], *, now: datetime) -> UUID:
    """
    Ask which of these numbers are on WhatsApp; the events `person.found` answer, with this id as `request`. Raises
    Forbidden, BadAddress, NotConnectable, NotSupported.
    """
    unit.principal.require(SEND)
    if not 0 < len(phones) <= MOST_PHONES:
        raise BadContent(f"a look-up is of 1 to {MOST_PHONES} numbers")
    wanted = list(dict.fromkeys(str(_person(phone, by_number=True)) for phone in phones))
    return await _queue(unit, Errand.LOOK_UP, words=wanted, now=now)


async def set_blocked(unit: Unit, who: str, *, is_blocked: bool, now: datetime) -> UUID:
    """Block a person, or no longer; `blocklist.changed` tells when it is done. Raises as `look_up`."""
    unit.principal.require(MANAGE)
    return await _queue(unit, Errand.BLOCK if is_blocked else Errand.UNBLOCK, chat=_person(who), now=now)


async def watch(unit: Unit, who: str, *, now: datetime) -> UUID:
    """Have the signals tell when a person comes and goes, while this connection lasts. Raises as `look_up`."""
    unit.principal.require(SEND)
    return await _queue(unit, Errand.WATCH, chat=_person(who), now=now)


async def set_about(unit: Unit, about: str, *, now: datetime) -> UUID:
    """Say something else of the account's person. Raises as `look_up`, BadContent."""
    unit.principal.require(MANAGE)
    if len(about) > LONGEST_ABOUT or "\0" in about:
        raise BadContent(f"an about has up to {LONGEST_ABOUT} characters")
    return await _queue(unit, Errand.ABOUT, words=[about], now=now)


async def reject_call(unit: Unit, call: str, caller: str, *, now: datetime) -> UUID:
    """Refuse a call that `call.received` told of. Raises as `look_up`, BadContent."""
    unit.principal.require(SEND)
    if not (0 < len(call) <= _LONGEST_ID and call.isascii() and call.isprintable()):
        raise BadContent("a call's id is that of its event")
    return await _queue(unit, Errand.REJECT_CALL, chat=_person(caller), words=[call], now=now)


async def _queue(
    unit: Unit, kind: Errand, *, chat: JID | None = None, words: list[str] | None = None, now: datetime
) -> UUID:
    provider, key = await _road(unit), uuid4()
    await repository.add_errand(
        unit, provider, kind.value, chat="" if chat is None else str(chat), words=words or [], key=key, now=now
    )
    unit.tell(OUTBOX)
    return key


async def _road(unit: Unit) -> str:
    """The first connected road that knows of people."""
    usable = [each for each in (await weigh(unit)).candidates if each.may_carry]
    if not usable:
        raise NotConnectable
    able = [each.provider for each in usable if ROADS[each.provider].knows_people]
    if not able:
        raise NotSupported
    return able[0]


def _person(who: str, *, by_number: bool = False) -> JID:
    address = parse_address(who)
    if not (address.is_phone or (address.is_lid and not by_number)):
        raise BadAddress
    return address.bare
