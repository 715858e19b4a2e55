"""The JSON of moves: a cohort, a plan with a report for each mentorado, and the words that move it on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.moving.repository import Person
from recado.gateway.moving.service import LONGEST_COHORT, Options, Plan, Wanted


class CohortLine(BaseModel):
    """One mentorado of a cohort."""

    model_config = ConfigDict(extra="forbid")
    mentorado: str = Field(min_length=1, max_length=200, description="An id, or a name that only one has")
    test_to: str | None = Field(default=None, max_length=40, description="Where the test goes; none: their own number")


class NewMove(BaseModel):
    """A dry run that is asked for. Credentials are saved before, at each connection."""

    model_config = ConfigDict(extra="forbid")
    to: Literal["meta", "baileys", "zapi"]
    cohort: list[CohortLine] = Field(min_length=1, max_length=LONGEST_COHORT)
    retire_old: bool = Field(default=False, description="Disconnect the old connection when it has nothing left")
    coexistence: bool = Field(default=False, description="The number stays on its phone; its devices are unlinked")
    another_number: bool = Field(default=False, description="The new connection may be another number's")
    at_once: bool = Field(default=False, description="Nobody is asked after the first one")

    @property
    def wanted(self) -> list[Wanted]:
        """As the service takes it."""
        return [Wanted(line.mentorado, line.test_to) for line in self.cohort]

    @property
    def options(self) -> Options:
        """As the service takes it."""
        return Options(self.retire_old, self.coexistence, self.another_number, self.at_once)


class Approval(BaseModel):
    """Who says that it is to be done."""

    model_config = ConfigDict(extra="forbid")
    approved_by: str = Field(min_length=1, max_length=100)


class PersonTold(BaseModel):
    """One mentorado of a plan: what the dry run found, and how far they are."""

    mentorado_id: UUID
    name: str | None
    is_ready: bool
    report: dict[str, Any] = Field(description="With `blockers`, that keep them from moving, and `warnings`")
    state: str
    state_at: datetime
    reason: str | None
    carried_over: int = Field(description="Queued messages that changed roads")

    @classmethod
    def of(cls, person: Person) -> PersonTold:
        """As it is told."""
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


class MoveTold(BaseModel):
    """A plan, and everybody in it."""

    id: UUID
    to: str
    options: dict[str, Any]
    state: str = Field(description="dry_run, running, waiting_for_you, stopped, rolling_back, rolled_back or finished")
    made_by: str
    made_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    people: list[PersonTold]

    @classmethod
    def of(cls, plan: Plan) -> MoveTold:
        """As it is told."""
        move = plan.move
        return cls(
            id=move.id,
            to=move.to_provider,
            options=move.options,
            state=plan.state,
            made_by=move.made_by,
            made_at=move.made_at,
            approved_by=move.approved_by,
            approved_at=move.approved_at,
            people=[PersonTold.of(person) for person in plan.people],
        )


class MovePage(BaseModel):
    """The newest plans first."""

    items: list[MoveTold]
