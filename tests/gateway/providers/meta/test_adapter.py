"""A number at the Cloud API, end to end: out, in, how far it got, and every way in which an answer goes missing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.providers.meta.bodies import body, message, value
from tests.gateway.providers.meta.conftest import VERIFY, Desk

from recado.content import (
    Button,
    Buttons,
    Content,
    LinkButton,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    Reaction,
    Template,
    Text,
)
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.people import Person
from recado.errors import MediaError, NotConnected
from recado.gateway.conversations.service import open_conversation
from recado.gateway.providers.credentials import MetaCredentials
from recado.gateway.providers.meta.api import GraphApi, Unanswered
from recado.gateway.providers.meta.wire import build_message
from recado.jid import JID
from recado.store.facts import content_to_json

OUT = "SELECT status::text FROM whatsapp_messages WHERE direction = 'out' ORDER BY id"


@pytest.fixture
async def ana(cloud: MetaCloud) -> Person:
    return cloud.person("Ana", "5511955550101")


@pytest.fixture
async def linked(desk: Desk, cloud: MetaCloud) -> Desk:
    """Connected, and told of everything."""
    cloud.templates.add(desk.number.waba, "oferta", "Olá {{1}}, temos {{2}}")
    await desk.connect()
    await desk.until(lambda: desk.rows("SELECT 1 FROM meta_templates"))
    await cloud.subscribe(desk.url, verify_token=VERIFY)
    return desk


@pytest.fixture
async def talking(linked: Desk, ana: Person) -> Desk:
    """Ana has written just now, so that the window is open."""
    ana.say("oi")
    await linked.until(lambda: linked.rows("SELECT 1 FROM whatsapp_messages WHERE direction = 'in'"))
    return linked


async def queue(desk: Desk, content: Content, to: str, **more: Any) -> str:
    asked = {name: told for name, told in content_to_json(content).items() if told is not None}
    said = {"to": to, "provider": "meta", "content": asked, **more}
    answer = await desk.api.post(f"{desk.api.root}/messages", said)
    assert answer.status_code == 202, answer.text
    id: str = answer.json()["id"]
    return id


async def test_a_text_goes_out_and_its_statuses_come_back(talking: Desk, ana: Person) -> None:
    id = await talking.send("bom dia", ana.phone)
    await talking.status(id, "delivered")
    ana.read()
    await talking.status(id, "read")
    assert [each.content["body"] for each in ana.chat() if not each.from_me] == ["bom dia"]
    assert await talking.rows("SELECT message_id FROM provider_message_ids") == [(id,)]


async def test_a_reply_and_a_reaction_name_metas_messages(talking: Desk, ana: Person) -> None:
    (theirs,) = (row[0] for row in await talking.rows("SELECT provider_message_id FROM whatsapp_messages"))
    first = await queue(talking, Text("sim?"), ana.phone, quoting=theirs)
    await talking.status(first, "delivered")
    second = await queue(talking, Reaction(theirs, "👍"), ana.phone)
    third = await queue(talking, Text("e então"), ana.phone, quoting=first)
    await talking.status(second, "server_ack", "delivered")
    await talking.status(third, "delivered")
    shown = [each for each in ana.chat() if not each.from_me and each.kind == "text"]
    assert shown[0].reply_to == theirs
    assert shown[1].reply_to == shown[0].id


async def test_a_reply_to_a_message_of_ours_quotes_it_by_our_id(talking: Desk, ana: Person) -> None:
    id = await talking.send("bom dia", ana.phone)
    await talking.status(id, "delivered")
    shown = next(each for each in ana.chat() if not each.from_me)
    ana.say("bom dia!", reply_to=shown.id)
    ana.react(shown.id, "❤️")

    async def answered() -> Any:
        return await talking.rows("SELECT quoted_message_id FROM whatsapp_messages WHERE text = 'bom dia!'")

    assert await talking.until(answered) == [(id,)]

    async def reacted() -> Any:
        return await talking.rows(
            "SELECT body -> 'content' ->> 'to' FROM events WHERE body -> 'content' ->> 'emoji' IS NOT NULL"
        )

    assert await talking.until(reacted) == [(id,)]


@pytest.mark.parametrize(
    "content",
    [
        Buttons("vai?", (Button("s", "sim"), Button("n", "não"))),
        OptionList("qual?", "abrir", (OptionSection("uma", (Option("a", "A"), Option("b", "B"))),)),
        LinkButton("veja", "abrir", "https://example.org/a"),
        Location(-23.5, -46.6, "SP"),
        Media(MediaKind.IMAGE, "https://example.org/a.jpg", "image/jpeg", "eu"),
    ],
    ids=lambda content: type(content).__name__,
)
async def test_other_kinds_go_out_too(talking: Desk, ana: Person, content: Content) -> None:
    id = await queue(talking, content, ana.phone)
    status, failure = await talking.status(id, "server_ack", "delivered", "failed")
    if isinstance(content, Media):
        return  # whether the emulated phone can fetch that address is not the question: it was taken or refused
    assert (status in ("server_ack", "delivered"), failure) == (True, None)


async def test_what_a_person_presses_comes_back_as_a_choice(talking: Desk, ana: Person) -> None:
    id = await queue(talking, Buttons("vai?", (Button("s", "sim"),)), ana.phone)
    await talking.status(id, "delivered")
    ana.press(next(each.id for each in ana.chat() if each.kind == "interactive"), "sim")

    async def chosen() -> Any:
        return await talking.rows("SELECT text FROM whatsapp_messages WHERE content_type = 'choice'")

    assert await talking.until(chosen) == [("sim",)]


async def test_our_id_survives_a_lost_answer_and_the_webhook_settles_it(
    talking: Desk, cloud: MetaCloud, ana: Person
) -> None:
    cloud.faults.plan(Fault.LOSE_ANSWER, about="messages")
    id = await talking.send("uma vez só", ana.phone)
    await talking.status(id, "delivered")
    assert ana.repeats == {}
    assert [each.content["body"] for each in ana.chat() if not each.from_me] == ["uma vez só"]


@pytest.mark.parametrize("fault", [Fault.HTML_AFTER, Fault.CUT_ANSWER, Fault.GARBLED_ANSWER])
async def test_an_answer_that_says_nothing_is_unknown_and_never_sent_again(
    desk: Desk, cloud: MetaCloud, ana: Person, fault: Fault
) -> None:
    """Nobody is subscribed: no webhook settles it."""
    await desk.connect()
    ana.say("oi")
    said = value(messages=[message(at=int(cloud.clock.now().timestamp()))])
    said["metadata"] = desk.number.metadata
    assert await desk.post(body(said, waba=desk.number.waba.id)) == 200
    cloud.faults.plan(fault, code=502, about="messages")
    id = await desk.send("uma vez só", ana.phone)
    assert (await desk.status(id, "unknown"))[0] == "unknown"
    assert len([each for each in ana.chat() if not each.from_me]) == 1


async def test_a_refusal_that_passes_is_tried_again_and_nothing_is_sent_twice(
    talking: Desk, cloud: MetaCloud, ana: Person
) -> None:
    cloud.faults.plan(Fault.REFUSE, code=131016, about="messages")
    id = await talking.send("logo", ana.phone)
    await talking.status(id, "delivered")
    assert ana.repeats == {}


async def test_a_refusal_that_stays_is_failed_with_metas_code(talking: Desk, cloud: MetaCloud, ana: Person) -> None:
    cloud.faults.plan(Fault.REFUSE, code=131026, about="messages")
    id = await talking.send("nunca", ana.phone)
    _, failure = await talking.status(id, "failed")
    assert "131026" in (failure or "")


async def test_what_fails_after_it_was_taken_is_failed(talking: Desk, cloud: MetaCloud, ana: Person) -> None:
    cloud.faults.plan(Fault.FAIL_LATER, code=131026)
    id = await talking.send("nunca", ana.phone)
    _, failure = await talking.status(id, "failed")
    assert failure == "refused (131026)"


async def test_without_a_message_of_theirs_only_a_template_may_go(linked: Desk, cloud: MetaCloud, ana: Person) -> None:
    said = {"to": ana.phone, "text": "oi", "provider": "meta"}
    answer = await linked.api.post(f"{linked.api.root}/messages", said)
    assert answer.status_code == 409, answer.text
    problem = answer.json()
    assert problem["type"].endswith("window-closed")
    offered = problem["templates"]
    assert offered
    one = offered[0]
    template = Template(one["name"], one["language"], tuple("x" for _ in range(one["values"])))
    id = await queue(linked, template, ana.phone)
    await linked.status(id, "delivered")


async def test_a_window_that_closed_meanwhile_is_refused_at_the_wire(
    linked: Desk, cloud: MetaCloud, ana: Person
) -> None:
    async with linked.gateway.database.unit(linked.principal) as unit:
        conversation = await open_conversation(unit, JID.phone(ana.phone))
    await linked.rows(
        "INSERT INTO outbox (conversation_id, provider, chat, message_id, content, origin, due_at)"
        " VALUES (%(c)s, 'meta', %(chat)s, 'LATE', '{\"type\": \"text\", \"body\": \"late\"}', 'person', now())"
        " RETURNING id",
        c=conversation,
        chat=f"{ana.phone}@s.whatsapp.net",
    )
    linked.gateway.database.hints.tell("outbox", linked.principal.mentorado_id)  # type: ignore[arg-type]

    async def settled() -> Any:
        return await linked.rows("SELECT state::text, error FROM outbox WHERE settled_at IS NOT NULL")

    ((state, error),) = await linked.until(settled)
    assert state == "failed"
    assert "131047" in error
    assert ana.chat() == []


async def test_a_token_that_is_dead_ends_the_connection_and_keeps_the_message(
    talking: Desk, cloud: MetaCloud, ana: Person
) -> None:
    cloud.faults.plan(Fault.REFUSE, code=190, about="messages")
    id = await talking.send("depois", ana.phone)
    assert await talking.state("failed") == "meta_190"
    assert (await talking.rows("SELECT settled_at FROM outbox WHERE message_id = %(id)s", id=id)) == [(None,)]
    assert await talking.rows("SELECT count(*) FROM provider_credentials") == [(1,)]
    told = await talking.rows("SELECT body ->> 'code' FROM events WHERE kind = 'provider.alerted'")
    assert told == [("190",)]
    await talking.connect()
    await talking.status(id, "delivered")
    assert ana.repeats == {}


async def test_an_account_that_is_closed_is_paused_and_said_so(talking: Desk, cloud: MetaCloud, ana: Person) -> None:
    cloud.faults.plan(Fault.REFUSE, code=131042, about="messages")
    await talking.send("depois", ana.phone)
    assert await talking.state("restricted") == "meta_131042"


async def test_too_fast_for_one_person_holds_only_them(talking: Desk, cloud: MetaCloud, ana: Person) -> None:
    bia = cloud.person("Bia", "5511955550102")
    bia.say("oi")
    await talking.until(lambda: talking.rows("SELECT 1 FROM whatsapp_contacts WHERE phone = '5511955550102'"))
    cloud.faults.plan(Fault.REFUSE, ana.phone, code=131056, about="messages")
    slow = await talking.send("para Ana", ana.phone)
    await talking.until(lambda: talking.rows("SELECT 1 FROM message_steps WHERE step = 'put_off'"))
    fast = await talking.send("para Bia", bia.phone)
    await talking.status(fast, "delivered")
    assert await talking.rows("SELECT count(*) FROM pacing_restrictions") == [(0,)]
    assert (await talking.status(slow, "queued", "on_wire"))[0] in ("queued", "on_wire")


async def test_too_fast_for_the_number_holds_everybody_for_a_moment(
    talking: Desk, cloud: MetaCloud, ana: Person
) -> None:
    cloud.faults.plan(Fault.REFUSE, code=130429, about="messages")
    await talking.send("para Ana", ana.phone)
    held = await talking.until(lambda: talking.rows("SELECT code, scope, passes FROM pacing_restrictions"))
    assert held == [(130429, "everything", True)]


async def test_who_stops_marketing_is_in_the_ledger(talking: Desk, ana: Person) -> None:
    ana.stop_marketing()
    kept = await talking.until(lambda: talking.rows("SELECT purpose, kind, source FROM consents"))
    assert kept == [("marketing", "out", "provider")]
    ana.resume_marketing()

    async def both() -> Any:
        rows = await talking.rows("SELECT kind FROM consents ORDER BY id")
        return rows if len(rows) == 2 else None

    assert await talking.until(both) == [("out",), ("back",)]


async def test_a_person_without_a_number_writes_and_is_answered(linked: Desk, ana: Person) -> None:
    ana.take_username("ana.lima")
    ana.say("quem sou?")
    ((conversation,),) = await linked.until(lambda: linked.rows("SELECT id FROM conversations"))
    assert await linked.rows("SELECT phone, bsuid FROM whatsapp_contacts") == [(None, ana.user_id)]
    said = {"conversation_id": str(conversation), "text": "você", "provider": "meta"}
    answer = await linked.api.post(f"{linked.api.root}/messages", said)
    assert answer.status_code == 202, answer.text
    await linked.status(answer.json()["id"], "delivered")


async def test_reading_is_told(talking: Desk, cloud: MetaCloud, ana: Person) -> None:
    ((conversation,),) = await talking.rows("SELECT id FROM conversations")
    answer = await talking.api.post(f"{talking.api.root}/conversations/{conversation}/read", {"tell": True})
    assert answer.status_code < 300, answer.text
    await talking.until(lambda: talking.rows("SELECT 1 FROM conversations WHERE unread_count = 0"))


async def test_webhooks_that_come_twice_late_and_out_of_order_come_to_the_same(
    talking: Desk, cloud: MetaCloud, ana: Person
) -> None:
    cloud.faults.scatter(Fault.DUPLICATE_WEBHOOK, 0.4)
    cloud.faults.scatter(Fault.REORDER_WEBHOOK, 0.4)
    cloud.faults.scatter(Fault.FORGED_SIGNATURE, 0.1)
    ids = []
    for number in range(6):
        ids.append(await talking.send(f"número {number}", ana.phone))
        ana.say(f"resposta {number}")
    for id in ids:
        await talking.status(id, "server_ack", "delivered")
    ana.read()
    cloud.faults.clear()
    cloud.webhooks.flush()
    for id in ids:
        await talking.status(id, "read")

    async def all_in() -> Any:
        rows = await talking.rows("SELECT count(*) FROM whatsapp_messages WHERE text LIKE 'resposta%%'")
        return rows if rows == [(6,)] else None

    assert await talking.until(all_in)
    assert await talking.rows("SELECT count(*) FROM events WHERE kind = 'message.received'") == [(7,)]


@pytest.mark.parametrize("how", ["the account", "an error"])
async def test_what_a_webhook_closes_stays_closed_until_somebody_asks(
    talking: Desk, cloud: MetaCloud, ana: Person, how: str
) -> None:
    if how == "the account":
        cloud.tell_account(talking.number.waba, "ACCOUNT_OFFBOARDED")
    else:
        cloud.tell_error(talking.number, 131042)
    assert await talking.state("restricted") in ("account_offboarded", "meta_131042")

    async def let_go() -> Any:
        return await talking.rows("SELECT 1 FROM leases WHERE provider = 'meta' AND worker_id IS NULL")

    await talking.until(let_go)
    assert await talking.rows("SELECT state FROM connections WHERE provider = 'meta'") == [("restricted",)]
    await talking.connect()
    await talking.status(await talking.send("de volta", ana.phone), "delivered")


async def test_a_request_that_is_never_answered_is_unknown(cloud: MetaCloud, desk: Desk) -> None:
    credentials = MetaCredentials(desk.number.id, desk.number.waba.id, cloud.token.value)
    cloud.faults.plan(Fault.SLOW_ANSWER, seconds=5.0, about="messages")
    async with GraphApi(credentials, base=cloud.url, version="v26.0", seconds=0.3) as api:
        with pytest.raises(Unanswered):
            await api.send(build_message(JID.phone("5511955550101"), Text("oi")))


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(Fault.HTML_ERROR, Unanswered), (Fault.HANG_UP, Unanswered), (Fault.CUT_ANSWER, Unanswered)],
)
async def test_what_is_no_answer_of_metas_has_an_error_of_its_own(
    cloud: MetaCloud, desk: Desk, fault: Fault, raised: type[Exception]
) -> None:
    credentials = MetaCredentials(desk.number.id, desk.number.waba.id, cloud.token.value)
    cloud.faults.plan(fault, code=502, about="messages")
    async with GraphApi(credentials, base=cloud.url, version="v26.0") as api:
        with pytest.raises(raised):
            await api.send(build_message(JID.phone("5511955550101"), Text("oi")))


async def test_what_cannot_be_reached_is_told_apart_from_what_may_have_been_taken() -> None:
    credentials = MetaCredentials("1", "2", "token")
    async with GraphApi(credentials, base="http://127.0.0.1:9", version="v26.0") as api:
        with pytest.raises(NotConnected):
            await api.send({})


async def test_a_file_goes_up_and_comes_back_with_its_hash_checked(cloud: MetaCloud, desk: Desk) -> None:
    credentials = MetaCredentials(desk.number.id, desk.number.waba.id, cloud.token.value)
    async with GraphApi(credentials, base=cloud.url, version="v26.0") as api:
        reference = await api.upload(b"\x89PNG a picture", mime_type="image/png", file_name="a.png")
        id = reference.removeprefix("meta:")
        assert await api.download(id, most=1000) == b"\x89PNG a picture"
        with pytest.raises(MediaError):
            await api.download(id, most=4)
        cloud.faults.plan(Fault.WRONG_BYTES)
        with pytest.raises(MediaError):
            await api.download(id, most=1000)
