"""The JSON of a request and its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from recado.gateway.requests.repository import Asked
from recado.gateway.security import Principal
from recado.gateway.web.sentences import outcome_in

State = Literal["queued", "started", "done", "refused", "failed", "unknown"]


class RequestTold(BaseModel):
    """What was asked of WhatsApp, and what came of it."""

    id: UUID
    verb: str
    state: State = Field(
        description="`done`: `answer` says what WhatsApp said. `refused`: WhatsApp would not. `failed`: it could not be"
        " asked. `unknown`: it may have been done, nobody said, and it is not asked a second time"
    )
    answer: dict[str, Any] | None = Field(default=None, description="Left out for a key that could not have asked")
    code: int | None = Field(default=None, description="WhatsApp's own, of a refusal")
    problem: str | None = Field(default=None, description="Why it came to nothing, in a sentence")
    asked_at: datetime
    answered_at: datetime | None = None

    @classmethod
    def of(cls, row: Asked, principal: Principal, language: str) -> RequestTold:
        """A row, as this caller may see it and in that language."""
        may_know = row.scope in principal.scopes or principal.is_admin
        return cls(
            id=row.id,
            verb=row.verb,
            state=row.state,  # type: ignore[arg-type]
            answer=row.answer if may_know else None,
            code=row.code,
            problem=outcome_in(language, row.state, row.code, row.problem),
            asked_at=row.asked_at,
            answered_at=row.answered_at,
        )
