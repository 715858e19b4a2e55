"""Leads: the people a mentorado works with, tied to their conversations whichever came first."""

from __future__ import annotations

from uuid import UUID

from recado.gateway.contacts.repository import get_contact
from recado.gateway.conversations.service import parse_address
from recado.gateway.db.unit import Unit
from recado.gateway.leads import repository
from recado.gateway.leads.repository import Lead
from recado.gateway.refusals import BadAddress, BadContent, LeadExists
from recado.gateway.security import SEND

_LONGEST_NAME = 200
_LONGEST_NOTES = 10_000


async def create_lead(
    unit: Unit, *, name: str, phone: str | None = None, contact_id: UUID | None = None, notes: str = ""
) -> Lead:
    """
    A new lead, known by a number or a contact; what was written before it existed becomes its. Raises Forbidden,
    NotFound, BadAddress, BadContent, LeadExists.
    """
    unit.principal.require(SEND)
    _check(name, notes)
    digits = _digits(phone)
    if contact_id is not None:
        contact = await get_contact(unit, contact_id)
        digits = digits or contact.phone
    made = await repository.add_lead(unit, name=name.strip(), phone=digits, contact_id=contact_id, notes=notes)
    if made is None:
        raise LeadExists
    await repository.link_orphan_messages(unit, made.id)
    return await repository.get_lead(unit, made.id)


async def change_lead(unit: Unit, lead_id: UUID, *, name: str | None, notes: str | None) -> Lead:
    """Change what is given. Raises Forbidden, NotFound, BadContent."""
    unit.principal.require(SEND)
    _check(name or "", notes or "")
    return await repository.save_lead(unit, lead_id, name=name, notes=notes)


async def delete_lead(unit: Unit, lead_id: UUID) -> None:
    """Not a lead any more; every message stays. Raises Forbidden, NotFound."""
    unit.principal.require(SEND)
    await repository.delete_lead(unit, lead_id)


def _digits(phone: str | None) -> str | None:
    if phone is None:
        return None
    address = parse_address(phone)
    if not address.is_phone:
        raise BadAddress("a lead is known by a phone number, or by a contact")
    return address.user


def _check(name: str, notes: str) -> None:
    if len(name) > _LONGEST_NAME or len(notes) > _LONGEST_NOTES or "\x00" in name + notes:
        raise BadContent("a name has at most 200 characters, notes have at most 10000")
