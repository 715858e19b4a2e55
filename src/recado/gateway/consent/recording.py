"""
Entries of the ledger as people and programs make them: one at a time, or many from elsewhere. Says of each why it was
not taken; who asked to stop is not brought back by a list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recado.gateway.audit.repository import add_entry
from recado.gateway.consent import repository
from recado.gateway.consent.keywords import LONGEST_WORD, normalised
from recado.gateway.consent.repository import EVERY_PURPOSE, ConsentSettings, Entry, Kind, NewEntry
from recado.gateway.conversations.directory import Directory
from recado.gateway.conversations.service import parse_address
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import BadAddress, BadContent, Refusal
from recado.gateway.security import MANAGE
from recado.gateway.stream.notices import ConsentChanged, tell
from recado.jid import JID

LONGEST_TEXT = 4096
LARGEST_EVIDENCE = 4096
LONGEST_PURPOSE = 64
MOST_WORDS = 50
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """A person, by one of three names."""

    to: str | None = field(default=None, repr=False)
    contact_id: UUID | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody agreed or objected to, before it is checked."""

    whom: Whom
    purpose: str
    kind: Kind
    at: datetime | None
    text_shown: str | None = field(default=None, repr=False)
    evidence: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line of an import was not taken: its place, from 0, a stable word, and plain words."""

    line: int
    kind: str
    why: str


class OptedOut(Refusal):
    """They asked to stop: a list does not bring them back."""

    status = 409
    kind = "opted-out"


async def record_consent(unit: Unit, said: Said, *, source: str, now: datetime) -> Entry:
    """Add one entry. Raises Forbidden, BadAddress, BadContent, NotFound, Collided."""
    unit.principal.require(MANAGE)
    entry = replace(_checked(said, now), source=source)
    contact_id = await _contact(unit, said.whom)
    (added,) = await repository.add_consents(unit, [replace(entry, contact_id=contact_id)])
    await add_entry(
        unit, "consent.added", contact=str(contact_id), kind=added.kind, purpose=added.purpose, source=source
    )
    await tell(unit, changed(added, now))
    return added


async def import_consents(
    unit: Unit, lines: Sequence[tuple[int, Said]], *, now: datetime
) -> tuple[list[Entry], list[Problem]]:
    """Add many, each with the time it was said; what cannot be taken is told by line. Raises Forbidden, Collided."""
    unit.principal.require(MANAGE)
    problems: list[Problem] = []
    good: list[tuple[int, Said, NewEntry]] = []
    directory = Directory()
    for line, said in lines:
        try:
            if said.at is None:
                raise BadContent("an import says when each person agreed")
            good.append((line, said, _checked(said, now)))
            if said.whom.to is not None:
                directory.person(_address(said.whom.to))
        except Refusal as refusal:
            good = [each for each in good if each[0] != line]
            problems.append(Problem(line, refusal.kind, str(refusal)))
    await directory.settle(unit)
    entries = await _of_contacts(unit, directory, good, problems)
    added = await repository.add_consents(unit, entries) if entries else []
    await add_entry(unit, "consent.imported", added=len(added), refused=len(problems))
    if added:
        await tell(unit, *(changed(entry, now) for entry in added))
    return added, sorted(problems, key=lambda problem: problem.line)


async def _of_contacts(
    unit: Unit, directory: Directory, good: list[tuple[int, Said, NewEntry]], problems: list[Problem]
) -> list[NewEntry]:
    """The entries with their contacts, without those whose contact is unknown or has asked to stop."""
    found: list[tuple[int, NewEntry]] = []
    for line, said, entry in good:
        try:
            whom = said.whom
            contact_id = directory.contact_id(_address(whom.to)) if whom.to is not None else await _contact(unit, whom)
            found.append((line, replace(entry, contact_id=contact_id)))
        except Refusal as refusal:
            problems.append(Problem(line, refusal.kind, str(refusal)))
    out: set[tuple[UUID, str]] = set()
    for purpose in {entry.purpose for _, entry in found}:
        stands = await repository.list_standings(unit, [entry.contact_id for _, entry in found], purpose)
        out |= {(contact_id, purpose) for contact_id, standing in stands.items() if standing.kind == "out"}
    entries = []
    for line, entry in found:
        if entry.kind == "in" and (entry.contact_id, entry.purpose) in out:
            problems.append(Problem(line, OptedOut.kind, str(OptedOut())))
        else:
            entries.append(entry)
    return entries


async def find_contact(unit: Unit, whom: Whom) -> UUID:
    """Who is meant, when they are known here. Raises BadAddress, NotFound."""
    if whom.to is not None:
        return await repository.get_contact_by_address(unit, _address(whom.to))
    return await _contact(unit, whom)


async def save_settings(unit: Unit, settings: ConsentSettings) -> ConsentSettings:
    """The words for stopping and coming back, and the answer. Raises Forbidden, BadContent."""
    unit.principal.require(MANAGE)
    for words in (settings.stop_words, settings.return_words):
        if words is None:
            continue
        if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD or not normalised(word) for word in words):
            raise BadContent(f"up to {MOST_WORDS} words, each of 1 to {LONGEST_WORD} letters, digits and spaces")
    if settings.stop_words is not None and not settings.stop_words:
        raise BadContent("there is always a word for stopping")
    if settings.answer is not None and (not settings.answer.strip() or len(settings.answer) > LONGEST_TEXT):
        raise BadContent(f"the answer has 1 to {LONGEST_TEXT} characters")
    await repository.save_settings(unit, settings)
    await add_entry(unit, "consent.words_changed", is_answering=settings.is_answering)
    return settings


def changed(entry: Entry, now: datetime) -> ConsentChanged:
    """The notice of an entry."""
    return ConsentChanged(
        at=now, contact_id=entry.contact_id, purpose=entry.purpose, kind=entry.kind, source=entry.source
    )


async def _contact(unit: Unit, whom: Whom) -> UUID:
    """Whose entry it is; an address nobody has is somebody new."""
    if sum(name is not None for name in (whom.to, whom.contact_id, whom.conversation_id)) != 1:
        raise BadAddress("say whom by one of to, contact_id and conversation_id")
    if whom.contact_id is not None:
        return await repository.get_contact(unit, whom.contact_id)
    if whom.conversation_id is not None:
        return await repository.get_contact_of(unit, whom.conversation_id)
    address = _address(whom.to or "")
    directory = Directory()
    directory.person(address)
    await directory.settle(unit)
    return directory.contact_id(address)


def _address(text: str) -> JID:
    address = parse_address(text)
    if not address.is_person:
        raise BadAddress("people agree, groups do not")
    return address


def _checked(said: Said, now: datetime) -> NewEntry:
    purpose = said.purpose.strip().lower()
    if not purpose or len(purpose) > LONGEST_PURPOSE:
        raise BadContent(f"a purpose has 1 to {LONGEST_PURPOSE} characters")
    if purpose == EVERY_PURPOSE and said.kind == "in":
        raise BadContent("nobody agrees to every purpose: name the one they agreed to")
    if said.text_shown is not None and len(said.text_shown) > LONGEST_TEXT:
        raise BadContent(f"the text shown has at most {LONGEST_TEXT} characters")
    if len(json.dumps(said.evidence)) > LARGEST_EVIDENCE:
        raise BadContent(f"evidence has at most {LARGEST_EVIDENCE} characters as JSON: refer to what is larger")
    at = said.at or now
    if at.tzinfo is None or at > now + _CLOCKS_DIFFER:
        raise BadContent("a time has a zone, and is not to come")
    return NewEntry(
        contact_id=UUID(int=0),
        purpose=purpose,
        kind=said.kind,
        at=min(at, now),
        source="import",
        text_shown=said.text_shown,
        evidence=said.evidence,
    )
