"""The JSON of the consent ledger, of what is imported into it, and of the words for stopping."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.consent.recording import Said, Whom
from recado.gateway.consent.repository import ConsentSettings, Entry

MOST_LINES = 1000


class NewConsent(BaseModel):
    """What a person said, of one purpose; name the person by one of `to`, `contact_id` and `conversation_id`."""

    model_config = ConfigDict(extra="forbid")
    to: str | None = Field(default=None, description="A number with its country code, or an address")
    contact_id: UUID | None = None
    conversation_id: UUID | None = None
    purpose: str = Field(default="marketing", description="What for; `*` for an opt-out of everything")
    kind: Literal["in", "out"]
    at: datetime | None = Field(default=None, description="When they said so; now, when left out")
    text_shown: str | None = Field(default=None, description="What they were shown when they agreed")
    evidence: dict[str, Any] = Field(default_factory=dict, description="What proves it, or where that is")

    def said(self) -> Said:
        """As the ledger takes it."""
        return Said(
            whom=Whom(to=self.to, contact_id=self.contact_id, conversation_id=self.conversation_id),
            purpose=self.purpose,
            kind=self.kind,
            at=self.at,
            text_shown=self.text_shown,
            evidence=self.evidence,
        )


class ConsentAsked(NewConsent):
    """One entry, and where it was given."""

    source: Literal["api", "page"] = "api"


class ConsentTold(BaseModel):
    """One entry of the ledger."""

    id: int
    contact_id: UUID
    purpose: str
    kind: str
    at: datetime
    text_shown: str | None
    source: str
    evidence: dict[str, Any]
    message_id: str | None
    actor: str
    recorded_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> ConsentTold:
        """An entry as it is told."""
        return cls(
            id=entry.id,
            contact_id=entry.contact_id,
            purpose=entry.purpose,
            kind=entry.kind,
            at=entry.at,
            text_shown=entry.text_shown,
            source=entry.source,
            evidence=entry.evidence,
            message_id=entry.message_id,
            actor=entry.actor,
            recorded_at=entry.recorded_at,
        )


class ConsentPage(BaseModel):
    """A contact's entries, the last recorded first; `next` goes into `before` for the page behind, None at the end."""

    items: list[ConsentTold]
    next: int | None


class ConsentLines(BaseModel):
    """Entries from elsewhere. Each is read by itself: a bad one does not keep the others out."""

    model_config = ConfigDict(extra="forbid")
    items: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_LINES, description="Each as one entry, with `at`")


class LineProblem(BaseModel):
    """Why a line was not taken."""

    line: int = Field(description="Its place, from 0")
    problem: str
    detail: str


class Imported(BaseModel):
    """What came of an import."""

    added: int
    problems: list[LineProblem]


class StandingTold(BaseModel):
    """Where a person stands: in, out, or null when they were never asked."""

    contact_id: UUID
    purpose: str
    kind: str | None
    at: datetime | None


class WordsTold(BaseModel):
    """The words for stopping and for coming back, and the answer; null: the usual ones."""

    model_config = ConfigDict(extra="forbid")
    locale: Literal["pt-BR", "en"] = "pt-BR"
    stop_words: list[str] | None = None
    return_words: list[str] | None = None
    answer: str | None = None
    is_answering: bool = True

    @classmethod
    def of(cls, settings: ConsentSettings) -> WordsTold:
        """The settings as they are told."""
        return cls(
            locale="en" if settings.locale == "en" else "pt-BR",
            stop_words=settings.stop_words,
            return_words=settings.return_words,
            answer=settings.answer,
            is_answering=settings.is_answering,
        )

    def settings(self) -> ConsentSettings:
        """As they are kept."""
        return ConsentSettings(
            locale=self.locale,
            stop_words=self.stop_words,
            return_words=self.return_words,
            answer=self.answer,
            is_answering=self.is_answering,
        )
