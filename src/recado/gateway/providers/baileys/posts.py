"""What is shown to many at once, by the outbox's messages: posts of a channel, and the status."""

from __future__ import annotations

from recado.client.client import Client
from recado.client.sending import Sent
from recado.content import Content, Edit, Revoke
from recado.events import MessageId
from recado.jid import JID, NEWSLETTER, STATUS


def is_post(chat: JID) -> bool:
    """Is what goes there shown to many, who are not told apart?"""
    return chat.server == NEWSLETTER or chat == STATUS


async def post(client: Client, chat: JID, content: Content, *, id: MessageId) -> Sent:
    """
    Post it (a file is uploaded already), or change or take back what was posted. A status is for whom the account chose
    on its phone. Raises as `Client.send`.
    """
    if chat == STATUS:
        if isinstance(content, Revoke):
            return await client.statuses.revoke(MessageId(content.to), known_as=id)
        return await client.statuses.post(content, id=id)
    match content:
        case Edit(to=to, content=said):
            return await client.newsletters.edit(chat, MessageId(to), said, known_as=id)
        case Revoke(to=to):
            return await client.newsletters.revoke(chat, MessageId(to), known_as=id)
        case _:
            return await client.newsletters.post(chat, content, id=id)
