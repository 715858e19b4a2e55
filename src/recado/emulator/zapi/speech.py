"""
Messages on their way between phones, and what instances hear of them. A message is shown on every phone it is for; each
instance linked with one of those phones is told, and so is the sender's, when it asked for its own messages.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from recado.emulator.zapi import callbacks
from recado.emulator.zapi.instances import Hook, Instance, Linked
from recado.emulator.zapi.people import Group, Message, Phone, Shown
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.zapi.world import ZApi

_CHOICES = {"buttonsMessage": "buttonsResponseMessage", "listMessage": "listResponseMessage"}


class Speech:
    """What people do with messages, carried out."""

    def __init__(self, world: ZApi) -> None:
        self._world = world

    def carry(self, message: Message, *, show: bool = True, waits: bool = False) -> None:
        """Show a message where it belongs (a reaction nowhere), and tell the instances."""
        others = self._others(message)
        if show:
            for phone in [message.sender, *others]:
                phone.messages.append(Shown(message, phone))
        self._tell(message, waits=waits)
        self._report("SENT", [message])
        if any(phone.is_online for phone in others):
            self._report("RECEIVED", [message])
        self._world.activity.changed()

    def swallow(self, message: Message) -> None:
        """WhatsApp takes a message and lets it vanish: its sender sees it sent, nobody else sees it at all."""
        message.sender.messages.append(Shown(message, message.sender))
        self._report("SENT", [message])

    def reveal(self, message: Message) -> None:
        """What could not be read at first is readable now: the same id comes again, with its content."""
        for phone in self._others(message):
            for instance in self._world.instances_of(phone):
                self.emit(instance, Hook.RECEIVED, callbacks.received(instance, message, self._now()))

    def read(self, phone: Phone, chat: Phone | Group | None) -> list[Shown]:
        """A person opens a chat, or all."""
        unread = [
            shown
            for shown in phone.messages
            if not shown.from_me and not shown.is_read and (chat is None or self._chat_on(shown) is chat)
        ]
        for shown in unread:
            shown.is_read = True
        self._report("READ", [shown.message for shown in unread])
        self._report_own("READ_BY_ME", phone, unread)
        return unread

    def read_one(self, phone: Phone, message_id: str) -> bool:
        """The instance's own side marks one message as read; False when there is none of that id."""
        shown = phone.find(message_id)
        if shown is None or shown.from_me:
            return False
        if not shown.is_read:
            shown.is_read = True
            self._report("READ", [shown.message])
            self._report_own("READ_BY_ME", phone, [shown])
        return True

    def play(self, phone: Phone, shown: Shown) -> None:
        """A person plays a voice message."""
        shown.is_read = shown.is_played = True
        self._report("PLAYED", [shown.message])

    def come_online(self, phone: Phone) -> None:
        """The phone is back: what came meanwhile is received, one report for each sender."""
        late = [
            shown.message for shown in phone.messages if not shown.from_me and "RECEIVED" not in shown.message.reached
        ]
        self._report("RECEIVED", late)

    def react(self, phone: Phone, target: Message, emoji: str, *, id: str, is_from_api: bool = False) -> Message:
        """Somebody reacts to a message, or takes the reaction back."""
        content = {"reaction": {"value": emoji}}
        chat = self._chat_for(phone, target)
        message = Message(id, phone, chat, content, self._now(), is_from_api=is_from_api, about=target)
        for holder in [target.sender, *self._others(target)]:
            shown = holder.find(target.id)
            if shown is not None and emoji:
                shown.reactions[phone.address] = emoji
            elif shown is not None:
                shown.reactions.pop(phone.address, None)
        self.carry(message, show=False)
        return message

    def edit(self, message: Message, content: dict[str, Any]) -> None:
        """A message's words change: the same id comes again, as an edit."""
        message.content, message.is_edit = content, True
        self._tell(message)

    def revoke(self, message: Message) -> None:
        """A message is deleted for everybody."""
        message.is_revoked = True
        self._tell(message)

    def choose(self, phone: Phone, shown: Shown, choice_id: str) -> dict[str, Any]:
        """The content of an answer to buttons or a list. Raises UsageError."""
        offered = shown.message.content.get(shown.kind, {})
        if shown.kind == "buttonsMessage":
            for button in offered["buttons"]:
                if button["buttonId"] == choice_id:
                    label = button["buttonText"]["displayText"]
                    return {"buttonsResponseMessage": {"buttonId": choice_id, "message": label}}
        if shown.kind == "listMessage":
            for option in offered["options"]:
                if option["id"] == choice_id:
                    chosen = {"message": option["description"], "title": option["title"], "selectedRowId": choice_id}
                    return {"listResponseMessage": chosen}
        raise UsageError("this message offers no such choice")

    def type(self, phone: Phone, to: Phone, status: str) -> None:
        """A person types, records, comes or goes: the instances of the other side are told."""
        for instance in self._world.instances_of(to):
            if instance.is_connected:  # presence is of the moment: it is never told later
                self.emit(instance, Hook.PRESENCE, callbacks.presence(instance, phone, status))

    def emit(self, instance: Instance, hook: Hook, body: dict[str, Any]) -> None:
        """Tell an instance something: now, once it is connected again, or, logged out, never."""
        if instance.linked is Linked.CONNECTED:
            self._world.courier.post(instance, hook, body)
        elif instance.linked is Linked.LOST:
            instance.missed.append((hook, body))

    def _tell(self, message: Message, *, waits: bool = False) -> None:
        for phone in self._others(message):
            for instance in self._world.instances_of(phone):
                body = callbacks.received(instance, message, self._now(), waits=waits)
                self.emit(instance, Hook.RECEIVED, body)
        for instance in self._world.instances_of(message.sender):
            if instance.notifies_sent_by_me:
                self.emit(instance, Hook.RECEIVED, callbacks.received(instance, message, self._now()))

    def _report(self, word: str, messages: list[Message]) -> None:
        """Tell the senders' instances how far their messages have come; one callback for each chat."""
        by_chat: dict[tuple[Phone, Phone | Group], list[str]] = defaultdict(list)
        for message in messages:
            message.reached.add(word)
            by_chat[message.sender, message.chat].append(message.id)
        for (sender, chat), ids in by_chat.items():
            for instance in self._world.instances_of(sender):
                self.emit(instance, Hook.STATUS, callbacks.status(instance, word, ids, chat, self._now()))

    def _report_own(self, word: str, phone: Phone, read: list[Shown]) -> None:
        by_chat: dict[Phone | Group, list[str]] = defaultdict(list)
        for shown in read:
            by_chat[self._chat_on(shown)].append(shown.id)
        for chat, ids in by_chat.items():
            for instance in self._world.instances_of(phone):
                self.emit(instance, Hook.STATUS, callbacks.status(instance, word, ids, chat, self._now()))

    def _others(self, message: Message) -> list[Phone]:
        if isinstance(message.chat, Group):
            return [member for member in message.chat.members if member is not message.sender]
        return [] if message.chat is message.sender else [message.chat]

    @staticmethod
    def _chat_on(shown: Shown) -> Phone | Group:
        """The chat a message stands in on its phone."""
        message = shown.message
        return message.chat if isinstance(message.chat, Group) or shown.from_me else message.sender

    @staticmethod
    def _chat_for(phone: Phone, target: Message) -> Phone | Group:
        return target.chat if isinstance(target.chat, Group) or target.sender is phone else target.sender

    def _now(self) -> Any:
        return self._world.clock.now()
