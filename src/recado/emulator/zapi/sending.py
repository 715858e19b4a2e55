"""
The queue of each instance of the emulated Z-API. Every accepted send-… becomes one message, whatever was sent before:
there is no key by which a repeat would be known. Between two messages pass one to three seconds, or what `delayMessage`
says; while the instance is not connected they wait, up to a thousand, and all go out when it connects again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recado.emulator.zapi import callbacks
from recado.emulator.zapi.faults import Fault
from recado.emulator.zapi.instances import QUEUE_LIMIT, Hook, Instance, Queued
from recado.emulator.zapi.linking import NOT_CONNECTED
from recado.emulator.zapi.people import Group, Message, Phone
from recado.emulator.zapi.refusals import Refused

if TYPE_CHECKING:
    from recado.emulator.zapi.world import ZApi

NO_SUCH_FILE = "The file could not be downloaded"
NO_SUCH_PHONE = "Phone number does not exist"

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class Sending:
    """Takes messages into the queues, and lets them out."""

    def __init__(self, world: ZApi) -> None:
        self._world = world

    def accept(self, instance: Instance, queued: Queued, *, may_wait: bool = True) -> None:
        """Put a message into the queue. Raises Refused."""
        if not instance.is_connected:
            if not instance.queues_while_disconnected or not may_wait:
                raise Refused(400, NOT_CONNECTED)
            if len(instance.queue) >= QUEUE_LIMIT:
                raise Refused(400, "The queue is full")
        instance.queue.append(queued)
        self.wake(instance)

    def wake(self, instance: Instance) -> None:
        """Let the queue out, if the instance is connected and it is not being let out already."""
        if instance.is_connected and instance.queue and not instance.is_sending:
            instance.is_sending = True
            self._world.activity.spawn(lambda: self._run(instance))

    async def _run(self, instance: Instance) -> None:
        activity, clock = self._world.activity, self._world.clock
        try:
            while instance.is_connected and instance.queue:
                queued = instance.queue[0]
                if (wait := instance.next_at - clock.monotonic()) > 0:
                    await activity.pause(wait)
                elif queued.delay_typing and not queued.has_typed:
                    queued.has_typed = True
                    self._show_typing(instance, queued)
                    await activity.pause(queued.delay_typing)
                else:
                    instance.queue.popleft()
                    gap = queued.delay_message or instance.dice.uniform(*self._world.gap)
                    instance.next_at = clock.monotonic() + gap
                    await self._send(instance, queued)
                    activity.changed()
        finally:
            instance.is_sending = False

    async def _send(self, instance: Instance, queued: Queued) -> None:
        world, owner, chat = self._world, instance.phone, self._world.chat_at(queued.to)
        assert owner is not None
        error = None
        if failure := world.faults.take(Fault.FAIL_SEND, instance.id, queued.verb):
            error = failure.text or "The message could not be sent"
        elif chat is None:
            error = NO_SUCH_PHONE
        elif not await self._fetch(queued):
            error = NO_SUCH_FILE
        world.courier.post(instance, Hook.DELIVERY, callbacks.delivery(instance, queued, world.clock.now(), error))
        if error is not None or chat is None:
            return
        if queued.edits is not None:
            self._edit(owner, queued)
        elif "reaction" in queued.content:
            self._react(owner, queued)
        else:
            message = Message(
                queued.message_id, owner, chat, queued.content, world.clock.now(), queued.quoting, is_from_api=True
            )
            vanishes = world.faults.take(Fault.SWALLOW_SEND, instance.id, queued.verb)
            (world.speech.swallow if vanishes else world.speech.carry)(message)

    async def _fetch(self, queued: Queued) -> bool:
        """Take a file over that is served on this machine; links that lead farther are passed on as they are."""
        kind = next(iter(queued.content))
        url = queued.content[kind].get(f"{kind}Url")
        if (
            not isinstance(url, str)
            or url.startswith(self._world.media.base)
            or urlsplit(url).hostname not in _THIS_MACHINE
        ):
            return True
        data = await self._world.courier.fetch(url)
        if data is None:
            return False
        stored = self._world.media.keep(data, queued.content[kind]["mimeType"])
        names = ("thumbnailUrl",) if "thumbnailUrl" in queued.content[kind] else ()
        queued.content[kind].update(dict.fromkeys((f"{kind}Url", *names), stored))
        return True

    def _edit(self, owner: Phone, queued: Queued) -> None:
        shown = owner.find(queued.edits or "")
        if shown is not None and shown.from_me:
            self._world.speech.edit(shown.message, queued.content)

    def _react(self, owner: Phone, queued: Queued) -> None:
        target = owner.find(queued.quoting or "")
        if target is not None:
            emoji = queued.content["reaction"]["value"]
            self._world.speech.react(owner, target.message, emoji, id=queued.message_id, is_from_api=True)

    def _show_typing(self, instance: Instance, queued: Queued) -> None:
        chat = self._world.chat_at(queued.to)
        if instance.phone is None or chat is None or isinstance(chat, Group):
            return
        chat.typing_seen.append((instance.phone.address, self._world.clock.now()))
