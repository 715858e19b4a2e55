"""
Z-API on a desk: an account with instances, phones that link with them, people who write, and the callbacks of it all.

    async with ZApi.start(seed=7) as zapi:
        instance = zapi.instance("Clara")                  # zapi.url_of(instance) is the base of its routes
        clara, beto = zapi.phone("Clara"), zapi.phone("Beto")
        zapi.link(instance, clara)                         # or: the client fetches /qr-code, clara.scan(instance)
        beto.say(instance, "oi")                           # a ReceivedCallback goes out
        await zapi.settled()

What a person does is done at once; callbacks and the queue run behind it, by the clock given. Whatever an instance's
client does goes over HTTP (routes.py), whatever an operator does is here, and over HTTP in control.py.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web

from recado.clock import Clock, SystemClock
from recado.emulator.zapi import linking
from recado.emulator.zapi.activity import PATIENCE, Activity
from recado.emulator.zapi.control import add_control
from recado.emulator.zapi.courier import Callback, Courier
from recado.emulator.zapi.faults import Faults
from recado.emulator.zapi.instances import Hook, Instance
from recado.emulator.zapi.media import Media
from recado.emulator.zapi.people import Group, Message, Phone, Shown
from recado.emulator.zapi.routes import Asked, add_routes
from recado.emulator.zapi.sending import Sending
from recado.emulator.zapi.speech import Speech
from recado.errors import UsageError

TRIAL = timedelta(days=2)

Whom = Instance | Phone | Group | str


class ZApi:
    """The state of one emulated Z-API, and what tests and demos do with it."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        gap: tuple[float, float] = (1.0, 3.0),
        retries: Sequence[float] = (),
        https_only: bool = False,
        request_flag: bool = False,
        client_token: str | None = None,
        partner_token: str | None = None,
    ) -> None:
        self.seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.dice = random.Random(self.seed)  # noqa: S311 - repeatable on purpose, guards nothing
        self.clock: Clock = clock or SystemClock()
        self.gap = gap
        self.https_only = https_only
        self.request_flag = request_flag
        self.client_token = client_token or self.new_id(16)
        self.partner_token = partner_token or self.new_id(16)
        self.faults = Faults(self.seed)
        self.activity = Activity(self.clock)
        self.courier = Courier(self.activity, self.faults, retries)
        self.media = Media(self.clock.now, lambda: self.new_id(16))
        self.sending = Sending(self)
        self.speech = Speech(self)
        self.instances: dict[str, Instance] = {}
        self.phones: dict[str, Phone] = {}
        self.groups: dict[str, Group] = {}
        self.asked: list[Asked] = []
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        gap: tuple[float, float] = (1.0, 3.0),
        retries: Sequence[float] = (),
        https_only: bool = False,
        request_flag: bool = False,
        client_token: str | None = None,
        partner_token: str | None = None,
    ) -> AsyncIterator[ZApi]:
        """
        A running Z-API, `url` set; port 0 takes any. `gap`: seconds between two messages. `retries`: waits before each
        further try of a callback. `https_only`: refuse callback addresses without TLS, as the real one does.
        `request_flag`: heed `disableEnqueueWhenDisconnected` in a send's body too.
        """
        zapi = cls(
            clock=clock,
            seed=seed,
            gap=gap,
            retries=retries,
            https_only=https_only,
            request_flag=request_flag,
            client_token=client_token,
            partner_token=partner_token,
        )
        async with zapi.served(host, port):
            yield zapi

    @asynccontextmanager
    async def served(self, host: str, port: int) -> AsyncIterator[None]:
        """Listen and work until the block ends."""
        app = web.Application(client_max_size=128 * 1024 * 1024)
        add_routes(app, self)
        add_control(app, self)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        async with aiohttp.ClientSession() as self.courier.http:
            await self.activity.begin()
            try:
                await runner.setup()
                await web.TCPSite(runner, host, port).start()
                self.url = f"http://{host}:{runner.addresses[0][1]}"
                self.media.base = f"{self.url}/storage"
                yield
            finally:
                await runner.cleanup()
                await self.activity.end()

    # ---- what there is

    def instance(self, name: str = "instance", *, token: str | None = None, id: str | None = None) -> Instance:
        """The instance of that name; the first time a new one."""
        known = next((each for each in self.instances.values() if each.name == name), None)
        return known or self.create_instance(name, token=token, id=id)

    def create_instance(self, name: str, *, token: str | None = None, id: str | None = None) -> Instance:
        """A new instance, even of a name that is taken."""
        now = self.clock.now()
        made = Instance(id or self.new_id(16), token or self.new_id(12), name, now, now + TRIAL)
        made.dice = random.Random(f"{self.seed} {made.id}")  # noqa: S311 - repeatable on purpose, guards nothing
        self.instances[made.id] = made
        return made

    def url_of(self, instance: Instance) -> str:
        """The base of an instance's routes."""
        return f"{self.url}/instances/{instance.id}/token/{instance.token}"

    def phone(self, name: str, number: str | None = None, *, is_known_by_lid: bool = False) -> Phone:
        """The phone of that name; the first time a new one, with a number and a LID of its own."""
        known = self.phones.get(name)
        if known is None:
            place = len(self.phones) + 1
            digits = number or f"55119{81000000 + place * 1117:08d}"
            lid = f"{81896604192873 + place * 7919}@lid"
            known = self.phones[name] = Phone(self, name, digits, lid, is_known_by_lid=is_known_by_lid)
        return known

    def group(self, name: str, *members: Phone, is_newsletter: bool = False) -> Group:
        """The group (or channel) of that name; the first time a new one of those members."""
        known = next((each for each in self.groups.values() if each.name == name), None)
        if known is None:
            suffix = "@newsletter" if is_newsletter else "-group"
            id = f"1203630{len(self.groups) + 10000000001}{suffix}"
            known = self.groups[id] = Group(id, name, list(members), is_newsletter)
        return known

    def instances_of(self, phone: Phone) -> list[Instance]:
        """The instances linked with that phone."""
        return [instance for instance in self.instances.values() if instance.phone is phone]

    def chat_at(self, address: str) -> Phone | Group | None:
        """Who or what is at that address: a number (with or without Brazil's ninth digit), a LID, a group, a name."""
        if address in self.groups:
            return self.groups[address]
        for phone in self.phones.values():
            if address in (phone.number, phone.lid, phone.name) or _is_twin(address, phone.number):
                return phone
        return None

    @property
    def callbacks(self) -> list[Callback]:
        """Every callback that was due, in order, with what became of it."""
        return self.courier.callbacks

    def callbacks_of(self, type: str) -> list[dict[str, Any]]:
        """The bodies of the callbacks of that type, in order."""
        return [each.body for each in self.callbacks if each.type == type]

    # ---- what an operator does

    def hook(self, instance: Instance, url: str, *hooks: Hook, sent_by_me: bool | None = None) -> None:
        """Set the address of those callbacks, or of all."""
        for each in hooks or tuple(Hook):
            instance.hooks[each] = url
        if sent_by_me is not None:
            instance.notifies_sent_by_me = sent_by_me

    def link(self, instance: Instance, phone: Phone) -> Instance:
        """Let the phone scan a fresh code of the instance. Raises UsageError."""
        linking.scan(self, phone, instance, linking.qr_code(self, instance).text)
        return instance

    def scan(self, phone: Phone, instance: Instance, text: str | None) -> None:
        """The phone scans that text, or what the instance shows. Raises UsageError when there is nothing valid."""
        shown = instance.qr.text if instance.qr is not None else ""
        linking.scan(self, phone, instance, text or shown)

    def scan_text(self, phone: Phone, text: str) -> Instance:
        """The phone scans a text; the instance that showed it. Raises UsageError."""
        for instance in self.instances.values():
            if instance.qr is not None and instance.qr.text == text:
                linking.scan(self, phone, instance, text)
                return instance
        raise UsageError("no instance shows this QR code")

    def enter_code(self, phone: Phone, instance: Instance, code: str) -> None:
        """The phone enters a code. Raises UsageError."""
        linking.enter_code(self, phone, instance, code)

    def unlink(self, instance: Instance) -> None:
        """The phone's owner takes the instance off the account: a new scan is needed."""
        linking.log_out(self, instance)

    def lose(self, instance: Instance) -> None:
        """The instance is cut off from WhatsApp, as the weather does."""
        linking.lose(self, instance)

    def restore(self, instance: Instance) -> bool:
        """The instance connects again; False when no phone is linked."""
        return linking.restore(self, instance)

    # ---- what people do (Phone calls these)

    def say(
        self,
        phone: Phone,
        to: Whom,
        content: dict[str, Any],
        *,
        quoting: str | None = None,
        is_forwarded: bool = False,
        waits: bool = False,
    ) -> Message:
        """A person writes to somebody. Raises UsageError when there is nobody."""
        chat, now = self._chat(to), self.clock.now()
        message = Message(self.new_message_id(), phone, chat, content, now, quoting, is_forwarded=is_forwarded)
        self.speech.carry(message, waits=waits)
        return message

    def say_file(self, phone: Phone, to: Whom, kind: str, data: bytes, mime_type: str, **content: Any) -> Message:
        """A person sends a file: it is kept in the storage, under an address that lives thirty days."""
        stored = {f"{kind}Url": self.media.keep(data, mime_type), "mimeType": mime_type, **content}
        return self.say(phone, to, {kind: stored})

    def message(self, phone: Phone, message_id: str) -> Message:
        """The message of that id on the phone's screen. Raises UsageError."""
        return self._shown(phone, message_id).message

    def reveal(self, message: Message) -> None:
        """A message that waited to be readable is: the same id comes again with its content."""
        self.speech.reveal(message)

    def read(self, phone: Phone, chat: Whom | None) -> list[Shown]:
        """A person opens a chat, or all."""
        return self.speech.read(phone, None if chat is None else self._chat(chat))

    def play(self, phone: Phone, message_id: str) -> None:
        """A person plays a voice message. Raises UsageError."""
        self.speech.play(phone, self._shown(phone, message_id))

    def react(self, phone: Phone, message_id: str, emoji: str) -> Message:
        """A person reacts. Raises UsageError."""
        target = self._shown(phone, message_id).message
        return self.speech.react(phone, target, emoji, id=self.new_message_id())

    def edit(self, phone: Phone, message_id: str, text: str) -> None:
        """A person changes an own message. Raises UsageError."""
        self.speech.edit(self._own(phone, message_id), {"text": {"message": text}})

    def revoke(self, phone: Phone, message_id: str) -> None:
        """A person deletes an own message for everybody. Raises UsageError."""
        self.speech.revoke(self._own(phone, message_id))

    def choose(self, phone: Phone, message_id: str, choice_id: str) -> Message:
        """A person presses a button or takes an option. Raises UsageError."""
        shown = self._shown(phone, message_id)
        content = self.speech.choose(phone, shown, choice_id)
        return self.say(phone, shown.message.sender, content, quoting=message_id)

    def typing(self, phone: Phone, to: Whom, status: str) -> None:
        """A person types, records, comes or goes. Raises UsageError."""
        chat = self._chat(to)
        if isinstance(chat, Phone):
            self.speech.type(phone, chat, status)

    def switch(self, phone: Phone, *, on: bool) -> None:
        """A phone is switched on or off."""
        phone.is_online = on
        if on:
            self.speech.come_online(phone)
        self.activity.changed()

    # ---- waiting

    async def settled(self, *, patience: float = PATIENCE) -> None:
        """Wait until nothing is underway but what waits for the clock. Raises AssertionError."""
        await self.until(
            lambda: self.activity.is_at_rest, "the emulated Z-API does not come to rest", patience=patience
        )

    async def until(self, condition: Callable[[], bool], otherwise: str, *, patience: float = PATIENCE) -> None:
        """Wait for a condition, looked at after each change. Raises AssertionError, naming the seed."""
        await self.activity.until(condition, f"{otherwise} (seed {self.seed})", patience=patience)

    # ---- names

    def new_id(self, size: int) -> str:
        """An id of that many bytes."""
        return self.dice.randbytes(size).hex().upper()

    def new_message_id(self) -> str:
        """An id as WhatsApp's."""
        return "3EB0" + self.new_id(8)

    def _chat(self, whom: Whom) -> Phone | Group:
        found = whom.phone if isinstance(whom, Instance) else self.chat_at(whom) if isinstance(whom, str) else whom
        if found is None:
            raise UsageError("there is nobody at that address")
        return found

    def _shown(self, phone: Phone, message_id: str) -> Shown:
        shown = phone.find(message_id)
        if shown is None:
            raise UsageError("this phone shows no such message")
        return shown

    def _own(self, phone: Phone, message_id: str) -> Message:
        shown = self._shown(phone, message_id)
        if not shown.from_me:
            raise UsageError("this message is somebody else's")
        return shown.message


def _is_twin(address: str, number: str) -> bool:
    """The same Brazilian mobile number, one written without the ninth digit."""
    long, short = (number, address) if len(number) == 13 else (address, number)
    return len(long) == 13 and len(short) == 12 and long.startswith("55") and long[:4] + long[5:] == short
