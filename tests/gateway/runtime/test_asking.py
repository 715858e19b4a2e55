"""Requests of one account, few at a time: who waits for a slow answer, who does not, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from tests.gateway.runtime.posting import Post, Told

from recado.clock import SystemClock
from recado.gateway.connections import repository as connections
from recado.gateway.db.notify import OUTBOX, REQUESTS
from recado.gateway.db.pool import Database
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.providers.provider import Provider
from recado.gateway.requests import repository
from recado.gateway.requests.repository import Asked
from recado.gateway.runtime.asking import AT_ONCE
from recado.gateway.runtime.verbs.table import VERBS
from recado.gateway.runtime.verbs.verb import Answer, Body, Verb
from recado.gateway.security import MANAGE, Principal
from recado.jid import JID


class Slow:
    """A verb that answers when its gate is opened, and tells in which order it was asked."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.changed = asyncio.Condition()

    async def run(self, provider: Provider, chat: JID | None, body: Body) -> Answer:
        async with self.changed:
            self.begun.append(body["name"])
            self.changed.notify_all()
        await self.gates.setdefault(body["name"], asyncio.Event()).wait()
        return {}

    def open(self, *names: str) -> None:
        for name in names:
            self.gates.setdefault(name, asyncio.Event()).set()

    async def until_begun(self, count: int) -> list[str]:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.begun) >= count)
        return list(self.begun)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, size=8, guardrails=operator_rules("relaxed")) as opened:
        yield opened


@pytest.fixture
async def post(database: Database, ana: Principal, new_lease: Any) -> Post:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
        await connections.save_account(unit, "baileys", phone="550000000001", lid=None)
    return Post(database, ana, await new_lease(ana))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setitem(VERBS, "test.slow", Verb(made.run))
    monkeypatch.setitem(VERBS, "test.once", Verb(made.run, once=True))
    return made


async def ask(post: Post, name: str, group: int, verb: str = "test.slow") -> UUID:
    async with post.database.unit(post.principal) as unit:
        added = await repository.add_request(
            unit,
            provider=post.lease.provider,
            verb=verb,
            chat=f"12036300000000000{group}@g.us" if group else "",
            body={"name": name},
            scope=MANAGE,
            idempotency_key=None,
            request_hash=b"",
            now=SystemClock().now(),
        )
        unit.tell(OUTBOX)
    assert added is not None
    return added.id


async def until_over(post: Post, id: UUID) -> Asked:
    with post.database.hints.watching(REQUESTS) as watch:
        while True:
            async with post.database.unit(post.principal) as unit:
                asked = await repository.get_request(unit, id)
            if asked.is_over:
                return asked
            await watch.wait(0.2)


async def test_a_slow_answer_holds_up_nobody_else(post: Post, slow: Slow) -> None:
    await ask(post, "slow", 1)
    async with post.running(Told()):
        await slow.until_begun(1)
        other = await ask(post, "other", 2)
        slow.open("other")
        assert (await until_over(post, other)).state == "done"
        assert slow.begun == ["slow", "other"]


@pytest.mark.parametrize("group", [1, 0])
async def test_what_is_asked_of_one_group_or_of_the_account_keeps_its_order(post: Post, slow: Slow, group: int) -> None:
    first, second = await ask(post, "first", group), await ask(post, "second", group)
    witness = await ask(post, "witness", 2)
    async with post.running(Told()):
        slow.open("witness", "second")
        assert (await until_over(post, witness)).state == "done"
        assert slow.begun == ["first", "witness"]
        slow.open("first")
        assert [(await until_over(post, each)).state for each in (first, second)] == ["done", "done"]
        assert slow.begun == ["first", "witness", "second"]


async def test_no_more_than_a_few_are_under_way(post: Post, slow: Slow) -> None:
    ids = [await ask(post, f"{group}", group) for group in range(1, AT_ONCE + 2)]
    names: list[str] = [f"{group}" for group in range(1, AT_ONCE + 2)]
    async with post.running(Told()):
        assert sorted(await slow.until_begun(AT_ONCE)) == names[:AT_ONCE]
        sent = await post.queue()
        await post.until(sent, "server_ack")  # it looked again meanwhile, and began none
        assert len(slow.begun) == AT_ONCE
        slow.open(*names)
        assert {(await until_over(post, each)).state for each in ids} == {"done"}


async def test_what_was_under_way_when_its_owner_died_is_unknown_and_the_rest_is_asked_again(
    post: Post, slow: Slow
) -> None:
    once, again = await ask(post, "once", 1, "test.once"), await ask(post, "again", 2)
    with suppress(asyncio.CancelledError):
        async with post.running(Told()):
            await slow.until_begun(2)
    slow.open("once", "again")
    async with post.running(Told()):
        assert (await until_over(post, once)).state == "unknown"
        assert (await until_over(post, again)).state == "done"
    counted: dict[str, Any] = {name: slow.begun.count(name) for name in ("once", "again")}
    assert counted == {"once": 1, "again": 2}
