"""
A phone: a person's device 0, a real Signal peer with keys of its own. It scans, speaks, reads, goes offline, and can be
wrong on purpose.

It talks to the server over a line in the same process, in the very stanzas a client would use, so the server sees no
plaintext. Phones recognise duplicates and count them (`repeats`); the server does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from recado.content import Content, Media, MediaKind
from recado.emulator.whatsapp import link_codes, linking, passkeys
from recado.emulator.whatsapp.accounts import Account, Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.archive import Archive
from recado.emulator.whatsapp.delivery import release
from recado.emulator.whatsapp.inbox import Inbox, Shown, Ticks
from recado.emulator.whatsapp.keyring import Keyring
from recado.emulator.whatsapp.line import Move
from recado.emulator.whatsapp.linking import Newcomer
from recado.emulator.whatsapp.passkeys import Authenticator, Passkey
from recado.emulator.whatsapp.person import Person
from recado.emulator.whatsapp.phone_channels import PhoneChannels
from recado.emulator.whatsapp.phone_files import PhoneFiles
from recado.emulator.whatsapp.phone_groups import PhoneGroups
from recado.emulator.whatsapp.phone_settings import PhoneSettings
from recado.emulator.whatsapp.speech import Speech
from recado.errors import PairingRefused, UsageError
from recado.events import ReceiptKind
from recado.jid import JID
from recado.pairing import PairingStep, ShowQR
from recado.protocol.node import Node
from recado.protocol.pairing.identity import issue_identity, issue_key_indexes
from recado.protocol.pairing.qr import QRCode
from recado.protocol.stanzas.receipt import read_receipt

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

PREKEYS = 60
"""How many one-time keys a phone publishes at a time."""

PATIENCE = 10.0


class Linkable(Protocol):
    """What can be linked: a client of ours, seen from the phone."""

    def pair(self) -> AsyncIterator[PairingStep]:
        """The steps of linking."""
        ...


class PhoneLine:
    """The phone's end of its line to the server, in the same process."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def __str__(self) -> str:
        return str(self._phone.jid)

    def deliver(self, node: Node) -> None:
        """Take a stanza."""
        self._phone.take(node)

    def hang_up(self) -> None:
        """The server closes the line."""
        self._phone.offline()

    def cut(self) -> None:
        """The line breaks."""
        self._phone.offline()

    def later(self, seconds: float, move: Move) -> None:
        """A phone waits for nothing."""
        self._phone.world.transmit(move())


