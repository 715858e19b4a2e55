"""
One turn at one webhook: claim the endpoint, post what comes behind its cursor one event after the other, settle each in
a transaction of its own, let go. Only a worker that surely still has the claim sends; only one that has it settles.

    2xx             the cursor moves on
    410             the endpoint is switched off
    anything else   again later: after seconds, minutes, then every hour for three days; then the event is a dead letter
                    and the cursor moves on; an endpoint that only fails for five days is switched off where it stands

A turn is short, so that nobody who waits for a place waits for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from uuid import UUID

from recado import crashpoints
from recado.clock import Clock
from recado.errors import BadRecord
from recado.gateway.audit.repository import add_entry
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress
from recado.gateway.metrics import WEBHOOK_ATTEMPTS, WEBHOOK_SECONDS
from recado.gateway.security import Principal
from recado.gateway.stream import notices
from recado.gateway.stream.kinds import Kinds
from recado.gateway.stream.notices import DeliveryFailed, Notice, WebhookDisabled
from recado.gateway.stream.repository import StreamEvent, get_head
from recado.gateway.webhooks import repository, signing
from recado.gateway.webhooks.service import SECRET_LOST, Outcome, post, signing_keys

_queries = load_queries(__file__, "deliveries.sql")

CLAIM_SECONDS = 60.0
_MARGIN_SECONDS = 5.0
_TURN_SECONDS = 20.0
_TURN_EVENTS = 200
_PAGE = 20
_WINDOW = 2000
_SLOW_MILLISECONDS = 2000

PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0)
HOURLY = 3600.0
MOST_ATTEMPTS = 76
"""Three days of them. One request stands for a whole queue, so an hour is as long as a pause ever gets."""
LONGEST_RETRY_AFTER = 6 * 3600.0
DISABLED_AFTER = timedelta(days=5)
_LEAST_FAILURES = 20

_KEPT_ATTEMPTS = timedelta(days=30)
_TURNS_PER_CLEANING = 32
_CLEANED_AT_ONCE = 1000


class DeliveryPoint(StrEnum):
    """Where a process may die around a delivery (see crashpoints.py)."""

    AFTER_CLAIM = "delivery.after_claim"
    AFTER_POST = "delivery.after_post"
    AFTER_SETTLE = "delivery.after_settle"


def pause_after(attempt: int, *, jitter: float, retry_after: float | None = None) -> timedelta | None:
    """
    How long to wait after the attempt of that number failed; None: it was the last. `jitter` is from 0 up to 1; a
    receiver may ask for more time, within reason.
    """
    if attempt >= MOST_ATTEMPTS:
        return None
    pause = (PAUSES[attempt - 1] if attempt <= len(PAUSES) else HOURLY) * (0.8 + 0.4 * jitter)
    return timedelta(seconds=max(pause, min(retry_after or 0.0, LONGEST_RETRY_AFTER)))


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """The seconds a Retry-After asks for, in either of its forms; None for anything else."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Claim:
    """An endpoint that this worker has for now, as its row was when it was claimed."""

    id: UUID
    url: str = field(repr=False)
    kinds: list[str]
    cursor_seq: int
    attempt: int
    failures: int
    failing_since: datetime | None
    is_slow: bool
    has_redrive: bool
    revision: int
    epoch: int


@dataclass(frozen=True, slots=True)
class _Page:
    """What is to be posted now; with the last of it the cursor is at `through`."""

    events: list[StreamEvent] = field(default_factory=list)
    through: int = 0
    are_letters: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """What a turn works with."""

    database: Database
    vault: Vault
    egress: Egress
    clock: Clock
    worker_id: UUID
    jitter: float


