"""Our version is refused: the current one is read from the page, once, through the one door; else it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError
from tests.gateway.runtime.test_worker import linked

from recado.clock import ManualClock, SystemClock
from recado.emulator.whatsapp.world import World
from recado.errors import DecodeError
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, EgressFailed, EgressRefused, Policy
from recado.gateway.providers.baileys.adapter import shown_as, whatsapp_web
from recado.gateway.providers.baileys.version import CurrentVersion
from recado.gateway.runtime.worker import Worker
from recado.gateway.settings import Settings
from recado.protocol.pairing.version import read_web_version

SCRIPT = b'self.x={"push_phase":"C3","client_revision":1099999999,"a":1}'


class Page:
    """The page of WhatsApp Web, on this machine."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = SCRIPT, 200, 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(body=self.body, status=self.status)


@asynccontextmanager
async def served(page: Page) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/sw.js", page.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/sw.js"
    finally:
        await runner.cleanup()


async def test_the_page_is_asked_once_for_all_who_were_refused() -> None:
    page, clock = Page(), ManualClock()
    async with served(page) as address, Egress(Policy(["127.0.0.0/8"])) as egress:
        current = CurrentVersion(egress, clock, page=address)
        assert [await current() for _ in range(3)] == [(2, 3000, 1099999999)] * 3
        assert page.asked == 1
        await clock.advance(601)
        await current()
        assert page.asked == 2


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [(b"<html>no version</html>", 200, DecodeError), (SCRIPT, 503, EgressFailed), (b"x" * 5_000_000, 200, DecodeError)],
)
async def test_what_names_no_version_is_an_error(body: bytes, status: int, error: type[Exception]) -> None:
    page = Page()
    page.body, page.status = body, status
    async with served(page) as address, Egress(Policy(["127.0.0.0/8"])) as egress:
        with pytest.raises(error):
            await CurrentVersion(egress, SystemClock(), page=address)()


async def test_the_page_is_behind_the_one_door() -> None:
    async with served(Page()) as address, Egress() as egress:
        with pytest.raises(EgressRefused):
            await CurrentVersion(egress, SystemClock(), page=address)()


def test_both_ways_the_page_writes_it_are_read() -> None:
    assert read_web_version(b'{\\"client_revision\\":1043857760}') == (2, 3000, 1043857760)
    assert read_web_version(b'"client_revision" : 1043857760,') == (2, 3000, 1043857760)


def test_the_operator_s_word_is_a_version_or_refused() -> None:
    assert shown_as("Chrome", "Windows", version="2.3000.1043857761").version == (2, 3000, 1043857761)
    with pytest.raises(ValidationError):
        Settings(whatsapp_version="2.2.1")


async def test_after_405_the_account_comes_back_with_the_current_version(
    desk: Any, world: World, database: Database, vault: Vault, settings: Settings
) -> None:
    page, seen = Page(), []
    login = world.login
    world.login = lambda line, said, noise: seen.append(said.version) or login(line, said, noise)  # type: ignore
    async with served(page) as address, Egress(Policy(["127.0.0.0/8"])) as egress:
        current = CurrentVersion(egress, SystemClock(), page=address)
        made = whatsapp_web(database, vault, clock=SystemClock(), server=world.server, refresh_version=current)
        async with Worker(database, vault, {"baileys": made}, settings):
            await linked(desk, world)
            world.faults.refuse_login(405, world.phone("Ana").jid)
            world.disconnect(world.phone("Ana").jid)
            await desk.until(lambda: _settled(seen))
            await desk.state("connected")
    assert page.asked == 1 and seen[-1] == (2, 3000, 1099999999)


async def _settled(seen: list[Any]) -> bool:
    return (2, 3000, 1099999999) in seen


async def test_refused_again_it_stops_and_says_why(
    desk: Any, world: World, database: Database, vault: Vault, settings: Settings
) -> None:
    page = Page()
    async with served(page) as address, Egress(Policy(["127.0.0.0/8"])) as egress:
        current = CurrentVersion(egress, SystemClock(), page=address)
        made = whatsapp_web(database, vault, clock=SystemClock(), server=world.server, refresh_version=current)
        async with Worker(database, vault, {"baileys": made}, settings):
            await linked(desk, world)
            for _ in range(2):
                world.faults.refuse_login(405, world.phone("Ana").jid)
            world.disconnect(world.phone("Ana").jid)
            stopped = await desk.state("failed")
    assert (stopped.reason, page.asked) == ("outdated", 1)
