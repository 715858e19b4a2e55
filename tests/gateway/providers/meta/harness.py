"""The Cloud API in the conformance suite's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from tests.gateway.api.conftest import ADMIN_KEY, PATIENCE, Api, running
from tests.gateway.providers.conformance import Bubble, until
from tests.gateway.providers.meta.conftest import VERIFY

from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.faults import Fault
from recado.gateway.app import create_app
from recado.gateway.providers.roads import META
from recado.gateway.settings import Settings


class MetaHarness:
    """Clara's number; Beto is the other side."""

    provider = META

    def __init__(self, cloud: MetaCloud, api: Api) -> None:
        self._cloud = cloud
        self._beto = cloud.person("Beto", "5511955550102")
        self.api = api
        self.number = self._beto.phone

    async def connect(self) -> None:
        number, at = self._cloud.number(), f"{self.api.root}/connections/{META}"
        said = {
            "phone_number_id": number.id,
            "waba_id": number.waba.id,
            "access_token": self._cloud.token.value,
            "app_secret": self._cloud.world.app_secret,
            "verify_token": VERIFY,
        }
        saved = await self.api.client.put(f"{at}/credentials", json=said, headers=self.api.headers)
        assert saved.status_code < 300, saved.text
        path = saved.json()["webhook_path"]
        await self._cloud.subscribe(f"{self.api.client.base_url}{path}", verify_token=VERIFY)
        assert (await self.api.post(f"{at}/connect")).status_code == 202

        async def is_there() -> bool:
            return bool((await self.api.get(at)).json()["state"] == "connected")

        await until(is_there)

    async def says(self, text: str) -> None:
        self._beto.say(text)

    async def says_twice_told(self, text: str) -> None:
        self._cloud.faults.plan(Fault.DUPLICATE_WEBHOOK, about="messages")
        await self.says(text)

    def shown(self) -> list[Bubble]:
        ours = [each for each in self._beto.chat() if not each.from_me]
        return [Bubble(each.text or "", self._quoted(each.reply_to)) for each in ours]

    async def reads(self) -> None:
        self._beto.read()

    def lose_next_answer(self) -> None:
        self._cloud.faults.plan(Fault.LOSE_ANSWER, about="messages")

    def cut(self) -> None:
        self._cloud.faults.plan(Fault.CUT_WEBHOOK, about="messages")  # nothing else is ever open for long

    def _quoted(self, id: str | None) -> str | None:
        found = self._beto.message(id) if id is not None else None
        return found.text if found is not None else None


@asynccontextmanager
async def meta(settings: Settings) -> AsyncIterator[MetaHarness]:
    """A gateway and an emulated Cloud API."""
    async with MetaCloud.start(seed=11) as cloud:
        app = create_app(settings.model_copy(update={"meta_base_url": cloud.url}))
        async with running(app) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
            made = (await Api(client, ADMIN_KEY).post("/v1/mentorados", {"name": "Clara"})).json()
            yield MetaHarness(cloud, Api(client, made["api_key"]["token"], made["id"]))
