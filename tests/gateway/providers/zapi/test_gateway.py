"""Z-API through the whole gateway: linked by a person at the card, written to, written from, and going wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.gateway.api.conftest import ADMIN_KEY
from tests.gateway.providers.zapi.bodies import received, written
from tests.gateway.providers.zapi.house import House, give_credentials, opened

from recado.emulator.zapi.faults import Fault
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.settings import Settings


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    settings = Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr(ADMIN_KEY),
        pool_size=6,
        poll_seconds=0.5,
        guardrails=operator_rules("off"),
    )
    async with opened(settings) as house:
        yield house


async def test_linked_at_the_card_written_to_and_written_from(house: House) -> None:
    await house.link()
    assert not house.instance.queues_while_disconnected
    assert house.instance.notifies_sent_by_me
    told = await house.until_state("connected")
    assert told["account"] == house.phone.number

    house.beto.say(house.instance, "oi, Clara")

    async def arrived() -> bool:
        return [m["text"] for m in await house.messages()] == ["oi, Clara"]

    await house.until(arrived)

    id = await house.say("oi, Beto")
    await house.until_status(id, "delivered")
    assert [shown.text for shown in house.beto.received] == ["oi, Beto"]
    house.beto.read()
    await house.until_status(id, "read")
    assert [(m["text"], m["direction"]) for m in await house.messages()] == [("oi, Clara", "in"), ("oi, Beto", "out")]


async def test_what_was_taken_and_not_answered_is_settled_by_what_is_told_later(house: House) -> None:
    await house.link()
    lost = (Fault.LOSE_ANSWER, Fault.CUT_ANSWER, Fault.GARBLE_ANSWER, Fault.BAD_GATEWAY_AFTER)
    for fault in lost:
        house.zapi.faults.plan(fault, about="send-text")
        id = await house.say(f"uma vez só: {fault}")
        await house.until_status(id, "server_ack", "delivered")
    assert [shown.text for shown in house.beto.received] == [f"uma vez só: {fault}" for fault in lost]
    assert len(await house.messages()) == len(lost)
    assert [asked.verb for asked in house.zapi.asked].count("send-text") == len(lost)


async def test_what_may_have_been_taken_is_unknown_and_not_sent_again(house: House) -> None:
    await house.link()
    for fault in (Fault.LOSE_REQUEST, Fault.BAD_GATEWAY):
        house.zapi.faults.plan(fault, about="send-text")
        lost = await house.say(f"talvez: {fault}")
        await house.until_status(lost, "unknown")
        later = await house.say(f"depois: {fault}")
        await house.until_status(later, "delivered")
        assert {m["id"]: m["status"] for m in await house.messages()}[lost] == "unknown"
    assert [asked.verb for asked in house.zapi.asked].count("send-text") == 4
    assert [shown.text.partition(":")[0] for shown in house.beto.received] == ["depois", "depois"]


async def test_a_renewed_address_is_told_to_the_instance_and_the_old_one_is_nobodys(house: House) -> None:
    await house.link()
    path = f"{house.clara.root}/connections/zapi/credentials"
    renewed = (await house.clara.post(f"{path}/renew-webhook")).json()["webhook_path"]
    assert renewed != house.callbacks_path
    await house.zapi.until(lambda: all(url.endswith(renewed) for url in house.instance.hooks.values()), "not told")
    assert await house.post(written(received(instanceId=house.instance.id))) == 404
    await house.until_status(await house.say("oi"), "delivered")


async def test_a_refused_message_failed_and_the_next_one_goes(house: House) -> None:
    await house.link()
    house.zapi.faults.plan(Fault.REFUSE, about="send-text", code=400, text="Invalid phone")
    failed = await house.say("um")
    await house.until_status(failed, "failed")
    await house.until_status(await house.say("dois"), "delivered")


async def test_what_whatsapp_did_not_take_failed_after_all(house: House) -> None:
    await house.link()
    house.zapi.faults.plan(Fault.FAIL_SEND, about="send-text", text="Phone number does not exist")
    await house.until_status(await house.say("um"), "failed")


async def test_nothing_is_sent_while_the_phone_is_not_there(house: House) -> None:
    """And nothing waits over there: what is queued here goes once, when it is back."""
    await house.link()
    house.zapi.faults.scatter(Fault.REFUSE, 1.0, about="restore-session", code=400)
    house.zapi.faults.scatter(Fault.REFUSE, 1.0, about="restart", code=400)
    house.zapi.lose(house.instance)
    await house.until_state("reconnecting")
    asked = len([each for each in house.zapi.asked if each.verb == "send-text"])
    id = await house.say("espera")
    assert (await house.messages())[0]["status"] in ("queued", "on_wire")
    assert len(house.instance.queue) == 0
    house.zapi.faults.clear()
    await house.until_status(id, "delivered")
    assert len([each for each in house.zapi.asked if each.verb == "send-text"]) == asked + 1


async def test_an_instance_that_was_cut_off_is_restored(house: House) -> None:
    await house.link()
    house.zapi.lose(house.instance)
    await house.zapi.until(lambda: house.instance.is_connected, "not restored")
    assert "restore-session" in {asked.verb for asked in house.zapi.asked}
    await house.until_status(await house.say("de volta"), "delivered")


async def test_a_phone_that_let_go_is_logged_out_and_a_new_code_links_it(house: House) -> None:
    await house.link()
    house.zapi.unlink(house.instance)
    await house.until_state("logged_out")
    await house.link()


async def test_a_phone_is_linked_by_a_code_that_is_entered_there(house: House) -> None:
    phone = house.phone
    await give_credentials(house.gateway, house.clara, house.zapi, house.instance, code_for=phone.number)
    async with house.clara.stream() as events:
        await house.clara.post(f"{house.clara.root}/connections/zapi/connect")
        shown = await events.until_state("code")
        phone.enter_code(house.instance, shown["step"]["text"].replace("-", ""))
        await events.until_state("connected")


async def test_a_wrong_token_is_said_and_nothing_is_tried_on(house: House) -> None:
    await give_credentials(house.gateway, house.clara, house.zapi, house.instance, client_token="wrong")
    assert (await house.clara.post(f"{house.clara.root}/connections/zapi/connect")).status_code == 202
    assert (await house.until_state("failed"))["reason"] == "forbidden"


async def test_another_number_than_the_history_s_writes_nothing(house: House) -> None:
    await house.link()
    house.zapi.unlink(house.instance)
    await house.until_state("logged_out")
    async with house.clara.stream() as events:
        await house.clara.post(f"{house.clara.root}/connections/zapi/connect")
        shown = await events.until_state("qr")
        house.zapi.phone("Mallory").scan(house.instance, shown["step"]["text"])
        told = await events.until_state("failed")
    assert told["reason"] == "another_number"
    assert not house.instance.is_connected
    house.zapi.link(house.instance, house.zapi.phone("Mallory"))
    house.beto.say(house.instance, "para Mallory")
    await house.zapi.settled()
    assert await house.messages() == []


async def test_reading_here_is_told_there(house: House) -> None:
    await house.link()
    message = house.beto.say(house.instance, "leia")

    async def arrived() -> bool:
        return bool(await house.messages())

    await house.until(arrived)
    (conversation,) = (await house.clara.get(f"{house.clara.root}/conversations")).json()["items"]
    path = f"{house.clara.root}/conversations/{conversation['id']}/read"
    assert (await house.clara.post(path, {"tell": True})).status_code < 300
    await house.zapi.until(
        lambda: any(asked.verb == "read-message" and asked.status == 204 for asked in house.zapi.asked), "not told"
    )
    shown = house.phone.find(message.id)
    assert shown is not None
    assert shown.is_read


# ---- who may call, and with what


async def test_only_the_secret_end_and_the_own_instance_are_answered(house: House) -> None:
    own = received(instanceId=house.instance.id, messageId="A1")
    other = house.zapi.instance("somebody else's")
    assert await house.post(written(own), path="/webhooks/zapi/" + "x" * 43) == 404
    assert await house.post(written(own), path=house.callbacks_path + "x") == 404
    assert await house.post(written(own), path="/webhooks/zapi/" + "x" * 2000) == 404
    assert await house.post(written(received(instanceId=other.id))) == 404
    assert await house.messages() == []
    assert await house.post(written(own)) == 200
    assert [m["text"] for m in await house.messages()] == ["oi"]


async def test_what_is_no_callback_is_refused_in_words(house: House) -> None:
    for body, kind, status in (
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"", "application/json", 400),
        (b"<html>502 Bad Gateway</html>", "application/json", 400),
        (b"[]", "application/json; charset=utf-8", 400),
        (b'{"type": "ReceivedCallback"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"instanceId": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ):
        assert await house.post(body, kind=kind) == status, body[:40]


async def test_what_the_database_cannot_keep_is_kept_as_bytes(house: House) -> None:
    """A half of a pair, U+0000, numbers beyond all: told as unknown, with 200, and nothing else is held up."""
    for text in ("a\x00b", "half \ud800"):
        body = received({"text": {"message": text}}, instanceId=house.instance.id, messageId="B1")
        assert await house.post(written(body)) == 200
    assert await house.post(written(received(instanceId=house.instance.id, messageId="B2"))) == 200
    assert [m["text"] for m in await house.messages()] == ["oi"]


async def test_a_callback_that_could_not_be_written_is_not_answered_as_taken(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recado.errors import StoreUnavailable
    from recado.gateway.providers.zapi import recording

    async def broken(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(recording, "record", broken)
    body = written(received(instanceId=house.instance.id, messageId="C1"))
    assert await house.post(body) == 503
    monkeypatch.undo()
    assert await house.post(body) == 200
    assert [m["text"] for m in await house.messages()] == ["oi"]
