"""Running the emulated Z-API by itself; waiting for it, and its shutting down in the middle of things."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from tests.emulator.zapi.conftest import Desk

from recado.clock import ManualClock
from recado.emulator.zapi.faults import Fault
from recado.emulator.zapi.serve import introduction, serve
from recado.emulator.zapi.world import ZApi


async def test_it_serves_a_demo_until_it_is_stopped() -> None:
    listening: asyncio.Future[ZApi] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(port=0, seed=7, ready=listening.set_result))
    zapi = await listening
    told = introduction(zapi)
    path = f"{told['url']}/instances/{told['instance']}/token/{told['token']}/status"
    async with aiohttp.ClientSession(headers={"Client-Token": told["client token"]}) as http:
        async with http.get(path) as answer:
            assert (await answer.json())["connected"] is False
        async with http.get(f"{told['control']}/phones") as answer:
            assert [each["name"] for each in (await answer.json())["phones"]] == ["Clara", "Beto"]
    serving.cancel()
    (ended,) = await asyncio.gather(serving, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)


async def test_a_wait_in_vain_names_the_seed(desk: Desk) -> None:
    with pytest.raises(AssertionError, match=r"no message \(seed 7\)"):
        await desk.zapi.until(lambda: bool(desk.beto.messages), "no message", patience=0.01)


async def test_what_waits_for_the_clock_is_at_rest_and_what_is_posted_is_not(desk: Desk) -> None:
    await desk.send(desk.beto, "um")
    await desk.send(desk.beto, "dois")
    await desk.zapi.settled()
    assert len(desk.beto.messages) == 1 and len(desk.instance.queue) == 1
    assert all(each.is_delivered for each in desk.zapi.callbacks)


async def test_the_same_seed_makes_the_same_names(clock: ManualClock) -> None:
    async with ZApi.start(clock=clock, seed=7) as one, ZApi.start(clock=clock, seed=7) as two:
        assert introduction(one) | {"url": "", "control": ""} == introduction(two) | {"url": "", "control": ""}
        assert one.url != two.url
    async with ZApi.start(clock=clock, seed=8) as other:
        assert other.client_token != one.client_token


async def test_it_ends_while_messages_callbacks_and_answers_are_underway(clock: ManualClock) -> None:
    async with aiohttp.ClientSession() as http:
        async with ZApi.start(clock=clock, seed=7) as zapi:
            instance, clara, beto = zapi.instance("Clara's"), zapi.phone("Clara"), zapi.phone("Beto")
            zapi.link(instance, clara)
            zapi.faults.plan(Fault.SLOW_ANSWER, seconds=99, about="send-text")
            sending = {"phone": beto.number, "message": "oi", "delayTyping": 9}
            token = {"Client-Token": zapi.client_token}
            asking = asyncio.create_task(
                http.post(f"{zapi.url_of(instance)}/send-text", json=sending, headers=token).__aenter__()
            )
            await zapi.until(lambda: bool(instance.queue), "nothing is taken")
        (ended,) = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(ended, aiohttp.ClientError)


async def test_a_failure_of_the_test_comes_out_as_it_is(clock: ManualClock) -> None:
    with pytest.raises(ZeroDivisionError):
        async with ZApi.start(clock=clock, seed=7):
            raise ZeroDivisionError
