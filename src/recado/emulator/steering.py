"""
What a client asks of its phone by its push name, the one thing that every client lets a test choose:

    NAME                        the phone of that name or number
    restricted:NAME             that phone, which may not write first (463) to who gave it no token
    scenario:FAULT,FAULT:NAME   that phone, with these faults planned for its linked devices
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.phone import Phone
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

_RESTRICTED, _SCENARIO = "restricted:", "scenario:"
_RESTRICTED_SECONDS = 86_400


def steered(world: World, push_name: str) -> Phone:
    """The phone that is meant, a new one if need be, made as it is asked to be. Raises UsageError."""
    if push_name.startswith(_RESTRICTED):
        phone = steered(world, push_name.removeprefix(_RESTRICTED))
        phone.person.lock(seconds=_RESTRICTED_SECONDS)
        return phone
    if not push_name.startswith(_SCENARIO):
        return world.phone_at(push_name) or world.phone(push_name)
    named, _, rest = push_name.removeprefix(_SCENARIO).partition(":")
    if not rest:
        raise UsageError("a scenario is scenario:FAULT,FAULT:NAME")
    try:
        faults = [Fault(each.strip()) for each in named.split(",") if each.strip()]
    except ValueError:
        raise UsageError(f"faults are {', '.join(Fault)}") from None
    phone = steered(world, rest)
    for fault in faults:
        world.faults.plan(fault, phone.number)
    return phone
