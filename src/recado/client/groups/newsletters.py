"""
`client.newsletters`: channels. Found by their address or an invitation, followed, read, and, in one's own, posted to.
What is posted there is not sealed: everybody may follow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.sending import Sent
from recado.client.settling import settle_as_sent
from recado.content import Content
from recado.errors import Rejected, UsageError
from recado.events import MessageId
from recado.jid import JID, NEWSLETTER
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.shape import shape_of
from recado.protocol.node import Node
from recado.protocol.queries.newsletters import AskNewsletter, Call, Newsletter, Post, Posts
from recado.protocol.stanzas.ack import Ack
from recado.store.records import SentMessage

if TYPE_CHECKING:
    from recado.client.connection import Connection


class Newsletters:
    """The channels of one account. Every verb raises as `Client.send` does, and QueryError when the server refuses."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    async def create(self, name: str, description: str = "") -> Newsletter:
        """Make a channel of one's own."""
        if not name.strip():
            raise UsageError("a channel has a name")
        said = {"name": name, "description": description or None}
        return await self._ask(Call.CREATE, {"input": said})

    async def get(self, newsletter: JID | str) -> Newsletter:
        """A channel by its address, or by the code or link of an invitation."""
        is_address = isinstance(newsletter, JID)
        key = str(newsletter) if is_address else str(newsletter).rstrip("/").rpartition("/")[2]
        wanted = {"key": key, "type": "JID" if is_address else "INVITE"}
        extras = {"fetch_creation_time": True, "fetch_full_image": True, "fetch_viewer_metadata": True}
        return await self._ask(Call.INFO, {**extras, "input": wanted})

    async def follow(self, newsletter: JID) -> None:
        """Follow a channel: its posts come as messages from then on."""
        await self._ask(Call.FOLLOW, {"newsletter_id": str(newsletter)})

    async def unfollow(self, newsletter: JID) -> None:
        """Follow a channel no longer."""
        await self._ask(Call.UNFOLLOW, {"newsletter_id": str(newsletter)})

    async def mute(self, newsletter: JID, *, is_muted: bool = True) -> None:
        """Have a channel's posts make no sound, or make one again."""
        await self._ask(Call.MUTE if is_muted else Call.UNMUTE, {"newsletter_id": str(newsletter)})

    async def posts(
        self, newsletter: JID, *, count: int = 50, before: int | None = None
    ) -> list[tuple[Post, Content | None]]:
        """The last posts, each with what it says; older ones with the number of the oldest known as `before`."""
        connection = await self._connected()
        found = await connection.requests.ask(Posts(newsletter, count, before))
        return [(post, decode_message(post.plaintext).content) for post in found]

    async def post(self, newsletter: JID, content: Content, *, id: MessageId | None = None) -> Sent:
        """Post to a channel of one's own. Raises Rejected."""
        if newsletter.server != NEWSLETTER:
            raise UsageError("that is no channel")
        account, connection = self._account, await self._connected()
        body = encode_message(content, chat=newsletter, at=account.now())
        message = SentMessage(id or new_message_id(account.entropy), newsletter, body, account.now())
        async with account.store.transaction() as tx:
            await tx.remember_sent(message, account.now() + account.limits.keep_sent)
        with account.settlements.under_way(message.id):
            shape = shape_of(parse_message(body))
            marks = {} if shape.mediatype is None else {"mediatype": shape.mediatype}
            attrs = {"id": message.id, "to": str(newsletter), "type": shape.kind}
            node = Node("message", attrs, [Node("plaintext", marks, body)])
            acknowledged = connection.requests.expect(node)
            connection.send(node)
            await connection.flush()
            ack = Ack.parse(await connection.requests.wait(acknowledged, account.limits.ack))
            if ack.error is not None:
                raise Rejected(ack.error)
            at = ack.sent_at or account.now()
            async with account.store.transaction() as tx:
                await settle_as_sent(account, tx, message, at)
        return Sent(message.id, newsletter, at)

    async def _ask(self, call: Call, variables: dict[str, object]) -> Newsletter:
        connection = await self._connected()
        return await connection.requests.ask(AskNewsletter(call, variables))
