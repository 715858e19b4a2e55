"""The JSON of campaigns: drafts, recipients, dry runs and progress, and the cursors of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.campaigns.repository import Campaign, Count, DryRun, Recipient
from recado.gateway.campaigns.service import MOST_AT_ONCE, Asked


class NewRecipient(BaseModel):
    """Somebody it is to go to: named by one of `to`, `contact_id` and `conversation_id`."""

    model_config = ConfigDict(extra="forbid")
    to: str | None = Field(default=None, description="A number with its country code, or an address")
    contact_id: UUID | None = None
    conversation_id: UUID | None = None
    fields: dict[str, str] = Field(default_factory=dict, description="What fills the places of the text")

    def asked(self) -> Asked:
        """As the service takes it."""
        return Asked(to=self.to, contact_id=self.contact_id, conversation_id=self.conversation_id, fields=self.fields)


class NewCampaign(BaseModel):
    """A draft."""

    model_config = ConfigDict(extra="forbid")
    name: str
    text: str = Field(description="With places like {{name}}, filled from the recipient's fields")
    purpose: str = Field(default="marketing", description="What the recipients must have agreed to")
    provider: Literal["meta", "baileys", "zapi"] | None = Field(default=None, description="The only one it may go on")
    recipients: list[NewRecipient] = Field(default_factory=list, max_length=MOST_AT_ONCE)


class ChangedCampaign(BaseModel):
    """What is to be another in a draft; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    text: str | None = None
    purpose: str | None = None
    provider: Literal["meta", "baileys", "zapi"] | None = None


class MoreRecipients(BaseModel):
    """Recipients to be added to a draft."""

    model_config = ConfigDict(extra="forbid")
    recipients: list[NewRecipient] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Start(BaseModel):
    """Which dry run it is to be, and whether an unofficial provider is accepted for this campaign."""

    model_config = ConfigDict(extra="forbid")
    dry_run_id: UUID
    allow_unofficial: bool = False


class AcceptedRisk(BaseModel):
    """Who accepted that it goes past the official API, when, and what they were told."""

    text: str
    accepted_by: str | None
    accepted_at: datetime | None


class CampaignTold(BaseModel):
    """A campaign. `waits_for` says why nothing is queued just now, when something is in the way."""

    id: UUID
    name: str
    text: str
    purpose: str
    state: str = Field(description="draft, running, paused, finished or cancelled")
    provider: str | None
    risk: AcceptedRisk | None
    waits_for: str | None
    due_at: datetime | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignTold:
        """A campaign as it is told."""
        risk = None
        if campaign.risk_text is not None:
            risk = AcceptedRisk(
                text=campaign.risk_text,
                accepted_by=campaign.risk_accepted_by,
                accepted_at=campaign.risk_accepted_at,
            )
        return cls(
            id=campaign.id,
            name=campaign.name,
            text=campaign.text,
            purpose=campaign.purpose,
            state=campaign.state,
            provider=campaign.provider,
            risk=risk,
            waits_for=campaign.waits_for,
            due_at=campaign.due_at if campaign.state == "running" else None,
            created_by=campaign.created_by,
            created_at=campaign.created_at,
            started_at=campaign.started_at,
            ended_at=campaign.ended_at,
        )


class CampaignPage(BaseModel):
    """The newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[CampaignTold]
    next: str | None


class RecipientTold(BaseModel):
    """One recipient: waiting, queued, skipped (and why), sent, failed or unknown."""

    id: int
    contact_id: UUID | None
    address: str
    fields: dict[str, str]
    state: str
    reason: str | None
    message_id: str | None
    at: datetime

    @classmethod
    def of(cls, row: Recipient) -> RecipientTold:
        """A recipient as it is told."""
        return cls(
            id=row.id,
            contact_id=row.contact_id,
            address=row.address,
            fields=row.fields,
            state=row.state,
            reason=row.reason,
            message_id=row.message_id,
            at=row.at,
        )


class RecipientPage(BaseModel):
    """In the order they were given; `next` goes into `after` for the page behind, None at the end."""

    items: list[RecipientTold]
    next: int | None


class RecipientsAdded(BaseModel):
    """How many were added, and how many of them are skipped from the start, by reason."""

    waiting: int
    skipped: dict[str, int]


class SkippedRecipient(BaseModel):
    """A recipient who would get nothing."""

    recipient: int
    reason: str


class DryRunTold(BaseModel):
    """What a start would do now. Its id starts the campaign for 30 minutes, while nothing of it changes."""

    id: UUID
    would_go: int
    new_chats: int = Field(description="How many of them nobody has written with yet")
    skipped: dict[str, int] = Field(description="How many would get nothing, by reason")
    skipped_recipients: list[SkippedRecipient] = Field(description="The first hundred of them")
    provider: str | None = Field(description="The connection that would carry it")
    is_official: bool
    blockers: list[str] = Field(description="What keeps it from starting, or must be accepted")
    estimated_seconds: float | None = Field(description="Under the present guardrails; null: they never let all go")
    risk: str | None = Field(description="What is accepted with allow_unofficial")
    at: datetime

    @classmethod
    def of(cls, made: DryRun) -> DryRunTold:
        """A dry run as it is told."""
        report = {name: value for name, value in made.report.items() if name != "link"}
        return cls(id=made.id, at=made.at, **report)


class Figures(BaseModel):
    """How many recipients are where, and how far the sent messages got."""

    waiting: int = 0
    queued: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    delivered: int = 0
    read: int = 0
    reasons: dict[str, int] = Field(default_factory=dict, description="Why recipients were skipped or failed")


class ProgressTold(BaseModel):
    """A campaign and how far it is."""

    campaign: CampaignTold
    figures: Figures

    @classmethod
    def of(cls, campaign: Campaign, counts: Sequence[Count]) -> ProgressTold:
        """The progress as it is told."""
        figures = Figures()
        for count in counts:
            setattr(figures, count.state, getattr(figures, count.state) + count.recipients)
            figures.delivered += count.delivered
            figures.read += count.read
            if count.reason is not None:
                figures.reasons[count.reason] = figures.reasons.get(count.reason, 0) + count.recipients
        return cls(campaign=CampaignTold.of(campaign), figures=figures)
