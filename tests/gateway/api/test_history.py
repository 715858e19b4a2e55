"""The past over the API: how much of it the phone has told, and more of a conversation when a person asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from recado.content import Text
from recado.emulator.whatsapp.archive import Invented
from recado.emulator.whatsapp.inbox import Shown
from recado.emulator.whatsapp.world import World
from recado.events import MessageId, MessageReceived
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

LONG_AGO = datetime(2024, 5, 1, 12, tzinfo=UTC)


async def test_the_connection_says_how_much_of_the_past_was_told(clara: Any, world: World, link: Any) -> None:
    phone = world.phone("Clara")
    phone.archive.as_files, phone.archive.part_size, phone.archive.invented = True, 40, Invented(4, 20)
    async with clara.stream() as events:
        await link(clara, "Clara")

        def told(event: Any) -> bool:
            connections = event.data.get("connections") if event.kind == "connection" else None
            return bool(connections) and connections[0]["history"] == 100

        await events.until(told)
    seen = [
        each["history"] for event in events.seen if event.kind == "connection" for each in event.data["connections"]
    ]
    assert sorted({progress for progress in seen if progress is not None}) in ([0, 50, 100], [50, 100], [100])
    connection = (await clara.get(f"{clara.root}/connections/baileys")).json()
    assert connection["history"] == 100 and connection["history_at"] is not None
    conversations = (await clara.get(f"{clara.root}/conversations")).json()["items"]
    assert len(conversations) == 4


async def test_older_messages_are_asked_of_the_phone(clara: Any, world: World, link: Any) -> None:
    phone, bia = world.phone("Clara"), world.phone("Bia")
    await bia.say(phone, "long ago")
    async with clara.stream() as events:
        await link(clara, "Clara")
        await events.until(lambda event: event.kind == "history.received")
        (conversation,) = (await clara.get(f"{clara.root}/conversations")).json()["items"]
        phone.inbox.messages[:0] = [
            Shown(MessageId(f"3EB0OLD{n}"), bia.jid, bia.jid, False, f"older {n}", LONG_AGO + timedelta(minutes=n))
            for n in range(5)
        ]
        path = f"{clara.root}/conversations/{conversation['id']}"
        accepted = await clara.post(f"{path}/history", {"count": 3})
        assert accepted.status_code == 202
        request = accepted.json()["request"]
        told = await events.until(lambda event: event.kind == "history.received" and "request" in event.data["data"])
        assert told.data["data"]["request"] == request
        messages = (await clara.get(f"{path}/messages")).json()["items"]
        assert [each["text"] for each in messages] == ["long ago", "older 4", "older 3", "older 2"]
        assert (await clara.post(f"{path}/history", {"count": 0})).status_code == 422


async def test_a_road_without_a_past_says_so(clara: Any, gateway: Any) -> None:
    me, bia = JID.phone("550000000001"), JID.phone("550000000002")
    fact = MessageReceived(
        account=me,
        at=LONG_AGO,
        id=MessageId("A1"),
        chat=bia,
        sender=bia,
        from_me=False,
        content=Text("oi"),
        sent_at=LONG_AGO,
    )
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        await record(unit, "zapi", [fact])
    (conversation,) = (await clara.get(f"{clara.root}/conversations")).json()["items"]
    refused = await clara.post(f"{clara.root}/conversations/{conversation['id']}/history")
    assert refused.status_code == 409 and refused.json()["type"].endswith("not-supported")
    missing = await clara.post(f"{clara.root}/conversations/00000000-0000-0000-0000-000000000000/history")
    assert missing.status_code == 404
