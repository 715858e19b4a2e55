"""
What a message on its way out went through, one step after the other: added beside what each step changes, read for the
message's passport, never changed. Words in a step are ours: no text, number or key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__, "steps.sql")


class Step(StrEnum):
    """What may happen to a message on its way."""

    QUEUED = "queued"
    HELD = "held"
    CLAIMED = "claimed"
    RETRIED = "retried"
    PUT_OFF = "put_off"
    ACKED = "acked"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class MessageStep:
    """One step: when, what, by which worker; the rule that held or refused it, why, and until when."""

    at: datetime
    step: str
    worker_id: UUID | None
    worker_name: str | None
    rule: str | None
    detail: str | None
    until: datetime | None


async def add_step(
    unit: Unit,
    message_id: str,
    step: Step,
    *,
    at: datetime,
    rule: str | None = None,
    detail: str | None = None,
    until: datetime | None = None,
) -> None:
    """One step more; by the worker whose lease the unit holds, if any."""
    await unit.run(
        _queries.add_step,
        message_id=message_id,
        at=at,
        step=step.value,
        worker=unit.worker_id,
        rule=rule,
        detail=detail,
        until=until,
    )


async def list_steps(unit: Unit, message_id: str) -> list[MessageStep]:
    """The steps of that message, in order."""
    return await unit.all(MessageStep, _queries.list_steps, message_id=message_id)
