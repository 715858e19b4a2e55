"""
Which road carries a message now, and why: the one a person pinned; else the first connected one by priority; else the
first that is wanted and will be back. Decided from rows alone, so every process answers the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository
from recado.gateway.connections.repository import CONNECTED, Connection
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import PRIORITY, ROADS
from recado.gateway.refusals import CannotCarry, NotConnectable, NotFound
from recado.gateway.security import MANAGE


class Standing(StrEnum):
    """Why a road is chosen or passed by."""

    CONNECTED = "connected"
    """It is open now."""
    EXPECTED = "expected"
    """It is wanted, and not open right now: what is queued waits for it."""
    NOT_WANTED = "not_wanted"
    """Nobody wants it connected."""
    NEVER_CONNECTED = "never_connected"
    """It was never set up here."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One road, and where it stands."""

    provider: str
    standing: Standing
    state: str
    reason: str | None

    @property
    def may_carry(self) -> bool:
        """Can something be queued for it?"""
        return self.standing in (Standing.CONNECTED, Standing.EXPECTED)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The roads by priority, the pin, and the one that carries (None: none can)."""

    candidates: tuple[Candidate, ...]
    pin: str | None
    chosen: str | None
    because: str
    """pinned, pinned_and_not_connected, first_connected, first_expected or none_connected."""


async def weigh(unit: Unit) -> Weighed:
    """Which road would carry a message now, and why."""
    known = {connection.provider: connection for connection in await repository.list_connections(unit)}
    return decide([_candidate(provider, known.get(provider)) for provider in PRIORITY], await repository.find_pin(unit))


def decide(candidates: Sequence[Candidate], pin: str | None) -> Weighed:
    """The rule itself; a pin never slides to another road."""
    every = tuple(candidates)
    if pin is not None:
        pinned = any(each.provider == pin and each.may_carry for each in every)
        return Weighed(every, pin, pin if pinned else None, "pinned" if pinned else "pinned_and_not_connected")
    for standing, because in ((Standing.CONNECTED, "first_connected"), (Standing.EXPECTED, "first_expected")):
        found = next((each.provider for each in every if each.standing is standing), None)
        if found is not None:
            return Weighed(every, None, found, because)
    return Weighed(every, None, None, "none_connected")


async def provider_to_send(unit: Unit, *, kind: str = "text", asked: str | None = None) -> str:
    """
    The road that carries a message of this kind: `asked` when given, which must be connected or wanted. Raises
    NotConnectable, CannotCarry.
    """
    weighed = await weigh(unit)
    if asked is not None:
        if not any(each.provider == asked and each.may_carry for each in weighed.candidates):
            raise NotConnectable(f"{asked} is not connected here")
        chosen: str | None = asked
    else:
        chosen = weighed.chosen
    if chosen is None:
        raise NotConnectable(f"{weighed.pin} is pinned and not connected" if weighed.pin else None)
    check_carries(chosen, kind)
    return chosen


def check_carries(provider: str, kind: str) -> None:
    """Raises CannotCarry, naming the roads that do."""
    if kind not in ROADS[provider].sends:
        raise CannotCarry(kind, provider, [road.name for road in ROADS.values() if kind in road.sends])


async def pin(unit: Unit, provider: str | None) -> Weighed:
    """Have `provider` carry what is sent from now on, or the priority decide (None). Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    if provider is not None and provider not in PRIORITY:
        raise NotFound
    before = await repository.find_pin(unit)
    if before != provider:
        await repository.save_pin(unit, provider)
        await add_entry(unit, "provider.pinned", provider=provider, before=before)
    return await weigh(unit)


def _candidate(provider: str, connection: Connection | None) -> Candidate:
    if connection is None:
        return Candidate(provider, Standing.NEVER_CONNECTED, "disconnected", None)
    is_set_up = connection.account_phone is not None or ROADS[provider].has_credentials
    if connection.state == "connected":
        standing = Standing.CONNECTED
    elif connection.desired == CONNECTED and is_set_up:
        standing = Standing.EXPECTED
    else:
        standing = Standing.NOT_WANTED
    return Candidate(provider, standing, connection.state, connection.reason)
