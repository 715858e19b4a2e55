"""
The gate before a campaign: a dry run that says what a start would do, and the start, which wants a fresh one. On an
unofficial provider somebody must accept the risk by name; on any, the connection must have been seen to receive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recado.gateway.audit.repository import add_entry
from recado.gateway.campaigns import repository
from recado.gateway.campaigns.choosing import choose
from recado.gateway.campaigns.estimate import estimate
from recado.gateway.campaigns.repository import Campaign, DryRun, Road
from recado.gateway.campaigns.service import DRAFT, WrongState
from recado.gateway.consent.service import locale
from recado.gateway.db.notify import CAMPAIGNS
from recado.gateway.db.unit import Unit
from recado.gateway.pacing.service import in_force
from recado.gateway.providers.roads import first_by_priority
from recado.gateway.refusals import BadContent, NotConnectable, Refusal
from recado.gateway.security import MANAGE, SEND

OFFICIAL = "meta"
FRESH_FOR = timedelta(minutes=30)
_AT_ONCE = 1000
_MOST_NAMED = 100

NO_CONNECTION = "no_connection"
NOT_RECEIVED_YET = "not_received_yet"
UNOFFICIAL = "unofficial_provider"
NOBODY = "nobody_would_get_it"

RISK = {
    "pt-BR": (
        "Esta campanha iria por um provedor não oficial. O WhatsApp pode restringir ou banir o número por envios em "
        "massa, mesmo com consentimento e ritmo controlado, e nada aqui pode desfazer isso."
    ),
    "en": (
        "This campaign would go through an unofficial provider. WhatsApp may restrict or ban the number for bulk "
        "messages, with consent and a careful pace too, and nothing here can undo that."
    ),
}
"""What is said to who would send a campaign past the official API; it is kept with the name of who accepts it."""


class StaleDryRun(Refusal):
    """This is no dry run of the campaign as it is now, or it is too old: make another."""

    status = 409
    kind = "stale-dry-run"


class OfficialOnly(Refusal):
    """Campaigns go through the official API unless somebody accepts the risk of another way."""

    status = 409
    kind = "official-only"


class NotReceivedYet(Refusal):
    """The connection was not seen to receive a message since it was linked: first have somebody write to it."""

    status = 409
    kind = "not-received-yet"


@dataclass(frozen=True, slots=True)
class Gate:
    """Which connection would carry it, and what is known of that."""

    road: Road | None
    has_received: bool

    @property
    def is_official(self) -> bool:
        """Is it the official API?"""
        return self.road is not None and self.road.provider == OFFICIAL


async def dry_run(unit: Unit, campaign_id: UUID, *, now: datetime) -> DryRun:
    """What a start would do now: ids, words and figures. Raises Forbidden, NotFound, WrongState."""
    unit.principal.require(SEND)
    campaign = await _draft(unit, campaign_id)
    gate = await look(unit, campaign.provider)
    would_go, new_chats, skipped, named = await _chosen(unit, campaign, now)
    rules = (await in_force(unit)).rules
    linked_at = gate.road.linked_at if gate.road is not None else None
    takes = estimate(rules, messages=would_go, new_chats=new_chats, age=now - (linked_at or now))
    blockers = [
        word
        for word, holds in (
            (NO_CONNECTION, gate.road is None),
            (NOT_RECEIVED_YET, gate.road is not None and not gate.has_received),
            (UNOFFICIAL, gate.road is not None and not gate.is_official),
            (NOBODY, would_go == 0),
        )
        if holds
    ]
    report: dict[str, Any] = {
        "would_go": would_go,
        "new_chats": new_chats,
        "skipped": skipped,
        "skipped_recipients": named,
        "provider": gate.road.provider if gate.road is not None else None,
        "is_official": gate.is_official,
        "blockers": blockers,
        "estimated_seconds": takes.total_seconds() if takes is not None else None,
        "risk": RISK[await locale(unit)] if UNOFFICIAL in blockers else None,
        "link": linked_at.isoformat() if linked_at is not None else None,
    }
    made = await repository.add_dry_run(unit, campaign, report, now=now)
    await add_entry(unit, "campaign.dry_run", campaign=str(campaign_id), dry_run=str(made.id), would_go=would_go)
    return made


async def start(unit: Unit, campaign_id: UUID, dry_run_id: UUID, *, allow_unofficial: bool, now: datetime) -> Campaign:
    """
    Have it run, as its dry run said. Raises Forbidden, NotFound, WrongState, StaleDryRun, NotConnectable, OfficialOnly,
    NotReceivedYet, BadContent when nobody would get it.
    """
    unit.principal.require(SEND)
    campaign = await _draft(unit, campaign_id)
    made = await repository.find_dry_run(unit, campaign_id, dry_run_id)
    if made is None:
        raise StaleDryRun
    gate = await look(unit, campaign.provider)
    if gate.road is None:
        raise NotConnectable("there is no connection that could carry the campaign")
    link = gate.road.linked_at.isoformat() if gate.road.linked_at is not None else None
    if (
        now - made.at > FRESH_FOR
        or made.revision != campaign.revision
        or made.provider != gate.road.provider
        or made.report["link"] != link
    ):
        raise StaleDryRun
    risk = None
    if not gate.is_official:
        risk = RISK[await locale(unit)]
        if not allow_unofficial:
            raise OfficialOnly(risk)
        unit.principal.require(MANAGE)
    if gate.road.linked_at is None or not gate.has_received:
        raise NotReceivedYet
    if not made.report["would_go"]:
        raise BadContent("nobody would get this campaign")
    await repository.save_start(
        unit, campaign_id, provider=gate.road.provider, proven_link_at=gate.road.linked_at, risk_text=risk, now=now
    )
    await add_entry(
        unit,
        "campaign.started",
        campaign=str(campaign_id),
        dry_run=str(dry_run_id),
        provider=gate.road.provider,
        is_risk_accepted=risk is not None,
    )
    unit.tell(CAMPAIGNS)
    return await repository.get_campaign(unit, campaign_id)


async def look(unit: Unit, provider: str | None, *, proven: datetime | None = None) -> Gate:
    """
    The connection that would carry it: the one asked for, else the first by priority; and whether it was seen to
    receive since it was linked. `proven` is the link on which that is known.
    """
    roads = {road.provider: road for road in await repository.list_roads(unit)}
    name = provider if provider is not None else first_by_priority(roads)
    road = roads.get(name) if name is not None else None
    if road is None or road.linked_at is None:
        return Gate(road, has_received=False)
    if road.linked_at == proven:
        return Gate(road, has_received=True)
    return Gate(road, await repository.has_received(unit, road.provider, since=road.linked_at))


async def _draft(unit: Unit, campaign_id: UUID) -> Campaign:
    campaign = await repository.get_campaign(unit, campaign_id, locked=True)
    if campaign.state != DRAFT:
        raise WrongState(f"the campaign is {campaign.state}")
    return campaign


async def _chosen(
    unit: Unit, campaign: Campaign, now: datetime
) -> tuple[int, int, dict[str, int], list[dict[str, Any]]]:
    """How many would go, how many of them to new people, who is skipped and why, and the first of those."""
    skipped: dict[str, int] = {}
    named: list[dict[str, Any]] = []
    for count in await repository.list_counts(unit, campaign.id):
        if count.state == "skipped" and count.reason is not None:
            skipped[count.reason] = count.recipients
    for recipient in await repository.list_recipients(unit, campaign.id, state="skipped", limit=_MOST_NAMED):
        named.append({"recipient": recipient.id, "reason": recipient.reason})
    would_go = new_chats = after = 0
    while waiting := await repository.list_waiting(unit, campaign.id, after=after, limit=_AT_ONCE):
        after = waiting[-1].id
        for choice in await choose(unit, campaign, waiting, now=now):
            if choice.reason is None:
                would_go += 1
                new_chats += choice.recipient.is_new_chat
            else:
                skipped[choice.reason] = skipped.get(choice.reason, 0) + 1
                named.append({"recipient": choice.recipient.id, "reason": choice.reason})
    return would_go, new_chats, skipped, named[:_MOST_NAMED]