class Turn:
    """One claim at one endpoint, from `begin` to its end."""

    def __init__(self, hand: Hand, mentorado_id: UUID, endpoint_id: UUID) -> None:
        self._hand = hand
        self._principal = Principal.runtime(mentorado_id)
        self._mentorado_id = mentorado_id
        self._endpoint_id = endpoint_id
        self._claim: Claim | None = None
        self._keys: Sequence[bytes] = ()
        self._cursor = 0
        self._page = _Page()
        self._begun = self._renewed = 0.0
        self._posted = 0
        self._attempt = self._failures = 0
        self._failing_since: datetime | None = None
        self._is_over = False

    def _has_ended(self) -> bool:
        """Did settling the last event end this turn?"""
        return self._is_over

    async def run(self) -> bool:
        """Post until there is nothing more, something fails, or the turn has been long enough. False: not claimed."""
        claim = await self._begin()
        if claim is None:
            return False
        crashpoints.reach(DeliveryPoint.AFTER_CLAIM)
        while not self._is_over:
            page = self._page
            for place, event in enumerate(page.events):
                if self._has_ended():
                    return True
                if not self._may_send():
                    await self._release()
                    return True
                is_last = place == len(page.events) - 1
                outcome, at = await self._post(claim, event)
                crashpoints.reach(DeliveryPoint.AFTER_POST)
                if page.are_letters:
                    await self._settle_letter(claim, event, outcome, at, is_last=is_last)
                elif outcome.error is None:
                    seq = page.through if is_last else event.seq
                    await self._settle_delivered(claim, event, seq, outcome, at, is_last=is_last)
                else:
                    await self._settle_failed(event, outcome, at)
                crashpoints.reach(DeliveryPoint.AFTER_SETTLE)
        return True

    async def release(self) -> None:
        """Let go of what a turn that was cut short still holds. Raises StoreUnavailable."""
        if self._claim is not None:
            await self._release()

    # ---- claiming and looking

    async def _begin(self) -> Claim | None:
        hand = self._hand
        self._begun = self._renewed = hand.clock.monotonic()
        async with hand.database.unit(self._principal) as unit:
            claim = await unit.one(
                Claim,
                _queries.claim,
                id=self._endpoint_id,
                worker=hand.worker_id,
                claim=timedelta(seconds=CLAIM_SECONDS),
            )
            if claim is None:
                return None
            self._claim, self._cursor, self._attempt = claim, claim.cursor_seq, claim.attempt
            self._failures, self._failing_since = claim.failures, claim.failing_since
            try:
                self._keys = await signing_keys(unit, hand.vault, claim.id, now=hand.clock.now())
            except BadRecord:
                self._keys = ()  # sealed under another master key: said at the attempt
            if claim.epoch % _TURNS_PER_CLEANING == 0:
                before = hand.clock.now() - _KEPT_ATTEMPTS
                await repository.remove_attempts(unit, claim.id, before=before, limit=_CLEANED_AT_ONCE)
            await self._look(unit)
        return claim

    async def _look(self, unit: Unit) -> None:
        """What comes next; when there is nothing, the claim is let go in the same unit and the turn is over."""
        claim = self._claim
        assert claim is not None
        if claim.has_redrive:
            letters = await unit.all(StreamEvent, _queries.list_redriven, id=claim.id, limit=_PAGE)
            if letters:
                self._page = _Page(letters, are_letters=True)
                return
            await unit.run(_queries.bury_lost_letters, id=claim.id)
            await unit.run(_queries.end_redrive, revision=claim.revision, **self._mine)
            self._claim = claim = replace(claim, has_redrive=False)
        head = await get_head(unit)
        while self._cursor < head:
            end = await unit.value(_queries.window_end, after=self._cursor, limit=_WINDOW)
            through = head if end is None else int(end)  # no rows up to the head: they are kept no longer
            wanted = await unit.all(
                StreamEvent,
                _queries.list_wanted,
                after=self._cursor,
                until=through,
                like=Kinds(tuple(claim.kinds)).like,
                limit=_PAGE,
            )
            if wanted:
                self._page = _Page(wanted, wanted[-1].seq if len(wanted) == _PAGE else through)
                return
            await self._settle(unit, _queries.settle_skipped, seq=through, before=self._cursor)
            self._cursor, self._attempt = through, 0
            if self._is_over:
                break
        await unit.run(_queries.release, **self._mine)
        self._page, self._is_over = _Page(), True

    @property
    def _mine(self) -> dict[str, object]:
        assert self._claim is not None
        return {"id": self._claim.id, "worker": self._hand.worker_id, "epoch": self._claim.epoch}

    def _may_send(self) -> bool:
        """Is it surely ours until an answer has come, and was the turn not long enough?"""
        now, longest = self._hand.clock.monotonic(), self._hand.egress.limits.total_seconds
        is_ours = now - self._renewed < CLAIM_SECONDS - longest - _MARGIN_SECONDS
        return is_ours and now - self._begun < _TURN_SECONDS and self._posted < _TURN_EVENTS

    async def _release(self) -> None:
        self._is_over = True
        async with self._hand.database.unit(self._principal) as unit:
            await unit.run(_queries.release, **self._mine)

    # ---- posting and settling

    async def _post(self, claim: Claim, event: StreamEvent) -> tuple[Outcome, datetime]:
        hand, at = self._hand, self._hand.clock.now()
        self._posted += 1
        if not self._keys:
            return SECRET_LOST, at
        body = signing.event_body(event, self._mentorado_id)
        headers = signing.signed_headers(signing.delivery_id(claim.id, event.seq), at, body, self._keys)
        outcome = await post(hand.egress, hand.clock, claim.url, headers, body)
        WEBHOOK_ATTEMPTS.labels("delivered" if outcome.error is None else "failed").inc()
        WEBHOOK_SECONDS.observe(outcome.milliseconds / 1000)
        return outcome, at

    async def _settle(self, unit: Unit, query: object, **parameters: object) -> bool:
        """Write what became of it, if the endpoint is ours still and where it was; a person's change ends the turn."""
        assert self._claim is not None
        started = self._hand.clock.monotonic()
        claim = timedelta(seconds=CLAIM_SECONDS)
        revision = await unit.value(query, claim=claim, **self._mine, **parameters)  # type: ignore[arg-type]
        self._renewed = started
        self._is_over = self._is_over or revision != self._claim.revision
        return revision is not None

    async def _note(self, unit: Unit, event: StreamEvent, outcome: Outcome, at: datetime, attempt: int) -> None:
        await repository.add_attempt(
            unit,
            self._endpoint_id,
            seq=event.seq,
            attempt=attempt,
            at=at,
            status=outcome.status,
            milliseconds=outcome.milliseconds,
            error=outcome.error,
        )

    async def _settle_delivered(
        self, claim: Claim, event: StreamEvent, seq: int, outcome: Outcome, at: datetime, *, is_last: bool
    ) -> None:
        is_slow = _is_slow(outcome)
        async with self._hand.database.unit(self._principal) as unit:
            await self._settle(unit, _queries.settle_delivered, seq=seq, before=self._cursor, is_slow=is_slow)
            await self._note(unit, event, outcome, at, self._attempt + 1)
            self._cursor, self._attempt, self._failures, self._failing_since = seq, 0, 0, None
            self._is_over = self._is_over or is_slow != claim.is_slow  # to the other lane
            if self._is_over:
                await unit.run(_queries.release, **self._mine)
            elif is_last:
                await self._look(unit)

    async def _settle_failed(self, event: StreamEvent, outcome: Outcome, at: datetime) -> None:
        now, attempt = self._hand.clock.now(), self._attempt + 1
        is_hopeless = self._failures >= _LEAST_FAILURES and now - (self._failing_since or now) >= DISABLED_AFTER
        retry_after = read_retry_after(outcome.retry_after, now)
        pause = pause_after(attempt, jitter=self._hand.jitter, retry_after=retry_after)
        said: list[Notice] = []
        async with self._hand.database.unit(self._principal) as unit:
            await self._note(unit, event, outcome, at, attempt)
            if outcome.is_gone or is_hopeless:
                said = await self._disable(unit, "gone" if outcome.is_gone else "failing", attempt, now)
            elif pause is None:
                said = await self._give_up(unit, event, outcome, attempt, now)
            else:
                await self._settle(
                    unit,
                    _queries.settle_failed,
                    before=self._cursor,
                    attempt=attempt,
                    next_at=now + pause,
                    now=now,
                    is_slow=_is_slow(outcome),
                    revision=self._revision,
                )
            await unit.run(_queries.release, **self._mine)
            self._is_over = True
            if said:
                await notices.tell(unit, *said)

    async def _give_up(
        self, unit: Unit, event: StreamEvent, outcome: Outcome, attempt: int, now: datetime
    ) -> list[Notice]:
        is_kept = await self._settle(
            unit,
            _queries.settle_dead,
            seq=event.seq,
            before=self._cursor,
            attempt=attempt,
            status=outcome.status,
            error=outcome.error,
            now=now,
            is_slow=_is_slow(outcome),
            revision=self._revision,
        )
        if not is_kept:
            return []
        return [
            DeliveryFailed(at=now, endpoint_id=self._endpoint_id, event=event.seq, attempts=attempt, why=outcome.error)
        ]

    async def _disable(self, unit: Unit, why: str, attempt: int, now: datetime) -> list[Notice]:
        revision = self._revision
        if not await self._settle(unit, _queries.settle_disabled, why=why, attempt=attempt, now=now, revision=revision):
            return []
        await add_entry(unit, "webhook.disabled", webhook=str(self._endpoint_id), why=why)
        return [WebhookDisabled(at=now, endpoint_id=self._endpoint_id, why=why)]

    @property
    def _revision(self) -> int:
        assert self._claim is not None
        return self._claim.revision

    async def _settle_letter(
        self, claim: Claim, event: StreamEvent, outcome: Outcome, at: datetime, *, is_last: bool
    ) -> None:
        """A dead letter goes once each time it is asked for; the cursor has nothing to do with it."""
        now = self._hand.clock.now()
        said: list[Notice] = []
        async with self._hand.database.unit(self._principal) as unit:
            if not await self._settle(unit, _queries.keep):
                self._is_over = True
                return
            await self._note(unit, event, outcome, at, 1)
            if outcome.error is None:
                await unit.run(_queries.remove_letter, id=claim.id, seq=event.seq)
            else:
                status, error = outcome.status, outcome.error
                await unit.run(_queries.bury_letter, id=claim.id, seq=event.seq, status=status, error=error, now=now)
            if outcome.is_gone:
                said, self._is_over = await self._disable(unit, "gone", claim.attempt, now), True
            if self._is_over:
                await unit.run(_queries.release, **self._mine)
            elif is_last:
                await self._look(unit)
            if said:
                await notices.tell(unit, *said)


def _is_slow(outcome: Outcome) -> bool:
    return outcome.milliseconds > _SLOW_MILLISECONDS
