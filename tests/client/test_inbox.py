"""The inbound spine: one transaction for a batch, a savepoint for each stanza, acknowledgements after the commit."""

from __future__ import annotations

import asyncio
import os

import pytest

from recado.client.account import Account
from recado.client.inbox import Inbox
from recado.client.options import DeviceProfile, Limits
from recado.client.signals import Signals
from recado.clock import ManualClock, settle
from recado.errors import LeaseLost, StoreRefused
from recado.events import ReceiptReceived, UnknownReceived
from recado.jid import JID
from recado.protocol.node import Node
from recado.server import WHATSAPP
from recado.store import MemoryStore, Store
from recado.store.records import Credentials

ME = JID("550000000001", "s.whatsapp.net", 1)
BIA = "550000000002@s.whatsapp.net"


class Backend(MemoryStore):
    """Counts commits, remembers what had been acknowledged at each, and refuses what it is told to."""

    def __init__(self):
        super().__init__()
        self.commits = []
        self.refused = None
        self.error = None
        self.wire = None

    async def commit(self, changes):
        if self.error is not None:
            raise self.error
        if self.refused is not None and any(self.refused(fact) for fact in changes.facts):
            raise StoreRefused
        self.commits.append((len(changes.facts), list(self.wire.sent) if self.wire else []))
        await super().commit(changes)


class Wire:
    """What would be the connection."""

    def __init__(self):
        self.sent = []

    def send(self, *nodes):
        self.sent += [node.attrs["id"] for node in nodes]


@pytest.fixture
async def desk():
    backend, wire = Backend(), Wire()
    store = Store(backend)
    await store.open()
    account = Account(
        store=store,
        clock=ManualClock(),
        entropy=os.urandom,
        server=WHATSAPP,
        profile=DeviceProfile(),
        limits=Limits(batch=10, inbox=20),
        signals=Signals(8),
    )
    from dataclasses import replace

    async with store.transaction() as tx:
        await tx.save_credentials(replace(Credentials.new(os.urandom), account=ME))
    await account.reload()
    backend.commits.clear()
    backend.wire = wire
    inbox = Inbox(account)
    yield inbox, backend, wire, store
    await store.close()


def receipt(id, **attrs):
    return Node("receipt", {"from": BIA, "id": id, "t": "1767225600", "type": "read", **attrs})


async def run(inbox, wire, nodes):
    for node in nodes:
        await inbox.put(node)
    async with asyncio.TaskGroup() as group:
        group.create_task(inbox.run(wire))
        await settle(200)
        inbox.stop()


async def facts(store, kind):
    return [fact async for _, fact in store.facts(after=0) if isinstance(fact, kind)]


async def test_a_backlog_shares_commits_and_keeps_its_order(desk):
    inbox, backend, wire, store = desk
    await run(inbox, wire, [receipt(f"r{number}") for number in range(20)])
    assert [count for count, _ in backend.commits] == [10, 10]
    assert wire.sent == [f"r{number}" for number in range(20)]
    assert [fact.ids[0] for fact in await facts(store, ReceiptReceived)] == wire.sent


async def test_nothing_is_acknowledged_before_its_commit(desk):
    inbox, backend, wire, _ = desk
    await run(inbox, wire, [receipt(f"r{number}") for number in range(15)])
    assert [sent for _, sent in backend.commits] == [[], [f"r{number}" for number in range(10)]]


async def test_a_lone_stanza_commits_at_once(desk):
    inbox, backend, wire, _ = desk
    async with asyncio.TaskGroup() as group:
        group.create_task(inbox.run(wire))
        for number in range(3):
            await inbox.put(receipt(f"r{number}"))
            await settle(50)
        inbox.stop()
    assert [count for count, _ in backend.commits] == [1, 1, 1]


async def test_a_malformed_stanza_is_kept_raw_and_takes_no_neighbour_down(desk):
    inbox, backend, wire, store = desk
    broken = Node("receipt", {"id": "r1", "type": "read"})
    await run(inbox, wire, [receipt("r0"), broken, receipt("r2")])
    assert wire.sent == ["r0", "r1", "r2"]
    (unknown,) = await facts(store, UnknownReceived)
    assert (unknown.tag, unknown.problem) == ("receipt", "StanzaError")
    assert [fact.ids[0] for fact in await facts(store, ReceiptReceived)] == ["r0", "r2"]
    assert len(backend.commits) == 1


async def test_what_a_malformed_stanza_had_written_before_it_failed_is_taken_back(desk):
    inbox, _, wire, store = desk
    chat = JID("120363000000000001", "newsletter")
    attrs = {"from": str(chat), "id": "m1", "type": "text", "t": "1767225600"}
    broken = Node("message", attrs, [Node("plaintext", None, b"\xff\xff")])
    await run(inbox, wire, [receipt("r0"), broken, receipt("r2")])
    assert wire.sent == ["r0", "m1", "r2"]
    assert [unknown.tag for unknown in await facts(store, UnknownReceived)] == ["message"]
    async with store.transaction() as tx:
        assert await tx.seen(chat, chat, "m1") is None  # it may come again whole


async def test_what_the_database_refuses_is_kept_raw_and_the_rest_replayed(desk):
    inbox, backend, wire, store = desk
    backend.refused = lambda fact: isinstance(fact, ReceiptReceived) and fact.ids == ("r3",)
    await run(inbox, wire, [receipt(f"r{number}") for number in range(6)])
    assert wire.sent == [f"r{number}" for number in range(6)]
    assert [fact.ids[0] for fact in await facts(store, ReceiptReceived)] == ["r0", "r1", "r2", "r4", "r5"]
    (unknown,) = await facts(store, UnknownReceived)
    assert unknown.problem == "StoreRefused"


async def test_losing_the_lease_acknowledges_nothing(desk):
    inbox, backend, wire, _ = desk
    backend.error = LeaseLost()
    await inbox.put(receipt("r0"))
    with pytest.raises(LeaseLost):
        await inbox.run(wire)
    assert wire.sent == []


async def test_a_full_inbox_makes_the_reader_wait(desk):
    inbox, _, wire, _ = desk
    for number in range(20):
        await inbox.put(receipt(f"r{number}"))
    assert inbox.is_full
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(inbox.put(receipt("r20")))
        await settle()
        assert not waiting.done()
        group.create_task(inbox.run(wire))
        await settle(200)
        assert waiting.done()
        inbox.stop()
    assert wire.sent[-1] == "r20"


async def test_stopping_finishes_the_batch_that_is_under_way(desk):
    inbox, backend, wire, _ = desk
    entered, released = asyncio.Event(), asyncio.Event()
    commit = backend.commit

    async def slow(changes):
        entered.set()
        await released.wait()
        await commit(changes)

    backend.commit = slow
    await inbox.put(receipt("r0"))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(inbox.run(wire))
        await entered.wait()
        await inbox.put(receipt("r1"))
        inbox.stop()
        released.set()
        await running
    assert wire.sent == ["r0"]
