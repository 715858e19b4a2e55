"""The outbox against a provider that answers as it is told: order, one id, refusals, unknown fates, deaths between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.gateway.runtime.posting import BIA, Post, Told

from recado import crashpoints
from recado.errors import (
    AckTimeout,
    CloseReason,
    ConnectionLost,
    LeaseLost,
    NoRecipients,
    NotConnected,
    RecadoError,
    Rejected,
)
from recado.events import MessageId, Quote
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import repository, service
from recado.gateway.db.pool import Database
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.refusals import BadAddress, BadContent, Forbidden, KeyReused, NotConnectable, NotFound
from recado.gateway.runtime.leases import Leases
from recado.gateway.runtime.outbox import OutboxPoint
from recado.gateway.security import READ, Principal
from recado.gateway.stream.repository import list_events
from recado.jid import JID


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Without pace or quiet hours: what the guardrails do to the outbox is in test_holding.py."""
    async with Database(database_url, size=8, guardrails=operator_rules("relaxed")) as opened:
        yield opened


@pytest.fixture
async def post(database: Database, ana: Principal, new_lease: Any) -> Post:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
        await connections.save_account(unit, "baileys", phone="550000000001", lid=None)
    return Post(database, ana, await new_lease(ana))


async def test_what_is_queued_goes_in_order_with_the_ids_it_was_given(post: Post) -> None:
    accepted = [await post.queue(text) for text in ("um", "dois", "três")]
    provider = Told()
    async with post.running(provider):
        assert await post.until(accepted[2], "server_ack") == ("server_ack", "server_ack", None)
    assert [(text, id) for _, text, id, _ in provider.sent] == [
        (text, one.queued.message_id) for text, one in zip(("um", "dois", "três"), accepted, strict=True)
    ]
    assert provider.sent[0][0] == f"{BIA}@s.whatsapp.net"


async def test_nothing_is_claimed_before_the_provider_is_ready(post: Post) -> None:
    accepted = await post.queue()
    provider = Told()
    provider.ready.clear()
    async with post.running(provider):
        assert await post.until(accepted, "queued") == ("queued", "queued", None)
        provider.ready.set()
        await post.until(accepted, "server_ack")


async def test_a_refusal_fails_the_message_and_the_next_one_goes(post: Post) -> None:
    first, second = await post.queue("um"), await post.queue("dois")
    provider = Told(NoRecipients())
    async with post.running(provider):
        state, status, failure = await post.until(first, "failed")
        assert (state, status) == ("failed", "failed")
        assert failure is not None
        assert "recipient" in failure
        await post.until(second, "server_ack")
    assert len(provider.sent) == 2
    async with post.database.unit(post.principal) as unit:
        (event,) = await list_events(unit, after=0)
    assert (event.kind, event.body["code"], event.body["id"]) == ("message.rejected", 0, first.queued.message_id)


async def test_a_refusal_by_the_server_names_its_code(post: Post) -> None:
    accepted = await post.queue()
    async with post.running(Told(Rejected(479))):
        _, _, failure = await post.until(accepted, "failed")
    assert failure is not None
    assert "479" in failure


@pytest.mark.parametrize("loss", [ConnectionLost(CloseReason.LOST), NotConnected()])
async def test_a_lost_connection_sends_the_same_message_again(post: Post, database_url: str, loss: RecadoError) -> None:
    accepted = await post.queue()
    provider = Told(loss, loss)
    async with post.running(provider):
        while provider.answers:
            await post.hurry(database_url)
            await post.until(accepted, "on_wire", "server_ack")
        await post.hurry(database_url)
        await post.until(accepted, "server_ack")
    assert {id for _, _, id, _ in provider.sent} == {accepted.queued.message_id}
    assert len(provider.sent) == 3


async def test_what_is_never_answered_ends_as_unknown_not_as_failed(post: Post, database_url: str) -> None:
    accepted = await post.queue()
    provider = Told(*(AckTimeout() for _ in range(50)))
    async with post.running(provider):
        while True:
            await post.hurry(database_url)
            if (await post.until(accepted, "on_wire", "unknown"))[0] == "unknown":
                break
    assert len(provider.sent) == 6
    assert {id for _, _, id, _ in provider.sent} == {accepted.queued.message_id}


class Died(BaseException):
    """As if the process had stopped existing."""


CHANNEL = "120363000000000001@newsletter"


async def test_a_post_in_a_channel_that_may_have_left_is_not_posted_again(post: Post, database_url: str) -> None:
    lost, next_one = await post.queue("news", to=CHANNEL), await post.queue("more news", to=CHANNEL)
    provider = Told(ConnectionLost(CloseReason.LOST))
    async with post.running(provider):
        await provider.until_sent(1)
        await post.hurry(database_url)
        assert (await post.until(lost, "unknown"))[1] == "unknown"
        await post.until(next_one, "server_ack")
    assert provider.texts == ["news", "more news"]


