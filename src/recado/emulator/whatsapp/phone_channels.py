"""
What a person does with channels on their phone: make one, post in it, follow one and leave it. Through the same orders
a client would send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.content import Content, Media, Text
from recado.emulator.whatsapp.newsletters import Channel
from recado.errors import UsageError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.shape import shape_of
from recado.protocol.node import Node
from recado.protocol.queries.newsletters import AskNewsletter, Call, OrderNewsletter

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone


class PhoneChannels:
    """The channels of one phone, as its holder uses them."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._world = phone.world

    def create(self, name: str, description: str = "") -> Channel:
        """Make a channel."""
        asked = AskNewsletter(Call.CREATE, {"input": {"name": name, "description": description}})
        return self._find(str(asked.parse(self._ask(asked.build())).jid))

    def post(self, channel: JID, said: str | Content) -> MessageId:
        """Post in one's own channel: a text, or another content that needs no file. Raises UsageError."""
        if not self._find(str(channel)).may_post(self._phone.account):
            raise UsageError("only those who run a channel post in it")
        if isinstance(said, Media):
            raise UsageError("a phone posts no files here: a client does")
        id, at = new_message_id(self._world.entropy), self._world.clock.now()
        body = encode_message(Text(said) if isinstance(said, str) else said, chat=channel, at=at)
        attrs = {"id": id, "to": str(channel), "type": shape_of(parse_message(body)).kind}
        self._world.receive(self._phone.device, Node("message", attrs, [Node("plaintext", None, body)]))
        return id

    def follow(self, key: str, *, is_followed: bool = True) -> JID:
        """Follow a channel, by its address, its link or the code in it; or follow it no longer. Raises UsageError."""
        channel = self._find(key).jid
        call = Call.FOLLOW if is_followed else Call.UNFOLLOW
        self._ask(OrderNewsletter(call, {"newsletter_id": str(channel)}).build())
        return channel

    def _find(self, key: str) -> Channel:
        found = self._world.channels.find(key.rstrip("/").rpartition("/")[2])
        if found is None:
            raise UsageError("there is no such channel here")
        return found

    def _ask(self, order: Node) -> Node:
        order.attrs["id"] = self._world.new_id()
        return self._world.ask(self._phone.device, order)
