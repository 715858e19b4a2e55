"""The consent ledger as rows: entries are added and read, never changed (the database grants no more)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound
from recado.jid import JID

_queries = load_queries(__file__)

Kind = Literal["in", "out"]
Said = Literal["in", "out", "back"]
"""What an entry says: agreed, objected, or took the stops before it back (and no more than that)."""

EVERY_PURPOSE = "*"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands: in, out, or (None) never asked; and since when."""

    kind: Kind | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactStanding:
    """Where one contact stands, and where that came from."""

    contact_id: UUID
    kind: Kind
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The last word of one contact, whatever it is about."""

    contact_id: UUID
    kind: Said
    at: datetime
    source: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What a person said, to be kept."""

    contact_id: UUID
    purpose: str
    kind: Said
    at: datetime
    source: str
    text_shown: str | None = field(default=None, repr=False)
    evidence: dict[str, Any] = field(default_factory=dict, repr=False)
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    id: int
    contact_id: UUID
    purpose: str
    kind: Said
    at: datetime
    text_shown: str | None = field(repr=False)
    source: str
    evidence: dict[str, Any] = field(repr=False)
    message_id: str | None
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A contact and the conversation with them."""

    contact_id: UUID
    conversation_id: UUID


@dataclass(frozen=True, slots=True)
class ConsentSettings:
    """The words of one mentorado. None: the usual ones."""

    locale: str = "pt-BR"
    stop_words: list[str] | None = None
    return_words: list[str] | None = None
    answer: str | None = field(default=None, repr=False)
    is_answering: bool = True


async def find_standing(unit: Unit, conversation_id: UUID, purpose: str) -> Standing | None:
    """The newest entry that counts of a conversation's person, for that purpose or for every purpose."""
    return await unit.one(Standing, _queries.find_standing, conversation_id=conversation_id, purpose=purpose)


async def list_standings(unit: Unit, contact_ids: Sequence[UUID], purpose: str) -> dict[UUID, ContactStanding]:
    """The same for many contacts; who never said anything is not in it."""
    found = await unit.all(ContactStanding, _queries.list_standings, contact_ids=list(contact_ids), purpose=purpose)
    return {each.contact_id: each for each in found}


async def list_newest(unit: Unit, contact_ids: Sequence[UUID]) -> dict[UUID, Newest]:
    """The last word of each of these contacts; who never said anything is not in it."""
    found = await unit.all(Newest, _queries.list_newest, contact_ids=list(contact_ids))
    return {each.contact_id: each for each in found}


async def add_consents(unit: Unit, entries: Sequence[NewEntry]) -> list[Entry]:
    """Keep them in this order, in the name of the unit's principal; what a message said before is left out."""
    return await unit.all(
        Entry,
        _queries.add_consents,
        contact_ids=[entry.contact_id for entry in entries],
        purposes=[entry.purpose for entry in entries],
        kinds=[entry.kind for entry in entries],
        ats=[entry.at for entry in entries],
        texts=[entry.text_shown for entry in entries],
        sources=[entry.source for entry in entries],
        evidences=[json.dumps(entry.evidence) for entry in entries],
        message_ids=[entry.message_id for entry in entries],
        actor=unit.principal.actor,
    )


async def list_consents(unit: Unit, contact_id: UUID, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """A contact's entries, the last recorded first; `before` is the last id of the page before."""
    return await unit.all(Entry, _queries.list_consents, contact_id=contact_id, before=before, limit=limit)


async def list_heeded(unit: Unit, message_ids: Sequence[str], contact_ids: Sequence[UUID]) -> set[str]:
    """Which of these messages are entries already."""
    rows = await unit.tuples(_queries.list_heeded, message_ids=list(message_ids), contact_ids=list(contact_ids))
    return {message_id for (message_id,) in rows}


async def add_answer(unit: Unit, message_id: str, *, answers: str, at: datetime) -> None:
    """Our message `message_id` confirms the opt-out that the message `answers` was."""
    await unit.run(_queries.add_answer, message_id=message_id, answers=answers, at=at)


async def has_answer(unit: Unit, message_id: str) -> bool:
    """Does this message of ours confirm an opt-out?"""
    return bool(await unit.value(_queries.has_answer, message_id=message_id))


async def get_contact(unit: Unit, contact_id: UUID) -> UUID:
    """The id again. Raises NotFound when there is no such contact here."""
    return _found(await unit.value(_queries.find_contact, id=contact_id))


async def get_contact_of(unit: Unit, conversation_id: UUID) -> UUID:
    """Whom a conversation is with. Raises NotFound, for groups too."""
    return _found(await unit.value(_queries.find_contact_of, conversation_id=conversation_id))


async def get_contact_by_address(unit: Unit, address: JID) -> UUID:
    """Who has that address. Raises NotFound."""
    return _found(
        await unit.value(
            _queries.find_contact_by_address,
            phone=address.user if address.is_phone else None,
            lid=address.user if address.is_lid else None,
            bsuid=address.user if address.is_bsuid else None,
        )
    )


async def list_people(unit: Unit, addresses: Sequence[tuple[JID, JID | None]]) -> list[Person | None]:
    """Who is at each of these addresses (or at the other one of the same person), in their order."""
    each = [address for pair in addresses for address in pair if address is not None]
    rows = await unit.tuples(
        _queries.list_people,
        phones=[address.user for address in each if address.is_phone],
        lids=[address.user for address in each if address.is_lid],
        bsuids=[address.user for address in each if address.is_bsuid],
    )
    found: dict[tuple[str, str], Person] = {}
    for phone, lid, bsuid, contact_id, conversation_id in rows:
        for kind, user in (("phone", phone), ("lid", lid), ("bsuid", bsuid)):
            if user is not None:
                found[kind, user] = Person(contact_id, conversation_id)
    return [_first(found, pair) for pair in addresses]


async def get_settings(unit: Unit) -> ConsentSettings:
    """The mentorado's words; the defaults when nothing was set."""
    return await unit.one(ConsentSettings, _queries.find_settings) or ConsentSettings()


async def save_settings(unit: Unit, settings: ConsentSettings) -> None:
    """All of them at once."""
    await unit.run(
        _queries.save_settings,
        locale=settings.locale,
        stop_words=settings.stop_words,
        return_words=settings.return_words,
        answer=settings.answer,
        is_answering=settings.is_answering,
    )


def _first(found: dict[tuple[str, str], Person], pair: tuple[JID, JID | None]) -> Person | None:
    for address in pair:
        if address is not None:
            kind = "lid" if address.is_lid else "bsuid" if address.is_bsuid else "phone"
            person = found.get((kind, address.user))
            if person is not None:
                return person
    return None


def _found(id: Any) -> UUID:
    if id is None:
        raise NotFound
    found: UUID = id
    return found
