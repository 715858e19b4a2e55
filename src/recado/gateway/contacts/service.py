"""
Contacts: naming them, saying that two are one, and erasing a person on their request. Contacts are found, completed and
merged by themselves as facts come in (conversations/directory.py); this is what a person does by hand.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from recado.gateway.audit.repository import add_entry
from recado.gateway.contacts import repository
from recado.gateway.contacts.repository import Contact, Erasure
from recado.gateway.db.notify import MEDIA
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import BadContent, CannotMerge, NotFound
from recado.gateway.security import MANAGE, SEND
from recado.gateway.stream.notices import ContactErased, tell

_LONGEST_NAME = 200
_LONGEST_REASON = 500


async def rename(unit: Unit, contact_id: UUID, name: str | None) -> Contact:
    """What the mentorado calls them; None: what they call themselves. Raises Forbidden, NotFound, BadContent."""
    unit.principal.require(SEND)
    if name is not None:
        name = name.strip()
        if not name or len(name) > _LONGEST_NAME or "\x00" in name:
            raise BadContent("a name has 1 to 200 characters")
    await repository.save_name(unit, contact_id, name)
    return await repository.get_contact(unit, contact_id)


async def merge(unit: Unit, contact_id: UUID, other_id: UUID) -> Contact:
    """
    Say that two contacts are one person: everything of the other becomes this one's. Raises Forbidden, NotFound, and
    CannotMerge when they have an address of the same kind each: what comes next from it would be a new person again.
    """
    unit.principal.require(MANAGE)
    winner, loser = await repository.get_contact(unit, contact_id), await repository.get_contact(unit, other_id)
    if winner.erased_at is not None or loser.erased_at is not None:
        raise NotFound
    if winner.id == loser.id:
        raise CannotMerge("a contact is one with itself already")
    for kind in ("phone", "lid", "bsuid"):
        if getattr(winner, kind) is not None and getattr(loser, kind) is not None:
            raise CannotMerge(f"each has a {kind} of their own, so they are two accounts")
    await repository.merge_contacts(unit, winner, loser)
    await add_entry(unit, "contact.merged", contact=str(winner.id), gone=str(loser.id))
    return await repository.get_contact(unit, contact_id)


async def erase(unit: Unit, contact_id: UUID, *, reason: str, now: datetime) -> Erasure:
    """
    Take a person out of everything that is kept, on their request: texts, names, addresses, files, keys. What stays
    says nothing of them; what they asked not to be sent goes on counting. Raises Forbidden, NotFound, BadContent.
    """
    unit.principal.require(MANAGE)
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST_REASON or "\x00" in reason:
        raise BadContent("say why, in 1 to 500 characters, without anything that tells who it is")
    done = await repository.erase_contact(unit, contact_id, reason=reason)
    await add_entry(
        unit,
        "contact.erased",
        contact=str(contact_id),
        erasure=str(done.id),
        counts=done.counts,
        remaining=done.remaining,
    )
    unit.tell(MEDIA)  # the files that nobody can open any more are deleted
    await tell(unit, ContactErased(at=now, contact_id=contact_id, erasure_id=done.id))
    return done
