"""A group over WhatsApp Web, as the API shows it: rows with who wrote them, receipts, and an answer to everybody."""

from __future__ import annotations

import asyncio
from typing import Any

from recado.emulator.whatsapp.world import World


async def page_with(api: Any, conversation: dict[str, Any], text: str) -> dict[str, Any]:
    """The message with that text, once the conversation shows it."""
    async with asyncio.timeout(20), api.stream() as events:
        while True:
            answer = await api.get(f"{api.root}/conversations/{conversation['id']}/messages")
            for message in answer.json()["items"]:
                if message["text"] == text:
                    found: dict[str, Any] = message
                    return found
            await events.until(lambda event: True)


async def the_group(api: Any) -> dict[str, Any]:
    """The only group conversation, once there is one."""
    async with asyncio.timeout(20), api.stream() as events:
        while True:
            listed = (await api.get(f"{api.root}/conversations")).json()["items"]
            groups = [each for each in listed if each["kind"] == "group"]
            if groups:
                found: dict[str, Any] = groups[0]
                return found
            await events.until(lambda event: True)


async def test_a_group_is_a_conversation_whose_messages_say_who_wrote_them(clara: Any, link: Any, world: World) -> None:
    await link(clara)
    bia, caio, mine = world.phone("Bia"), world.phone("Caio"), world.phone("Clara")
    group = await bia.groups.create("Family", caio, mine)
    await bia.groups.say(group, "who is coming?")
    await caio.groups.say(group, "I am")
    conversation = await the_group(clara)
    assert conversation["title"] == "Family"
    first = await page_with(clara, conversation, "who is coming?")
    second = await page_with(clara, conversation, "I am")
    assert [(each["author"]["phone"], each["direction"]) for each in (first, second)] == [
        (bia.number, "in"),
        (caio.number, "in"),
    ]
    sent = await clara.post(f"{clara.root}/messages", {"text": "me too", "conversation_id": conversation["id"]})
    assert sent.status_code == 202, sent.text
    for phone in (bia, caio, mine):
        assert (await phone.expect("me too")).chat == group
