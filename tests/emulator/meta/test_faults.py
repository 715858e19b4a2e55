"""What goes wrong between a caller and the API, and what was done nevertheless."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.errors import KINDS
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.people import Person

SENDING = (4, 10, 190, 368, 80007, 130429, 130472, 131026, 131031, 131042, 131048, 131049, 131050, 131056, 133010)


@pytest.fixture
def ana(cloud: MetaCloud) -> Person:
    ana = cloud.person("Ana")
    ana.say("oi")
    return ana


def shown(ana: Person) -> list[str]:
    return [each.text for each in ana.messages if not each.from_me]


@pytest.mark.parametrize("code", SENDING)
async def test_a_refusal_with_any_code_does_nothing(cloud: MetaCloud, graph, ana: Person, code: int) -> None:
    cloud.faults.plan(Fault.REFUSE, code=code)
    status, said = await graph.send(ana.phone, text={"body": "um"})
    assert (status, said["error"]["code"]) == (KINDS[code].status, code)
    assert shown(ana) == []
    await graph.text(ana.phone, "dois")
    assert shown(ana) == ["dois"]
    assert [each.code for each in cloud.faults.happened] == [code]


@pytest.mark.parametrize("code", [131026, 131047, 131049, 130472, 131053])
async def test_accepted_and_failed_later(cloud: MetaCloud, graph, receiver, ana: Person, code: int) -> None:
    cloud.faults.plan(Fault.FAIL_LATER, ana.phone, code=code)
    await graph.text(ana.phone)
    await cloud.settled()
    (failed,) = receiver.statuses
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", code)
    assert shown(ana) == []


async def test_a_fault_waits_for_whom_it_is_for(cloud: MetaCloud, graph, ana: Person) -> None:
    beto = cloud.person("Beto")
    beto.say("oi")
    cloud.faults.plan(Fault.REFUSE, ana.phone, code=131056, about="messages")
    await graph.text(beto.phone)
    assert (await graph.get(graph.number.id))[0] == 200
    by_id = {"messaging_product": "whatsapp", "recipient": ana.user_id, "text": {"body": "x"}}
    assert (await graph.post(f"{graph.number.id}/messages", **by_id))[0] == 400
    assert (await graph.post(f"{graph.number.id}/messages", **by_id))[0] == 200


@pytest.mark.parametrize("code", [500, 502, 503])
async def test_an_html_page_instead_of_json(cloud: MetaCloud, graph, ana: Person, code: int) -> None:
    cloud.faults.plan(Fault.HTML_ERROR, code=code)
    with pytest.raises(aiohttp.ContentTypeError) as error:
        await graph.text(ana.phone)
    assert error.value.status == code
    assert shown(ana) == []


async def test_an_html_page_though_it_was_sent(cloud: MetaCloud, graph, ana: Person) -> None:
    cloud.faults.plan(Fault.HTML_AFTER, code=502)
    with pytest.raises(aiohttp.ContentTypeError):
        await graph.text(ana.phone, "um")
    assert shown(ana) == ["um"]


async def test_a_connection_that_ends_before_anything_is_done(cloud: MetaCloud, graph, ana: Person) -> None:
    cloud.faults.plan(Fault.HANG_UP)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await graph.text(ana.phone)
    assert shown(ana) == []


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.CUT_ANSWER, Fault.GARBLED_ANSWER])
async def test_the_answer_is_lost_the_message_shows_and_the_webhook_settles_it(
    cloud: MetaCloud, graph, receiver, ana: Person, fault: Fault
) -> None:
    cloud.faults.plan(fault)
    with pytest.raises((aiohttp.ClientError, OSError, json.JSONDecodeError)):
        await graph.text(ana.phone, "um", biz_opaque_callback_data="m1")
    assert shown(ana) == ["um"]
    await cloud.settled()
    assert {each["biz_opaque_callback_data"] for each in receiver.statuses} == {"m1"}


async def test_a_slow_answer(cloud: MetaCloud, graph, clock: ManualClock, ana: Person) -> None:
    cloud.faults.plan(Fault.SLOW_ANSWER, seconds=30)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(graph.text(ana.phone, "um"))
        await cloud.until(lambda: shown(ana) == ["um"], "never sent")
        await cloud.until(lambda: clock.sleepers == 1, "never slow")
        assert not sending.done()
        await clock.advance(30)
    assert sending.result().startswith("wamid.")


async def test_one_message_in_six_seconds_to_one_person(cloud: MetaCloud, graph, clock: ManualClock, ana) -> None:
    cloud.rules.pair_rate = True
    beto = cloud.person("Beto")
    beto.say("oi")
    await graph.text(ana.phone)
    status, said = await graph.send(ana.phone, text={"body": "x"})
    assert (status, said["error"]["code"]) == (400, 131056)
    await graph.text(beto.phone)
    await clock.advance(6)
    await graph.text(ana.phone)


@pytest.mark.parametrize("coexistence, rate", [(False, 80), (True, 20)])
async def test_so_many_a_second(cloud: MetaCloud, graph, clock: ManualClock, ana, coexistence: bool, rate: int) -> None:
    graph.number.is_coexisting = coexistence
    for _ in range(rate):
        await graph.text(ana.phone)
    status, said = await graph.send(ana.phone, text={"body": "x"})
    assert (status, said["error"]["code"]) == (400, 130429)
    await clock.advance(1)
    await graph.text(ana.phone)


async def test_planned_faults_are_listed_and_cleared(cloud: MetaCloud) -> None:
    cloud.faults.plan(Fault.REFUSE, times=2, code=4)
    cloud.faults.scatter(Fault.DUPLICATE_WEBHOOK, 0.5)
    assert [each.fault for each in cloud.faults.planned] == [Fault.REFUSE, Fault.DUPLICATE_WEBHOOK]
    cloud.faults.take(Fault.REFUSE)
    assert [(each.fault, each.times) for each in cloud.faults.planned] == [("refuse", 1), ("duplicate_webhook", -1)]
    cloud.faults.clear()
    assert cloud.faults.planned == ()