async def test_a_post_in_a_channel_on_the_wire_of_who_died_is_not_posted_again(post: Post) -> None:
    accepted = await post.queue("news", to=CHANNEL)
    provider = Told()

    def die(reached: str) -> None:
        if reached == OutboxPoint.AFTER_SEND:
            raise Died

    crashpoints.hang(die)
    try:
        with pytest.raises(Died):
            await post.outbox(provider).run()
    finally:
        crashpoints.hang(None)
    async with post.running(provider):
        assert (await post.until(accepted, "unknown", "server_ack"))[0] == "unknown"
    assert provider.texts == ["news"]


@pytest.mark.parametrize("point", list(OutboxPoint))
async def test_after_dying_anywhere_the_same_message_goes_or_has_gone(post: Post, point: OutboxPoint) -> None:
    accepted = await post.queue()
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
    async with post.running(provider):
        await post.until(accepted, "server_ack")
    assert {id for _, _, id, _ in provider.sent} == {accepted.queued.message_id}
    assert len(provider.sent) == (2 if point is OutboxPoint.AFTER_SEND else 1)


async def test_who_lost_the_account_sends_nothing(post: Post, leases: Leases) -> None:
    accepted = await post.queue()
    assert post.principal.mentorado_id is not None
    await leases.claim(post.principal.mentorado_id, "baileys")
    provider = Told()
    with pytest.raises(LeaseLost):
        await post.outbox(provider).run()
    assert provider.sent == []
    assert await post.until(accepted, "queued") == ("queued", "queued", None)


async def test_a_quote_goes_along(post: Post) -> None:
    first = await post.queue("pergunta")
    answer = await post.queue("resposta", quoting=first.queued.message_id)
    provider = Told()
    async with post.running(provider):
        await post.until(answer, "server_ack")
    assert provider.sent[1][3] == Quote(MessageId(first.queued.message_id), None, "pergunta")


async def test_the_same_key_is_the_same_message_and_another_request_is_refused(post: Post) -> None:
    first = await post.queue("um", idempotency_key="k")
    again = await post.queue("um", idempotency_key="k")
    assert again.is_repeat
    assert again.queued.message_id == first.queued.message_id
    with pytest.raises(KeyReused):
        await post.queue("dois", idempotency_key="k")
    async with post.database.unit(post.principal) as unit:
        assert len(await repository.list_messages(unit, first.queued.conversation_id)) == 1


async def test_the_same_key_at_the_same_moment_is_one_message(post: Post) -> None:
    await post.queue("antes")
    answers = await asyncio.gather(*(post.queue("um", idempotency_key="k") for _ in range(5)))
    assert len({answer.queued.message_id for answer in answers}) == 1
    assert sum(not answer.is_repeat for answer in answers) == 1


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"text": "  "}, BadContent),
        ({"text": "a\x00b"}, BadContent),
        ({"text": "x" * 65_537}, BadContent),
        ({"to": "not a number"}, BadAddress),
        ({"to": "123"}, BadAddress),
        ({"to": "550000000002@example.org"}, BadAddress),
        ({"to": "somebody@broadcast"}, BadAddress),
        ({"quoting": "nothing"}, NotFound),
        ({"idempotency_key": ""}, BadContent),
    ],
)
async def test_what_cannot_be_sent_is_refused_and_leaves_nothing(
    post: Post, options: dict[str, Any], refusal: type[RecadoError]
) -> None:
    with pytest.raises(refusal):
        await post.queue(**{"text": "oi", **options})
    async with post.database.unit(post.principal) as unit:
        assert await repository.list_conversations(unit) == []


@pytest.mark.parametrize(
    "to", ["+55 (00) 0000-0000", "550000000000", "550000000000@c.us", "550000000000@s.whatsapp.net"]
)
def test_an_address_may_be_written_in_many_ways(to: str) -> None:
    assert service.parse_address(to) == JID.phone("550000000000")


async def test_without_a_connection_nothing_is_queued(database: Database, bia: Principal) -> None:
    with pytest.raises(NotConnectable):
        async with database.unit(bia) as unit:
            await service.queue_message(unit, text="oi", to=BIA, now=datetime.now(UTC))


async def test_a_key_that_may_only_read_queues_nothing(post: Post) -> None:
    post.principal = Principal("key:x", post.principal.mentorado_id, frozenset((READ,)))
    with pytest.raises(Forbidden):
        await post.queue()


async def test_what_has_not_left_can_be_called_back_and_what_has_cannot(post: Post) -> None:
    first, second = await post.queue("um"), await post.queue("dois")
    async with post.database.unit(post.principal) as unit:
        assert await repository.cancel_queued(unit, first.queued.message_id, now=datetime.now(UTC)) is not None
    provider = Told()
    async with post.running(provider):
        await post.until(second, "server_ack")
    assert [text for _, text, _, _ in provider.sent] == ["dois"]
    async with post.database.unit(post.principal) as unit:
        assert await repository.cancel_queued(unit, second.queued.message_id, now=datetime.now(UTC)) is None
