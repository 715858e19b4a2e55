"""Asking Z-API: each way in which no answer comes has its error, told apart by whether anything may have been taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from recado.clock import ManualClock
from recado.emulator.zapi.faults import Fault
from recado.emulator.zapi.instances import Instance
from recado.emulator.zapi.world import ZApi
from recado.errors import CloseReason, ConnectionLost, NotConnected, PairingExpired
from recado.gateway.db.notify import CONNECTIONS, Watch
from recado.gateway.providers.credentials import ZapiCredentials
from recado.gateway.providers.zapi import wire
from recado.gateway.providers.zapi.api import RefusedByZapi, Unanswered, ZapiApi
from recado.gateway.providers.zapi.errors import Meaning
from recado.gateway.providers.zapi.linking import MOST_CODES, Linking
from recado.gateway.providers.zapi.wire import Standing
from recado.pairing import PairingStep, ShowCode, ShowQR

TEXT = wire.Request("POST", "send-text", {"phone": "5511987650002", "message": "oi"})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def zapi(clock: ManualClock) -> AsyncIterator[ZApi]:
    async with ZApi.start(clock=clock, seed=7) as zapi:
        zapi.phone("Beto", "5511987650002")
        yield zapi


@pytest.fixture
def instance(zapi: ZApi) -> Instance:
    return zapi.instance("Clara's")


@pytest.fixture
async def api(zapi: ZApi, instance: Instance) -> AsyncIterator[ZapiApi]:
    async with ZapiApi(ZapiCredentials(instance.id, instance.token, zapi.client_token), base=zapi.url) as api:
        yield api


async def test_where_the_instance_stands(zapi: ZApi, instance: Instance, api: ZapiApi) -> None:
    assert await api.standing() == Standing(False)
    zapi.link(instance, zapi.phone("Clara", "5511987650001"))
    assert await api.standing() == Standing(True)
    assert wire.read_phone(await api.ask(wire.DEVICE)) == "5511987650001"
    zapi.lose(instance)
    assert await api.standing() == Standing(False, can_be_restored=True)


@pytest.mark.parametrize(
    ("fault", "details"),
    [
        (Fault.LOSE_REQUEST, {}),
        (Fault.BAD_GATEWAY, {}),
        (Fault.REFUSE, {"code": 500}),
        (Fault.LOSE_ANSWER, {}),
        (Fault.CUT_ANSWER, {}),
        (Fault.GARBLE_ANSWER, {}),
        (Fault.BAD_GATEWAY_AFTER, {}),
    ],
)
async def test_what_may_have_been_taken_is_unanswered(
    zapi: ZApi, instance: Instance, api: ZapiApi, fault: Fault, details: dict[str, Any]
) -> None:
    zapi.link(instance, zapi.phone("Clara"))
    zapi.faults.plan(fault, about="send-text", **details)
    with pytest.raises(Unanswered):
        await api.ask(TEXT)


async def test_an_answer_that_does_not_end_in_time_is_none(zapi: ZApi, instance: Instance) -> None:
    """The hand clock of the other end never moves: the answer never comes."""
    zapi.link(instance, zapi.phone("Clara"))
    zapi.faults.plan(Fault.SLOW_ANSWER, about="send-text", seconds=3600)
    credentials = ZapiCredentials(instance.id, instance.token, zapi.client_token)
    async with ZapiApi(credentials, base=zapi.url, seconds=0.2) as api:
        with pytest.raises(Unanswered):
            await api.ask(TEXT)
    assert [shown.text for shown in zapi.phone("Beto").received] in ([], ["oi"])


async def test_where_nobody_listens_nothing_left(instance: Instance) -> None:
    async with ZapiApi(ZapiCredentials(instance.id, instance.token, "x"), base="http://127.0.0.1:9") as api:
        with pytest.raises(NotConnected):
            await api.ask(TEXT)


@pytest.mark.parametrize(
    ("code", "words", "meaning"),
    [
        (400, "Invalid phone", Meaning.REFUSED),
        (400, "You are not connected.", Meaning.NOT_CONNECTED),
        (403, "null not allowed", Meaning.CREDENTIALS),
        (405, "Method Not Allowed", Meaning.REFUSED),
        (415, "Unsupported Media Type", Meaning.REFUSED),
        (429, "slow down", Meaning.BUSY),
    ],
)
async def test_a_refusal_says_what_it_means_and_not_its_words(
    zapi: ZApi, api: ZapiApi, code: int, words: str, meaning: Meaning
) -> None:
    zapi.faults.plan(Fault.REFUSE, about="send-text", code=code, text=words)
    with pytest.raises(RefusedByZapi) as refused:
        await api.ask(TEXT)
    assert refused.value.refusal.meaning is meaning
    assert words not in str(refused.value)


async def test_no_error_and_no_repr_shows_a_token(zapi: ZApi, instance: Instance) -> None:
    async with ZapiApi(ZapiCredentials(instance.id, instance.token, "WRONG-TOKEN"), base=zapi.url) as api:
        with pytest.raises(RefusedByZapi) as refused:
            await api.ask(wire.STATUS)
    shown = f"{refused.value!s} {refused.value!r} {api!r}"
    assert not any(secret in shown for secret in ("WRONG-TOKEN", instance.token))


# ---- linking, by a hand clock


class Person:
    """Reads the codes as they are shown."""

    def __init__(self, api: ZapiApi, clock: ManualClock, *, number: str | None = None) -> None:
        self.steps: list[PairingStep] = []
        self.pauses: list[float] = []
        self.clock = clock
        self._shown = asyncio.Event()
        bell = Watch(CONNECTIONS, None, clock, 5.0)
        self.linking = Linking(api, bell, clock, number=number, missed=self.pauses.append)

    async def run(self) -> None:
        async for step in self.linking.steps():
            self.steps.append(step)
            self._shown.set()

    async def shown(self) -> PairingStep:
        await self._shown.wait()
        self._shown.clear()
        return self.steps[-1]

    async def wait_through(self, task: asyncio.Task[None]) -> None:
        """Let the time pass for as long as somebody waits for it."""
        async with asyncio.timeout(10):
            while not task.done():
                if self.clock.sleepers:
                    await self.clock.advance(1.0)
                else:
                    await asyncio.wait([task], timeout=0.01)


async def test_three_codes_one_after_another_and_no_more(zapi: ZApi, api: ZapiApi, clock: ManualClock) -> None:
    person = Person(api, clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_expecting(person, PairingExpired))
        await person.wait_through(task)
    assert len(person.steps) == MOST_CODES == len({str(getattr(step, "text", "")) for step in person.steps})
    assert [asked.verb for asked in zapi.asked].count("qr-code") == MOST_CODES


async def test_a_scan_ends_it(zapi: ZApi, instance: Instance, api: ZapiApi, clock: ManualClock) -> None:
    person = Person(api, clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(person.run())
        step = await person.shown()
        assert isinstance(step, ShowQR)
        zapi.phone("Clara").scan(instance, step.text)
        await person.wait_through(task)
    assert len(person.steps) == 1


async def test_a_code_for_a_number_is_entered(zapi: ZApi, instance: Instance, api: ZapiApi, clock: ManualClock) -> None:
    person = Person(api, clock, number="5511987650001")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(person.run())
        step = await person.shown()
        assert isinstance(step, ShowCode)
        assert step.code[4] == "-"
        zapi.phone("Clara", "5511987650001").enter_code(instance, step.code.replace("-", ""))
        await person.wait_through(task)
    assert len(person.steps) == 1


async def test_one_that_is_linked_shows_no_code(
    zapi: ZApi, instance: Instance, api: ZapiApi, clock: ManualClock
) -> None:
    zapi.link(instance, zapi.phone("Clara"))
    person = Person(api, clock)
    await person.run()
    assert person.steps == []


async def test_a_server_that_cannot_be_asked_is_a_setback_and_then_the_end(
    instance: Instance, clock: ManualClock
) -> None:
    async with ZapiApi(ZapiCredentials(instance.id, instance.token, "x"), base="http://127.0.0.1:9") as api:
        person = Person(api, clock)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_expecting(person, ConnectionLost, CloseReason.UNREACHABLE))
            await person.wait_through(task)
    assert person.pauses[:5] == [3.0, 6.0, 12.0, 24.0, 30.0]
    assert len(person.pauses) == 10


async def test_a_wrong_token_ends_it_at_once(zapi: ZApi, instance: Instance, clock: ManualClock) -> None:
    async with ZapiApi(ZapiCredentials(instance.id, instance.token, "wrong"), base=zapi.url) as api:
        await _expecting(Person(api, clock), ConnectionLost, CloseReason.FORBIDDEN)


async def _expecting(person: Person, kind: type[Exception], reason: CloseReason | None = None) -> None:
    with pytest.raises(kind) as raised:
        await person.run()
    assert reason is None or getattr(raised.value, "reason", None) is reason
