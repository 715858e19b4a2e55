"""What people do, and how it is told: every kind of message, usernames, new numbers, blocking."""

from __future__ import annotations

import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud

CHOICE = {
    "type": "button",
    "body": {"text": "quer?"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Sim"}}]},
}
LIST = {
    "type": "list",
    "body": {"text": "qual?"},
    "action": {"button": "Ver", "sections": [{"rows": [{"id": "r1", "title": "Um", "description": "o primeiro"}]}]},
}
FLOW = {
    "type": "flow",
    "body": {"text": "preencha"},
    "action": {"name": "flow", "parameters": {"flow_id": "1", "flow_cta": "Abrir"}},
}


async def test_every_kind_of_message(cloud: MetaCloud, receiver) -> None:
    ana = cloud.person("Ana")
    first = ana.say("oi", referral={"source_type": "ad", "ctwa_clid": "c1"})
    ana.say("sim", reply_to=first.id)
    ana.send_location(-23.5, -46.6, name="Sé")
    ana.send_contact("Beto", "5511955550199")
    ana.react(first.id, "👍")
    ana.react(first.id, "")
    ana.order([{"product_retailer_id": "p1", "quantity": 1, "item_price": 10, "currency": "BRL"}])
    ana.send_unsupported()
    await cloud.settled()
    by_type = [each["type"] for each in receiver.messages]
    assert by_type == ["text", "text", "location", "contacts", "reaction", "reaction", "order", "unsupported"]
    ad, reply, place, card, liked, unliked, order, unsupported = receiver.messages
    assert ad["referral"]["ctwa_clid"] == "c1"
    assert reply["context"] == {"from": ana.wa_id, "id": first.id}
    assert place["location"]["name"] == "Sé"
    assert card["contacts"][0]["phones"][0]["wa_id"] == "5511955550199"
    assert liked["reaction"] == {"message_id": first.id, "emoji": "👍"}
    assert unliked["reaction"] == {"message_id": first.id}
    assert order["order"]["product_items"][0]["product_retailer_id"] == "p1"
    assert unsupported["errors"][0]["code"] == 131051


async def test_answers_to_buttons_lists_and_flows(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    ids = []
    for interactive in (CHOICE, LIST, FLOW):
        _, said = await graph.send(ana.phone, "interactive", interactive=interactive)
        ids.append(said["messages"][0]["id"])
    ana.press(ids[0], "Sim")
    ana.choose(ids[1], "Um")
    ana.fill_flow(ids[2], {"nome": "Ana"})
    with pytest.raises(LookupError):
        ana.press(ids[0], "Talvez")
    await cloud.settled()
    pressed, chosen, filled = (each["interactive"] for each in receiver.messages[1:])
    assert pressed == {"type": "button_reply", "button_reply": {"id": "yes", "title": "Sim"}}
    assert chosen["list_reply"] == {"id": "r1", "title": "Um", "description": "o primeiro"}
    assert filled["nfm_reply"]["response_json"] == '{"nome": "Ana"}'
    assert receiver.messages[1]["context"]["id"] == ids[0]


async def test_with_a_username_the_phone_is_left_out(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.take_username("ana.b")
    ana.say("oi")
    body = {"messaging_product": "whatsapp", "recipient": ana.user_id, "type": "text", "text": {"body": "olá"}}
    status, said = await graph.post(f"{graph.number.id}/messages", **body)
    assert (status, said["contacts"]) == (200, [{"input": ana.user_id, "user_id": ana.user_id}])
    await cloud.settled()
    (value, sent, delivered) = receiver.of("messages")
    assert value["contacts"] == [{"profile": {"name": "Ana", "username": "ana.b"}, "user_id": ana.user_id}]
    assert "from" not in value["messages"][0] and value["messages"][0]["from_user_id"] == ana.user_id
    for status in (sent["statuses"][0], delivered["statuses"][0]):
        assert "recipient_id" not in status and status["recipient_user_id"] == ana.user_id
    assert ana.phone not in str(receiver.bodies)


async def test_the_shape_from_before_user_ids(cloud: MetaCloud, graph, receiver) -> None:
    cloud.rules.user_ids = False
    ana = cloud.person("Ana")
    ana.say("oi")
    await graph.text(ana.phone)
    await cloud.settled()
    assert "user_id" not in str(receiver.bodies)
    assert receiver.messages[0]["from"] == ana.phone
    assert receiver.statuses[0]["recipient_id"] == ana.phone


async def test_a_new_number_is_a_new_user_id(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana", "5511955550101")
    ana.say("oi")
    before = ana.user_id
    ana.change_number("5511955550102")
    await cloud.settled()
    system = receiver.messages[-1]
    assert (system["type"], system["from"], system["from_user_id"]) == ("system", "5511955550101", before)
    assert system["system"]["type"] == "user_changed_number" and system["system"]["wa_id"] == "5511955550102"
    (update,) = receiver.of("user_id_update")
    assert update["user_id_update"][0]["user_id"] == {"previous": before, "current": ana.user_id}
    assert before != ana.user_id and cloud.person_at("5511955550101") is None
    await graph.text("5511955550102", "olá")
    assert ana.messages[-1].text == "olá"


async def test_whoever_blocks_hears_nothing_and_is_not_heard(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    ana.block()
    ana.say("alguém?")
    id = await graph.text(ana.phone)
    await cloud.settled()
    assert len(receiver.messages) == 1 and ana.message(id) is None
    assert receiver.statuses[0]["errors"][0]["code"] == 131026
    ana.unblock()
    assert ana.message(await graph.text(ana.phone)) is not None


async def test_reading_is_not_told_where_receipts_are_off(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.sends_reads = False
    ana.say("oi")
    await graph.text(ana.phone)
    assert [each.is_read for each in ana.read()] == [True]
    await cloud.settled()
    assert [each["status"] for each in receiver.statuses] == ["sent", "delivered"]


async def test_a_voice_message_is_played(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    _, said = await graph.send(ana.phone, "audio", audio={"link": "https://example.com/a.ogg"})
    ana.play(said["messages"][0]["id"])
    ana.read()
    await cloud.settled()
    assert [each["status"] for each in receiver.statuses] == ["sent", "delivered", "played"]


async def test_the_id_on_whatsapp_may_differ_from_the_number_dialled(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana", "5511955550101", wa_id="551155550101")
    ana.say("oi")
    _, said = await graph.send(ana.phone, text={"body": "olá"})
    assert said["contacts"] == [{"input": "5511955550101", "wa_id": "551155550101"}]
    await graph.text("551155550101", "olá")
    assert [each.text for each in ana.messages] == ["oi", "olá", "olá"]
    await cloud.settled()
    assert receiver.messages[0]["from"] == "551155550101"


async def test_each_number_has_a_window_of_its_own(cloud: MetaCloud, graph, clock: ManualClock) -> None:
    other = cloud.add_number("+1 555-010-0777")
    ana = cloud.person("Ana")
    ana.say("oi", other)
    assert ana.message(await graph.text(ana.phone)) is None
    graph.number = other
    assert ana.message(await graph.text(ana.phone)) is not None
    assert [each.text for each in ana.chat(other)] == ["oi", "oi"]


async def test_a_number_cannot_write_to_itself(cloud: MetaCloud, graph) -> None:
    status, said = await graph.send(graph.number.digits, text={"body": "x"})
    assert (status, said["error"]["code"]) == (400, 131021)


async def test_a_reaction_needs_a_message_of_the_chat(cloud: MetaCloud, graph) -> None:
    ana = cloud.person("Ana")
    asked = ana.say("oi")
    status, said = await graph.send(ana.phone, "reaction", reaction={"message_id": "wamid.x", "emoji": "👍"})
    assert (status, said["error"]["code"]) == (400, 131009)
    await graph.send(ana.phone, "reaction", reaction={"message_id": asked.id, "emoji": "👍"})
    assert asked.reactions == {"business": "👍"}
