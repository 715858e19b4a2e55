"""
`client.statuses`: what everybody in a list of people sees for a day. Sealed like a message to a group whose members are
that list, kept as such a group, so that keys are given, made anew and resent by the same rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from recado.client import sending
from recado.client.account import Account
from recado.client.sending import Sent
from recado.content import Content
from recado.errors import UsageError
from recado.events import MessageId
from recado.groups import Group, Member
from recado.jid import BROADCAST, JID

if TYPE_CHECKING:
    from recado.client.connection import Connection

STATUS = JID("status", BROADCAST)


class Statuses:
    """The status posts of one account. Raises as `Client.send` does."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    async def post(self, content: Content, to: Sequence[JID], *, id: MessageId | None = None) -> Sent:
        """
        Post a status for those people to see. Whoever is left out of `to`, and was not before, cannot read on: the key
        is made anew.
        """
        if not to:
            raise UsageError("a status is for somebody to see")
        connection = await self._connected()
        async with self._account.store.transaction() as tx:
            people = [(await tx.canonical(person)).bare for person in to]
            members = tuple(Member(person) for person in dict.fromkeys(people))
            by_lid = any(person.is_lid for person in people)
            await tx.groups.save(Group(jid=STATUS, subject="", members=members, by_lid=by_lid))
        return await sending.send(self._account, connection, STATUS, content, id=id)
