"""The outbox past its plain road: several at once, later ones, held and refused ones, and what is known of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.gateway.runtime.posting import BIA, CAIO, DORA, Post, Told

from recado.clock import ManualClock, settle
from recado.content import Text
from recado.errors import (
    AckTimeout,
    CloseReason,
    ConnectionLost,
    LoggedOut,
    NoRecipients,
    NotConnected,
    QueryError,
    QueryTimeout,
    RecadoError,
    before_sending,
)
from recado.events import MessageId, MessageSent, ReceiptKind, ReceiptReceived
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import service
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.pacing.rules import Rules, operator_rules
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import BadContent, GuardrailRefused, NotConnectable
from recado.gateway.runtime.fates import FAILED, UNKNOWN, Again, Settled, fate_of
from recado.gateway.runtime.outbox import WINDOW
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

RELAXED = operator_rules("relaxed")
ME = JID.phone("550000000001")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, size=8, guardrails=RELAXED) as opened:
        yield opened


@pytest.fixture
async def post(database: Database, ana: Principal, new_lease: Any) -> Post:
    async with database.unit(ana) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
        await connections.save_account(unit, "baileys", phone=ME.user, lid=None)
    return Post(database, ana, await new_lease(ana))


@asynccontextmanager
async def ruled(database_url: str, rules: Rules) -> AsyncIterator[Database]:
    """The same database under other guardrails."""
    async with Database(database_url, size=3, guardrails=rules) as opened:
        yield opened


def always_night() -> Rules:
    """Quiet hours that began an hour ago."""
    now = datetime.now(UTC)
    start, end = (now - timedelta(hours=1)).strftime("%H:%M"), (now + timedelta(hours=3)).strftime("%H:%M")
    return RELAXED.with_changes({"quiet_hours": {"start": start, "end": end, "time_zone": "UTC"}})


def steps(found: list[Any]) -> list[str]:
    return [step.step for step in found]


# ---- side by side


async def test_one_slow_conversation_holds_nobody_else_back_and_keeps_its_own_order(post: Post) -> None:
    provider = Told()
    provider.gates["um"] = asyncio.Event()
    for text, to in (("um", BIA), ("dois", BIA), ("outro", CAIO), ("mais um", DORA)):
        last = await post.queue(text, to=to)
    async with post.running(provider):
        await post.until(last, "server_ack")
        assert sorted(provider.texts) == ["mais um", "outro", "um"]
        provider.gates["um"].set()
        await provider.until_sent(4)
    assert provider.texts[-1] == "dois"


async def test_no_more_are_under_way_than_the_window_holds(post: Post) -> None:
    provider = Told()
    for number in range(WINDOW + 3):
        provider.gates[str(number)] = asyncio.Event()
        last = await post.queue(str(number), to=f"5500000001{number:02}")
    async with post.running(provider):
        await provider.until_sent(WINDOW)
        await post.until(last, "queued")
        assert len(provider.sent) == WINDOW
        for gate in provider.gates.values():
            gate.set()
        await post.until(last, "server_ack")
    assert len(set(provider.texts)) == WINDOW + 3


async def test_a_message_put_off_lets_the_next_conversation_go_and_not_the_next_message(post: Post) -> None:
    first, second = await post.queue("um"), await post.queue("dois")
    other = await post.queue("outro", to=CAIO)
    async with post.running(Told(AckTimeout())):
        await post.until(other, "server_ack")
        assert (await post.until(second, "queued", "server_ack"))[0] == "queued"
        assert steps(await post.steps(first.queued.message_id)) == ["queued", "claimed", "put_off"]


# ---- later


async def test_a_message_for_later_goes_at_its_time_and_holds_nothing_back(post: Post, database_url: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    later = await post.queue("depois", send_at=clock.now() + timedelta(hours=2))
    now = await post.queue("agora")
    provider = Told()
    async with Database(database_url, size=3, guardrails=RELAXED, clock=clock) as timed, asyncio.TaskGroup() as group:
        task = group.create_task(post.outbox(provider, timed, clock=clock).run())
        await clock.advance(60)
        await post.until(now, "server_ack")
        assert provider.texts == ["agora"]
        while "depois" not in provider.texts:
            await clock.advance(600)
            await post.until(later, "queued", "on_wire", "server_ack")
        assert clock.now() >= later.queued.send_at  # type: ignore[operator]
        task.cancel()


@pytest.mark.parametrize("away", [timedelta(0), timedelta(seconds=-1), timedelta(days=367)])
async def test_a_time_that_has_passed_or_is_too_far_away_is_refused(post: Post, away: timedelta) -> None:
    with pytest.raises(BadContent):
        await post.queue(send_at=datetime.now(UTC) + away)


async def test_a_message_for_later_is_not_the_last_of_its_conversation_and_can_be_called_back(post: Post) -> None:
    later = await post.queue("depois", send_at=datetime.now(UTC) + timedelta(days=3))
    async with post.database.unit(post.principal) as unit:
        (thread,) = await service.repository.list_conversations(unit)
        assert thread.last_text is None
        await service.cancel_message(unit, later.queued.message_id, now=datetime.now(UTC))
        assert await service.repository.list_waiting(unit, only=None, now=datetime.now(UTC)) == []
        with pytest.raises(NotConnectable):
            await service.cancel_message(unit, later.queued.message_id, now=datetime.now(UTC))
    (event,) = await post.told("message.cancelled")
    assert event.body["id"] == later.queued.message_id
    assert steps(await post.steps(later.queued.message_id)) == ["queued", "cancelled"]


async def test_the_same_request_later_is_the_same_answer_though_its_time_has_come(post: Post) -> None:
    at = datetime.now(UTC) + timedelta(seconds=30)
    first = await post.queue("um", send_at=at, idempotency_key="k")
    async with post.database.unit(post.principal) as unit:
        again = await service.queue_message(
            unit, text="um", to=BIA, now=at + timedelta(hours=1), send_at=at, idempotency_key="k"
        )
    assert (again.is_repeat, again.queued.message_id) == (True, first.queued.message_id)
    for changed in ({"send_at": at + timedelta(1)}, {"send_at": None}, {"send_at": at, "origin": Origin.PERSON}):
        with pytest.raises(service.KeyReused):
            await post.queue("um", idempotency_key="k", **changed)


# ---- held and refused, however it came into the outbox


async def put_in_by_hand(post: Post, database_url: str, message_id: str, text: str = "oi", to: str = BIA) -> None:
    """A row nobody judged: as if the API had been gone around."""
    async with post.database.unit(post.principal) as unit:
        conversation_id = await service.open_conversation(unit, JID.phone(to))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        await owner.execute(
            "INSERT INTO outbox (mentorado_id, conversation_id, provider, chat, message_id, content)"
            " VALUES (%s, %s, 'baileys', %s, %s, %s)",
            [post.principal.mentorado_id, conversation_id, f"{to}@s.whatsapp.net", message_id,
             f'{{"type": "text", "body": "{text}"}}'],
        )  # fmt: skip


async def state_of(post: Post, message_id: str) -> tuple[str, str | None, datetime]:
    async with post.database.unit(post.principal) as unit:
        query = Query("look", b"SELECT state::text, error, due_at FROM outbox WHERE message_id = %(id)s")
        ((state, error, due_at),) = await unit.tuples(query, id=message_id)
    return state, error, due_at


async def test_who_opted_out_is_not_written_to_though_the_row_is_there(post: Post, database_url: str) -> None:
    await put_in_by_hand(post, database_url, "3EB0AA")
    async with post.database.unit(post.principal) as unit:
        out = b"INSERT INTO consents (contact_id, purpose, kind, at, source, actor)"
        await unit.run(Query("out", out + b" SELECT id, '*', 'out', now(), 'api', 'test' FROM whatsapp_contacts"))
    other = await post.queue("outro", to=CAIO)
    provider = Told()
    async with post.running(provider):
        await post.until(other, "server_ack")
        with post.database.hints.watching(OUTBOX) as watch:
            while (await state_of(post, "3EB0AA"))[0] != "failed":
                await watch.wait(0.02)
    assert provider.texts == ["outro"]
    (event,) = await post.told("message.refused")
    assert (event.body["id"], event.body["rule"]) == ("3EB0AA", "opted-out")
    (step,) = await post.steps("3EB0AA")
    assert (step.step, step.rule, step.detail) == ("refused", "opted-out", event.body["why"])
    assert step.worker_id == post.lease.worker_id
    with pytest.raises(GuardrailRefused):
        await post.queue("oi", to=BIA)


async def test_what_is_held_at_the_wire_waits_with_its_reason_and_a_person_does_not_wait_behind_it(
    post: Post, database_url: str
) -> None:
    await put_in_by_hand(post, database_url, "3EB0AA", "de noite")
    provider = Told()
    async with ruled(database_url, always_night()) as strict, post.running(provider, strict):
        mine = await post.queue("boa noite", origin=Origin.PERSON)
        await post.until(mine, "server_ack")
        second = await post.queue("mais", origin=Origin.PERSON)
        await post.until(second, "server_ack")
    state, why, due_at = await state_of(post, "3EB0AA")
    assert state == "queued"
    assert why
    assert due_at > datetime.now(UTC) + timedelta(hours=2)
    assert provider.texts == ["boa noite", "mais"]
    (event,) = await post.told("message.held")
    assert (event.body["id"], event.body["rule"], event.body["why"]) == ("3EB0AA", "quiet-hours", why)
    (step,) = await post.steps("3EB0AA")
    assert (step.step, step.rule, step.until) == ("held", "quiet-hours", due_at)


async def test_what_is_held_when_it_is_queued_says_so_and_says_the_same_again(post: Post, database_url: str) -> None:
    async with ruled(database_url, always_night()) as strict, strict.unit(post.principal) as unit:
        now = datetime.now(UTC)
        held = await service.queue_message(unit, text="oi", to=BIA, now=now, idempotency_key="k")
        again = await service.queue_message(unit, text="oi", to=BIA, now=now, idempotency_key="k")
        morning = await service.queue_message(unit, text="oi", to=CAIO, now=now, send_at=now + timedelta(hours=5))
    assert held.queued.first_hold is not None
    assert held.queued.first_hold["rule"] == "quiet-hours"
    assert again.queued.first_hold == held.queued.first_hold
    assert morning.queued.first_hold is None
    assert len(await post.told("message.held")) == 1
    assert steps(await post.steps(held.queued.message_id)) == ["queued", "held"]
    async with post.database.unit(post.principal) as unit:
        (row,) = await service.repository.list_waiting(unit, only="held", now=now)
        (later,) = await service.repository.list_waiting(unit, only="scheduled", now=now)
    assert (row.message_id, row.held_by) == (held.queued.message_id, "quiet-hours")
    assert later.message_id == morning.queued.message_id


async def test_the_pace_of_a_connection_is_asked_once_and_not_for_everybody_who_waits(
    post: Post, database_url: str
) -> None:
    rules = RELAXED.with_changes({"automation": {"per_minute": 1}})
    accepted = [await post.queue("oi", to=f"5500000001{number:02}") for number in range(5)]
    provider = Told()
    async with ruled(database_url, rules) as strict, post.running(provider, strict):
        await post.until(accepted[0], "server_ack")
        mine = await post.queue("eu mesmo", to=DORA, origin=Origin.PERSON)
        await post.until(mine, "server_ack")
    assert provider.texts == ["oi", "eu mesmo"]
    held = await post.told("message.held")
    assert [event.body["rule"] for event in held] == ["connection-rate"]


async def test_short_pauses_between_messages_are_steps_and_no_events_and_a_long_one_is_told_once(
    post: Post, database_url: str
) -> None:
    """A campaign would fill the events with them otherwise."""
    async with post.running(Told()):
        await post.until(await post.queue("um", to=CAIO), "server_ack")
    waits = (await post.queue("dois")).queued.message_id
    told = []
    for times, seconds in enumerate((15, 90, 100), 1):
        await post.hurry(database_url)
        async with ruled(database_url, pausing(seconds)) as strict, post.running(Told(), strict):
            await until_held(post, waits, times)
        told.append(len(await post.told("message.held")))
    assert told == [0, 1, 1]


async def test_a_short_pause_is_answered_when_it_is_queued_and_is_no_event(post: Post, database_url: str) -> None:
    async with post.running(Told()):
        await post.until(await post.queue("um", to=CAIO), "server_ack")
    async with ruled(database_url, pausing(15)) as strict, strict.unit(post.principal) as unit:
        held = await service.queue_message(unit, text="oi", to=BIA, now=datetime.now(UTC))
    assert held.queued.first_hold is not None
    assert held.queued.first_hold["rule"] == "connection-rate"
    assert steps(await post.steps(held.queued.message_id)) == ["queued", "held"]
    assert await post.told("message.held") == []


def pausing(seconds: float) -> Rules:
    """About so long between two messages of a program."""
    return RELAXED.with_changes({"automation": {"seconds_between": seconds}})


async def until_held(post: Post, message_id: str, times: int) -> None:
    while steps(await post.steps(message_id)).count("held") < times:
        with post.database.hints.watching(OUTBOX) as watch:
            await watch.wait(0.02)


class Typist(Told):
    """Shows that something is being written."""

    def __init__(self) -> None:
        super().__init__()
        self.typed: list[tuple[str, bool]] = []
        self.shown = asyncio.Event()

    async def show_typing(self, chat: JID, *, is_typing: bool) -> None:
        self.typed.append((chat.user, is_typing))
        self.shown.set()


async def test_typing_is_shown_before_a_message_and_a_cancelled_one_leaves_nothing_behind(
    post: Post, database_url: str
) -> None:
    clock, provider = ManualClock(datetime.now(UTC)), Typist()
    rules = RELAXED.with_changes({"typing": {"shortest_seconds": 3, "longest_seconds": 4}})
    accepted = await post.queue("oi")
    async with Database(database_url, size=3, guardrails=rules, clock=clock) as timed, asyncio.TaskGroup() as group:
        task = group.create_task(post.outbox(provider, timed, clock=clock).run())
        await clock.advance(1)
        await provider.shown.wait()
        await settle()
        assert (provider.typed, provider.sent) == ([(BIA, True)], [])
        task.cancel()
    assert await post.until(accepted, "on_wire") == ("on_wire", "on_wire", None)
    provider.shown.clear()
    async with Database(database_url, size=3, guardrails=rules, clock=clock) as timed, asyncio.TaskGroup() as group:
        task = group.create_task(post.outbox(provider, timed, clock=clock).run())
        await provider.shown.wait()
        await settle()
        await clock.advance(5)
        await post.until(accepted, "server_ack")
        task.cancel()
    assert steps(await post.steps(accepted.queued.message_id)) == ["queued", "claimed", "retried", "acked"]


# ---- what became of it


@pytest.mark.parametrize(
    ("error", "attempts", "had_left", "fate"),
    [
        (NoRecipients(), 1, False, FAILED),
        (NoRecipients(), 2, True, UNKNOWN),
        (QueryError(500), 6, False, FAILED),
        (QueryError(500), 6, True, UNKNOWN),
        (AckTimeout(), 6, False, UNKNOWN),
        (QueryTimeout(), 6, False, FAILED),
        (QueryTimeout(), 6, True, UNKNOWN),
    ],
)
def test_unknown_is_said_only_of_what_may_have_left(
    error: RecadoError, attempts: int, had_left: bool, fate: str
) -> None:
    decided = fate_of(error, attempts=attempts, had_left=had_left)
    assert isinstance(decided, Settled)
    assert (decided.state, decided.tell) == (fate, True)


@pytest.mark.parametrize(
    ("error", "may_have_left"),
    [
        (NotConnected(), False),
        (ConnectionLost(CloseReason.LOST), True),
        (before_sending(ConnectionLost(CloseReason.LOST)), False),
        (LoggedOut(), True),
        (before_sending(LoggedOut()), False),
        (AckTimeout(), True),
        (QueryTimeout(), False),
    ],
)
def test_what_was_lost_on_the_way_may_have_left_and_what_never_went_has_not(
    error: RecadoError, may_have_left: bool
) -> None:
    decided = fate_of(error, attempts=1, had_left=False)
    assert isinstance(decided, Again)
    assert decided.may_have_left is may_have_left


async def unconfirmed(post: Post, database_url: str) -> Any:
    """A message that was given up without an answer."""
    accepted = await post.queue()
    async with post.running(Told(*(AckTimeout() for _ in range(50)))):
        while (await post.until(accepted, "on_wire", "unknown"))[0] != "unknown":
            await post.hurry(database_url)
    (event,) = await post.told("message.unconfirmed")
    assert event.body["id"] == accepted.queued.message_id
    assert await post.told("message.rejected") == []
    return accepted


@pytest.mark.parametrize("proof", ["sent", "receipt"])
async def test_an_unknown_fate_is_told_and_a_later_proof_is_the_truth(
    post: Post, database_url: str, proof: str
) -> None:
    accepted = await unconfirmed(post, database_url)
    id, now, chat = MessageId(accepted.queued.message_id), datetime.now(UTC), JID.phone(BIA)
    sent = MessageSent(account=ME, at=now, id=id, chat=chat, content=Text("oi"), sent_at=now)
    read = ReceiptReceived(account=ME, at=now, ids=(id,), chat=chat, sender=chat, kind=ReceiptKind.READ)
    async with post.database.unit(post.principal) as unit:
        await record(unit, "baileys", [sent if proof == "sent" else read])
    expected = ("server_ack", "server_ack", None) if proof == "sent" else ("server_ack", "read", None)
    assert await post.until(accepted, "server_ack") == expected
    assert steps(await post.steps(id))[-2:] == ["unknown", "acked" if proof == "sent" else "read"]


async def test_a_message_of_the_same_id_in_another_conversation_settles_nothing(post: Post) -> None:
    accepted = await post.queue()
    await post.queue("outro", to=CAIO)
    id, chat, now = MessageId(accepted.queued.message_id), JID.phone(CAIO), datetime.now(UTC)
    sent = MessageSent(account=ME, at=now, id=id, chat=chat, content=Text("oi"), sent_at=now)
    async with post.database.unit(post.principal) as unit:
        await record(unit, "baileys", [sent])
    assert (await post.until(accepted, "queued", "server_ack"))[0] == "queued"


async def test_a_receipt_from_another_conversation_says_nothing(post: Post) -> None:
    accepted = await post.queue()
    await post.queue("outro", to=CAIO)
    id, now = MessageId(accepted.queued.message_id), datetime.now(UTC)
    stranger, lid = JID.phone(CAIO), JID("77000000000009", "lid")

    def receipt(chat: JID, alt: JID | None = None) -> ReceiptReceived:
        return ReceiptReceived(
            account=ME, at=now, ids=(id,), chat=chat, chat_alt=alt, sender=chat, kind=ReceiptKind.READ
        )

    async with post.running(Told()):
        await post.until(accepted, "server_ack")
    for chat, alt in ((stranger, None), (JID.phone(DORA), None), (lid, stranger), (JID("1", "g.us"), None)):
        async with post.database.unit(post.principal) as unit:
            await record(unit, "baileys", [receipt(chat, alt)])
        assert (await post.until(accepted, "server_ack"))[1] == "server_ack"
    async with post.database.unit(post.principal) as unit:
        await record(unit, "baileys", [receipt(lid)])  # their other address, as far as anybody knows
    assert (await post.until(accepted, "server_ack"))[1] == "read"


async def test_every_step_names_the_worker_that_took_it(post: Post) -> None:
    accepted = await post.queue(origin=Origin.PERSON)
    async with post.running(Told()):
        await post.until(accepted, "server_ack")
    queued, claimed, acked = await post.steps(accepted.queued.message_id)
    assert (queued.step, queued.detail, queued.worker_id) == ("queued", "person", None)
    assert [(one.step, one.worker_id) for one in (claimed, acked)] == [
        ("claimed", post.lease.worker_id),
        ("acked", post.lease.worker_id),
    ]
    assert isinstance(post.lease.worker_id, UUID)
