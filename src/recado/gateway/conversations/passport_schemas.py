"""The JSON of a message's passport: machine fields, and a sentence beside each in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from recado.gateway.conversations.passport import Passport, ToldBy
from recado.gateway.conversations.steps import MessageStep
from recado.gateway.groups.schemas import ReceiptTold
from recado.gateway.webhooks.repository import Attempt

Words = Callable[..., str]


class StepTold(BaseModel):
    """One step of a message on its way out."""

    at: datetime
    step: str
    worker: str | None
    rule: str | None
    detail: str | None
    until: datetime | None
    sentence: str

    @classmethod
    def of(cls, row: MessageStep, t: Words) -> StepTold:
        """A step as it is told."""
        worker = _worker(row.worker_id, row.worker_name)
        sentence = t(f"passport.step.{row.step}", **_values(row, t))
        if row.step in ("claimed", "retried") and worker:
            sentence = t("passport.by_worker", sentence=sentence, worker=worker)
        return cls(
            at=row.at,
            step=row.step,
            worker=worker,
            rule=row.rule,
            detail=row.detail,
            until=row.until,
            sentence=sentence,
        )


class PassportEvent(BaseModel):
    """An event that named this message; `id` is its number in the stream."""

    id: int
    kind: str
    at: datetime
    sentence: str

    @classmethod
    def of(cls, row: ToldBy, t: Words) -> PassportEvent:
        """An event as it is told."""
        return cls(id=row.seq, kind=row.kind, at=row.at, sentence=t("passport.event", kind=row.kind, number=row.seq))


class PassportWebhook(BaseModel):
    """One attempt to tell a webhook of one of these events."""

    webhook_id: UUID
    webhook: str
    event: int
    attempt: int
    at: datetime
    status: int | None
    error: str | None
    sentence: str

    @classmethod
    def of(cls, row: Attempt, t: Words) -> PassportWebhook:
        """An attempt as it is told."""
        name = row.endpoint_name or str(row.endpoint_id)[:8]
        key = "taken" if row.status is not None and 200 <= row.status < 300 and row.error is None else "not_taken"
        reason = row.error or (str(row.status) if row.status is not None else "")
        return cls(
            webhook_id=row.endpoint_id,
            webhook=name,
            event=row.seq,
            attempt=row.attempt,
            at=row.at,
            status=row.status,
            error=row.error,
            sentence=t(f"passport.webhook.{key}", webhook=name, number=row.seq, attempt=row.attempt, reason=reason),
        )


class PassportTold(BaseModel):
    """Everything about one message. `sentence` sums it up; `steps` are of what went out through the outbox."""

    id: str
    conversation_id: UUID
    provider: str
    direction: str
    status: str | None
    failure: str | None
    source: str
    sentence: str
    recorded_by: str | None = Field(description="The worker that told of it first")
    recorded_at: datetime
    sent_at: datetime
    origin: str | None
    campaign_id: UUID | None
    send_at: datetime | None
    held_by: str | None
    due_at: datetime | None
    attempts: int | None
    settled_at: datetime | None
    steps: list[StepTold]
    events: list[PassportEvent]
    webhooks: list[PassportWebhook]
    receipts: list[ReceiptTold] = Field(description="Of a message to a group: how far each of its people is with it")

    @classmethod
    def of(cls, passport: Passport, t: Words) -> PassportTold:
        """A passport as it is told."""
        message, way = passport.message, passport.way
        recorder = _worker(passport.recorded_by, passport.recorder)
        if message.direction == "in":
            sentence = t(f"passport.received.{message.source}")
        elif way is None:
            sentence = t("passport.elsewhere")
        else:
            sentence = t(f"passport.status.{message.status}", reason=message.failure or "")
        if message.is_placeholder:
            sentence = t("passport.unreadable", sentence=sentence)
        if recorder and message.direction == "in":
            sentence = t("passport.by_worker", sentence=sentence, worker=recorder)
        return cls(
            id=message.provider_message_id,
            conversation_id=message.conversation_id,
            provider=message.provider,
            direction=message.direction,
            status=message.status,
            failure=message.failure,
            source=message.source,
            sentence=sentence,
            recorded_by=recorder,
            recorded_at=message.created_at,
            sent_at=message.sent_at,
            origin=way.origin if way else None,
            campaign_id=way.campaign_id if way else None,
            send_at=way.send_at if way else None,
            held_by=way.held_by if way else None,
            due_at=way.due_at if way and way.settled_at is None else None,
            attempts=way.attempts if way else None,
            settled_at=way.settled_at if way else None,
            steps=[StepTold.of(row, t) for row in passport.steps],
            events=[PassportEvent.of(row, t) for row in passport.events],
            webhooks=[PassportWebhook.of(row, t) for row in passport.attempts],
            receipts=[ReceiptTold.of(row) for row in passport.receipts],
        )


def _worker(id: UUID | None, name: str | None) -> str | None:
    return None if id is None else name or str(id)[:8]


def _values(row: MessageStep, t: Words) -> dict[str, str]:
    """What the sentence of a step may name."""
    until = row.until.strftime("%Y-%m-%d %H:%M:%S UTC") if row.until is not None else t("passport.no_time")
    detail = row.detail or ""
    if row.step == "queued":
        detail = t(f"passport.origin.{detail or 'automation'}")
        if row.until is not None:
            detail = t("passport.scheduled", origin=detail, until=until)
    return {"detail": detail, "rule": row.rule or "", "until": until}
