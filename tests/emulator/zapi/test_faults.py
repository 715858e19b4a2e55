"""What goes wrong on purpose: answers and callbacks lost, cut, doubled, late; the same seed makes the same trouble."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from tests.emulator.zapi.conftest import Desk, Receiver

from recado.clock import ManualClock
from recado.emulator.zapi.faults import Fault, Faults
from recado.emulator.zapi.world import ZApi


def text(desk: Desk, words: str = "oi") -> dict[str, Any]:
    return {"phone": desk.beto.number, "message": words}


@pytest.mark.parametrize(
    ("fault", "status", "is_taken"),
    [
        (Fault.BAD_GATEWAY, 502, False),
        (Fault.BAD_GATEWAY_AFTER, 502, True),
        (Fault.GARBLE_ANSWER, 200, True),
    ],
)
async def test_a_page_instead_of_json_says_nothing_of_what_was_taken(
    desk: Desk, fault: Fault, status: int, is_taken: bool
) -> None:
    desk.zapi.faults.plan(fault, about="send-text")
    answered, page = await desk.call("POST", "send-text", text(desk))
    assert answered == status and isinstance(page, str) and page.startswith("<")
    await desk.zapi.settled()
    assert len(desk.beto.messages) == is_taken


@pytest.mark.parametrize(
    ("fault", "is_taken"), [(Fault.LOSE_REQUEST, False), (Fault.LOSE_ANSWER, True), (Fault.CUT_ANSWER, True)]
)
async def test_a_connection_that_ends_leaves_open_what_was_taken(desk: Desk, fault: Fault, is_taken: bool) -> None:
    desk.zapi.faults.plan(fault, desk.instance.id, about="send-text")
    with pytest.raises(aiohttp.ClientError):
        await desk.call("POST", "send-text", text(desk))
    await desk.zapi.settled()
    assert len(desk.beto.messages) == is_taken
    assert desk.zapi.asked[-1].status is None
    await desk.turn(3)
    assert (await desk.call("POST", "send-text", text(desk)))[0] == 200  # planned once, it happens once


async def test_a_refusal_is_what_was_planned_for_that_route_only(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.REFUSE, about="send-text", times=2, code=429, text="Too many requests")
    assert (await desk.call("GET", "status"))[0] == 200
    for _ in range(2):
        assert await desk.call("POST", "send-text", text(desk)) == (429, {"error": "Too many requests"})
    assert (await desk.call("POST", "send-text", text(desk)))[0] == 200


async def test_a_fault_for_one_instance_leaves_another_alone(desk: Desk) -> None:
    other = desk.zapi.instance("Ana's")
    desk.zapi.faults.plan(Fault.BAD_GATEWAY, desk.instance.id)
    assert (await desk.call("GET", "status", base=desk.zapi.url_of(other)))[0] == 200
    assert (await desk.call("GET", "status"))[0] == 502


async def test_a_slow_answer_comes_when_the_clock_says_so(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.SLOW_ANSWER, about="send-text", seconds=40)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(desk.call("POST", "send-text", text(desk)))
        await desk.zapi.until(lambda: len(desk.beto.messages) == 1, "the message is not taken")
        await desk.zapi.settled()
        await desk.clock.advance(39)
        assert not asking.done()
        await desk.clock.advance(1)
    assert asking.result()[0] == 200


async def test_a_send_may_fail_after_it_was_accepted(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.FAIL_SEND, about="send-text", text="Restricted for a while")
    await desk.send(desk.beto, "oi")
    await desk.zapi.settled()
    assert desk.beto.messages == []
    (told,) = desk.receiver.bodies
    assert told["error"] == "Restricted for a while"


async def test_a_button_message_may_vanish_though_it_was_reported_sent(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.SWALLOW_SEND, about="send-button-list")
    buttons = {"buttons": [{"id": "1", "label": "Sim"}]}
    await desk.call("POST", "send-button-list", {**text(desk, "vem?"), "buttonList": buttons})
    await desk.zapi.settled()
    assert desk.beto.messages == []
    assert "error" not in desk.receiver.of("DeliveryCallback")[0]
    assert desk.receiver.statuses == ["SENT"]


async def test_a_callback_is_lost_for_good(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.DROP_CALLBACK, about="ReceivedCallback")
    desk.beto.say(desk.instance, "um")
    desk.beto.say(desk.instance, "dois")
    await desk.turn(86400)
    assert [body["text"]["message"] for body in desk.receiver.bodies] == ["dois"]
    assert [each.is_delivered for each in desk.zapi.callbacks[-2:]] == [False, True]


async def test_a_callback_comes_twice_the_same(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.DUPLICATE_CALLBACK)
    desk.beto.say(desk.instance, "um")
    await desk.zapi.settled()
    assert desk.receiver.bodies == [desk.receiver.bodies[0]] * 2


async def test_two_callbacks_change_places(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.REORDER_CALLBACK)
    desk.beto.say(desk.instance, "um")
    desk.beto.say(desk.instance, "dois")
    await desk.zapi.settled()
    assert [body["text"]["message"] for body in desk.receiver.bodies] == ["dois", "um"]


async def test_a_callback_that_waits_for_another_in_vain_comes_alone(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.REORDER_CALLBACK)
    desk.beto.say(desk.instance, "um")
    await desk.turn(4)
    assert desk.receiver.bodies == []
    await desk.turn(1)
    assert len(desk.receiver.bodies) == 1


async def test_a_late_callback_is_overtaken(desk: Desk) -> None:
    desk.zapi.faults.plan(Fault.DELAY_CALLBACK, about="MessageStatusCallback", seconds=60)
    await desk.send(desk.beto, "oi")
    await desk.turn(59)
    assert desk.receiver.statuses == ["RECEIVED"]
    await desk.turn(1)
    assert desk.receiver.statuses == ["RECEIVED", "SENT"]


async def test_a_callback_that_is_not_taken_is_not_tried_again(desk: Desk) -> None:
    desk.receiver.answers = [500]
    desk.beto.say(desk.instance, "um")
    await desk.turn(86400)
    assert len(desk.receiver.bodies) == 1
    assert desk.zapi.callbacks[-1].answers == [500]


async def test_retries_happen_where_they_were_chosen(clock: ManualClock, receiver: Receiver) -> None:
    async with ZApi.start(clock=clock, seed=7, retries=(10, 60)) as zapi, aiohttp.ClientSession() as http:
        desk = Desk(zapi, http, clock, receiver)
        zapi.hook(desk.instance, receiver.url)
        receiver.answers = [503, 503]
        zapi.link(desk.instance, desk.clara)
        await desk.turn(10)
        assert len(receiver.bodies) == 2
        await desk.turn(60)
        assert zapi.callbacks[-1].answers == [503, 503, 200]


async def test_nobody_at_the_address_stops_nothing(desk: Desk) -> None:
    desk.zapi.hook(desk.instance, "http://127.0.0.1:9/hook")
    desk.beto.say(desk.instance, "um")
    await desk.zapi.settled()
    assert desk.zapi.callbacks[-1].answers == [None]
    desk.zapi.hook(desk.instance, desk.receiver.url)
    desk.beto.say(desk.instance, "dois")
    await desk.zapi.settled()
    assert len(desk.receiver.bodies) == 1


async def test_a_download_ends_in_its_middle(desk: Desk) -> None:
    url = desk.zapi.media.keep(b"x" * 4096, "image/png")
    desk.zapi.faults.plan(Fault.CUT_DOWNLOAD)
    with pytest.raises(aiohttp.ClientPayloadError):
        async with desk.http.get(url) as answer:
            await answer.read()


async def test_the_same_seed_makes_the_same_trouble(receiver: Receiver) -> None:
    async def story(seed: int) -> tuple[list[str], list[int]]:
        clock = ManualClock()
        receiver.bodies.clear()
        async with ZApi.start(clock=clock, seed=seed) as zapi, aiohttp.ClientSession() as http:
            desk = Desk(zapi, http, clock, receiver)
            zapi.hook(desk.instance, receiver.url)
            zapi.link(desk.instance, desk.clara)
            for fault in (Fault.DROP_CALLBACK, Fault.DUPLICATE_CALLBACK, Fault.REORDER_CALLBACK):
                zapi.faults.scatter(fault, 0.2)
            zapi.faults.scatter(Fault.BAD_GATEWAY, 0.2, about="send-text")
            answers = [(await desk.call("POST", "send-text", text(desk, str(n))))[0] for n in range(20)]
            await desk.turn(120)
            assert 200 in answers and 502 in answers
            return [f"{body['type']} {body.get('ids')}" for body in receiver.bodies], answers

    first, second, other = await story(3), await story(3), await story(4)
    assert first == second != other


def test_what_happens_elsewhere_moves_no_dice() -> None:
    def taken(*others: str) -> list[bool]:
        faults = Faults(7)
        faults.scatter(Fault.DROP_CALLBACK, 0.5)
        fell = []
        for _ in range(40):
            for other in others:
                faults.take(Fault.DROP_CALLBACK, other, "ReceivedCallback")
            fell.append(faults.take(Fault.DROP_CALLBACK, "mine", "ReceivedCallback") is not None)
        return fell

    assert taken() == taken("another", "a third")
    assert 5 < sum(taken()) < 35


async def test_faults_are_cleared(desk: Desk) -> None:
    desk.zapi.faults.scatter(Fault.BAD_GATEWAY, 1.0)
    assert (await desk.call("GET", "status"))[0] == 502
    desk.zapi.faults.clear()
    assert desk.zapi.faults.planned == ()
    assert (await desk.call("GET", "status"))[0] == 200
