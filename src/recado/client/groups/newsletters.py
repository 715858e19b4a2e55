"""
`client.newsletters`: channels. Found by their address or an invitation, followed, read, reacted to, and, in one's own,
posted to. What is posted there is not sealed: everybody may follow.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.media.sealed_file import Source
from recado.client.sending import Sent
from recado.client.settling import settle_as_sent
from recado.content import Content, Edit, Editable, Media, MediaKind, Revoke
from recado.errors import Rejected, UsageError
from recado.events import MessageId, MessageRejected
from recado.jid import JID, NEWSLETTER
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.shape import REVOKE, shape_of
from recado.protocol.node import Node
from recado.protocol.queries.newsletters import (
    AdminCount,
    AskNewsletter,
    Call,
    Newsletter,
    OrderNewsletter,
    Subscribed,
)
from recado.protocol.queries.posts import Post, PostCounts, Posts, PostUpdates, WatchPosts
from recado.protocol.queries.query import Answer, Query
from recado.protocol.stanzas.ack import Ack
from recado.protocol.stanzas.newsletters import POST_EDIT, POST_REVOKE
from recado.store.records import SentMessage

if TYPE_CHECKING:
    from recado.client.connection import Connection
    from recado.client.media.files import Files


class Newsletters:
    """The channels of one account. Every verb raises as `Client.send` does, and QueryError when the server refuses."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]], files: Files) -> None:
        self._account = account
        self._connected = connected
        self._files = files

    async def create(self, name: str, description: str = "") -> Newsletter:
        """Make a channel of one's own."""
        if not name.strip():
            raise UsageError("a channel has a name")
        said = {"name": name, "description": description or None}
        return await self._ask(AskNewsletter(Call.CREATE, {"input": said}))

    async def update(
        self, newsletter: JID, *, name: str | None = None, description: str | None = None, picture: bytes | None = None
    ) -> None:
        """Change what one's own channel is called, what it is about, or its picture: a JPEG, or none (b"")."""
        if name is not None and not name.strip():
            raise UsageError("a channel has a name")
        if picture and not picture.startswith(b"\xff\xd8\xff"):
            raise UsageError("a picture is a JPEG")
        shown = None if picture is None else b64encode(picture).decode()
        told = {"name": name, "description": description, "picture": shown}
        updates: dict[str, object] = {key: value for key, value in told.items() if value is not None}
        if not updates:
            raise UsageError("nothing of the channel is to be changed")
        await self._order(Call.UPDATE, newsletter, updates={**updates, "settings": None})

    async def delete(self, newsletter: JID) -> None:
        """Delete a channel of one's own, for everybody."""
        await self._order(Call.DELETE, newsletter)

    async def get(self, newsletter: JID | str) -> Newsletter:
        """A channel by its address, or by the code or link of an invitation."""
        is_address = isinstance(newsletter, JID)
        key = str(newsletter) if is_address else str(newsletter).rstrip("/").rpartition("/")[2]
        wanted = {"key": key, "type": "JID" if is_address else "INVITE"}
        extras = {"fetch_creation_time": True, "fetch_full_image": True, "fetch_viewer_metadata": True}
        return await self._ask(AskNewsletter(Call.INFO, {**extras, "input": wanted}))

    async def subscribed(self) -> list[Newsletter]:
        """The channels this account follows, and its own."""
        return await self._ask(Subscribed())

    async def follow(self, newsletter: JID) -> None:
        """Follow a channel: its posts come as messages from then on."""
        await self._order(Call.FOLLOW, newsletter)

    async def unfollow(self, newsletter: JID) -> None:
        """Follow a channel no longer."""
        await self._order(Call.UNFOLLOW, newsletter)

    async def mute(self, newsletter: JID, *, is_muted: bool = True) -> None:
        """Have a channel's posts make no sound, or make one again."""
        await self._order(Call.MUTE if is_muted else Call.UNMUTE, newsletter)

    # Who administers it

    async def admin_count(self, newsletter: JID) -> int:
        """How many administer a channel of one's own."""
        return await self._ask(AdminCount(newsletter))

    async def change_owner(self, newsletter: JID, person: JID) -> None:
        """Give one's own channel to an admin of it."""
        await self._order(Call.CHANGE_OWNER, newsletter, user_id=str(person.bare))

    async def demote(self, newsletter: JID, person: JID) -> None:
        """Let somebody administer one's own channel no longer."""
        await self._order(Call.DEMOTE, newsletter, user_id=str(person.bare))

    # Reading

    async def posts(
        self, newsletter: JID, *, count: int = 50, before: int | None = None
    ) -> list[tuple[Post, Content | None]]:
        """The last posts, each with what it says; older ones with the number of the oldest known as `before`."""
        found = await self._ask(Posts(newsletter, count, before))
        return [(post, decode_message(post.plaintext).content) for post in found]

    async def counts(
        self, newsletter: JID, *, count: int = 50, since: datetime | None = None, after: int | None = None
    ) -> list[PostCounts]:
        """How often the last posts were seen, and the reactions to them."""
        return await self._ask(PostUpdates(newsletter, count, since, after))

    async def watch(self, newsletter: JID) -> timedelta:
        """Be told of views and reactions as they come (`PostCounted`); for how long, then watch again."""
        return await self._ask(WatchPosts(newsletter))

    async def mark_viewed(self, newsletter: JID, numbers: Sequence[int]) -> None:
        """Count as a view of those posts, by their `server_id`."""
        items = [Node("item", {"server_id": str(number)}) for number in numbers]
        attrs = {"to": str(newsletter), "type": "view", "id": new_message_id(self._account.entropy)}
        await self._acknowledged(Node("receipt", attrs, [Node("list", None, items)]))

    async def react(self, newsletter: JID, number: int, emoji: str) -> None:
        """React to the post with that `server_id`; with "" take the reaction back. Raises Rejected."""
        attrs = {"to": str(newsletter), "id": new_message_id(self._account.entropy), "server_id": str(number)}
        attrs |= {"type": "reaction"} if emoji else {"type": "reaction", "edit": REVOKE}
        reaction = Node("reaction", {"code": emoji} if emoji else None)
        await self._acknowledged(Node("message", attrs, [reaction]))

    # Posting

    async def upload(self, kind: MediaKind, source: Source, described: Media | None = None) -> Media:
        """
        Put a file on WhatsApp's servers for a post: as it is, for everybody to read. What `described` leaves open is
        looked up in the file. The Media to post. Raises as `Client.upload`.
        """
        return await self._files.upload_for_channel(kind, source, described)

    async def post(self, newsletter: JID, content: Content, *, id: MessageId | None = None) -> Sent:
        """Post to a channel of one's own; a file that `upload` here gave. Raises Rejected, UsageError."""
        body = self._encoded(newsletter, content)
        shape = shape_of(parse_message(body))
        marks = {} if shape.mediatype is None else {"mediatype": shape.mediatype}
        message = SentMessage(id or new_message_id(self._account.entropy), newsletter, body, self._account.now())
        attrs = {"id": message.id, "to": str(newsletter), "type": shape.kind, **_handle(content)}
        return await self._publish(message, Node("message", attrs, [Node("plaintext", marks, body)]))

    async def edit(
        self, newsletter: JID, id: MessageId, content: Editable, *, known_as: MessageId | None = None
    ) -> Sent:
        """Have a post of one's own say something else; the change itself is `known_as` that. Raises Rejected."""
        said = self._encoded(newsletter, content)
        return await self._change(newsletter, Edit(id, content), POST_EDIT, said, known_as)

    async def revoke(self, newsletter: JID, id: MessageId, *, known_as: MessageId | None = None) -> Sent:
        """Delete a post of one's own for everybody; the change itself is `known_as` that. Raises Rejected."""
        return await self._change(newsletter, Revoke(id), POST_REVOKE, None, known_as)

    async def _change(
        self, newsletter: JID, change: Edit | Revoke, edit: str, said: bytes | None, known_as: MessageId | None
    ) -> Sent:
        body, known_as = self._encoded(newsletter, change), known_as or new_message_id(self._account.entropy)
        message = SentMessage(known_as, newsletter, body, self._account.now())
        # The stanza has the id of the post it changes; the record has one for the change.
        attrs = {"id": change.to, "to": str(newsletter), "type": "text", "edit": edit}
        if said is not None:
            attrs["type"] = shape_of(parse_message(said)).kind
        return await self._publish(message, Node("message", attrs, [Node("plaintext", None, said)]))

    def _encoded(self, newsletter: JID, content: Content) -> bytes:
        if newsletter.server != NEWSLETTER:
            raise UsageError("that is no channel")
        if isinstance(content, Media) and content.remote is not None and not content.remote.is_open:
            raise UsageError("a file for a channel is uploaded for one: client.newsletters.upload")
        return encode_message(content, chat=newsletter, at=self._account.now())

    async def _publish(self, message: SentMessage, node: Node) -> Sent:
        account = self._account
        await self._connected()  # raises before anything is written
        async with account.store.transaction() as tx:
            await tx.remember_sent(message, account.now() + account.limits.keep_sent)
        with account.settlements.under_way(message.id):
            try:
                ack = await self._acknowledged(node)
            except Rejected as refused:
                async with account.store.transaction() as tx:
                    await tx.record(
                        MessageRejected(
                            account=account.jid,
                            at=account.now(),
                            id=message.id,
                            chat=message.chat,
                            code=refused.code,
                        )
                    )
                raise
            at = ack.sent_at or account.now()
            async with account.store.transaction() as tx:
                await settle_as_sent(account, tx, message, at)
        return Sent(message.id, message.chat, at)

    async def _acknowledged(self, node: Node) -> Ack:
        """What the server says to a stanza. Raises Rejected, AckTimeout, ConnectionLost."""
        connection = await self._connected()
        acknowledged = connection.requests.expect(node)
        connection.send(node)
        await connection.flush()
        ack = Ack.parse(await connection.requests.wait(acknowledged, self._account.limits.ack))
        if ack.error is not None:
            raise Rejected(ack.error)
        return ack

    async def _order(self, call: Call, newsletter: JID, **variables: object) -> None:
        await self._ask(OrderNewsletter(call, {"newsletter_id": str(newsletter), **variables}))

    async def _ask(self, query: Query[Answer]) -> Answer:
        connection = await self._connected()
        return await connection.requests.ask(query)


def _handle(content: Content) -> dict[str, str]:
    """How the post names its file to the server, which does not look into it."""
    remote = content.remote if isinstance(content, Media) else None
    return {"media_id": remote.handle} if remote is not None and remote.handle else {}
