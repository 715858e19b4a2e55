"""A number that the Business app uses too: echoes, contacts and history, and leaving again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.people import File


async def sync(graph, kind: str) -> tuple[int, dict]:
    return await graph.post(f"{graph.number.id}/smb_app_data", messaging_product="whatsapp", sync_type=kind)


async def test_what_the_owner_writes_is_echoed(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    shown = cloud.coexistence.write(graph.number, ana, "oi, daqui")
    await cloud.settled()
    (value,) = receiver.of("smb_message_echoes")
    (echo,) = value["message_echoes"]
    assert (echo["from"], echo["to"], echo["id"]) == (graph.number.digits, ana.wa_id, shown.id)
    assert echo["text"] == {"body": "oi, daqui"} and echo["to_user_id"] == ana.user_id
    assert [each.text for each in ana.messages] == ["oi, daqui"]


async def test_history_comes_in_chunks_with_its_files_behind(
    cloud: MetaCloud, graph, receiver, clock: ManualClock
) -> None:
    ana, beto = cloud.person("Ana"), cloud.person("Beto")
    history, now = cloud.coexistence, clock.now()
    history.app(graph.number).chunk = 2
    old = history.remember(graph.number, ana, "faz tempo", now - timedelta(days=120))
    history.remember(graph.number, ana, "ontem", now - timedelta(days=2), from_me=True, status="DELIVERED")
    file = File(b"png", "image/png")
    photo = history.remember(graph.number, beto, "", now - timedelta(hours=3), file=file, kind="image")
    history.remember(graph.number, beto, "agora", now - timedelta(hours=1))
    status, said = await sync(graph, "history")
    assert (status, said["messaging_product"]) == (200, "whatsapp") and said["request_id"]
    await cloud.settled()
    recent, past, files = receiver.of("history")
    assert [each["history"][0]["metadata"] for each in (recent, past)] == [
        {"phase": 0, "chunk_order": 1, "progress": 50},
        {"phase": 2, "chunk_order": 2, "progress": 100},
    ]
    (thread,) = recent["history"][0]["threads"]
    assert (thread["id"], thread["context"]["user_id"]) == (beto.wa_id, beto.user_id)
    assert [each["type"] for each in thread["messages"]] == ["text", "media_placeholder"]
    (thread,) = past["history"][0]["threads"]
    sent, received = thread["messages"]
    assert (sent["from"], sent["to"], sent["history_context"]) == (
        graph.number.digits,
        ana.wa_id,
        {"status": "DELIVERED"},
    )
    assert (received["id"], received["from"], received["text"]) == (old.id, ana.wa_id, {"body": "faz tempo"})
    (image,) = files["messages"]
    assert image["id"] == photo.id
    assert (await graph.get(image["image"]["id"]))[0] == 200


async def test_history_that_is_not_shared(cloud: MetaCloud, graph, receiver) -> None:
    cloud.coexistence.app(graph.number).shares_history = False
    assert (await sync(graph, "history"))[0] == 200
    await cloud.settled()
    assert receiver.of("history")[0]["history"][0]["errors"][0]["code"] == 2593109


async def test_contacts_come_once_and_then_as_they_change(cloud: MetaCloud, graph, receiver) -> None:
    ana, beto = cloud.person("Ana Lima"), cloud.person("Beto")
    cloud.coexistence.save_contact(graph.number, ana)
    assert (await sync(graph, "smb_app_state_sync"))[0] == 200
    cloud.coexistence.save_contact(graph.number, beto)
    cloud.coexistence.remove_contact(graph.number, ana)
    await cloud.settled()
    told = [each["state_sync"][0] for each in receiver.of("smb_app_state_sync")]
    assert [(each["action"], each["contact"].get("full_name")) for each in told] == [
        ("add", "Ana Lima"),
        ("add", "Beto"),
        ("remove", None),
    ]
    assert told[0]["contact"]["first_name"] == "Ana" and told[0]["contact"]["phone_number"] == ana.wa_id


@pytest.mark.parametrize("kind", ["history", "smb_app_state_sync", "nonsense"])
async def test_a_sync_is_asked_once_of_a_number_that_coexists(cloud: MetaCloud, graph, receiver, kind: str) -> None:
    assert (await sync(graph, kind))[0] == 400
    cloud.coexistence.app(graph.number)
    assert (await sync(graph, kind))[0] == (400 if kind == "nonsense" else 200)
    assert (await sync(graph, kind))[0] == 400


async def test_leaving_and_coming_back(cloud: MetaCloud, graph, receiver) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    cloud.coexistence.offboard(graph.number)
    assert (await graph.send(ana.phone, text={"body": "x"}))[1]["error"]["code"] == 133010
    cloud.coexistence.reconnect(graph.number)
    await graph.text(ana.phone)
    await cloud.settled()
    events = [each["event"] for each in receiver.of("account_update")]
    assert events == ["ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED"]
