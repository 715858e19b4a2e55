"""The JSON of the guardrails."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.pacing.repository import Attention, KeptRestriction, TakeOver
from recado.gateway.pacing.rules import Rules, WarmUpStep
from recado.gateway.pacing.service import InForce, Usage


class RulesTold(BaseModel):
    """The rules that hold, what of them is the mentorado's own, and its version (0: nothing was ever changed)."""

    rules: Rules
    changes: dict[str, Any]
    version: int
    updated_by: str | None
    updated_at: datetime | None

    @classmethod
    def of(cls, held: InForce) -> RulesTold:
        """The rules as they are told."""
        kept = held.kept
        return cls(
            rules=held.rules,
            changes=kept.changes if kept else {},
            version=kept.version if kept else 0,
            updated_by=kept.updated_by if kept else None,
            updated_at=kept.updated_at if kept else None,
        )


class RulesChange(BaseModel):
    """Changes to be laid over the rules, group by group."""

    model_config = ConfigDict(extra="forbid")
    changes: dict[str, Any] = Field(description="Fields of the rules; null takes a change of one's own back")
    version: int | None = Field(default=None, description="The version that was read: refused if it is another by now")


class BudgetTold(BaseModel):
    """A budget: at most so many in any window of so many seconds. `room_at`: when the next fits, if it is used up."""

    rule: str
    counts: str
    most: int
    seconds: int
    used: int
    room_at: datetime | None


class UsageTold(BaseModel):
    """What a program has left on a connection; `step` while it is warming up."""

    provider: str
    linked_at: datetime | None
    step: WarmUpStep | None
    budgets: list[BudgetTold]

    @classmethod
    def of(cls, usage: Usage) -> UsageTold:
        """The usage as it is told."""
        return cls(
            provider=usage.provider,
            linked_at=usage.linked_at,
            step=usage.step,
            budgets=[
                BudgetTold(
                    rule=one.budget.rule,
                    counts=one.budget.counted.value,
                    most=one.budget.most,
                    seconds=int(one.budget.per.total_seconds()),
                    used=one.used,
                    room_at=one.room_at,
                )
                for one in usage.used
            ],
        )


class RestrictionTold(BaseModel):
    """What WhatsApp forbade: everything, or new chats. `until` null: nobody knows."""

    id: UUID
    provider: str
    code: int
    scope: str
    learnt_at: datetime
    until: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None
    holds: bool

    @classmethod
    def of(cls, row: KeptRestriction, now: datetime) -> RestrictionTold:
        """A restriction as it is told."""
        return cls(
            id=row.id,
            provider=row.provider,
            code=row.code,
            scope=row.scope,
            learnt_at=row.learnt_at,
            until=row.until,
            lifted_at=row.lifted_at,
            lifted_by=row.lifted_by,
            holds=row.lifted_at is None and (row.until is None or row.until > now),
        )


class RestrictionList(BaseModel):
    """Restrictions, the latest first."""

    items: list[RestrictionTold]


class AttentionTold(BaseModel):
    """A conversation to look at: blocked by WhatsApp, failed, or refused by one of our own rules at the wire."""

    id: UUID
    conversation_id: UUID
    kind: str
    code: int | None
    rule: str | None
    message_id: str
    times: int
    at: datetime
    resolved_at: datetime | None
    resolved_by: str | None

    @classmethod
    def of(cls, row: Attention) -> AttentionTold:
        """An entry as it is told."""
        return cls(
            id=row.id,
            conversation_id=row.conversation_id,
            kind=row.kind,
            code=row.code,
            rule=row.rule,
            message_id=row.message_id,
            times=row.times,
            at=row.at,
            resolved_at=row.resolved_at,
            resolved_by=row.resolved_by,
        )


class AttentionPage(BaseModel):
    """The latest first; `next` goes into `before` for the page behind, null at the end."""

    items: list[AttentionTold]
    next: str | None


class NewTakeOver(BaseModel):
    """A person takes a conversation; without `minutes`, until they give it back."""

    model_config = ConfigDict(extra="forbid")
    minutes: int | None = Field(default=None, ge=1, le=60 * 24 * 365)


class TakeOverTold(BaseModel):
    """Who has a conversation: `taken` false is the programs."""

    conversation_id: UUID
    taken: bool
    taken_by: str | None = None
    taken_at: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, conversation_id: UUID, row: TakeOver | None) -> TakeOverTold:
        """A take-over as it is told."""
        if row is None:
            return cls(conversation_id=conversation_id, taken=False)
        return cls(
            conversation_id=conversation_id, taken=True, taken_by=row.taken_by, taken_at=row.taken_at, until=row.until
        )
