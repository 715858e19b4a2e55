"""Contacts, where each of their addresses and names was learnt, merges and erasures, as rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person, whatever address was used. After an erasure nothing of them is left but the id."""

    id: UUID
    phone: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    bsuid: str | None = field(repr=False)
    username: str | None = field(repr=False)
    push_name: str | None = field(repr=False)
    name: str | None = field(repr=False)
    verified_name: str | None = field(repr=False)
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None
    conversation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """An address or a name a contact has or had: what told it, and when first and last."""

    kind: str
    value: str = field(repr=False)
    learnt_from: str
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """`loser` turned out to be `winner`."""

    id: int
    winner_id: UUID
    loser_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was taken away of a person, and in how many places something of theirs was found afterwards."""

    id: UUID
    contact_id: UUID
    actor: str
    reason: str
    counts: dict[str, int]
    remaining: int
    at: datetime


async def list_contacts(
    unit: Unit, *, like: str | None = None, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Contact]:
    """The newest first; `like` is a pattern of SQL; `before` is (created_at, id) of the last one of the page before."""
    at, id = before or (None, None)
    return await unit.all(Contact, _queries.list_contacts, like=like, before_at=at, before_id=id, limit=limit)


async def get_contact(unit: Unit, contact_id: UUID) -> Contact:
    """Raises NotFound."""
    found = await unit.one(Contact, _queries.find_contact, id=contact_id)
    if found is None:
        raise NotFound
    return found


async def list_identifiers(unit: Unit, contact_id: UUID) -> list[Identifier]:
    """Everything they were ever known by here."""
    return await unit.all(Identifier, _queries.list_identifiers, contact_id=contact_id)


async def save_name(unit: Unit, contact_id: UUID, name: str | None) -> None:
    """What the mentorado calls them. Raises NotFound."""
    if await unit.value(_queries.save_name, id=contact_id, name=name) is None:
        raise NotFound


async def merge_contacts(unit: Unit, winner: Contact, loser: Contact) -> None:
    """Everything of `loser` becomes `winner`'s, its addresses too."""
    await unit.run(_queries.merge_contacts, winner=winner.id, loser=loser.id)
    await unit.run(
        _queries.complete_contact,
        id=winner.id,
        phone=loser.phone,
        lid=loser.lid,
        bsuid=loser.bsuid,
        username=loser.username,
    )


async def list_merges(unit: Unit, contact_id: UUID, *, before: int | None = None, limit: int = 50) -> list[Merge]:
    """Who turned out to be this contact, the newest first; `before` is the last id of the page before."""
    return await unit.all(Merge, _queries.list_merges, contact_id=contact_id, before=before, limit=limit)


async def erase_contact(unit: Unit, contact_id: UUID, *, reason: str) -> Erasure:
    """Take the person out of everything that is kept. Raises NotFound when that was done before."""
    await unit.run(_queries.erase_media, id=contact_id)  # as long as messages say whose files are whose
    await unit.run(_queries.erase_traces, id=contact_id)  # first: who quoted whom is not known any more afterwards
    await unit.run(_queries.erase_asked, id=contact_id)
    erasure_id = await unit.value(_queries.erase_contact, id=contact_id, actor=unit.principal.actor, reason=reason)
    if erasure_id is None:
        raise NotFound
    done = await unit.one(Erasure, _queries.find_erasure, id=erasure_id)
    assert done is not None
    return done


async def list_erasures(unit: Unit, *, before: tuple[datetime, UUID] | None = None, limit: int = 50) -> list[Erasure]:
    """The newest first; `before` is (at, id) of the last one of the page before."""
    at, id = before or (None, None)
    return await unit.all(Erasure, _queries.list_erasures, before_at=at, before_id=id, limit=limit)
