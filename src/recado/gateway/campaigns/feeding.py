"""
One step of a running campaign, inside one transaction: learn what became of those that were queued, and queue the next
few. Queueing a message and marking its recipient is one commit, so a death anywhere neither skips nor doubles anybody.
The guardrails govern the speed; here only a few wait in the outbox, so that a pause takes them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recado.errors import StoreRefused
from recado.gateway.audit.repository import add_entry
from recado.gateway.campaigns import repository
from recado.gateway.campaigns.choosing import Choice, choose
from recado.gateway.campaigns.repository import Campaign, Waiting
from recado.gateway.campaigns.service import FINISHED
from recado.gateway.campaigns.starting import NO_CONNECTION, NOT_RECEIVED_YET, look
from recado.gateway.conversations.service import queue_message
from recado.gateway.db.unit import Unit
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import GuardrailRefused, NotConnectable, Refusal
from recado.gateway.stream.notices import CampaignFinished, CampaignStopped, tell

WINDOW = 5
"""How many of a campaign's messages wait in the outbox at a time."""

_NEXT = timedelta(seconds=5)
_UNCONNECTED = timedelta(seconds=30)
_HELD = timedelta(minutes=15)
REFUSED = "database_refused"
"""The reason of a recipient whose message the database did not take."""
STEP_FAILED = "step_failed"
"""The reason of a campaign that was paused because its step failed again and again, and not for one recipient."""

_OVER_FOR_THEM = frozenset({"opted-out", "consent", "take-over"})
"""The rules whose refusal concerns one person, not the campaign."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing more is queued before then, because of `reason`."""

    reason: str | None
    until: datetime


class RecipientRefused(StoreRefused):
    """The database refused a value of one recipient's."""

    def __init__(self, recipient_id: int, message: str) -> None:
        self.recipient_id = recipient_id
        super().__init__(message)


async def advance(unit: Unit, campaign: Campaign, *, now: datetime, one_by_one: bool = False) -> None:
    """
    The next step of a campaign that this unit has claimed. Raises Collided, StoreRefused; `one_by_one` it says whose
    value was refused (RecipientRefused), at the price of a round trip each.
    """
    await repository.settle_recipients(unit, campaign.id, now=now)
    wait, proven = await _hindrance(unit, campaign, now)
    if wait is None:
        wait = await _feed(unit, campaign, now, one_by_one)
    counts = await repository.list_counts(unit, campaign.id)
    by_state = {state: sum(c.recipients for c in counts if c.state == state) for state in {c.state for c in counts}}
    if by_state.get("waiting") or by_state.get("queued"):
        await repository.save_step(unit, campaign.id, due_at=wait.until, waits_for=wait.reason, proven_link_at=proven)
        return
    await repository.save_state(unit, campaign.id, FINISHED, now=now)
    sent, failed, unknown, skipped = (by_state.get(state, 0) for state in ("sent", "failed", "unknown", "skipped"))
    await add_entry(unit, "campaign.finished", campaign=str(campaign.id), sent=sent, failed=failed, skipped=skipped)
    await tell(
        unit,
        CampaignFinished(at=now, campaign_id=campaign.id, sent=sent, failed=failed, unknown=unknown, skipped=skipped),
    )


async def stop(unit: Unit, campaign_id: UUID, *, now: datetime) -> None:
    """Pause a campaign whose step cannot be made, and say so."""
    if await repository.save_stopped(unit, campaign_id, STEP_FAILED, now=now):
        await add_entry(unit, "campaign.stopped", campaign=str(campaign_id), reason=STEP_FAILED)
        await tell(unit, CampaignStopped(at=now, campaign_id=campaign_id, reason=STEP_FAILED))


async def _hindrance(unit: Unit, campaign: Campaign, now: datetime) -> tuple[Wait | None, datetime | None]:
    """What keeps the pinned connection from carrying it now; and the link on which it is known to receive."""
    gate = await look(unit, campaign.provider, proven=campaign.proven_link_at)
    if gate.road is None or gate.road.state != "connected" or gate.road.linked_at is None:
        return Wait(NO_CONNECTION, now + _UNCONNECTED), campaign.proven_link_at
    if not gate.has_received:
        return Wait(NOT_RECEIVED_YET, now + _UNCONNECTED), campaign.proven_link_at
    return None, gate.road.linked_at


async def _feed(unit: Unit, campaign: Campaign, now: datetime, one_by_one: bool) -> Wait:
    room = WINDOW - len(await repository.list_queued(unit, campaign.id))
    if room <= 0:
        return Wait(None, now + _NEXT)
    waiting = await repository.list_waiting(unit, campaign.id, limit=room)
    if not one_by_one:
        return await _feed_to(unit, campaign, waiting, now) or Wait(None, now + _NEXT)
    for recipient in waiting:
        try:
            wait = await _feed_to(unit, campaign, [recipient], now)
            await repository.list_queued(unit, campaign.id)  # a refusal shows with the next answer at the latest
        except StoreRefused as error:
            raise RecipientRefused(recipient.id, str(error)) from None
        if wait is not None:
            return wait
    return Wait(None, now + _NEXT)


async def _feed_to(unit: Unit, campaign: Campaign, waiting: list[Waiting], now: datetime) -> Wait | None:
    """Queue a message to each of them, or skip them; or say why nobody's can be queued now."""
    for choice in await choose(unit, campaign, waiting, now=now) if waiting else ():
        if choice.reason is not None:
            await repository.skip_recipient(unit, campaign.id, choice.recipient.id, choice.reason, now=now)
            continue
        wait = await _queue(unit, campaign, choice, now)
        if wait is not None:
            return wait
    return None


async def _queue(unit: Unit, campaign: Campaign, choice: Choice, now: datetime) -> Wait | None:
    """Queue one recipient's message and mark them; or say why nobody's can be queued now."""
    recipient = choice.recipient
    try:
        accepted = await queue_message(
            unit,
            text=choice.text,
            now=now,
            to=recipient.address,
            idempotency_key=f"campaign:{campaign.id}:{recipient.id}:{recipient.attempt}",
            origin=Origin.CAMPAIGN,
            campaign_id=campaign.id,
            provider=campaign.provider,
        )
    except GuardrailRefused as refusal:
        if refusal.rule not in _OVER_FOR_THEM:
            return Wait(refusal.rule, refusal.until or now + _HELD)
        await repository.skip_recipient(unit, campaign.id, recipient.id, refusal.rule.replace("-", "_"), now=now)
    except NotConnectable:
        return Wait(NO_CONNECTION, now + _UNCONNECTED)
    except Refusal as refusal:
        await repository.fail_recipient(unit, campaign.id, recipient.id, refusal.kind, now=now)
    else:
        await repository.save_queued(unit, campaign.id, recipient.id, accepted.queued.message_id, now=now)
    return None
