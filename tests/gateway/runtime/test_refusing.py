"""What the guardrails refuse at the wire: what is known of the message then, and who is told."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests.gateway.runtime.posting import BIA, Post, Told

from recado.gateway.connections import repository as connections
from recado.gateway.conversations.service import Accepted
from recado.gateway.db.pool import Database
from recado.gateway.pacing import service as pacing
from recado.gateway.security import Principal


@pytest.fixture
async def post(database: Database, ana: Principal, new_lease: Any) -> Post:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
    return Post(database, ana, await new_lease(ana))


async def run(database_url: str, sql: bytes) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        await owner.execute(sql)


async def opt_out(database_url: str) -> None:
    await run(
        database_url,
        b"INSERT INTO consents (mentorado_id, contact_id, purpose, kind, at, source, actor)"
        b" SELECT mentorado_id, id, '*', 'out', now(), 'api', 'test' FROM whatsapp_contacts",
    )


async def refused(post: Post, accepted: Accepted) -> tuple[str, str | None, str | None]:
    provider = Told()
    async with post.running(provider):
        settled = await post.until(accepted, "failed", "unknown")
    assert provider.texts == []
    return settled


async def test_what_never_left_failed_and_is_told_as_refused(post: Post, database_url: str) -> None:
    queued = await post.queue(to=BIA)
    await opt_out(database_url)
    state, status, failure = await refused(post, queued)
    assert (state, status) == ("failed", "failed")
    (event,) = await post.told("message.refused", "message.unconfirmed")
    assert (event.kind, event.body["rule"], event.body["why"]) == ("message.refused", "opted-out", failure)


async def test_what_was_on_the_wire_once_is_unknown_and_not_told_as_failed(post: Post, database_url: str) -> None:
    queued = await post.queue(to=BIA)
    # Its worker died after the claim: it may be on the other phone.
    await run(database_url, b"UPDATE outbox SET state = 'on_wire', attempts = 1, may_have_left = true")
    await run(database_url, b"UPDATE whatsapp_messages SET status = 'on_wire'")
    await opt_out(database_url)
    state, status, failure = await refused(post, queued)
    assert (state, status) == ("unknown", "unknown")
    (event,) = await post.told("message.refused", "message.unconfirmed")
    assert (event.kind, event.body["why"]) == ("message.unconfirmed", failure)
    assert (await post.steps(queued.queued.message_id))[-1].rule == "opted-out"


async def test_whose_message_was_refused_at_the_wire_is_on_the_list_for_a_person_to_look_at(
    post: Post, database_url: str
) -> None:
    first, second = await post.queue(to=BIA), await post.queue("outra", to=BIA)
    await opt_out(database_url)
    provider = Told()
    async with post.running(provider):
        await post.until(first, "failed")
        await post.until(second, "failed")
    async with post.database.unit(post.principal) as unit:
        (matter,) = await pacing.list_attention(unit, resolved=False, before=None, limit=9)
    assert (matter.kind, matter.rule) == ("refused", "opted-out")
    assert matter.message_id == second.queued.message_id
    assert matter.conversation_id == second.queued.conversation_id
    assert matter.times == 2
