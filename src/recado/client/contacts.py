"""What is learnt of people along the way: that a phone number and a LID are one person."""

from __future__ import annotations

from collections.abc import Sequence

from recado.client.turn import Turn
from recado.events import ContactChanged
from recado.jid import JID
from recado.store.transaction import Transaction


async def learn_lids(turn: Turn, pairs: Sequence[tuple[JID, JID]]) -> None:
    """Note pairs of addresses, in either order, and record each that is new."""
    # With a person, the chat and who wrote are one and the same.
    ordered = dict.fromkeys((one, other) if one.is_phone else (other, one) for one, other in pairs)
    people = [(phone, lid) for phone, lid in ordered if phone.is_phone and lid.is_lid]
    if not people:
        return
    for phone, lid in await turn.tx.learn_lids(people):
        if not turn.account.is_me(phone):
            await turn.tx.record(ContactChanged(account=turn.me, at=turn.now, contact=lid, phone=phone, lid=lid))


async def other_address(tx: Transaction, chat: JID) -> JID | None:
    """The same person in the other address space, if we know it."""
    if chat.is_lid:
        return await tx.phone_of(chat)
    return await tx.lid_of(chat) if chat.is_phone else None
