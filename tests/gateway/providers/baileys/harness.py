"""WhatsApp Web in the hand of the conformance suite: the emulated world, with Clara's phone and Bia's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from tests.gateway.api.conftest import ADMIN_KEY, PATIENCE, Api, running
from tests.gateway.providers.conformance import Bubble

from recado.emulator.whatsapp.world import World
from recado.gateway.app import create_app
from recado.gateway.settings import Settings


class BaileysHarness:
    """Clara is the mentorado, Bia the other side."""

    provider = "baileys"

    def __init__(self, world: World, api: Api) -> None:
        self.api = api
        self._world = world
        self._clara = world.phone("Clara")
        self._bia = world.phone("Bia")
        self.number = self._bia.number

    async def connect(self) -> None:
        async with self.api.stream() as events:
            assert (await self.api.post(f"{self.api.root}/connections/baileys/connect")).status_code == 202
            shown = await events.until_state("qr")
            await self._clara.scan(shown["step"]["text"])
            await events.until_state("connected")

    async def says(self, text: str) -> None:
        await self._bia.say(self._clara, text)

    async def says_twice_told(self, text: str) -> None:
        self._world.faults.duplicate_next()
        await self.says(text)

    def shown(self) -> list[Bubble]:
        mine = [each for each in self._bia.messages if not each.from_me]
        return [Bubble(each.text, each.quoted) for each in mine]

    async def reads(self) -> None:
        await self._bia.read(self._clara)

    def lose_next_answer(self) -> None:
        self._world.faults.drop_ack()

    def cut(self) -> None:
        self._world.disconnect(self._clara.jid)


@asynccontextmanager
async def baileys(settings: Settings) -> AsyncIterator[BaileysHarness]:
    """A gateway and a world; not connected yet."""
    async with World.start() as world:
        app = create_app(settings, world.server)
        async with running(app) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
            admin = Api(client, ADMIN_KEY)
            made = (await admin.post("/v1/mentorados", {"name": "Clara"})).json()
            yield BaileysHarness(world, Api(client, made["api_key"]["token"], made["id"]))
