"""
A world: WhatsApp on a desk. Its state (accounts, devices, queues, faults), the moves that change it, and the shell that
carries out what the moves return.

    async with World.start() as world:          a real WebSocket server on loopback, world.server = Server(url, root)
        ana = world.phone("Ana")                a phone with keys of its own
        await ana.scan(qr_text)

A move (`handle`, `login`, `remove`, …) takes no time and touches no socket: it returns `Outgoing` values, and is tested
without a server. The world sees public keys and sealed envelopes, never a plaintext, and never de-duplicates.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from recado.clock import Clock, SystemClock
from recado.emulator.whatsapp import delivery, linking, login
from recado.emulator.whatsapp.accounts import Account, Device, Directory
from recado.emulator.whatsapp.faults import Faults
from recado.emulator.whatsapp.files import FileServer
from recado.emulator.whatsapp.groups import Groups
from recado.emulator.whatsapp.handlers.presence import set_available
from recado.emulator.whatsapp.handlers.table import route
from recado.emulator.whatsapp.line import Cut, Deliver, HangUp, Line, Outgoing
from recado.emulator.whatsapp.linking import Newcomer
from recado.emulator.whatsapp.machine import Machine
from recado.emulator.whatsapp.newsletters import Channels
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.server import Certificate, serve
from recado.errors import RecadoError
from recado.jid import JID
from recado.protocol.messages.phash import participant_hash
from recado.protocol.node import Node
from recado.protocol.pairing.payload import ParsedPayload
from recado.server import Server

Log = Callable[[str, str, Node], None]
"""Told each stanza: "C→S" or "S→C", whose line, the stanza. For debugging: it sees addresses."""

PATIENCE = 10.0
"""Seconds of real time an `expect…` waits before it fails."""


@dataclass(frozen=True, slots=True)
class Released:
    """A message that went out to a linked device; `times` is 2 when a fault doubled it."""

    id: str
    device: JID
    sender: str
    at: int
    is_offline: bool
    times: int


class World:
    """The state of one emulated WhatsApp, and what tests and demos do with it."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] | None = None,
        seed: int | None = None,
        pause_before_success: float = 0.0,
        addressing: Literal["lid", "pn"] = "lid",
        log: Log | None = None,
    ) -> None:
        seed_used = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        # Given a seed and no entropy, keys are repeatable too: a failing story replays byte by byte.
        seeded = random.Random(seed_used).randbytes  # noqa: S311 - a test's dice, on request only
        self.clock: Clock = clock or SystemClock()
        self.entropy = entropy or (os.urandom if seed is None else seeded)
        self.pause_before_success = pause_before_success
        self.addressing = addressing
        self.lists_by_number = True  # off: whose devices are asked for by number has none there, only a LID
        self.log = log
        self.directory = Directory()
        self.groups = Groups()
        self.channels = Channels()
        self.audiences: dict[str, set[str]] = {}
        self.faults = Faults(seed_used)
        self.files = FileServer(self.clock, self.entropy)
        self.newcomers: list[Newcomer] = []
        self.unknown: list[Node] = []
        self.answers: list[tuple[JID, Node]] = []
        self.broken_links: list[RecadoError] = []
        self.phones: dict[str, Phone] = {}
        # Dice of its own: what a seed replays elsewhere stays as it was.
        self.machine = Machine(self, os.urandom if seed is None else random.Random(~seed_used).randbytes)  # noqa: S311
        self.server: Server
        self.control_url = ""
        self._released: list[Released] = []
        self._outbox: deque[Outgoing] = deque()
        self._is_carrying = False
        self._waiting: list[asyncio.Future[None]] = []

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] | None = None,
        seed: int | None = None,
        tls: ssl.SSLContext | None = None,
        pause_before_success: float = 0.0,
        certificate: Certificate = Certificate.VALID,
        addressing: Literal["lid", "pn"] = "lid",
        log: Log | None = None,
    ) -> AsyncIterator[World]:
        """A running world: WebSocket and control on one port, `server` and `control_url` set. Port 0 takes any."""
        world = cls(
            clock=clock,
            entropy=entropy,
            seed=seed,
            pause_before_success=pause_before_success,
            addressing=addressing,
            log=log,
        )
        async with serve(world, host=host, port=port, tls=tls, certificate=certificate) as (server, control_url):
            world.server, world.control_url = server, control_url
            yield world

    # ---- what a person holds

    def phone(self, name: str, number: str | None = None) -> Phone:
        """The phone of that push name; the first time a new account with an own number and LID, online."""
        known = self.phones.get(name)
        if known is None:
            known = self.phones[name] = Phone(self, self.directory.add(name, number))
            known.online()
        return known

    def phone_at(self, whom: str) -> Phone | None:
        """The phone with that name, number or address, if there is one."""
        account = self.directory.named(whom)
        if account is None:
            try:
                account = self.directory.account(JID.parse(whom) if "@" in whom else JID.phone(whom))
            except ValueError:
                return None
        return self.phones.get(account.name) if account else None

    def disconnect(self, account: JID) -> None:
        """Cut the connection of that device, or of all companions of that account, as the weather does."""
        self.transmit([Cut(device.line) for device in self._devices(account) if device.line])

    def ping(self, account: JID) -> None:
        """Let the server ask those devices whether they are there; answers go to `answers`."""
        for device in self._devices(account):
            if device.line is not None:
                attrs = {"from": delivery.SERVER, "type": "get", "id": self.new_id(), "xmlns": "urn:xmpp:ping"}
                self.transmit([Deliver(device.line, Node("iq", attrs))])

    def mark_dirty(self, account: JID, what: str) -> None:
        """Let those devices ask for that anew (`groups`, `account_sync`, `syncd_app_state`), now or on return."""
        for device in self._devices(account):
            if device.number:
                self.transmit(delivery.mark_dirty(self, device, what))

    def drain_prekeys(self, account: JID) -> None:
        """Let the one-time keys of those devices be used up, as by many strangers, and the devices be told."""
        for device in self._devices(account):
            device.keys.one_time.clear()
            device.keys.told_at = 0
            left = [Node("count", {"value": "0"})]
            self.transmit(delivery.post(self, device, self.notification("encrypt", delivery.SERVER, left)))

    def released(self) -> tuple[Released, ...]:
        """Every message that went out to a linked device, in order, repeats included."""
        return tuple(self._released)

    def pending(self, account: JID) -> tuple[Node, ...]:
        """What still waits for an acknowledgement of those devices."""
        return tuple(letter.node for device in self._devices(account) for letter in device.mailbox)

    async def expect_nothing_pending(self, account: JID, *, patience: float = PATIENCE) -> None:
        """Wait until those devices have acknowledged everything. Raises AssertionError."""
        await self.until(
            lambda: not any(len(device.mailbox) for device in self._devices(account)),
            "something is still pending",
            patience=patience,
        )

    async def until(self, condition: Callable[[], bool], otherwise: str, *, patience: float = PATIENCE) -> None:
        """Wait for a condition of the world, looked at after each change. Raises AssertionError, naming the seed."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    waiting = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiting)
                    await waiting
        except TimeoutError:
            raise AssertionError(f"{otherwise} (seed {self.faults.seed})") from None

    # ---- moves

    def handle(self, device: Device, node: Node) -> list[Outgoing]:
        """What goes out because `device` sent `node`."""
        return route(self, device, node)

    def login(self, line: Line, payload: ParsedPayload, noise: bytes) -> tuple[Device | None, list[Outgoing]]:
        """A client logs in with the key it proved: the device it is, or None when it is refused."""
        return login.login(self, line, payload, noise)

    def welcome(self, line: Line, payload: ParsedPayload, noise: bytes) -> tuple[Newcomer | None, list[Outgoing]]:
        """A client that is not linked appears; None when it shows no keys."""
        if payload.pairing is None:
            return None, [HangUp(line)]
        return linking.welcome(self, line, noise, payload.pairing, payload.push_name)

    def dismiss(self, newcomer: Newcomer) -> list[Outgoing]:
        """The line of a client that was not linked, or was just linked, has ended."""
        self.newcomers.remove(newcomer)
        if not newcomer.is_linked:
            newcomer.problem = newcomer.problem or "the client went away"
        return []

    def leave(self, device: Device, line: Line) -> list[Outgoing]:
        """That line of the device has ended; a newer one is not concerned."""
        if device.line is not line:
            return []
        device.line, device.is_reading, device.held = None, False, None
        return set_available(self, device, False)

    def remove(self, device: Device) -> list[Outgoing]:
        """Take a companion off its account: it is told, its queue is gone, and so is its login."""
        account, line = device.account, device.line
        if account.devices.pop(device.number, None) is None:
            return []
        device.mailbox.clear()
        device.line = None
        outgoing = self.tell_contacts(account, "remove", device) + self.tell_phone_of(device)
        if line is not None:
            gone = Node("stream:error", {"code": "401"}, [Node("conflict", {"type": "device_removed"})])
            outgoing += [Deliver(line, gone), HangUp(line)]
        return outgoing

    def tell_phone_of(self, device: Device) -> list[Outgoing]:
        """The account's phone learns which companions there are now."""
        account = device.account
        listed = [
            Node("device", {"jid": str(each.phone), "key-index": str(each.key_index)}) for each in account.companions
        ]
        said = Node("devices", {"dhash": self._hash(account)}, listed)
        phone = account.devices[0]
        return delivery.post(self, phone, self.notification("account_sync", str(account.phone), [said]))

    def tell_contacts(self, account: Account, change: Literal["add", "remove"], device: Device) -> list[Outgoing]:
        """Everybody the account has written with or is in a group with, and its other companions, learn of it."""
        attrs = {"device_hash": self._hash(account), "device_lid_hash": self._hash(account, by_lid=True)}
        changed = Node("device", {"jid": str(device.named(by_lid=False)), "lid": str(device.named(by_lid=True))})
        changed.attrs["key-index"] = str(device.key_index)
        indexes = Node("key-index-list", {"ts": str(account.listed_at)}, account.key_index_list or None)
        told = [Node(change, attrs, [changed, indexes])]
        return self._tell(account, device, "devices", told)

    def tell_identity(self, account: Account) -> list[Outgoing]:
        """Everybody the account has written with learns that its phone has a new identity."""
        return self._tell(account, account.devices[0], "encrypt", [Node("identity")])

    def _tell(self, account: Account, about: Device, type: str, children: list[Node]) -> list[Outgoing]:
        others = [known for number in account.contacts if (known := self.directory.account(JID.phone(number)))]
        with_us = {number: each for group in self.groups.of(account) for number, each in group.members.items()}
        with_us.pop(account.number, None)
        known_or_near = {**with_us, **{other.number: other for other in others}}.values()
        audience = [*account.companions, *(device for other in known_or_near for device in other.devices.values())]
        outgoing: list[Outgoing] = []
        for device in audience:
            if device is not about:
                said = self.notification(type, str(account.phone), children, lid=str(account.lid))
                outgoing += delivery.post(self, device, said)
        return outgoing

    def _hash(self, account: Account, *, by_lid: bool = False) -> str:
        return participant_hash([each.named(by_lid=by_lid) for each in account.devices.values()])

    # ---- what handlers use

    def seconds(self) -> int:
        """Now, in seconds since 1970."""
        return int(self.clock.now().timestamp())

    def new_id(self) -> str:
        """An id for a stanza of the server's own."""
        return self.entropy(8).hex().upper()

    def notification(self, type: str, sender: str, children: list[Node], **attrs: str) -> Node:
        """A notification with a fresh id."""
        head = {"from": sender, "type": type, "id": self.new_id(), "t": str(self.seconds()), **attrs}
        return Node("notification", head, children)

    def note_release(self, device: Device, node: Node, times: int) -> None:
        """Remember that a message goes out to a linked device."""
        if device.number:
            sender, is_offline = node.attrs.get("from", ""), "offline" in node.attrs
            released = Released(node.attrs["id"], device.phone, sender, self.seconds(), is_offline, times)
            self._released.append(released)

    def note_unknown(self, device: Device, node: Node) -> list[Outgoing]:
        """Remember a stanza nobody here knows; nothing goes out."""
        self.unknown.append(node)
        return []

    def note_answer(self, device: Device, node: Node) -> None:
        """Remember a client's answer to a question of the server's."""
        self.answers.append((device.phone, node))

    # ---- the shell

    def receive(self, device: Device, node: Node) -> None:
        """`device` sent `node`: make the move and carry it out."""
        self._write(device.phone, "C→S", node)
        self.transmit(self.handle(device, node))

    def hear(self, newcomer: Newcomer, node: Node) -> None:
        """A client that is not linked sent `node`."""
        self._write(newcomer.line, "C→S", node)
        self.transmit(linking.on_stanza(self, newcomer, node))

    def ask(self, device: Device, node: Node) -> Node:
        """A question of a phone's, answered at once: it stands on the server's own side of the road."""
        self._write(device.phone, "C→S", node)
        outgoing = self.handle(device, node)
        answer = next(each for each in outgoing if isinstance(each, Deliver) and each.node.tag == "iq")
        outgoing.remove(answer)
        self.transmit(outgoing)
        return answer.node

    def transmit(self, outgoing: list[Outgoing]) -> None:
        """Carry out what moves returned, in order; what that sets off comes behind."""
        self._outbox.extend(outgoing)
        if self._is_carrying:
            return
        self._is_carrying = True
        try:
            while self._outbox:
                self._carry(self._outbox.popleft())
        finally:
            self._is_carrying = False
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _carry(self, outgoing: Outgoing) -> None:
        match outgoing:
            case Deliver(line, node):
                self._write(line, "S→C", node)
                line.deliver(node)
            case HangUp(line):
                line.hang_up()
            case Cut(line):
                line.cut()
            case _:
                outgoing.line.later(outgoing.seconds, outgoing.move)

    def _write(self, whose: object, direction: str, node: Node) -> None:
        if self.log is not None:
            self.log(direction, str(whose), node)

    def _devices(self, jid: JID) -> list[Device]:
        account = self.directory.account(jid)
        if account is None:
            return []
        if jid.device:
            return [device for device in account.companions if device.number == jid.device]
        return account.companions
