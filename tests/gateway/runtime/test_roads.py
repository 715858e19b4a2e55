"""On a road where a repeat would be a second message: nothing that may have left is sent again by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.gateway.runtime.posting import Post, Told

from recado import crashpoints
from recado.clock import ManualClock, settle
from recado.errors import AckTimeout, NotConnected, RateLimited, Rejected, SendUnconfirmed
from recado.gateway.connections import repository as connections
from recado.gateway.db.pool import Database
from recado.gateway.runtime.leases import Leases
from recado.gateway.runtime.outbox import OutboxPoint
from recado.gateway.security import Principal


@pytest.fixture
async def post(database: Database, ana: Principal, leases: Leases) -> Post:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "zapi", "connected", state="connected")
        await connections.save_account(unit, "zapi", phone="550000000001", lid=None)
    assert ana.mentorado_id is not None
    lease = await leases.claim(ana.mentorado_id, "zapi")
    assert lease is not None
    return Post(database, ana, lease)


class Died(BaseException):
    """As if the process had stopped existing."""


@pytest.mark.parametrize("point", [OutboxPoint.AFTER_CLAIM, OutboxPoint.AFTER_SEND])
async def test_after_dying_between_claim_and_settle_it_is_unknown_and_not_sent_again(
    post: Post, point: OutboxPoint
) -> None:
    accepted, behind = await post.queue("um"), await post.queue("dois", to="550000000003")
    provider = Told()

    def die(reached: str) -> None:
        if reached == point:
            raise Died

    crashpoints.hang(die)
    try:
        with pytest.raises(Died):
            await post.outbox(provider).run()
    finally:
        crashpoints.hang(None)
    left = list(provider.texts)
    async with post.running(provider):
        state, status, failure = await post.until(accepted, "unknown", "server_ack")
        await post.until(behind, "unknown", "server_ack")
    assert (state, status) == ("unknown", "unknown") and failure
    assert len(provider.texts) == len(set(provider.texts)) and set(left) <= set(provider.texts)
    assert [step.step for step in await post.steps(accepted.queued.message_id)][-1] == "unknown"
    assert accepted.queued.message_id in [event.body["id"] for event in await post.told("message.unconfirmed")]


@pytest.mark.parametrize("error", [SendUnconfirmed(), AckTimeout()])
async def test_an_answer_that_was_lost_is_unknown_after_one_try(post: Post, database_url: str, error: Any) -> None:
    accepted = await post.queue("um")
    provider = Told(error)
    async with post.running(provider):
        await post.until(accepted, "unknown", "on_wire")
        await post.hurry(database_url)
        assert (await post.until(accepted, "unknown", "server_ack"))[0] == "unknown"
    assert provider.texts == ["um"]


async def test_a_hand_over_lets_the_request_under_way_come_to_its_end(post: Post) -> None:
    accepted = await post.queue("um")
    provider, clock = Told(Rejected(131026)), ManualClock(datetime.now(UTC))
    provider.gates["um"] = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        outbox = group.create_task(post.outbox(provider, clock=clock).run())
        await provider.until_sent(1)
        outbox.cancel()
        while not clock.sleepers and not outbox.done():  # the request has heard of it, and has its time
            await settle()
        provider.gates["um"].set()
    assert (await post.until(accepted, "failed", "on_wire", "unknown"))[0] == "failed"


async def test_a_hand_over_does_not_wait_for_an_answer_for_ever(post: Post) -> None:
    accepted = await post.queue("um")
    provider, clock = Told(), ManualClock(datetime.now(UTC))
    provider.gates["um"] = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        outbox = group.create_task(post.outbox(provider, clock=clock).run())
        await provider.until_sent(1)
        outbox.cancel()
        await settle()
        assert not outbox.done()
        while not outbox.done():
            await clock.advance(1.0)
    assert (await post.until(accepted, "failed", "on_wire", "unknown"))[0] == "on_wire"


async def test_what_surely_did_not_leave_is_tried_again(post: Post) -> None:
    accepted = await post.queue("um")
    provider = Told(NotConnected())
    async with post.running(provider):
        assert (await post.until(accepted, "server_ack", "unknown"))[0] == "server_ack"
    assert provider.texts == ["um"] * 2


async def test_asked_to_slow_down_it_waits_until_the_time_it_was_told(post: Post, database_url: str) -> None:
    accepted = await post.queue("um")
    later = datetime.now(UTC) + timedelta(hours=1)
    provider = Told(RateLimited(later))
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner,
        post.running(provider),
    ):
        found: Any = None
        while found != (later, False, 0):
            rows = await owner.execute("SELECT due_at, may_have_left, attempts FROM outbox")
            found = await rows.fetchone()
        await post.hurry(database_url)
        assert (await post.until(accepted, "server_ack", "unknown"))[0] == "server_ack"
    assert provider.texts == ["um"] * 2


async def test_what_was_refused_has_failed(post: Post) -> None:
    accepted = await post.queue("um")
    async with post.running(Told(Rejected(131026))):
        assert (await post.until(accepted, "failed", "on_wire", "unknown"))[0] in ("failed", "on_wire")
