"""Frames no server should send: each ends that one connection for a reason, and nothing before or behind it is lost."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from recado.client.client import Client
from recado.client.transport import MemoryTransport, memory_pair
from recado.clock import ManualClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.server import Certificate
from recado.emulator.whatsapp.world import World
from recado.errors import CloseReason, ConnectionLost, DecodeError
from recado.events import ConnectionState
from recado.pairing import ShowQR
from recado.store import MemoryStore

LIST_OF_TWO = b"\xf8\x02"
STREAM_END = b"\xf8\x01\x02"
BOMB = zlib.compress(bytes(64 * 1024 * 1024), 9)

BODIES = {
    "an empty body": b"",
    "no node at all": b"\x00\xff\xfe\xfd",
    "a node cut short": b"\x00\xf8\x04\x05",
    "a word of a dictionary there is none of": b"\x00\xf8\x02\xf0\x01\x05",
    "nodes nested without end": b"\x00" + (LIST_OF_TWO + b"\x05\xf8\x01") * 2000 + b"\xf8\x01\x05",
    "a deflated body that inflates to 64 MiB": b"\x02" + BOMB,
    "a deflated body cut short": b"\x02" + zlib.compress(b"\xf8\x01\x05" * 100)[:-6],
    "something else deflated": b"\x02" + b"not deflated",
}

WIRE = {
    "a frame that was never sealed": b"\x00\x00\x20" + bytes(32),
    "a frame too short to authenticate": b"\x00\x00\x03abc",
    "a frame without bytes": b"\x00\x00\x00",
    "a frame cut short": b"\x00\x40\x00" + bytes(100),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_stanza_ends_the_connection_and_loses_nothing(
    body: bytes, story: Any, rogue: Any, ana: Phone, bia: Phone
) -> None:
    async with story.connected() as client:
        await bia.say(ana, "before")
        rogue.sealed(body)
        assert (await story.back(client)).reason is CloseReason.SERVER_ERROR
        await bia.say(ana, "after")
        assert await story.texts(client, 2) == ["before", "after"]
        await story.world.expect_nothing_pending(client.account)


@pytest.mark.parametrize("data", WIRE.values(), ids=WIRE)
async def test_bytes_that_are_no_frame_end_the_connection_and_lose_nothing(
    data: bytes, story: Any, rogue: Any, ana: Phone, bia: Phone
) -> None:
    async with story.connected() as client:
        await bia.say(ana, "before")
        rogue.bytes(data)
        rogue.hang_up()
        assert (await story.back(client)).reason in (CloseReason.SERVER_ERROR, CloseReason.CLOSED)
        await bia.say(ana, "after")
        assert await story.texts(client, 2) == ["before", "after"]
        await story.world.expect_nothing_pending(client.account)


async def test_a_frame_that_never_ends_is_given_up_at_the_deadline(
    story: Any, rogue: Any, ana: Phone, bia: Phone, clock: ManualClock, soon: Callable[[], Any]
) -> None:
    """The frame swallows what comes behind it, answers to our pings included: those bytes are no sign of life."""
    async with story.connected() as client:
        rogue.bytes(b"\xff\xff\xff" + bytes(10))
        await bia.say(ana, "behind it")
        async with soon(), asyncio.TaskGroup() as group:
            lost = group.create_task(client.wait_for(ConnectionState.RECONNECTING))
            while not lost.done():
                await clock.advance(10)
        assert (await story.back(client)).reason is CloseReason.LOST
        assert await story.texts(client, 1) == ["behind it"]


async def talk_to(answer: bytes) -> tuple[Callable[[str], Any], list[MemoryTransport]]:
    """A server that answers the client's first words with these bytes and says no more."""
    ends: list[MemoryTransport] = []

    async def connect(url: str) -> MemoryTransport:
        ours, theirs = memory_pair()
        await theirs.send(answer)
        ends.append(theirs)
        return ours

    return connect, ends


@pytest.mark.parametrize(
    "answer",
    [b"\xff\xff\xff" + bytes(1024 * 1024), b"\x00\x00\x04junk", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9],
    ids=["an oversized frame", "no server hello", "another protocol"],
)
async def test_a_server_that_speaks_something_else_is_left(
    answer: bytes, story: Any, clock: ManualClock, soon: Callable[[], Any]
) -> None:
    connect, ends = await talk_to(answer)
    async with Client(MemoryStore(), server=story.world.server, clock=clock, transport=connect) as client, soon():
        async with asyncio.TaskGroup() as group:
            turning = group.create_task(turn(clock))
            with pytest.raises(ConnectionLost):
                await anext(client.pair())
            turning.cancel()
        assert client.account is None
    assert ends


async def turn(clock: ManualClock) -> None:
    """Let time pass, as fast as it will."""
    while True:
        await clock.advance(30)


@pytest.mark.parametrize("certificate", [Certificate.FORGED, Certificate.EXPIRED, Certificate.OTHER_KEY])
async def test_no_code_is_shown_for_a_server_that_cannot_prove_itself(
    certificate: Certificate, clock: ManualClock, soon: Callable[[], Any]
) -> None:
    async with (
        World.start(clock=clock, seed=3, certificate=certificate) as world,
        Client(MemoryStore(), server=world.server, clock=clock) as client,
        soon(),
    ):
        with pytest.raises(ConnectionLost) as caught:
            await anext(client.pair())
        assert caught.value.reason is CloseReason.UNTRUSTED
        assert client.state is ConnectionState.FAILED
        assert world.newcomers == []


async def test_a_certificate_that_has_run_out_meanwhile_is_noticed_at_the_next_login(
    story: Any, clock: ManualClock, soon: Callable[[], Any]
) -> None:
    async with story.connected():
        pass
    await clock.advance(3651 * 86400)
    async with Client(story.backend, server=story.world.server, clock=clock) as client, soon():
        await client.wait_for(ConnectionState.FAILED)
        assert client.status.reason is CloseReason.UNTRUSTED


async def test_a_client_of_another_dictionary_is_turned_away_and_hurts_nobody(
    story: Any, world: World, ana: Phone, bia: Phone
) -> None:
    async with story.connected() as client:
        async with aiohttp.ClientSession() as http, http.ws_connect(world.server.url) as socket:
            await socket.send_bytes(b"WA\x06\x02" + b"\x00\x00\x04junk")
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert [type(error) for error in world.broken_links] == [DecodeError]
        await bia.say(ana, "still here")
        assert await story.texts(client, 1) == ["still here"]


async def test_a_code_is_shown_for_a_server_that_can(world: World, clock: ManualClock, soon: Callable[[], Any]) -> None:
    async with Client(MemoryStore(), server=world.server, clock=clock) as client, soon():
        assert isinstance(await anext(client.pair()), ShowQR)
