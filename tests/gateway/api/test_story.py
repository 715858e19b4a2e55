"""From an empty gateway to a read reply, over HTTP alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from recado.emulator.whatsapp.world import World


async def test_a_mentorado_is_connected_written_to_and_answers(clara: Any, world: World) -> None:
    phone, ana = world.phone("Clara"), world.phone("Ana")
    async with clara.stream() as events:
        asked = await clara.post(f"{clara.root}/connections/baileys/connect")
        assert (asked.status_code, asked.json()["desired"]) == (202, "connected")
        shown = await events.until_state("qr")
        assert shown["step"]["kind"] == "qr"
        assert shown["step"]["drawing"]["size"] > 40
        status = (await clara.get(f"{clara.root}/connections/baileys")).json()
        assert status["step"]["text"] == shown["step"]["text"]
        await phone.scan(shown["step"]["text"])
        connected = await events.until_state("connected")
        assert (connected["account"], connected["step"]) == (phone.number, None)

        await ana.say(phone, "oi")
        arrived = await events.until(lambda event: event.kind == "message.received")
        assert arrived.data["data"]["content"]["body"] == "oi"
        assert int(arrived.id or 0) == arrived.data["id"]

        (thread,) = (await clara.get(f"{clara.root}/conversations")).json()["items"]
        assert (thread["title"], thread["phone"], thread["unread_count"]) == ("Ana", ana.number, 1)
        accepted = await clara.post(
            f"{clara.root}/messages",
            {"text": "olá", "conversation_id": thread["id"], "quoting": arrived.data["data"]["id"]},
        )
        assert accepted.status_code == 202
        message_id = accepted.json()["id"]
        reply = await ana.expect("olá")
        assert (reply.times, reply.quoted, reply.id) == (1, arrived.data["data"]["id"], message_id)

        await _until_status(clara, events, message_id, "delivered")
        await ana.read()
        await _until_status(clara, events, message_id, "read")
        assert "qr" not in str([event.data for event in events.seen if event.id is not None])
        assert (await phone.expect("olá")).from_me


async def test_disconnecting_keeps_the_link_and_unlinking_does_not(
    clara: Any, world: World, link: Callable[..., Awaitable[None]]
) -> None:
    await link(clara)
    async with clara.stream() as events:
        await clara.post(f"{clara.root}/connections/baileys/disconnect")
        await events.until_state("disconnected")
        await clara.post(f"{clara.root}/connections/baileys/connect")
        await events.until_state("connected")
        assert not [event for event in events.seen if '"step": {' in str(event.data)]
        await clara.post(f"{clara.root}/connections/baileys/unlink")
        while (await events.until_state("disconnected"))["reason"] != "unlinked":
            pass
        assert world.phone("Clara").account.companions == []
        await clara.post(f"{clara.root}/connections/baileys/connect")
        assert (await events.until_state("qr"))["step"]["kind"] == "qr"


async def _until_status(clara: Any, events: Any, message_id: str, status: str) -> None:
    while (await clara.get(f"{clara.root}/messages/{message_id}")).json()["status"] != status:
        await events.until(lambda event: event.kind in ("receipt.received", "message.sent"))
