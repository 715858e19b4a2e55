"""
The outbox of one connection: what was queued, sent with the id it was given when it was queued. Several messages are
under way at once, one of each conversation: order is a conversation's, and what waits there holds nobody else back.

    due ─ the guardrails ─▶ held: later            claim (on_wire) ──commit──▶ typing… ▶ send ──▶ its fate (fates.py)
          (gate.admit)   ─▶ refused: failed, or unknown when it was on the wire before

What is claimed is the connection, by its lease; a row is only ever tried again, with the same id, until its fate is
known. Phones drop a repeat; on a road where they would not (Road.repeats_in), what may have left is `unknown`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from recado import crashpoints
from recado.clock import Clock
from recado.content import Content, content_kind
from recado.errors import (
    BadRecord,
    ConnectionLost,
    LoggedOut,
    NoRecipients,
    QueryError,
    Rejected,
    SendUnconfirmed,
    StoreRefused,
    TooLarge,
    UsageError,
)
from recado.events import MessageId, MessageRejected, Quote
from recado.gateway import metrics
from recado.gateway.connections.repository import find_connection
from recado.gateway.conversations.repository import find_quotable
from recado.gateway.conversations.service import words_to_judge
from recado.gateway.conversations.steps import Step
from recado.gateway.db.notify import OUTBOX, Watch
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.pacing import gate
from recado.gateway.pacing import service as pacing
from recado.gateway.pacing.state import CONNECTION_RATE
from recado.gateway.pacing.verdict import SHORT_HOLD, Allowed, Delayed, Intent, Origin, Refused
from recado.gateway.providers.provider import Provider, SendsMarked, SupportsTyping
from recado.gateway.providers.roads import ROADS
from recado.gateway.runtime.asking import Asker
from recado.gateway.runtime.errands import Errands
from recado.gateway.runtime.fates import FAILED, TAKEN, UNKNOWN, Again, Fate, Settled, fate_of, given_up
from recado.gateway.runtime.finishing import finished
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.stream import notices
from recado.gateway.stream.notices import MessageHeld, MessageRefused, MessageUnconfirmed, Notice
from recado.jid import JID, LID, PHONE
from recado.store.facts import content_from_json

_queries = load_queries(__file__, "outbox.sql")
_log = logging.getLogger(__name__)

WINDOW = 8
"""Messages of one account that may be under way at once, each of another conversation."""

NOT_SENT = 0
"""The code of a MessageRejected that never reached the server."""

_SHORTEST_HOLD = timedelta(seconds=0.1)
_TYPING_LASTS = 10.0
_GRACE_SECONDS = 4.0
_SELDOM_SECONDS = 60.0
_STEPS = {FAILED: Step.FAILED, UNKNOWN: Step.UNKNOWN, TAKEN: Step.ACKED}


class OutboxPoint(StrEnum):
    """Where a process may die around the outbox (see crashpoints.py)."""

    AFTER_CLAIM = "outbox.after_claim"
    AFTER_SEND = "outbox.after_send"
    AFTER_SETTLE = "outbox.after_settle"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that may be asked about now."""

    id: int
    conversation_id: UUID
    chat: str = field(repr=False)
    message_id: str
    content: dict[str, Any] = field(repr=False)
    quoting: str | None
    attempts: int
    may_have_left: bool
    origin: str
    campaign_id: UUID | None
    held_by: str | None
    forwarded: int = 0
    expires_in: int | None = None

    def intent(self, provider: str) -> Intent:
        """What the guardrails are asked."""
        content = content_from_json(self.content)
        return Intent(
            message_id=self.message_id,
            conversation_id=self.conversation_id,
            provider=provider,
            origin=Origin(self.origin),
            chat=JID.parse(self.chat),
            text=words_to_judge(content),
            campaign_id=self.campaign_id,
            kind=content_kind(content),
        )


@dataclass(frozen=True, slots=True)
class Flight:
    """A message that was claimed and goes now, what it quotes, and how long "typing…" is shown before."""

    message: Waiting
    quote: Quote | None
    typing_for: timedelta


@dataclass(slots=True)
class _Turn:
    """What one look at the outbox came to, before it is written."""

    flights: list[Flight] = field(default_factory=list)
    held: list[tuple[Waiting, Delayed]] = field(default_factory=list)
    refused: list[tuple[Waiting, Refused]] = field(default_factory=list)
    resting: dict[str, datetime] = field(default_factory=dict)


