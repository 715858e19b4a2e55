"""
Asking for a group and keeping the answer. Done when a group is not kept, or when the server said that what we believe
of it is wrong; never for each message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.events import ContactChanged
from recado.groups import Group
from recado.jid import JID
from recado.protocol.queries.groups import GroupInfo, MyGroups
from recado.protocol.stanzas.groups import member_pairs
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection


async def ask_group(account: Account, connection: Connection, group: JID) -> Group:
    """Ask for a group and keep it. Raises QueryError, ConnectionLost."""
    answer = await connection.requests.ask(GroupInfo(group))
    await keep(account, [answer])
    return answer


async def ask_groups(account: Account, connection: Connection) -> list[Group]:
    """Ask for all groups the account is in, and keep them. Raises QueryError, ConnectionLost."""
    answer = await connection.requests.ask(MyGroups())
    mine = {group.jid for group in answer}
    async with account.store.transaction() as tx:
        for kept in await tx.groups.list():
            if kept.jid.is_group and kept.jid not in mine:
                await tx.groups.forget(kept.jid)  # we are not in it any more
    await keep(account, answer)
    return answer


async def keep(account: Account, groups: Sequence[Group]) -> None:
    """Keep groups as told just now, and what they tell of people's addresses."""
    async with account.store.transaction() as tx:
        for group in groups:
            await tx.groups.save(group)
            await _learn(account, tx, group)


async def _learn(account: Account, tx: Transaction, group: Group) -> None:
    pairs = [(one, other) if one.is_phone else (other, one) for one, other in member_pairs(group.members)]
    for phone, lid in await tx.learn_lids(pairs) if pairs else ():
        if not account.is_me(phone):
            await tx.record(ContactChanged(account=account.jid, at=account.now(), contact=lid, phone=phone, lid=lid))
