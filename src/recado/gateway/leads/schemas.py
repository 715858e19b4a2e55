"""The JSON of leads."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.leads.repository import Lead


class NewLead(BaseModel):
    """A lead to be made, known by a number or by a contact."""

    model_config = ConfigDict(extra="forbid")
    name: str = ""
    phone: str | None = Field(None, description="With its country code")
    contact_id: UUID | None = None
    notes: str = ""


class ChangedLead(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    notes: str | None = None


class LeadTold(BaseModel):
    """A person the mentorado works with."""

    id: UUID
    name: str
    phone: str | None
    notes: str
    contact_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, lead: Lead) -> LeadTold:
        """A lead as it is told."""
        return cls(**{name: getattr(lead, name) for name in cls.model_fields})


class LeadPage(BaseModel):
    """Leads, the newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[LeadTold]
    next: str | None
