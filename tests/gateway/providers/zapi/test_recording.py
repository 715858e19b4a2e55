"""Callbacks as rows: in any order, told twice, before their time; and which message of ours one speaks of."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.gateway.conftest import NewMentorado
from tests.gateway.providers.zapi.bodies import (
    AT,
    BETO,
    BETO_LID,
    CLARA,
    GROUP,
    SENT,
    delivery,
    disconnected,
    echo,
    presence,
    received,
    status,
    written,
)
from tests.gateway.providers.zapi.desk import TRIED_AT, Desk

from recado.content import Button, Buttons, LinkButton, Location, Media, MediaKind, Reaction
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.payloads import list_payloads
from recado.gateway.providers.roads import ZAPI
from recado.gateway.security import Principal

Body = dict[str, Any]

SHOWN = {"buttonId": "1", "buttonText": {"displayText": "Este"}}


async def test_a_message_makes_its_row_and_its_body_is_kept_beside_it(desk: Desk) -> None:
    await desk.tell(received(messageId="A1"))
    assert await desk.messages() == [("A1", "in", "oi", None)]
    (conversation,) = await desk.conversations()
    assert (conversation.phone, conversation.lid, conversation.title) == (BETO, "81896604192873", "Beto")
    async with desk.database.unit(desk.principal) as unit:
        (kept,) = await list_payloads(unit, desk.vault, ZAPI)
    assert (kept.body, kept.is_unknown) == (written(received(messageId="A1")), False)


async def test_a_message_told_twice_is_told_of_once(desk: Desk) -> None:
    taken = await desk.tell(received(messageId="A1"), received(messageId="A1"), received(messageId="A1", chatName="B."))
    assert [each.counts_as for each in taken] == ["taken", "repeated", "repeated"]
    assert await desk.kinds() == ["message.received"]


async def test_the_same_message_told_twice_at_the_same_time_is_told_of_once(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(desk.tell(received(messageId="A1")))
    assert await desk.kinds() == ["message.received"]


async def test_what_waited_is_filled_by_its_update(desk: Desk) -> None:
    await desk.tell(received({}, messageId="A1", waitingMessage=True))
    assert await desk.messages() == [("A1", "in", None, None)]
    assert await desk.count("whatsapp_messages", "is_placeholder") == 1
    await desk.tell(received(messageId="A1"))
    assert await desk.messages() == [("A1", "in", "oi", None)]
    assert await desk.count("whatsapp_messages", "is_placeholder OR source <> 'resend'") == 0
    await desk.tell(received({}, messageId="A1", waitingMessage=True))
    assert await desk.messages() == [("A1", "in", "oi", None)]
    assert await desk.kinds() == ["envelope.unreadable", "message.received"]


async def test_nobody_in_another_chat_hides_a_message_behind_its_id(desk: Desk) -> None:
    """An id proves nothing: others choose theirs."""
    mallory = {"phone": "550000000009", "senderLid": None, "senderName": "M"}
    await desk.tell(received({"text": {"message": "hidden"}}, messageId="A1", **mallory), received(messageId="A1"))
    assert [text for _, _, text, _ in await desk.messages()] == ["hidden", "oi"]
    group = {"phone": GROUP, "isGroup": True, "participantLid": None, "senderName": "x"}
    await desk.tell(
        received({"text": {"message": "um"}}, messageId="G1", participantPhone="550000000008", **group),
        received({"text": {"message": "dois"}}, messageId="G1", participantPhone="550000000009", **group),
    )
    assert len(await desk.messages()) == 4


async def test_somebody_known_by_a_lid_is_the_same_person_once_the_number_is_told(desk: Desk) -> None:
    await desk.tell(received(messageId="A1", phone=BETO_LID), received(messageId="A2"))
    (conversation,) = await desk.conversations()
    assert (conversation.phone, conversation.lid, conversation.unread_count) == (BETO, "81896604192873", 2)


async def test_an_edit_stands_beside_what_it_changes(desk: Desk) -> None:
    edited = received({"text": {"message": "olá"}}, messageId="A1", isEdit=True)
    await desk.tell(edited, received(messageId="A1"), edited)
    assert [(text, quoted) for _, _, text, _, _, _, quoted, *_ in await desk.rows()] == [("oi", None), ("olá", "A1")]


async def test_what_was_written_on_the_phone_is_an_echo(desk: Desk) -> None:
    await desk.tell(echo("do celular", "P1", by_api=False))
    assert await desk.messages() == [("P1", "out", "do celular", "server_ack")]
    assert await desk.count("whatsapp_messages", "source = 'echo'") == 1


# ---- whose message is told of


async def test_the_echo_of_a_message_with_a_name_is_nothing_new(desk: Desk) -> None:
    await desk.tried("oi", "OURS", state="server_ack", named="X1")
    (taken,) = await desk.tell(echo("oi", "X1"))
    assert (taken.counts_as, await desk.messages(), await desk.kinds()) == (
        "repeated",
        [("OURS", "out", "oi", "server_ack")],
        [],
    )


@pytest.mark.parametrize("state", ["unknown", "on_wire"])
async def test_an_echo_settles_the_one_message_it_can_be(desk: Desk, state: str) -> None:
    await desk.tried("oi", "OURS", state=state)
    await desk.tried("outra", "OTHER")
    await desk.tell(echo(" oi", "X1"))
    assert await desk.messages() == [("OTHER", "out", "outra", "unknown"), ("OURS", "out", "oi", "server_ack")]
    assert (await desk.outbox("OURS"), await desk.kinds()) == ("server_ack", ["message.sent"])
    await desk.tell(echo("oi", "X1"), status("READ", "X1"))
    assert ("OURS", "out", "oi", "read") in await desk.messages()


async def test_among_several_that_say_the_same_nobody_chooses(desk: Desk) -> None:
    await desk.tried("oi", "ONE")
    await desk.tried("oi", "TWO", state="on_wire")
    (taken,) = await desk.tell(echo("oi", "X1"))
    assert taken.counts_as == "unknown"
    assert await desk.messages() == [("ONE", "out", "oi", "unknown"), ("TWO", "out", "oi", "on_wire")]
    assert await desk.kinds() == ["unknown.received"]


@pytest.mark.parametrize(
    "body",
    [
        echo("outra coisa", "X1"),
        echo("oi", "X1", by_api=False),
        echo("oi", "X1", phone="550000000009", chatLid=None),
        echo("oi", "X1", momment=(SENT - 3600) * 1000),
        echo("oi", "X1", momment=(SENT + 3600) * 1000),
    ],
)
async def test_an_echo_that_says_otherwise_settles_nothing(desk: Desk, body: Body) -> None:
    await desk.tried("oi", "OURS")
    await desk.tell(body, at=AT + timedelta(hours=2))
    assert ("OURS", "out", "oi", "unknown") in await desk.messages()
    assert len(await desk.messages()) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            Media(MediaKind.IMAGE, "media:1", caption="veja"),
            {"image": {"imageUrl": "https://z.example/1", "caption": "veja"}},
        ),
        (Location(-23.5, -46.6, "Sé"), {"location": {"latitude": -23.5, "longitude": -46.6, "name": "Sé"}}),
        (
            Buttons("Qual?", (Button("1", "Este"),), header="H"),
            {"buttonsMessage": {"message": "*H*\n\nQual?", "buttons": [SHOWN]}},
        ),
        (LinkButton("Veja", "Abrir", "https://e.example/x"), {"text": {"message": "Veja\nhttps://e.example/x"}}),
    ],
)  # fmt: skip
async def test_every_kind_is_known_again_by_what_it_says(desk: Desk, content: Any, said: Body) -> None:
    await desk.tried(content, "OURS")
    own = {"fromMe": True, "fromApi": True, "senderLid": None, "chatLid": BETO_LID}
    await desk.tell(received(said, messageId="X1", **own))
    assert await desk.outbox("OURS") == "server_ack"


async def test_a_reaction_on_a_message_of_ours_names_ours(desk: Desk) -> None:
    await desk.tried("oi", "OURS", state="server_ack", named="X1")
    await desk.tell(
        received({"reaction": {"value": "❤️", "referencedMessage": {"messageId": "X1"}}}, messageId="R1"),
        received(messageId="A2", referenceMessageId="X1"),
    )
    told = [body for _, body in await desk.events()]
    assert (told[0]["content"]["to"], told[1]["quoted"]["id"]) == ("OURS", "OURS")
    await desk.tried(Reaction("A2", "x"), "OURS2")
    own = {"fromMe": True, "fromApi": True, "senderLid": None}
    await desk.tell(
        received({"reaction": {"value": "x", "referencedMessage": {"messageId": "A2"}}}, messageId="X2", **own)
    )
    assert await desk.outbox("OURS2") == "server_ack"


async def test_a_delivery_settles_the_only_message_there_is(desk: Desk) -> None:
    await desk.tried("oi", "OURS")
    await desk.tell(delivery("X1", momment=SENT * 1000))
    assert await desk.outbox("OURS") == "server_ack"
    await desk.tried("dois", "A")
    await desk.tried("três", "B")
    (taken,) = await desk.tell(delivery("X2", momment=SENT * 1000))
    assert (taken.counts_as, await desk.outbox("A"), await desk.outbox("B")) == ("early", "unknown", "unknown")


@pytest.mark.parametrize("named", ["X1", None])
async def test_what_did_not_go_out_after_all_failed(desk: Desk, named: str | None) -> None:
    await desk.tried("oi", "OURS", state="server_ack" if named else "unknown", named=named)
    failure = delivery("X1", error="Phone number does not exist", momment=SENT * 1000)
    await desk.tell(failure, failure)
    assert await desk.messages() == [("OURS", "out", "oi", "failed")]
    assert await desk.kinds() == ["message.rejected"]


async def test_what_was_delivered_does_not_fail_any_more(desk: Desk) -> None:
    await desk.tried("oi", "OURS", state="server_ack", named="X1")
    await desk.tell(status("RECEIVED", "X1"), delivery("X1", error="late"))
    assert await desk.messages() == [("OURS", "out", "oi", "delivered")]


async def test_a_number_spelt_otherwise_does_not_lose_the_receipt(desk: Desk) -> None:
    """Z-API drops the ninth digit of some numbers; the id says whose message it is."""
    await desk.tried("oi", "OURS", to="5511987650002", state="server_ack", named="X1")
    await desk.tell(status("READ", "X1", phone="551187650002"))
    assert await desk.messages() == [("OURS", "out", "oi", "read")]


# ---- what is not written


async def test_another_account_s_messages_are_not_written(desk: Desk) -> None:
    await desk.tell(received(messageId="A1", connectedPhone="550000000077"))
    assert (await desk.messages(), await desk.kinds()) == ([], ["unknown.received"])


async def test_presence_is_a_signal_and_nothing_is_kept(desk: Desk) -> None:
    (taken,) = await desk.tell(presence("COMPOSING"))
    assert [type(signal).__name__ for signal in taken.signals] == ["TypingChanged"]
    assert await desk.count("provider_payloads") == 0


async def test_connected_and_disconnected_change_nothing_by_themselves(desk: Desk) -> None:
    await desk.tell(disconnected())
    assert (await desk.kinds(), await desk.count("connections", "state = 'connected'")) == ([], 1)
    assert await desk.count("provider_payloads") == 1


async def test_what_is_unknown_is_kept_and_told(desk: Desk) -> None:
    (taken,) = await desk.tell({"type": "NewCallback", "instanceId": "x", "secret": "word"})
    assert (taken.counts_as, await desk.kinds()) == ("unknown", ["unknown.received"])
    assert await desk.count("provider_payloads", "is_unknown") == 1


async def test_a_channel_s_post_is_kept_and_not_told(desk: Desk) -> None:
    (taken,) = await desk.tell(received(isNewsletter=True, phone="120363000000000009@newsletter"))
    assert (taken.counts_as, await desk.kinds(), await desk.count("provider_payloads")) == ("newsletter", [], 1)


async def test_statuses_that_wait_do_not_wait_for_ever(desk: Desk) -> None:
    await desk.tell(status("READ", "NOBODYS"))
    assert await desk.count("zapi_early_statuses") == 1
    await desk.tell(status("READ", "OTHER"), at=AT + timedelta(days=8))
    assert await desk.count("zapi_early_statuses", "external_id = 'NOBODYS'") == 0


# ---- any order, any batch, any repetition

DAY: list[Body] = [
    received({}, messageId="A1", waitingMessage=True),
    received(messageId="A1"),
    received({"text": {"message": "olá"}}, messageId="A1", isEdit=True, momment=(SENT + 5) * 1000),
    received(messageId="A2", phone=BETO_LID, momment=(SENT + 1) * 1000),
    received(messageId="G1", phone=GROUP, participantPhone="550000000008", senderLid=None, senderName="Caio"),
    echo("do celular", "P1", by_api=False, momment=(SENT + 2) * 1000),
    echo("oi", "X1", momment=(SENT + 3) * 1000),
    delivery("X1", momment=(SENT + 3) * 1000),
    status("SENT", "X1"),
    status("RECEIVED", "X1", "P1"),
    status("READ", "X1"),
    status("READ", "P1", phone=BETO_LID),
    status("READ", "X2"),
    disconnected(),
    received({}, messageId="A3", notification="REVOKE"),
]  # fmt: skip


async def _day_of(desk: Desk, bodies: Sequence[Body], batches: Callable[[], int]) -> list[tuple[Any, ...]]:
    await desk.tried("oi", "OURS")
    await desk.tried("outra", "OTHER", state="server_ack", named="X2")
    waiting = list(bodies)
    while waiting:
        size = batches()
        batch, waiting = waiting[:size], waiting[size:]
        await desk.tell_together(*batch)
    return await desk.rows()


async def test_any_order_any_batch_and_any_repetition_give_the_same_rows(
    database: Database, vault: Vault, new_mentorado: NewMentorado
) -> None:
    async def fresh(name: str) -> Desk:
        desk = Desk(database, vault, await new_mentorado(name))
        await desk.link()
        return desk

    straight = await _day_of(await fresh("straight"), DAY, lambda: 1)
    assert len(straight) == 7
    assert {(row[0], row[3]) for row in straight if row[1] == "out"} == {
        ("OURS", "read"),
        ("OTHER", "read"),
        ("P1", "read"),
    }
    for seed in range(8):
        dice = random.Random(seed)
        shuffled = DAY + dice.sample(DAY, dice.randrange(len(DAY)))
        dice.shuffle(shuffled)
        rows = await _day_of(await fresh(f"{seed}"), shuffled, lambda dice=dice: dice.randrange(1, 5))  # type: ignore[misc]
        assert rows == straight, f"seed {seed}"


async def test_every_order_of_an_answer_lost_gives_the_same_rows(desk: Desk) -> None:
    """Each order with a person of its own."""
    for place, order in enumerate(itertools.permutations(("echo", "delivery", "RECEIVED", "READ"))):
        phone, ours, name = f"5500000001{place:02}", f"OURS{place}", f"X{place}"
        told = {
            "echo": echo("oi", name, phone=phone, chatLid=None),
            "delivery": delivery(name, phone=phone, momment=SENT * 1000),
            "RECEIVED": status("RECEIVED", name, phone=phone),
            "READ": status("READ", name, phone=phone),
        }
        await desk.tried("oi", ours, to=phone, at=TRIED_AT)
        await desk.tell(*(told[each] for each in order))
        assert [row for row in await desk.messages() if row[0] in (ours, name)] == [(ours, "out", "oi", "read")], order
    kinds = await desk.kinds()
    assert (kinds.count("message.sent"), kinds.count("message.received")) == (24, 0)


async def test_one_mentorado_s_callbacks_reach_no_other(desk: Desk, bia: Principal) -> None:
    other = Desk(desk.database, desk.vault, bia)
    await other.link("550000000055")
    await other.tried("oi", "BIAS")
    await desk.tell(echo("oi", "X1"))
    assert await other.messages() == [("BIAS", "out", "oi", "unknown")]
    assert CLARA not in repr(await other.rows())
