"""
`client.statuses`: what everybody in a list of people sees for a day. Sealed like a message to a group whose members are
that list, kept as such a group, so that keys are given, made anew and resent by the same rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from recado.client import sending
from recado.client.account import Account
from recado.client.groups.planning import kept_group
from recado.client.sending import Sent
from recado.content import Content, Revoke
from recado.errors import UsageError
from recado.events import MessageId
from recado.groups import Group, Member
from recado.jid import JID, STATUS
from recado.protocol.queries.statuses import AskStatusPrivacy, StatusAudience, StatusPrivacy, setting_of
from recado.protocol.queries.usync import Column

if TYPE_CHECKING:
    from recado.client.connection import Connection


class Statuses:
    """The status posts of one account. Raises as `Client.send` does."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    async def privacy(self) -> StatusPrivacy:
        """Whom the account shows its status posts to, as it was chosen on the phone."""
        connection = await self._connected()
        return await connection.requests.ask(AskStatusPrivacy())

    async def audience(self) -> list[JID]:
        """Everybody a status is for by that choice: the only ones named, or the address book without those left out."""
        return await self._for(await self.privacy())

    async def _for(self, chosen: StatusPrivacy) -> list[JID]:
        named = await self._by_one_address(chosen.people)
        if chosen.audience is StatusAudience.ONLY:
            return named
        async with self._account.store.transaction() as tx:
            contacts = await tx.people.contacts()
        if chosen.audience is StatusAudience.CONTACTS_WITHOUT:
            # Somebody left out by number may stand in the address book by LID: never shown for want of that knowledge.
            contacts = [person for person in await self._by_one_address(contacts) if person not in named]
        return [person for person in contacts if not self._account.is_me(person)]

    async def _by_one_address(self, people: Sequence[JID]) -> list[JID]:
        """Each once: by LID, which is asked for where it is not known."""
        known = await self._canonical(people)
        unknown = [person for person in known if person.is_phone]
        if unknown:
            await self._account.look_ups.ask(unknown, (Column.LID,))
        return await self._canonical(known)

    async def _canonical(self, people: Sequence[JID]) -> list[JID]:
        async with self._account.store.transaction() as tx:
            return list(dict.fromkeys([(await tx.canonical(person)).bare for person in people]))

    async def post(self, content: Content, to: Sequence[JID] | None = None, *, id: MessageId | None = None) -> Sent:
        """
        Post a status for those people to see; without `to`, for whom the account's choice says (`audience`). Whoever is
        left out, and was not before, cannot read on: the key is made anew.
        """
        chosen = await self.privacy() if to is None else StatusPrivacy(StatusAudience.ONLY)
        people = await self._for(chosen) if to is None else to
        if not people:
            raise UsageError("a status is for somebody to see")
        connection = await self._connected()
        await self._keep(people, chosen.audience)
        return await sending.send(self._account, connection, STATUS, content, id=id)

    async def revoke(self, id: MessageId, *, known_as: MessageId | None = None) -> Sent:
        """Take a status of one's own back, from those who were shown the last one; `known_as` that id."""
        connection = await self._connected()
        async with self._account.store.transaction() as tx:
            shown = await kept_group(tx, STATUS)
        if shown is None:
            chosen = await self.privacy()
            await self._keep(await self._for(chosen), chosen.audience)
        return await sending.send(self._account, connection, STATUS, Revoke(id), id=known_as)

    async def _keep(self, to: Sequence[JID], audience: StatusAudience) -> None:
        """Who sees it, as a group whose name is the choice: keys are given and made anew by the same rules."""
        people = await self._canonical(to)
        by_lid = any(person.is_lid for person in people)
        members = tuple(Member(person) for person in people)
        async with self._account.store.transaction() as tx:
            await tx.groups.save(Group(jid=STATUS, subject=setting_of(audience), members=members, by_lid=by_lid))
