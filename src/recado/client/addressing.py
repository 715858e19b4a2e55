"""
By which address a stanza names a chat with a person: the LID, once it is known, whatever the caller wrote.

Only the wire sees it. Facts, what is kept for resends, and threads go on naming the chat as the caller did; both
addresses are one person everywhere (`Transaction.canonical`). Mappings come from the server alone, so a known one is
believed. `Limits.write_to_lids` turns it off, for a server that does not take LIDs.
"""

from __future__ import annotations

from recado.client.account import Account
from recado.jid import JID
from recado.store.transaction import Transaction


async def wire_address(account: Account, tx: Transaction, chat: JID) -> JID:
    """The address the stanza goes to: the person's LID where it and our own are known, else the chat as it is."""
    if not account.limits.write_to_lids or account.lid is None or not chat.is_phone or chat.is_bot:
        return chat
    return account.lid.bare if account.is_me(chat) else (await tx.canonical(chat)).bare


def own_at(account: Account, address: JID) -> JID:
    """The account in the address space of that address: how the stanza's other devices are named, and its author."""
    return account.lid.bare if address.is_lid and account.lid is not None else account.jid


async def number_beside(account: Account, tx: Transaction, address: JID) -> JID | None:
    """The number that goes beside a LID, so that the server need not look it up."""
    if not address.is_lid:
        return None
    return account.jid if account.is_me(address) else await tx.phone_of(address)
