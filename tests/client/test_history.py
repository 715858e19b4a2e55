"""The past: parts of any length, from the servers for files, in slices, once; more of it when it is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recado.client.options import Limits
from recado.client.past import Before
from recado.content import Text
from recado.emulator.whatsapp.archive import Invented
from recado.emulator.whatsapp.files import FileFault
from recado.errors import HistoryUnanswered, UsageError
from recado.events import ChatRemembered, ContactChanged, HistoryMissed, HistoryReceived, MessageReceived, Source
from recado.protocol.messages.phone_requests import PartAsked, PastAsked

SMALL = Limits(first_prekeys=12, more_prekeys=8, history_chunk=50)


@pytest.fixture
def sliced(desk):
    return lambda **options: desk.connected(**{"limits": SMALL, **options})


async def past(recorded, client):
    return [fact for fact in await recorded(client, MessageReceived) if fact.source is Source.HISTORY]


async def parts(told, client, count):
    return await told(client, HistoryReceived, count)


def safe(traffic, client):
    """The parts the phone was told are safe here."""
    return [node.attrs["id"] for node in traffic.sent(client) if node.attrs.get("type") == "hist_sync"]


async def test_parts_on_the_servers_are_fetched_and_recorded(sliced, ana, bia, told, recorded, world, traffic):
    ana.archive.as_files, ana.archive.part_size, ana.archive.invented = True, 120, Invented(4, 100)
    await bia.say(ana, "long ago")
    async with sliced() as client:
        received = await parts(told, client, 3)
        assert [(fact.kind, fact.messages, fact.progress) for fact in received] == [
            ("initial_bootstrap", 1, 0),
            ("recent", 200, 50),
            ("recent", 200, 100),
        ]
        messages = await past(recorded, client)
        assert len({(fact.chat, fact.id) for fact in messages}) == len(messages) == 401
        assert all(fact.chat_alt is not None for fact in messages)
        chats = await recorded(client, ChatRemembered)
        assert {fact.name for fact in chats} == {"Bia", *(f"Person {number}" for number in range(4))}
        await world.until(lambda: len(safe(traffic, client)) == len(received), "the phone was not told")
        await world.expect_nothing_pending(client.account)
