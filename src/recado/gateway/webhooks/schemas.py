"""The JSON of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recado.gateway.webhooks.repository import DeadLetter, Endpoint, Made
from recado.gateway.webhooks.service import Outcome

Seq = Annotated[int, Field(ge=0, le=2**63 - 1)]
KINDS = Field(description="Names of events, or families of them (`message.*`); none: all", max_length=50)


class NewWebhook(BaseModel):
    """An endpoint to be made."""

    model_config = ConfigDict(extra="forbid")
    url: str
    name: str = ""
    kinds: Annotated[list[str], KINDS] = []
    after: Seq | None = Field(None, description="Tell what came after the event of this number; unset: from now on")


class WebhookChange(BaseModel):
    """What is to change; the rest stays."""

    model_config = ConfigDict(extra="forbid")
    url: str | None = None
    name: str | None = None
    kinds: Annotated[list[str], KINDS] | None = None
    state: Literal["active", "paused"] | None = None


class Redrive(BaseModel):
    """What is to be told again: everything after a number, in order, or dead letters (all, or of some numbers)."""

    model_config = ConfigDict(extra="forbid")
    after: Seq | None = None
    dead_letters: bool | Annotated[list[Seq], Field(min_length=1, max_length=1000)] = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.after is None) is (self.dead_letters is False):
            raise ValueError("give either after or dead_letters")
        return self


class WebhookTold(BaseModel):
    """An endpoint: `cursor` is the number of the last event that is settled there."""

    id: UUID
    name: str
    url: str
    kinds: list[str]
    state: str
    state_reason: str | None
    cursor: int
    attempt: int
    next_attempt_at: datetime | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint) -> WebhookTold:
        """An endpoint as it is told."""
        return cls(
            id=endpoint.id,
            name=endpoint.name,
            url=endpoint.url,
            kinds=endpoint.kinds,
            state=endpoint.state,
            state_reason=endpoint.state_reason,
            cursor=endpoint.cursor_seq,
            attempt=endpoint.attempt,
            next_attempt_at=endpoint.next_attempt_at,
            failing_since=endpoint.failing_since,
            old_secret_until=endpoint.old_secret_until,
            created_at=endpoint.created_at,
        )


class WebhookMade(WebhookTold):
    """An endpoint with its secret, which is told this once."""

    secret: str


class WebhookPage(BaseModel):
    """A mentorado's endpoints, the oldest first."""

    items: list[WebhookTold]


class AttemptTold(BaseModel):
    """One request that was made: `event` is None for a test, `status` when there was no answer."""

    id: int
    event: int | None
    attempt: int
    at: datetime
    status: int | None
    milliseconds: int
    error: str | None

    @classmethod
    def of(cls, made: Made) -> AttemptTold:
        """An attempt as it is told."""
        return cls(
            id=made.id,
            event=made.seq,
            attempt=made.attempt,
            at=made.at,
            status=made.status,
            milliseconds=made.milliseconds,
            error=made.error,
        )


class AttemptPage(BaseModel):
    """Attempts, the newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[AttemptTold]
    next: int | None


class DeadLetterTold(BaseModel):
    """An event that was never taken; `kind` is None when the event itself is no longer kept."""

    event: int
    kind: str | None
    attempts: int
    status: int | None
    error: str | None
    died_at: datetime
    is_redriving: bool

    @classmethod
    def of(cls, letter: DeadLetter) -> DeadLetterTold:
        """A dead letter as it is told."""
        return cls(
            event=letter.seq,
            kind=letter.kind,
            attempts=letter.attempts,
            status=letter.status,
            error=letter.error,
            died_at=letter.died_at,
            is_redriving=letter.is_redriving,
        )


class DeadLetterPage(BaseModel):
    """Dead letters in the order of their events; `next` goes into `after` for the page behind, None at the end."""

    items: list[DeadLetterTold]
    next: int | None


class PingTold(BaseModel):
    """How a test went."""

    is_delivered: bool
    status: int | None
    milliseconds: int
    error: str | None

    @classmethod
    def of(cls, outcome: Outcome) -> PingTold:
        """An outcome as it is told."""
        return cls(
            is_delivered=outcome.error is None,
            status=outcome.status,
            milliseconds=outcome.milliseconds,
            error=outcome.error,
        )
