"""
Campaigns as people handle them: a draft with its text and its recipients, and what may be asked of one that runs. How
it starts is in starting.py, how it is fed into the outbox in feeding.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.audit.repository import add_entry
from recado.gateway.campaigns import repository
from recado.gateway.campaigns.choosing import CANCELLED, DUPLICATE, INVALID_ADDRESS, UNKNOWN_CONTACT
from recado.gateway.campaigns.repository import Campaign, Count, NewRecipient
from recado.gateway.campaigns.template import NAME, is_well_formed
from recado.gateway.consent.repository import EVERY_PURPOSE
from recado.gateway.conversations import service as conversations
from recado.gateway.conversations.contents import LONGEST_TEXT
from recado.gateway.conversations.directory import Directory
from recado.gateway.conversations.service import parse_address
from recado.gateway.db.notify import CAMPAIGNS
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import PRIORITY
from recado.gateway.refusals import BadAddress, BadContent, NotConnectable, Refusal
from recado.gateway.security import SEND
from recado.jid import JID

DRAFT, RUNNING, PAUSED, FINISHED, OVER = "draft", "running", "paused", "finished", "cancelled"
MOST_AT_ONCE = 5_000
MOST_RECIPIENTS = 50_000
MOST_FIELDS = 20
LONGEST_FIELD = 500
LONGEST_NAME = 200


class WrongState(Refusal):
    """The campaign is not in a state for that."""

    status = 409
    kind = "wrong-state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody a campaign is to go to, by one of three names, and what their text is filled with."""

    to: str | None = field(default=None, repr=False)
    contact_id: UUID | None = None
    conversation_id: UUID | None = None
    fields: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding recipients."""

    waiting: int
    skipped: dict[str, int]


async def create_campaign(
    unit: Unit,
    *,
    name: str,
    text: str,
    purpose: str,
    provider: str | None,
    recipients: Sequence[Asked],
    now: datetime,
) -> Campaign:
    """A draft, with its first recipients. Raises Forbidden, BadContent, Collided."""
    unit.principal.require(SEND)
    _check(name, text, purpose, provider)
    made = await repository.add_campaign(unit, name=name, text=text, purpose=purpose, provider=provider, now=now)
    if recipients:
        await _add(unit, made, recipients, now=now)
    await add_entry(unit, "campaign.created", campaign=str(made.id), recipients=len(recipients))
    return await repository.get_campaign(unit, made.id)


async def change_draft(
    unit: Unit, campaign_id: UUID, *, name: str | None, text: str | None, purpose: str | None, provider: str | None
) -> Campaign:
    """Another name, text, purpose or provider. Raises Forbidden, NotFound, WrongState, BadContent."""
    unit.principal.require(SEND)
    draft = await _draft(unit, campaign_id)
    name, text, purpose = name or draft.name, text or draft.text, purpose or draft.purpose
    provider = provider or draft.provider
    _check(name, text, purpose, provider)
    await repository.save_draft(unit, campaign_id, name=name, text=text, purpose=purpose, provider=provider)
    await add_entry(unit, "campaign.changed", campaign=str(campaign_id))
    return await repository.get_campaign(unit, campaign_id)


async def add_recipients(unit: Unit, campaign_id: UUID, recipients: Sequence[Asked], *, now: datetime) -> Added:
    """More recipients; nobody is one twice. Raises Forbidden, NotFound, WrongState, BadContent, Collided."""
    unit.principal.require(SEND)
    draft = await _draft(unit, campaign_id)
    added = await _add(unit, draft, recipients, now=now)
    await add_entry(unit, "campaign.recipients_added", campaign=str(campaign_id), recipients=len(recipients))
    return added


async def clear_recipients(unit: Unit, campaign_id: UUID) -> None:
    """A draft without recipients. Raises Forbidden, NotFound, WrongState."""
    unit.principal.require(SEND)
    await _draft(unit, campaign_id)
    await repository.clear_recipients(unit, campaign_id)
    await add_entry(unit, "campaign.recipients_cleared", campaign=str(campaign_id))


async def pause(unit: Unit, campaign_id: UUID, *, now: datetime) -> Campaign:
    """Nothing more goes; what has not reached the wire is called back. Raises Forbidden, NotFound, WrongState."""
    return await _move(unit, campaign_id, "paused", PAUSED, since=(RUNNING,), now=now)


async def resume(unit: Unit, campaign_id: UUID, *, now: datetime) -> Campaign:
    """Go on after a pause. Raises Forbidden, NotFound, WrongState."""
    return await _move(unit, campaign_id, "resumed", RUNNING, since=(PAUSED,), now=now)


async def cancel(unit: Unit, campaign_id: UUID, *, now: datetime) -> Campaign:
    """It is over; what has not reached the wire is called back. Raises Forbidden, NotFound, WrongState."""
    moved = await _move(unit, campaign_id, CANCELLED, OVER, since=(DRAFT, RUNNING, PAUSED), now=now)
    await repository.skip_waiting(unit, campaign_id, CANCELLED, now=now)
    return moved


async def progress(unit: Unit, campaign_id: UUID) -> tuple[Campaign, list[Count]]:
    """How far it is. Raises NotFound."""
    return await repository.get_campaign(unit, campaign_id), await repository.list_counts(unit, campaign_id)


async def _move(
    unit: Unit, campaign_id: UUID, word: str, state: str, *, since: tuple[str, ...], now: datetime
) -> Campaign:
    unit.principal.require(SEND)
    campaign = await repository.get_campaign(unit, campaign_id, locked=True)
    if campaign.state not in since:
        raise WrongState(f"the campaign is {campaign.state}")
    if campaign.state == RUNNING:
        await _call_back(unit, campaign_id, now=now)
    await repository.save_state(unit, campaign_id, state, now=now)
    await add_entry(unit, f"campaign.{word}", campaign=str(campaign_id))
    unit.tell(CAMPAIGNS)
    return await repository.get_campaign(unit, campaign_id)


async def _call_back(unit: Unit, campaign_id: UUID, *, now: datetime) -> None:
    """Take out of the outbox what has not reached the wire; those recipients wait again."""
    await repository.settle_recipients(unit, campaign_id, now=now)
    called_back = []
    for recipient_id, message_id in await repository.list_queued(unit, campaign_id):
        try:
            await conversations.cancel_message(unit, message_id, now=now)
        except NotConnectable:
            continue  # it may be on the wire: what became of it is learnt from the outbox
        called_back.append(recipient_id)
    if called_back:
        await repository.put_back(unit, campaign_id, called_back, now=now)


async def _draft(unit: Unit, campaign_id: UUID) -> Campaign:
    draft = await repository.get_campaign(unit, campaign_id, locked=True)
    if draft.state != DRAFT:
        raise WrongState("only a draft can be changed")
    return draft


async def _add(unit: Unit, campaign: Campaign, recipients: Sequence[Asked], *, now: datetime) -> Added:
    if len(recipients) > MOST_AT_ONCE:
        raise BadContent(f"at most {MOST_AT_ONCE} recipients at once")
    if await repository.count_recipients(unit, campaign.id) + len(recipients) > MOST_RECIPIENTS:
        raise BadContent(f"a campaign has at most {MOST_RECIPIENTS} recipients")
    for asked in recipients:
        _check_fields(asked.fields)
    addresses = [_address(asked) for asked in recipients]
    directory = Directory()
    for address in addresses:
        if address is not None:
            directory.person(address)
    await directory.settle(unit)
    known = await repository.list_known_contacts(unit, [a.contact_id for a in recipients if a.contact_id])
    by_conversation = await repository.list_conversation_contacts(
        unit, [a.conversation_id for a in recipients if a.conversation_id]
    )
    there = await repository.list_contacts(unit, campaign.id)
    rows: list[NewRecipient] = []
    for asked, address in zip(recipients, addresses, strict=True):
        contact_id: UUID | None
        if asked.to is not None:
            contact_id = directory.contact_id(address) if address is not None else None
        elif asked.contact_id is not None:
            contact_id = asked.contact_id if asked.contact_id in known else None
        else:
            contact_id = by_conversation.get(asked.conversation_id) if asked.conversation_id else None
        reason = None
        if contact_id is None:
            reason = INVALID_ADDRESS if asked.to is not None else UNKNOWN_CONTACT
        elif contact_id in there:
            reason = DUPLICATE
        else:
            there.add(contact_id)
        given = asked.to or str(asked.contact_id or asked.conversation_id)
        rows.append(NewRecipient(contact_id, given[:200], asked.fields, reason))
    await repository.add_recipients(unit, campaign.id, rows, now=now)
    skipped: dict[str, int] = {}
    for row in rows:
        if row.reason is not None:
            skipped[row.reason] = skipped.get(row.reason, 0) + 1
    return Added(len(rows) - sum(skipped.values()), skipped)


def _address(asked: Asked) -> JID | None:
    """The address of a recipient that was named by one, if it is a person's."""
    if sum(name is not None for name in (asked.to, asked.contact_id, asked.conversation_id)) != 1:
        raise BadContent("each recipient is named by one of to, contact_id and conversation_id")
    if asked.to is None:
        return None
    try:
        address = parse_address(asked.to)
    except BadAddress:
        return None
    return address if address.is_person else None


def _check_fields(fields: dict[str, str]) -> None:
    if len(fields) > MOST_FIELDS:
        raise BadContent(f"a recipient has at most {MOST_FIELDS} fields")
    for name, value in fields.items():
        if not NAME.fullmatch(name) or len(value) > LONGEST_FIELD or "\x00" in value:
            raise BadContent(
                f"a field has a name of small letters, digits and _, and a value of at most {LONGEST_FIELD} characters"
            )


def _check(name: str, text: str, purpose: str, provider: str | None) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or "\x00" in name:
        raise BadContent(f"a name has 1 to {LONGEST_NAME} characters")
    if not text.strip() or len(text) > LONGEST_TEXT or "\x00" in text:
        raise BadContent(f"a text has 1 to {LONGEST_TEXT} characters")
    if not is_well_formed(text):
        raise BadContent("a place in the text is {{name}}: small letters, digits and _")
    if not purpose.strip() or purpose == EVERY_PURPOSE or len(purpose) > 64:
        raise BadContent("a campaign has one purpose, of 1 to 64 characters")
    if provider is not None and provider not in PRIORITY:
        raise BadContent("the providers are " + ", ".join(PRIORITY))
