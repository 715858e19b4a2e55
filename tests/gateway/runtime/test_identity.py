"""A device that was linked as one browser does not come back as another one, unless an operator insists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from tests.gateway.runtime.conftest import Desk

from recado.client.options import DeviceProfile, Limits
from recado.clock import SystemClock
from recado.emulator.whatsapp.world import World
from recado.gateway.connections import service as connections
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.adapter import whatsapp_web
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.protocol.node import Node

CHROME = DeviceProfile(os="Windows", browser="Chrome")
AT_FIRST = DeviceProfile()
REFUSED = ("failed", "another_browser")


@pytest.fixture
def logins() -> list[str]:
    """Whose linked devices came in."""
    return []


@pytest.fixture
async def world(logins: list[str]) -> AsyncIterator[World]:
    def log(_direction: str, whose: str, node: Node) -> None:
        if node.tag == "success":
            logins.append(whose)

    async with World.start(seed=7, log=log) as world:
        yield world


@pytest.fixture
def as_browser(database: Database, vault: Vault, world: World, settings: Settings) -> Callable[..., Worker]:
    """A worker whose devices say they are this browser."""

    def make(device: DeviceProfile, **options: Any) -> Worker:
        limits = Limits(first_prekeys=12, more_prekeys=8)
        given = {"clock": SystemClock(), "server": world.server, "limits": limits, "device": device} | options
        return Worker(database, vault, {"baileys": whatsapp_web(database, vault, **given)}, settings)

    return make


async def linked(desk: Desk, world: World, name: str) -> None:
    await desk.connect()
    await world.phone(name).scan(await desk.qr())
    await desk.state("connected")


async def standing(desk: Desk) -> tuple[str, str | None]:
    found = await desk.state("connected", "qr", "failed")
    return found.state, found.reason


async def is_unlinked(desk: Desk) -> bool:
    async with desk.database.unit(desk.principal) as unit:
        return (await connections.get_connection(unit)).desired == "disconnected"


def browsers(database_url: str, desk: Desk) -> tuple[Any, ...] | None:
    with psycopg.connect(database_url) as owner:
        return owner.execute(
            "SELECT linked_as, says FROM browsers WHERE mentorado_id = %s", [desk.principal.mentorado_id]
        ).fetchone()


def forced(database_url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url) as owner:
        return owner.execute(
            "SELECT mentorado_id, detail ->> 'linked_as', detail ->> 'says' FROM audit_log"
            " WHERE action = 'connection.another_browser_forced'"
        ).fetchall()


async def test_another_browser_is_refused_before_anything_reaches_whatsapp_and_only_who_was_linked_as_one(
    desk: Desk,
    desk_of: Callable[[Principal], Desk],
    bia: Principal,
    world: World,
    as_browser: Callable[..., Worker],
    logins: list[str],
    database_url: str,
) -> None:
    async with as_browser(AT_FIRST):
        await linked(desk, world, "Ana")
    before = len(logins)
    async with as_browser(CHROME):
        assert await standing(desk) == REFUSED
        assert len(logins) == before
        other = desk_of(bia)
        await linked(other, world, "Bia")
    assert browsers(database_url, desk) == ("Desktop on Mac OS", "Chrome on Windows")
    assert browsers(database_url, other) == ("Chrome on Windows", "Chrome on Windows")
    async with as_browser(AT_FIRST):
        assert await standing(other) == REFUSED
        assert await standing(desk) == REFUSED  # until somebody asks for it
        await desk.connect()
        assert await desk.state("connected", "qr", "failed") and (await standing(desk))[0] == "connected"
    assert forced(database_url) == []


async def test_forced_it_connects_once_and_is_the_identity_from_then_on(
    desk: Desk, world: World, as_browser: Callable[..., Worker], ana: Principal, database_url: str
) -> None:
    async with as_browser(AT_FIRST):
        await linked(desk, world, "Ana")
    for _ in range(2):  # the second time there is nothing to force
        async with as_browser(CHROME, force_identity=True):
            assert (await standing(desk))[0] == "connected"
            await world.phone("Bia").say("Ana", "oi")
    assert forced(database_url) == [(ana.mentorado_id, "Desktop on Mac OS", "Chrome on Windows")]
    async with as_browser(CHROME):
        assert (await standing(desk))[0] == "connected"
    async with as_browser(AT_FIRST):
        assert await standing(desk) == REFUSED


async def test_who_was_never_linked_or_is_linked_anew_may_be_any_browser(
    desk: Desk, world: World, as_browser: Callable[..., Worker], database_url: str
) -> None:
    async with as_browser(AT_FIRST):
        await desk.connect()
        await desk.qr()
    async with as_browser(CHROME):
        await linked(desk, world, "Ana")
    async with as_browser(AT_FIRST):
        assert await standing(desk) == REFUSED
        async with desk.database.unit(desk.principal) as unit:
            await connections.request_unlink(unit)
        await desk.until(lambda: is_unlinked(desk))
        assert world.phone("Ana").account.companions == []
        await linked(desk, world, "Ana")
    assert browsers(database_url, desk) == ("Desktop on Mac OS", "Desktop on Mac OS")
