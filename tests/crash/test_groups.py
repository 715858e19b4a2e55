"""
A real process with a store on disk is killed with SIGKILL at each point of a group's traffic, and another goes on from
what it had committed: every message is there once, nobody who is gone reads on, no step of a chain seals twice.
The same points in one process, and more of them: tests/client/test_group_crashes.py.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recado import Client, SQLiteStore
from recado.content import Text
from recado.crashpoints import CrashPoint, GroupPoint
from recado.emulator.whatsapp.world import World
from recado.events import GroupChanged, MessageId, MessageReceived, MessageSent
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.signal.sender_key_format import decode_sender_key_message

ID = MessageId("3EB0CCCCCCCCCCCCCCCCCC")
PATIENCE = 30.0
SENDING = [GroupPoint.SEALED_BEFORE_COMMIT, CrashPoint.OUTBOUND_AFTER_COMMIT, GroupPoint.GIVEN_BEFORE_COMMIT]
RECEIVING = [GroupPoint.KEY_KEPT, CrashPoint.INBOUND_AFTER_COMMIT]
HEARING = [GroupPoint.ROTATED_BEFORE_COMMIT]

CHILD = """
import asyncio, json, os, signal, sys
from recado import Client, SQLiteStore, crashpoints
from recado.content import Text
from recado.jid import JID
from recado.server import Server

order = json.loads(sys.argv[1])

def die(point):
    if point == order["point"]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    server = Server(order["url"], bytes.fromhex(order["root"]), "emulator")
    async with asyncio.timeout(30), Client(SQLiteStore(order["path"]), server=server) as client:
        crashpoints.hang(die)
        if order["says"]:
            await client.send(JID.parse(order["group"]), Text("oi"), id=order["id"])
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Traffic:
    """What clients sent to groups: which step of which chain each ciphertext used."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def __call__(self, direction: str, whose: str, node: Node) -> None:
        for enc in node.all("enc") if direction == "C→S" and node.tag == "message" else ():
            if enc.attrs["type"] == "skmsg":
                message = decode_sender_key_message(enc.blob)
                self.steps.append((message.id, message.iteration))


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
async def home(traffic: Traffic) -> AsyncIterator[World]:
    async with World.start(log=traffic, seed=7) as world:
        yield world


async def settle_in(world: World, path: Path) -> JID:
    """Ana's client is linked and has a group of three."""
    async with Client(SQLiteStore(path), server=world.server) as client:
        await world.phone("Ana").link(client)
        people = [world.phone("Bia").jid, world.phone("Rui").jid]
        group = (await client.groups.create("Family", people)).jid
        await world.expect_nothing_pending(world.phone("Ana").jid)
    return group


async def die_at(point: str, world: World, path: Path, group: JID, *, says: bool = False) -> None:
    """A process that goes on with that store, until it kills itself."""
    server = world.server
    order = {"point": point, "path": str(path), "url": server.url, "root": server.root.hex(), "group": str(group)}
    order |= {"says": says, "id": ID}
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, json.dumps(order))
    async with asyncio.timeout(PATIENCE):
        assert await child.wait() == -signal.SIGKILL


@pytest.mark.parametrize("point", SENDING)
async def test_what_was_said_to_a_group_is_there_once(
    point: str, home: World, traffic: Traffic, tmp_path: Path
) -> None:
    path = tmp_path / "ana.db"
    group = await settle_in(home, path)
    await die_at(point, home, path, group, says=True)
    async with asyncio.timeout(PATIENCE), Client(SQLiteStore(path), server=home.server) as client:
        await client.send(group, Text("oi"), id=ID)
        await client.send(group, Text("and on"))
        for phone in (home.phone("Bia"), home.phone("Rui")):
            await phone.expect(text="and on")
            assert [shown.text for shown in phone.messages if shown.text] == ["oi", "and on"]
            assert phone.inbox.unreadable == []
        sent = [fact.content async for _, fact in client.store.facts(after=0) if isinstance(fact, MessageSent)]
        assert sent == [Text("oi"), Text("and on")]
    # What left before it died goes again under another step, or as the very same stanza.
    assert len(set(traffic.steps)) == len(traffic.steps)


@pytest.mark.parametrize("point", RECEIVING)
async def test_what_was_said_in_a_group_is_recorded_once(point: str, home: World, tmp_path: Path) -> None:
    path = tmp_path / "ana.db"
    group, bia = await settle_in(home, path), home.phone("Bia")
    await bia.groups.say(group, "oi")
    await die_at(point, home, path, group)
    async with asyncio.timeout(PATIENCE), Client(SQLiteStore(path), server=home.server) as client:
        await bia.groups.say(group, "and on")
        heard = client.listen(MessageReceived, after=0)
        assert [(await anext(heard)).content for _ in range(2)] == [Text("oi"), Text("and on")]
        await home.expect_nothing_pending(client.account)
        facts = [fact async for _, fact in client.store.facts(after=0) if isinstance(fact, MessageReceived)]
        assert len(facts) == 2


@pytest.mark.parametrize("point", HEARING)
async def test_who_was_put_out_reads_nothing_that_is_said_after(
    point: str, home: World, traffic: Traffic, tmp_path: Path
) -> None:
    path = tmp_path / "ana.db"
    group, rui = await settle_in(home, path), home.phone("Rui")
    async with Client(SQLiteStore(path), server=home.server) as client:
        await client.send(group, Text("before"))
        await rui.expect(text="before")
    await home.phone("Ana").groups.remove(group, rui)
    await die_at(point, home, path, group)
    async with asyncio.timeout(PATIENCE), Client(SQLiteStore(path), server=home.server) as client:
        changes = client.listen(GroupChanged, after=0)
        while (await anext(changes)).what != "removed":
            pass
        await client.send(group, Text("after"))
        await home.phone("Bia").expect(text="after")
    assert [shown.text for shown in rui.messages if shown.text] == ["before"]
    assert len({id for id, _ in traffic.steps}) == 2, "the key was made anew"


def test_every_point_of_groups_kills_here() -> None:
    assert {*SENDING, *RECEIVING, *HEARING} >= set(GroupPoint)