class Phone:
    """
    One phone. Switches to be wrong on purpose: `answers_retries`, `asks_again`, `sends_receipts`, `uploads_prekeys`
    (all on), `reads_at_once` (off).
    """

    def __init__(self, world: World, account: Account) -> None:
        self.world = world
        self.account = account
        self.answers_retries = True
        self.asks_again = True
        self.sends_receipts = True
        self.uploads_prekeys = True
        self.reads_at_once = False
        self.passkey: Passkey | None = None
        self.authenticator: Authenticator | None = None
        self.inbox = Inbox()
        self.keyring = Keyring(world.entropy)
        self.device = Device(account, 0, self._published())
        account.devices[0] = self.device
        self.files = PhoneFiles(self)
        self._line = PhoneLine(self)
        self._speech = Speech(self)
        self.groups = PhoneGroups(self, self._speech)
        self.channels = PhoneChannels(self)
        self.person = Person(self)
        self.archive = Archive(self)
        self.settings = PhoneSettings(self)

    @property
    def name(self) -> str:
        """The push name."""
        return self.account.name

    @property
    def number(self) -> str:
        """The phone number, digits only."""
        return self.account.number

    @property
    def jid(self) -> JID:
        """The address by phone number."""
        return self.account.phone

    @property
    def lid(self) -> JID:
        """The address by LID."""
        return self.account.lid

    @property
    def messages(self) -> list[Shown]:
        """Everything the phone shows, oldest first."""
        return self.inbox.messages

    @property
    def repeats(self) -> dict[str, int]:
        """How often a message it already showed came again, by id."""
        return self.inbox.repeats

    @property
    def is_online(self) -> bool:
        """Is it connected?"""
        return self.device.line is not None

    # ---- linking

    async def link(self, client: Linkable) -> None:
        """Link a client: scan the first code it shows, and wait until it says it is done."""
        scanned = False
        async for step in client.pair():
            if isinstance(step, ShowQR) and not scanned:
                scanned = True
                self.vouch(step.text)

    async def scan(self, text: str) -> None:
        """`vouch`, and wait until the client is linked. Raises PairingRefused when the client refuses too."""
        newcomer = self.vouch(text)
        await self.world.until(lambda: newcomer.is_linked or bool(newcomer.problem), "the client never answered")
        if newcomer.problem:
            raise PairingRefused(newcomer.problem)

    def vouch(self, text: str) -> Newcomer:
        """
        Scan a QR text and vouch for the client that shows it. Raises DecodeError, PairingExpired for a code nobody
        shows, PairingRefused when somebody else's keys are in it.
        """
        code = QRCode.parse(text)
        newcomer = linking.find(self.world, code)
        if self.passkey is not None:
            passkeys.demand(self.world, newcomer, self, code.adv_secret)
            return newcomer
        vouched = self.vouch_for(code.identity, code.adv_secret)
        self.world.transmit(linking.accept(self.world, newcomer, self.account, *vouched))
        return newcomer

    async def type_code(self, code: str) -> None:
        """
        Type the code a client shows, and wait until it is linked. Raises DecodeError, PairingExpired, and
        PairingRefused when it is another code.
        """
        newcomer = link_codes.type_code(self, code)
        attempt = newcomer.code
        assert attempt is not None
        done = "the client never answered"
        await self.world.until(lambda: newcomer.is_linked or bool(newcomer.problem or attempt.problem), done)
        if not newcomer.is_linked:
            raise PairingRefused(newcomer.problem or attempt.problem)

    def require_passkey(self) -> Authenticator:
        """From now on this account links no device without a passkey; the emulator's own browser that holds it."""
        self.authenticator = Authenticator(self)
        self.passkey = self.authenticator.passkey
        return self.authenticator

    def register_passkey(self, passkey: Passkey) -> None:
        """From now on this account links no device without that passkey, which somebody else's browser made."""
        self.authenticator, self.passkey = None, passkey

    def vouch_for(self, identity: bytes, adv_secret: bytes) -> tuple[bytes, bytes]:
        """What this phone signs for a new device, and its list of key indexes with it."""
        self.settings.prepare()
        index = self.account.next_device
        signed = issue_identity(
            adv_secret=adv_secret,
            account=self.keyring.own.pair,
            companion_identity=identity,
            key_index=index,
            now=self.world.clock.now(),
            entropy=self.world.entropy,
        )
        indexes = [*(device.key_index for device in self.account.companions), index]
        return signed, self._signed_indexes(indexes)

    async def unlink(self, device: int | None = None) -> None:
        """Take a companion (all of them) off the account."""
        for companion in self.account.companions:
            if device in (None, companion.number):
                self.world.transmit(self.world.remove(companion))
        self.account.key_index_list = self._signed_indexes([left.key_index for left in self.account.companions])
        self.account.listed_at = self.world.seconds()

    # ---- speaking and reading

    async def say(self, to: Phone | JID | str, said: str | Content, *, quoting: Shown | None = None) -> Shown:
        """Write to somebody (a phone, an address, a number or a name), or to a group by its address."""
        if not self.is_online:
            raise UsageError("the phone is offline")
        group = _group(to)
        if group is not None:
            return await self.groups.say(group, said, quoting=quoting)
        return self._speech.say(self._account(to), said, quoting)

    async def send_file(
        self, to: Phone | JID | str, kind: MediaKind, data: bytes, described: Media | None = None
    ) -> Shown:
        """Upload a file and send it; `described` says the rest of what is known of it."""
        return await self.say(to, self.files.put(kind, data, described))

    def secret_of(self, id: str) -> bytes | None:
        """The secret of a poll or an event on its screen."""
        return self._speech.additions.secret_of(id)

    async def read(self, chat: Phone | JID | str | None = None) -> list[Shown]:
        """Open a chat (all of them): its authors are told that their messages were read."""
        opened = None if chat is None else _group(chat) or self._account(chat).phone
        unread = [shown for shown in self.messages if not shown.from_me and not shown.is_read]
        read = [shown for shown in unread if opened in (None, shown.chat)]
        for shown in read:
            shown.is_read = True
            self._confirm(shown, ReceiptKind.READ)
        return read

    async def play(self, shown: Shown) -> None:
        """Listen to a voice message of somebody: they are told."""
        if shown.from_me:
            raise UsageError("nobody is told that one plays what one said")
        shown.is_read = True
        self._confirm(shown, ReceiptKind.PLAYED)

    async def typing(self, to: Phone | JID | str, *, stopped: bool = False, recording: bool = False) -> None:
        """Show somebody, or a group, that one types (or records a voice message), or stopped."""
        state = Node("paused" if stopped else "composing", {"media": "audio"} if recording else None)
        self._send(Node("chatstate", {"to": str(_group(to) or self._account(to).lid)}, [state]))

    async def expect(
        self,
        text: str | None = None,
        *,
        id: str | None = None,
        ticks: Ticks | None = None,
        from_me: bool | None = None,
        patience: float = PATIENCE,
    ) -> Shown:
        """The first message shown that fits, waited for. Raises AssertionError."""

        def found() -> Shown | None:
            return self.inbox.find(text=text, id=id, ticks=ticks, from_me=from_me)

        await self.world.until(lambda: found() is not None, f"{self.name}'s phone never showed it", patience=patience)
        shown = found()
        assert shown is not None
        return shown

    # ---- coming and going

    def offline(self) -> None:
        """Switch it off: what is for it waits at the server."""
        self.world.transmit(self.world.leave(self.device, self._line))

    def online(self) -> None:
        """Switch it on: it publishes keys when they are few, and takes what waited."""
        if self.is_online:
            return
        self.device.line = self._line
        if len(self.device.keys.one_time) < PREKEYS // 2:
            self._upload()
        self.world.transmit(release(self.world, self.device))

    def reinstall(self) -> None:
        """A new installation: new identity and keys, companions unlinked; who wrote with it is told."""
        for companion in self.account.companions:
            self.world.transmit(self.world.remove(companion))
        self.keyring = Keyring(self.world.entropy)
        self.device.keys = self._published()
        self.account.key_index_list = b""
        if self.is_online:
            self._upload()
        self.world.transmit(self.world.tell_identity(self.account))

    # ---- the line

    def take(self, node: Node) -> None:
        """The server delivers a stanza."""
        self._speech.take(node)

    def top_up(self) -> None:
        """The server says that one-time keys are few."""
        if self.uploads_prekeys:
            self._upload()

    def tell_device(self, device: JID, address: JID, message: bytes) -> str | None:
        """Tell a linked device something as software, sealed for it: the message's id; None when it has no keys."""
        return self._speech.tell_device(device, address, message)

    def _send(self, node: Node) -> None:
        self.world.receive(self.device, node)

    def _confirm(self, shown: Shown, kind: ReceiptKind) -> None:
        sender = self.world.directory.account(shown.sender)
        if sender is not None:
            chat = shown.chat if shown.chat.is_group else sender.lid
            self._send(read_receipt(chat, [shown.id], at=self.world.clock.now(), sender=sender.lid, kind=kind))

    def _upload(self) -> None:
        self._speech.publish(self.device.keys.bundle(), self.keyring.new_prekeys(PREKEYS))

    def _published(self) -> KeyBundle:
        signed, own = self.keyring.signed_prekey, self.keyring.own
        return KeyBundle(
            own.registration_id, own.pair.public, PublishedKey(signed.id, signed.pair.public, signed.signature)
        )

    def _signed_indexes(self, indexes: list[int]) -> bytes:
        return issue_key_indexes(
            account=self.keyring.own.pair,
            raw_id=self.account.raw_id,
            indexes=indexes,
            now=self.world.clock.now(),
            entropy=self.world.entropy,
        )

    def _account(self, whom: Phone | JID | str) -> Account:
        if isinstance(whom, Phone):
            return whom.account
        if isinstance(whom, str):
            phone = self.world.phone_at(whom)
            account = phone.account if phone else None
        else:
            account = self.world.directory.account(whom)
        if account is None:
            raise UsageError("nobody has that name, number or address here")
        return account


def _group(to: Phone | JID | str) -> JID | None:
    """The group that is meant, if it is one."""
    if isinstance(to, str) and to.endswith("@g.us"):
        to = JID.parse(to)
    return to if isinstance(to, JID) and to.is_group else None
