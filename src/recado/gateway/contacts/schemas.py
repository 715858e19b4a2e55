"""The JSON of contacts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.contacts.repository import Contact, Erasure, Identifier, Merge


class ContactTold(BaseModel):
    """A person, whatever address was used."""

    id: UUID
    phone: str | None
    lid: str | None
    bsuid: str | None
    username: str | None
    push_name: str | None = Field(description="What they call themselves")
    name: str | None = Field(description="What the mentorado calls them")
    verified_name: str | None = Field(description="What WhatsApp certifies that a business is called")
    conversation_id: UUID | None
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None

    @classmethod
    def of(cls, contact: Contact) -> ContactTold:
        """A contact as it is told."""
        return cls(**{name: getattr(contact, name) for name in ContactTold.model_fields})


class IdentifierTold(BaseModel):
    """An address or a name a contact has or had, and where it was learnt."""

    kind: str
    value: str
    learnt_from: str
    first_seen_at: datetime
    last_seen_at: datetime

    @classmethod
    def of(cls, identifier: Identifier) -> IdentifierTold:
        """An identifier as it is told."""
        return cls(**{name: getattr(identifier, name) for name in cls.model_fields})


class ContactInFull(ContactTold):
    """A contact with everything it was ever known by here."""

    identifiers: list[IdentifierTold]


class ContactPage(BaseModel):
    """Contacts, the newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[ContactTold]
    next: str | None


class Renamed(BaseModel):
    """What the mentorado calls them; null: what they call themselves."""

    model_config = ConfigDict(extra="forbid")
    name: str | None


class Merging(BaseModel):
    """Who turned out to be this contact."""

    model_config = ConfigDict(extra="forbid")
    other_id: UUID


class MergeTold(BaseModel):
    """`loser_id` turned out to be `winner_id`."""

    id: int
    winner_id: UUID
    loser_id: UUID
    at: datetime

    @classmethod
    def of(cls, merge: Merge) -> MergeTold:
        """A merge as it is told."""
        return cls(**{name: getattr(merge, name) for name in cls.model_fields})


class MergePage(BaseModel):
    """Merges, the newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[MergeTold]
    next: int | None


class Erasing(BaseModel):
    """Why a person is erased."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(description="Nothing that tells who it is: it stays")


class ErasureTold(BaseModel):
    """The proof of an erasure."""

    id: UUID
    contact_id: UUID
    actor: str
    reason: str
    counts: dict[str, int] = Field(description="What was taken away, by where it was")
    remaining: int = Field(description="Places where an address of theirs was still found afterwards")
    at: datetime

    @classmethod
    def of(cls, erasure: Erasure) -> ErasureTold:
        """An erasure as it is told."""
        return cls(**{name: getattr(erasure, name) for name in cls.model_fields})


class ErasurePage(BaseModel):
    """Erasures, the newest first; `next` goes into `before` for the page behind, None at the end."""

    items: list[ErasureTold]
    next: str | None
