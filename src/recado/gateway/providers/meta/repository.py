"""What is kept of Meta's: which items were told, what its templates are, how our messages stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers.meta.facts import Ours
from recado.gateway.providers.meta.items import TemplateChanged, Who
from recado.jid import JID
from recado.store.facts import content_from_json

_queries = load_queries(__file__)

REMEMBERED = timedelta(days=30)
"""How long an item is known again: Meta repeats for seven days."""

_STATES = ("queued", "on_wire", "unknown", "failed", "server_ack", "delivered", "read", "played")


@dataclass(frozen=True, slots=True)
class ApprovedTemplate:
    """
    A template that may go now; `places` is how many values its body wants, `header` what stands above it (TEXT, IMAGE,
    VIDEO, DOCUMENT), `buttons` those that want a value.
    """

    name: str
    language: str
    category: str | None
    body: str | None = field(repr=False)
    places: int
    header: str | None
    header_text: str | None = field(repr=False)
    header_places: int
    buttons: list[dict[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A template as Meta lists it."""

    name: str
    language: str
    status: str
    category: str | None
    quality: str | None
    reason: str | None
    body: str | None = field(repr=False)
    places: int
    header: str | None = None
    header_text: str | None = field(default=None, repr=False)
    header_places: int = 0
    buttons: tuple[dict[str, Any], ...] = field(default=(), repr=False)


async def claim_told(unit: Unit, digests: Sequence[bytes], *, now: datetime) -> set[bytes]:
    """Those that nobody told before; they are told now. Waits for another unit that tells one of them."""
    rows = await unit.tuples(_queries.claim_told, digests=sorted(digests), now=now, before=now - REMEMBERED)
    return {digest for (digest,) in rows}


async def find_ours(unit: Unit, ids: Sequence[str]) -> dict[str, Ours]:
    """Our messages of those ids, held to the unit's end. Raises BadRecord."""
    found = {}
    for message_id, state, chat, content, status in await unit.tuples(_queries.find_ours, ids=sorted(set(ids))):
        furthest = max(filter(None, (state, status)), key=_STATES.index)
        # Failed after it was taken: the outbox and the row say so alike, and neither of them more.
        found[message_id] = Ours(message_id, furthest, JID.parse(chat), content_from_json(content))
    return found


async def fail_taken(unit: Unit, failed: Mapping[str, int], *, now: datetime) -> None:
    """What Meta had taken failed after all, each with its code."""
    failures = [f"refused ({code})" for code in failed.values()]
    await unit.run(_queries.fail_taken, ids=list(failed), failures=failures, now=now)


async def save_external_ids(unit: Unit, ids: Mapping[str, str]) -> None:
    """What Meta calls messages of ours."""
    await unit.run(_queries.save_external_ids, external_ids=list(ids), message_ids=list(ids.values()))


async def save_names(unit: Unit, names: Mapping[str, str]) -> None:
    """How the app's address book calls people, by number."""
    await unit.run(_queries.save_names, phones=list(names), names=list(names.values()))


async def save_usernames(unit: Unit, people: Sequence[Who]) -> None:
    """How people call themselves, found by user id or number."""
    await unit.run(
        _queries.save_usernames,
        phones=[who.phone for who in people],
        bsuids=[who.user_id for who in people],
        usernames=[who.username for who in people],
    )


async def list_running_campaigns(unit: Unit) -> list[UUID]:
    """The campaigns that go out over Meta now."""
    return [id for (id,) in await unit.tuples(_queries.list_running_campaigns)]


async def find_last_inbound_at(unit: Unit, conversation_id: UUID, *, since: datetime) -> datetime | None:
    """When the other side last wrote over Meta, if it was later than `since`."""
    at: datetime | None = await unit.value(_queries.find_window, conversation_id=conversation_id, since=since)
    return at


async def find_last_inbound(unit: Unit, chat: JID, *, since: datetime) -> str | None:
    """Meta's id of the last message somebody wrote us, if it was later than `since`."""
    found: str | None = await unit.value(
        _queries.find_last_inbound,
        phone=chat.user if chat.is_phone else None,
        lid=None,
        bsuid=chat.user if chat.is_bsuid else None,
        since=since,
    )
    return found


async def is_spelt(unit: Unit, dialled: JID, other: str) -> bool:
    """Is it known already that both numbers are one account's?"""
    return bool(await unit.value(_queries.is_spelt, dialled=dialled.user, other=other))


async def list_approved(unit: Unit, *, limit: int = 50) -> list[ApprovedTemplate]:
    """The templates that may go."""
    return await unit.all(ApprovedTemplate, _queries.list_approved, limit=limit)


async def find_template_status(unit: Unit, name: str, language: str) -> str | None:
    """Meta's last word on a template; None when it never said one."""
    status: str | None = await unit.value(_queries.find_template, name=name, language=language)
    return status


async def save_templates(unit: Unit, templates: Sequence[Template], *, now: datetime) -> None:
    """These are all there are now."""
    columns: dict[str, list[Any]] = {
        "names": [each.name for each in templates],
        "languages": [each.language for each in templates],
        "statuses": [each.status for each in templates],
        "categories": [each.category for each in templates],
        "qualities": [each.quality for each in templates],
        "reasons": [each.reason for each in templates],
        "bodies": [each.body for each in templates],
        "places": [each.places for each in templates],
        "headers": [each.header for each in templates],
        "header_texts": [each.header_text for each in templates],
        "header_places": [each.header_places for each in templates],
        "buttons": [Jsonb(list(each.buttons)) for each in templates],
    }
    await unit.run(_queries.save_templates, now=now, **columns)
    await unit.run(_queries.forget_templates, now=now)


async def change_template(unit: Unit, changed: TemplateChanged, *, now: datetime) -> None:
    """Meta's word on one of them."""
    await unit.run(
        _queries.change_template,
        name=changed.name,
        language=changed.language,
        status=changed.status,
        category=changed.category,
        quality=changed.quality,
        reason=changed.reason,
        at=changed.at or now,
    )


async def find_shared_wabas(unit: Unit, wabas: Sequence[str]) -> dict[str, list[UUID]]:
    """Whose business accounts these are, proven, of those told of over the operator's address; `unit` is of nobody."""
    found: dict[str, list[UUID]] = {}
    for waba_id, mentorado_id in await unit.tuples(_queries.find_shared_wabas, wabas=list(wabas)):
        found.setdefault(waba_id, []).append(mentorado_id)
    return found
