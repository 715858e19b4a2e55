"""Webhooks on their way: the handshake, the signature, retries with growing pauses, batches, duplicates, disorder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.errors import GraphError
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.webhooks import GIVE_UP, PAUSES


def texts(receiver) -> list[str]:
    return [each["text"]["body"] for each in receiver.messages]


async def test_a_receiver_that_does_not_echo_is_not_subscribed(cloud: MetaCloud, receiver) -> None:
    receiver.echoes = False
    with pytest.raises(GraphError) as refused:
        await cloud.subscribe(receiver.url)
    assert refused.value.code == 2200
    with pytest.raises(GraphError):
        await cloud.subscribe(receiver.url, verify_token="another")


async def test_nobody_is_told_what_they_did_not_subscribe_to(cloud: MetaCloud, receiver) -> None:
    await cloud.subscribe(receiver.url, fields={"account_update"})
    cloud.person("Ana").say("oi")
    cloud.tell_account(cloud.number().waba, "VERIFIED_ACCOUNT")
    await cloud.settled()
    assert [field for field, _ in receiver.values] == ["account_update"]
    assert [each.field for each in cloud.webhooks.unheard] == ["messages"]


async def test_the_same_bytes_come_again_after_growing_pauses(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    receiver.answers = [500, 503, 404]
    cloud.person("Ana").say("oi")
    await cloud.settled()
    assert (receiver.tries, receiver.bodies) == (1, [])
    for tries, pause in enumerate(PAUSES[:3], 2):
        await clock.advance(pause - 1)
        await cloud.settled()
        assert receiver.tries == tries - 1
        await clock.advance(1)
        await cloud.settled()
        assert receiver.tries == tries
    assert texts(receiver) == ["oi"]
    (delivery,) = cloud.webhooks.deliveries
    assert (delivery.state, delivery.answers) == ("delivered", [500, 503, 404, 200])


async def test_while_one_is_tried_again_others_pass_it(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    receiver.answers = [500]
    ana = cloud.person("Ana")
    ana.say("um")
    ana.say("dois")
    await cloud.settled()
    await clock.advance(PAUSES[0])
    await cloud.settled()
    assert texts(receiver) == ["dois", "um"]


async def test_after_seven_days_it_is_given_up(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    receiver.answers = [500] * 100
    cloud.person("Ana").say("oi")
    for _ in range(60):
        await cloud.settled()
        await clock.advance(4 * 3600)
    await cloud.settled()
    (delivery,) = cloud.webhooks.deliveries
    assert delivery.state == "given up"
    assert timedelta(days=6) < (clock.now() - delivery.since)
    assert sum(PAUSES) < GIVE_UP.total_seconds() and 15 < len(delivery.answers) < 30


async def test_a_receiver_that_is_not_there_is_tried_again(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    subscription = cloud.webhooks.subscription
    subscription.url = "http://127.0.0.1:1/webhook"
    cloud.person("Ana").say("oi")
    await cloud.settled()
    (delivery,) = cloud.webhooks.deliveries
    assert (delivery.answers, delivery.state) == ([0], "waiting")


@pytest.mark.parametrize("shape, entries, changes", [("one", 1, 1), ("changes", 1, 3), ("entries", 3, 1)])
async def test_several_in_one_body(cloud: MetaCloud, receiver, shape, entries, changes) -> None:
    ana, beto = cloud.person("Ana"), cloud.person("Beto")
    with cloud.webhooks.held(shape):
        ana.say("um")
        beto.say("dois")
        ana.say("três")
    await cloud.settled()
    (body,) = receiver.bodies
    assert [len(entry["changes"]) for entry in body["entry"]] == [changes] * entries
    assert texts(receiver) == ["um", "dois", "três"]
    if shape == "one":
        names = [each["profile"]["name"] for each in body["entry"][0]["changes"][0]["value"]["contacts"]]
        assert names == ["Ana", "Beto"]


async def test_a_batch_across_accounts_and_fields(cloud: MetaCloud, receiver, graph) -> None:
    other = cloud.add_number("+1 555-010-0777")
    ana = cloud.person("Ana")
    with cloud.webhooks.held():
        ana.say("um")
        ana.say("dois", other)
        await graph.text(ana.phone)
        cloud.set_quality(other, "RED")
    await cloud.settled()
    (body,) = receiver.bodies
    assert [entry["id"] for entry in body["entry"]] == [cloud.number().waba.id, other.waba.id]
    assert texts(receiver) == ["um", "dois"]
    assert [each["status"] for each in receiver.statuses] == ["sent", "delivered"]
    assert receiver.of("phone_number_quality_update")[0]["event"] == "FLAGGED"


async def test_twice(cloud: MetaCloud, receiver) -> None:
    cloud.faults.plan(Fault.DUPLICATE_WEBHOOK)
    cloud.person("Ana").say("oi")
    await cloud.settled()
    assert texts(receiver) == ["oi", "oi"]
    first, second = cloud.webhooks.deliveries
    assert first.body == second.body and second.is_repeat


async def test_in_another_order(cloud: MetaCloud, receiver) -> None:
    cloud.faults.plan(Fault.REORDER_WEBHOOK)
    ana = cloud.person("Ana")
    ana.say("um")
    ana.say("dois")
    await cloud.settled()
    assert texts(receiver) == ["dois", "um"]


async def test_late_and_again_though_answered(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    cloud.faults.plan(Fault.DELAY_WEBHOOK, seconds=60)
    cloud.faults.plan(Fault.REPEAT_ANSWERED, seconds=3600)
    ana = cloud.person("Ana")
    ana.say("um")
    ana.say("dois")
    await cloud.settled()
    assert texts(receiver) == ["dois"]
    await clock.advance(60)
    await cloud.settled()
    assert texts(receiver) == ["dois", "um"]
    await clock.advance(3600)
    await cloud.settled()
    assert texts(receiver) == ["dois", "um", "dois"]


async def test_a_forged_signature_and_then_a_true_one(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    cloud.faults.plan(Fault.FORGED_SIGNATURE)
    cloud.person("Ana").say("oi")
    await cloud.settled()
    assert (receiver.forged, receiver.bodies) == (1, [])
    await clock.advance(PAUSES[0])
    await cloud.settled()
    assert texts(receiver) == ["oi"]


async def test_a_body_that_ends_half_way_and_then_a_whole_one(cloud: MetaCloud, receiver, clock: ManualClock) -> None:
    cloud.faults.plan(Fault.CUT_WEBHOOK)
    cloud.person("Ana").say("oi")
    await cloud.settled()
    assert receiver.bodies == []
    await clock.advance(PAUSES[0])
    await cloud.settled()
    assert texts(receiver) == ["oi"]


async def test_delivered_may_never_come(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    cloud.faults.plan(Fault.SKIP_DELIVERED, ana.phone)
    await graph.text(ana.phone)
    ana.read()
    await cloud.settled()
    assert [each["status"] for each in receiver.statuses] == ["sent", "read"]


async def test_scattered_faults_fall_the_same_with_the_same_seed() -> None:
    async def happened(seed: int) -> list[int]:
        async with MetaCloud.start(clock=ManualClock(), seed=seed) as cloud:
            cloud.faults.scatter(Fault.FAIL_LATER, 0.3, code=131049)
            taken = [cloud.faults.take(Fault.FAIL_LATER) is not None for _ in range(60)]
            return [place for place, each in enumerate(taken) if each]

    assert await happened(1) == await happened(1) != await happened(2)


async def test_an_account_and_a_number_may_have_addresses_of_their_own(cloud: MetaCloud, graph, receiver) -> None:
    waba = graph.number.waba
    override = {"override_callback_uri": receiver.url + "?waba", "verify_token": cloud.world.verify_token}
    assert (await graph.post(f"{waba.id}/subscribed_apps", **override))[0] == 200
    ana = cloud.person("Ana")
    ana.say("um")
    number = {"override_callback_uri": receiver.url + "?number", "verify_token": cloud.world.verify_token}
    assert (await graph.post(graph.number.id, webhook_configuration=number))[0] == 200
    ana.say("dois")
    assert (await graph.ask("DELETE", f"{waba.id}/subscribed_apps"))[0] == 200
    ana.say("três")
    await cloud.settled()
    assert [each.url.partition("?")[2] for each in cloud.webhooks.deliveries] == ["waba", "number"]
    assert len(cloud.webhooks.unheard) == 1


async def test_an_override_is_verified_first(graph, receiver) -> None:
    wrong = {"override_callback_uri": receiver.url, "verify_token": "wrong"}
    status, said = await graph.post(f"{graph.number.waba.id}/subscribed_apps", **wrong)
    assert (status, said["error"]["code"]) == (400, 2200)
    assert graph.number.waba.override is None


async def test_a_field_and_a_type_nobody_knows(cloud: MetaCloud, receiver) -> None:
    cloud.tell("something_new", {"a": [1]})
    cloud.person("Ana").send_unknown("hologram", {"depth": 3})
    cloud.tell_error(cloud.number(), 130429)
    await cloud.settled()
    assert receiver.of("something_new") == [{"a": [1]}]
    assert [(each["type"], each["hologram"]) for each in receiver.messages] == [("hologram", {"depth": 3})]
    assert receiver.of("messages")[1]["errors"][0]["code"] == 130429
