"""The consent ledger over HTTP: add, import, read, and ask where somebody stands. Nothing is changed or taken back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from recado.gateway.callers import Manager, Reader, documented
from recado.gateway.consent import recording, repository, stopping
from recado.gateway.consent.recording import Problem, Said, Whom
from recado.gateway.consent.schemas import (
    ConsentAsked,
    ConsentLines,
    ConsentPage,
    ConsentTold,
    Imported,
    LineProblem,
    NewConsent,
    StandingTold,
    WordsTold,
)
from recado.gateway.consent.service import MARKETING, standings
from recado.gateway.db.unit import Unit

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/consents", tags=["consents"], dependencies=[documented])


def whom(to: str | None = None, contact_id: UUID | None = None, conversation_id: UUID | None = None) -> Whom:
    """A person by the query: one of `to`, `contact_id` and `conversation_id`."""
    return Whom(to=to, contact_id=contact_id, conversation_id=conversation_id)


@router.post("", status_code=201)
async def add_consent(request: Request, caller: Manager, asked: ConsentAsked) -> ConsentTold:
    """Add what a person agreed to or objected to. The newest entry of a purpose counts; none is ever changed."""
    now = request.app.state.gateway.clock.now()
    added = await caller.run(lambda unit: recording.record_consent(unit, asked.said(), source=asked.source, now=now))
    return ConsentTold.of(added)


@router.post("/import")
async def import_consents(request: Request, caller: Manager, asked: ConsentLines) -> Imported:
    """Add up to 1,000 entries from elsewhere, each with its own time. Who asked to stop is not brought back by it."""
    now = request.app.state.gateway.clock.now()
    lines, malformed = _read(asked)
    added, refused = await caller.run(lambda unit: recording.import_consents(unit, lines, now=now))
    problems = sorted([*malformed, *refused], key=lambda problem: problem.line)
    return Imported(
        added=len(added),
        problems=[LineProblem(line=each.line, problem=each.kind, detail=each.why) for each in problems],
    )


@router.get("")
async def list_consents(
    caller: Reader,
    to: str | None = None,
    contact_id: UUID | None = None,
    conversation_id: UUID | None = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ConsentPage:
    """Everything one person said, the last recorded first."""
    async with caller.unit() as unit:
        contact = await recording.find_contact(unit, whom(to, contact_id, conversation_id))
        found = await repository.list_consents(unit, contact, before=before, limit=limit + 1)
    page = found[:limit]
    return ConsentPage(
        items=[ConsentTold.of(entry) for entry in page], next=page[-1].id if len(found) > limit else None
    )


@router.get("/standing")
async def get_standing(
    caller: Reader,
    to: str | None = None,
    contact_id: UUID | None = None,
    conversation_id: UUID | None = None,
    purpose: str = MARKETING,
) -> StandingTold:
    """Where one person stands on a purpose."""
    async with caller.unit() as unit:
        contact = await recording.find_contact(unit, whom(to, contact_id, conversation_id))
        found = (await standings(unit, [contact], purpose)).get(contact)
    return StandingTold(
        contact_id=contact,
        purpose=purpose,
        kind=found.kind if found is not None else None,
        at=found.at if found is not None else None,
    )


@router.get("/words")
async def get_words(caller: Reader) -> WordsTold:
    """The words for stopping and coming back, where they are not the usual ones, and the answer."""
    async with caller.unit() as unit:
        return WordsTold.of(await repository.get_settings(unit))


@router.patch("/words")
async def save_words(caller: Manager, asked: WordsTold) -> WordsTold:
    """Set the given ones; null brings the usual ones back."""
    given = asked.model_fields_set

    async def save(unit: Unit) -> WordsTold:
        now = WordsTold.of(await repository.get_settings(unit))
        wanted = now.model_copy(update={name: getattr(asked, name) for name in given})
        return WordsTold.of(await recording.save_settings(unit, wanted.settings()))

    saved = await caller.run(save)
    stopping.forget_words(caller.mentorado_id)
    return saved


def _read(asked: ConsentLines) -> tuple[list[tuple[int, Said]], list[Problem]]:
    """The lines that can be read, and what is wrong with the others; no value is repeated."""
    lines: list[tuple[int, Said]] = []
    problems: list[Problem] = []
    for place, item in enumerate(asked.items):
        try:
            lines.append((place, NewConsent.model_validate(item).said()))
        except ValidationError as error:
            first = error.errors(include_input=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"])) if first["type"] != "extra_forbidden" else "an unknown field"
            problems.append(Problem(place, "malformed-body", f"{where}: {first['msg']}"))
    return lines, problems