class Outbox:
    """Sends what one mentorado has queued for one connection, for as long as it runs."""

    def __init__(self, database: Database, provider: Provider, lease: Lease, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._lease = lease
        self._principal = Principal.runtime(lease.mentorado_id)
        self._flying: set[int] = set()
        self._taken: list[int] = []
        """What went well and is not settled yet: the next look does that for all of them."""
        self._resting: dict[str, datetime] = {}
        """Who may not send on this connection until then, whatever the message: not worth asking before."""
        self._errands = Errands(database, provider, lease, clock=clock)
        self._is_on_errand = False
        self._asker = Asker(database, provider, lease, clock=clock)

    async def run(self) -> None:
        """Until cancelled. Raises LeaseLost, StoreUnavailable."""
        try:
            with self._database.hints.watching(OUTBOX, self._lease.mentorado_id) as watch:
                async with asyncio.TaskGroup() as group:
                    while True:
                        if not self._taken:
                            await self._provider.until_ready()
                        pause = await self._look(group, watch)
                        if pause > 0:
                            await watch.wait(pause)
        except BaseExceptionGroup as failures:
            raise _first(failures) from None

    # ---- looking: what is due, and may it go

    async def _look(self, group: asyncio.TaskGroup, watch: Watch) -> float:
        """Settle what went well, launch what may go; how long until there may be more."""
        taken, now = list(self._taken), self._clock.now()
        flying = list(self._flying.difference(taken))
        self._resting = {origin: until for origin, until in self._resting.items() if until > now}
        async with self._unit() as unit:
            if taken:
                await self._write_fates(unit, [(id, Settled(TAKEN)) for id in taken], now)
            due = await self._list_due(unit, flying, now) if len(flying) < WINDOW else []
            turn = await self._ask(unit, await self._give_up_what_left(unit, due, now), now)
            await self._write(unit, turn, now)
            ((next_due, has_errands, has_requests),) = await unit.tuples(
                _queries.glance, provider=self._lease.provider, now=now, flying=flying
            )
        self._flying.difference_update(taken)
        del self._taken[: len(taken)]
        self._resting |= turn.resting
        for _ in taken:
            crashpoints.reach(OutboxPoint.AFTER_SETTLE)
        for flight in turn.flights:
            self._flying.add(flight.message.id)
            crashpoints.reach(OutboxPoint.AFTER_CLAIM)
            group.create_task(self._carry(flight, watch))
        if has_errands and not self._is_on_errand:
            self._is_on_errand = True
            group.create_task(self._run_errands())
        if has_requests:
            await self._asker.launch(group, watch.ring)
        if due and len(self._flying) < WINDOW:
            return 0.0
        times: list[float] = [
            (until - now).total_seconds() for until in (next_due, *self._resting.values()) if until is not None
        ]
        # A hint may be lost: who has something due is woken from time to time (waking.py), and looks in any case.
        return max(0.01, min([_SELDOM_SECONDS, *times]))

    async def _list_due(self, unit: Unit, flying: list[int], now: datetime) -> list[Waiting]:
        return await unit.all(
            Waiting,
            _queries.list_due,
            provider=self._lease.provider,
            now=now,
            flying=flying,
            resting=list(self._resting),
            most=WINDOW - len(flying),
        )

    async def _give_up_what_left(self, unit: Unit, due: list[Waiting], now: datetime) -> list[Waiting]:
        """
        Where a repeat would be a second message, what may have left is never sent again: it was on the wire when
        somebody before us died, and is `unknown` until the provider tells. The rest comes back.
        """
        road = ROADS[self._lease.provider]
        lost = [each for each in due if each.may_have_left and not road.repeats_in(JID.parse(each.chat))]
        fate = Settled(UNKNOWN, "it may have left, and nobody said what became of it", tell=True)
        for message in lost:
            if await self._write_fates(unit, [(message.id, fate)], now):
                await self._tell(unit, message, fate, now)
        return [message for message in due if message not in lost]

    async def _ask(self, unit: Unit, due: Sequence[Waiting], now: datetime) -> _Turn:
        """What the guardrails say of each; what an allowed one uses up is booked in this unit."""
        turn = _Turn()
        for message in due:
            if message.origin in turn.resting:
                continue
            verdict = await gate.admit(unit, message.intent(self._lease.provider), now=now)
            match verdict:
                case Allowed(typing_for):
                    turn.flights.append(Flight(message, await _quote(unit, message), typing_for))
                case Delayed(rule, until):
                    turn.held.append((message, verdict))
                    if rule == CONNECTION_RATE:
                        turn.resting[message.origin] = until
                case Refused():
                    turn.refused.append((message, verdict))
        return turn

    async def _write(self, unit: Unit, turn: _Turn, now: datetime) -> None:
        told: list[Notice] = []
        if turn.held:
            told += await self._hold(unit, turn.held, now)
        if turn.refused:
            told += await self._refuse(unit, turn.refused, now)
        if turn.flights:
            ids = [flight.message.id for flight in turn.flights]
            await unit.run(_queries.claim, ids=ids, now=now, worker=self._lease.worker_id)
        if told:
            await notices.tell(unit, *told)

    async def _hold(self, unit: Unit, held: list[tuple[Waiting, Delayed]], now: datetime) -> list[Notice]:
        """Put them off; told of when it lasts, and the rule is another one than was told before."""
        told = await self._told(unit, held)
        untils = [max(verdict.until, now + _SHORTEST_HOLD) for _, verdict in held]
        await unit.run(
            _queries.hold,
            ids=[message.id for message, _ in held],
            rules=[verdict.rule for _, verdict in held],
            whys=[verdict.why for _, verdict in held],
            untils=untils,
            now=now,
            worker=self._lease.worker_id,
        )
        return [
            MessageHeld(
                at=now,
                id=message.message_id,
                conversation_id=message.conversation_id,
                rule=verdict.rule,
                why=verdict.why,
                until=verdict.until,
            )
            for message, verdict in held
            if verdict.is_worth_telling(now) and message.message_id not in told
        ]

    async def _told(self, unit: Unit, held: list[tuple[Waiting, Delayed]]) -> set[str]:
        """Of which of them it is known already that this rule holds them."""
        same = [message.message_id for message, verdict in held if verdict.rule == message.held_by]
        rules = [verdict.rule for message, verdict in held if verdict.rule == message.held_by]
        if not same:
            return set()
        rows = await unit.tuples(_queries.list_told, ids=same, rules=rules, short=SHORT_HOLD)
        return {message_id for (message_id,) in rows}

    async def _refuse(self, unit: Unit, refused: list[tuple[Waiting, Refused]], now: datetime) -> list[Notice]:
        """Over, with the rule's words, and a person should look; what may have left before is not called failed."""
        fates = [(one.id, given_up(verdict.why, had_left=one.may_have_left)) for one, verdict in refused]
        await self._write_fates(unit, fates, now, refusals=[verdict for _, verdict in refused])
        for message, verdict in refused:
            await pacing.needs_attention(unit, message.message_id, rule=verdict.rule, now=now)
        return [_refusal(message, verdict, now) for message, verdict in refused]

    # ---- one message on its way

    async def _carry(self, flight: Flight, watch: Watch) -> None:
        """Where it cannot be sent a second time, what has begun is not broken off by a hand-over."""
        flown = self._fly(flight, watch)
        if ROADS[self._lease.provider].repeats_in(JID.parse(flight.message.chat)):
            await flown
        else:
            await finished(flown, grace=_GRACE_SECONDS, clock=self._clock)

    async def _fly(self, flight: Flight, watch: Watch) -> None:
        message = flight.message
        fate = await self._send(flight)
        if fate == Settled(TAKEN):
            crashpoints.reach(OutboxPoint.AFTER_SEND)
            self._taken.append(message.id)
        else:
            await self._land(message, fate)
            self._flying.discard(message.id)
            crashpoints.reach(OutboxPoint.AFTER_SETTLE)
        watch.ring()

    async def _run_errands(self) -> None:
        try:
            await self._errands.run()
        finally:
            self._is_on_errand = False

    async def _send(self, flight: Flight) -> Fate:
        message = flight.message
        try:
            chat, content = JID.parse(message.chat), content_from_json(message.content)
            await self._show_typing(chat, flight.typing_for.total_seconds())
            await self._say(flight, chat, content)
        except (
            ConnectionLost, LoggedOut, Rejected, NoRecipients, TooLarge, SendUnconfirmed, StoreRefused, BadRecord,
            UsageError, QueryError,
        ) as error:  # fmt: skip
            return fate_of(error, attempts=message.attempts + 1, had_left=message.may_have_left)
        return Settled(TAKEN)

    async def _say(self, flight: Flight, chat: JID, content: Content) -> None:
        provider, message = self._provider, flight.message
        id = MessageId(message.message_id)
        if not message.forwarded and message.expires_in is None:
            await provider.send(chat, content, id=id, quoting=flight.quote)
        elif isinstance(provider, SendsMarked):
            forwarded, expires_in = message.forwarded, message.expires_in
            await provider.send_marked(
                chat, content, id=id, quoting=flight.quote, forwarded=forwarded, expires_in=expires_in
            )
        else:
            raise UsageError("this road does not say that a message was passed on or disappears")

    async def _show_typing(self, chat: JID, seconds: float) -> None:
        """Have the other side see that something is being written. Only decoration: its failures are the message's."""
        provider = self._provider
        if seconds <= 0 or not isinstance(provider, SupportsTyping):
            return
        while seconds > 0:
            try:
                await provider.show_typing(chat, is_typing=True)
            except (ConnectionLost, UsageError, LoggedOut):
                return
            await self._clock.sleep(min(seconds, _TYPING_LASTS))
            seconds -= _TYPING_LASTS

    async def _land(self, message: Waiting, fate: Fate) -> None:
        """What became of it, in a transaction of its own."""
        now = self._clock.now()
        async with self._unit() as unit:
            if isinstance(fate, Again):
                await unit.run(
                    _queries.put_off,
                    id=message.id,
                    due_at=max(now + timedelta(seconds=fate.seconds), fate.until or now),
                    error=fate.reason,
                    attempts=fate.attempts,
                    may_have_left=fate.may_have_left,
                    now=now,
                    worker=self._lease.worker_id,
                )
                return
            _log.info("a message was settled as %s: %s", fate.state, fate.reason)
            settled = await self._write_fates(unit, [(message.id, fate)], now)
            if settled and fate.tell:
                await self._tell(unit, message, fate, now)

    async def _tell(self, unit: Unit, message: Waiting, fate: Settled, now: datetime) -> None:
        if fate.state == UNKNOWN:
            lost = MessageUnconfirmed(
                at=now, id=message.message_id, conversation_id=message.conversation_id, why=fate.reason
            )
            await notices.tell(unit, lost)
            return
        connection = await find_connection(unit, self._lease.provider)
        number = connection.account_phone if connection is not None else None
        refusal = MessageRejected(
            account=JID(number or "", PHONE),
            at=now,
            id=MessageId(message.message_id),
            chat=JID.parse(message.chat),
            code=NOT_SENT,
        )
        await record(unit, self._lease.provider, [refusal])

    async def _write_fates(
        self,
        unit: Unit,
        fates: Sequence[tuple[int, Settled]],
        now: datetime,
        *,
        refusals: Iterable[Refused] | None = None,
    ) -> list[str]:
        """The ids of those that had no fate yet."""
        rules = list(refusals) if refusals is not None else []
        rows = await unit.tuples(
            _queries.settle,
            ids=[id for id, _ in fates],
            states=[fate.state for _, fate in fates],
            steps=[(Step.REFUSED if rules else _STEPS[fate.state]).value for _, fate in fates],
            reasons=[fate.reason for _, fate in fates],
            rules=[refusal.rule for refusal in rules] or [None] * len(fates),
            untils=[refusal.until for refusal in rules] or [None] * len(fates),
            now=now,
            worker=self._lease.worker_id,
        )
        for _, fate in fates:
            metrics.MESSAGES_SETTLED.labels(fate.state).inc()
        return [message_id for (message_id,) in rows]

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            yield unit


async def _quote(unit: Unit, message: Waiting) -> Quote | None:
    if message.quoting is None:
        return None
    quoted = await find_quotable(unit, message.conversation_id, message.quoting)
    if quoted is None:
        return None
    sender = None
    if not quoted.from_me:
        sender = JID(quoted.sender_lid, LID) if quoted.sender_lid else JID(quoted.sender_phone or "", PHONE)
    return Quote(MessageId(quoted.provider_message_id), sender, quoted.text)


def _refusal(message: Waiting, verdict: Refused, now: datetime) -> Notice:
    """What is told of it: that it failed only when it surely did."""
    id, conversation_id = message.message_id, message.conversation_id
    if message.may_have_left:
        return MessageUnconfirmed(at=now, id=id, conversation_id=conversation_id, why=verdict.why)
    return MessageRefused(
        at=now, id=id, conversation_id=conversation_id, rule=verdict.rule, why=verdict.why, until=verdict.until
    )


def _first(error: BaseException) -> BaseException:
    """The error that ended a task group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
