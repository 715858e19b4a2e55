"""Z-API in the conformance suite's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.gateway.api.conftest import Api
from tests.gateway.providers.conformance import Bubble
from tests.gateway.providers.zapi.house import House, opened

from recado.emulator.zapi.faults import Fault
from recado.gateway.providers.roads import ZAPI
from recado.gateway.settings import Settings


class ZapiHarness:
    """Clara's instance; Beto is the other side."""

    provider = ZAPI

    def __init__(self, house: House) -> None:
        self._house = house
        self._zapi = house.zapi
        self.api: Api = house.clara
        self.number = house.beto.number

    async def connect(self) -> None:
        await self._house.link()

    async def says(self, text: str) -> None:
        self._house.beto.say(self._house.instance, text)

    async def says_twice_told(self, text: str) -> None:
        self._zapi.faults.plan(Fault.DUPLICATE_CALLBACK, about="ReceivedCallback")
        await self.says(text)

    def shown(self) -> list[Bubble]:
        return [Bubble(shown.text, self._quoted(shown.message.quoting)) for shown in self._house.beto.received]

    async def reads(self) -> None:
        self._house.beto.read()

    def lose_next_answer(self) -> None:
        self._zapi.faults.plan(Fault.LOSE_ANSWER, about="send-text")

    def cut(self) -> None:
        self._zapi.lose(self._house.instance)

    def _quoted(self, id: str | None) -> str | None:
        found = self._house.beto.find(id) if id is not None else None
        return found.text if found is not None else None


@asynccontextmanager
async def zapi(settings: Settings) -> AsyncIterator[ZapiHarness]:
    """A gateway and an emulated Z-API."""
    async with opened(settings) as house:
        yield ZapiHarness(house)
