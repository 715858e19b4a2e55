"""
What a person does with groups on their phone: make one, write in it, take people in and put them out. Through the same
orders a client would send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.content import Content
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.inbox import Shown
from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.pictures import SetPicture

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone
    from recado.emulator.whatsapp.speech import Speech


class PhoneGroups:
    """The groups of one phone, as its holder uses them."""

    def __init__(self, phone: Phone, speech: Speech) -> None:
        self._phone = phone
        self._speech = speech

    async def create(self, subject: str, *people: Phone) -> JID:
        """Make a group with those people; its address."""
        named = [Node("participant", {"jid": str(person.lid)}) for person in people]
        answer = self._order("@g.us", Node("create", {"subject": subject, "key": self._phone.world.new_id()}, named))
        made = answer.child("group")
        if made is None:
            raise UsageError("the group was not made")
        return JID(made.attrs["id"], "g.us")

    async def say(self, group: JID, said: str | Content, *, quoting: Shown | None = None) -> Shown:
        """Write to everybody in a group; it shows with its ticks at once. Raises UsageError."""
        if not self._phone.is_online:
            raise UsageError("the phone is offline")
        return self._speech.groups.say(self._state(group), said, quoting)

    async def add(self, group: JID, *people: Phone) -> Node:
        """Take people into a group."""
        return self._change(group, "add", people)

    async def remove(self, group: JID, *people: Phone) -> Node:
        """Put people out of a group."""
        return self._change(group, "remove", people)

    async def promote(self, group: JID, *people: Phone) -> Node:
        """Let people administer a group."""
        return self._change(group, "promote", people)

    async def leave(self, group: JID) -> Node:
        """Leave a group."""
        return self._order("@g.us", Node("leave", None, [Node("group", {"id": str(group)})]))

    async def set(self, group: JID, said: Node) -> Node:
        """Change one thing of a group, by the node that says it."""
        return self._order(str(group), said)

    async def set_picture(self, group: JID, jpeg: bytes | None) -> None:
        """Give a group another picture, or (None) take it away."""
        self._ask(SetPicture(jpeg, group).build())

    def rotate(self, group: JID) -> None:
        """Make the phone's sender key of that group anew with its next message."""
        self._speech.groups.rotate(group)

    def _state(self, group: JID) -> GroupState:
        state = self._phone.world.groups.find(group)
        if state is None:
            raise UsageError("there is no such group here")
        return state

    def _change(self, group: JID, action: str, people: tuple[Phone, ...]) -> Node:
        named = [Node("participant", {"jid": str(person.lid)}) for person in people]
        return self._order(str(group), Node(action, None, named))

    def _order(self, to: str, said: Node) -> Node:
        return self._ask(Node("iq", {"xmlns": "w:g2", "type": "set", "to": to}, [said]))

    def _ask(self, order: Node) -> Node:
        order.attrs["id"] = self._phone.world.new_id()
        answer = self._phone.world.ask(self._phone.device, order)
        if answer.attrs.get("type") == "error":
            raise UsageError("the server refused it")
        return answer
