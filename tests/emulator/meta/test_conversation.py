"""A person and a number write to each other: what shows, what is told, and when it may not be."""

from __future__ import annotations

import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud


async def test_what_a_person_writes_is_told_signed(cloud: MetaCloud, receiver) -> None:
    ana = cloud.person("Ana", "5511955550101")
    shown = ana.say("oi, tudo/bem? ç")
    await cloud.settled()
    (value,) = receiver.of("messages")
    assert value["metadata"] == {"display_phone_number": "15550100000", "phone_number_id": cloud.number().id}
    assert value["contacts"] == [{"profile": {"name": "Ana"}, "wa_id": "5511955550101", "user_id": ana.user_id}]
    assert value["messages"] == [
        {
            "from": "5511955550101",
            "from_user_id": ana.user_id,
            "id": shown.id,
            "timestamp": str(int(cloud.clock.now().timestamp())),
            "type": "text",
            "text": {"body": "oi, tudo/bem? ç"},
        }
    ]
    assert receiver.forged == 0
    raw = cloud.webhooks.deliveries[0].body
    assert b"tudo\\/bem" in raw and b"\\u00e7" in raw


async def test_a_text_in_the_window_shows_and_is_told_of_to_the_end(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana", "5511955550101")
    asked = ana.say("oi")
    status, said = await graph.send(
        ana.phone, text={"body": "olá"}, context={"message_id": asked.id}, biz_opaque_callback_data="m1"
    )
    assert status == 200
    (id,) = [each["id"] for each in said["messages"]]
    assert id.startswith("wamid.")
    assert said == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": ana.phone, "wa_id": ana.wa_id}],
        "messages": [{"id": id}],
    }
    shown = ana.message(id)
    assert (shown.text, shown.reply_to, shown.opaque, shown.times) == ("olá", asked.id, "m1", 1)
    ana.read()
    await cloud.settled()
    told = [(each["id"], each["status"], each["biz_opaque_callback_data"]) for each in receiver.statuses]
    assert told == [(id, "sent", "m1"), (id, "delivered", "m1"), (id, "read", "m1")]
    first = receiver.statuses[0]
    assert first["recipient_id"] == ana.phone and first["recipient_user_id"] == ana.user_id
    assert first["conversation"]["origin"] == {"type": "service"} and "expiration_timestamp" in first["conversation"]
    assert first["pricing"]["category"] == "service" and first["pricing"]["billable"] is False


async def test_a_client_that_sends_twice_has_sent_two_messages(cloud: MetaCloud, graph) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    first = await graph.text(ana.phone, "olá", biz_opaque_callback_data="m1")
    second = await graph.text(ana.phone, "olá", biz_opaque_callback_data="m1")
    assert first != second
    assert [each.text for each in ana.messages if not each.from_me] == ["olá", "olá"]
    assert ana.repeats == {"m1": 2}


async def test_with_the_window_closed_a_text_is_accepted_and_fails(
    cloud: MetaCloud, graph, receiver, clock: ManualClock
) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    await clock.advance(24 * 3600 + 1)
    id = await graph.text(ana.phone, biz_opaque_callback_data="m1")
    await cloud.settled()
    (failed,) = receiver.statuses
    assert (failed["id"], failed["status"], failed["biz_opaque_callback_data"]) == (id, "failed", "m1")
    assert failed["errors"][0]["code"] == 131047
    assert "pricing" not in failed
    assert ana.message(id) is None


async def test_with_the_window_closed_a_text_is_refused_where_the_rules_say_so(cloud: MetaCloud, graph) -> None:
    ana = cloud.person("Ana")
    cloud.rules.closed_window = "answer"
    status, said = await graph.send(ana.phone, text={"body": "oi"})
    assert (status, said["error"]["code"]) == (400, 131047)
    assert said["error"]["error_data"]["messaging_product"] == "whatsapp"


@pytest.mark.parametrize("seconds, shows", [(24 * 3600 - 1, True), (24 * 3600, False)])
async def test_the_window_is_a_day_to_the_second(cloud, graph, clock: ManualClock, seconds, shows) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    await clock.advance(seconds)
    id = await graph.text(ana.phone)
    assert (ana.message(id) is not None) is shows


async def test_nobody_at_that_number(cloud: MetaCloud, graph, receiver) -> None:
    await graph.text("5511955550199")
    await cloud.settled()
    (failed,) = receiver.statuses
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131026)


async def test_a_phone_that_is_off_shows_later(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    ana.offline()
    id = await graph.text(ana.phone)
    await cloud.settled()
    assert [each["status"] for each in receiver.statuses] == ["sent"]
    assert ana.message(id) is None
    ana.online()
    await cloud.settled()
    assert [each["status"] for each in receiver.statuses] == ["sent", "delivered"]
    assert ana.message(id) is not None


async def test_read_marks_and_typing(cloud: MetaCloud, graph, clock: ManualClock) -> None:
    ana = cloud.person("Ana")
    first, second, third = ana.say("um"), ana.say("dois"), ana.say("três")
    status, said = await graph.post(
        f"{graph.number.id}/messages",
        messaging_product="whatsapp",
        status="read",
        message_id=second.id,
        typing_indicator={"type": "text"},
    )
    assert (status, said) == (200, {"success": True})
    assert [first.is_read, second.is_read, third.is_read] == [True, True, False]
    assert ana.sees_typing()
    await clock.advance(25)
    assert not ana.sees_typing()


async def test_a_message_nobody_received_cannot_be_read(cloud: MetaCloud, graph) -> None:
    status, said = await graph.post(
        f"{graph.number.id}/messages", messaging_product="whatsapp", status="read", message_id="wamid.x"
    )
    assert (status, said["error"]["code"]) == (400, 131009)
