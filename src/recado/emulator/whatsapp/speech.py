"""
How a phone speaks and listens: from a text to one envelope for each device, and back; receipts, and envelopes that do
not open.

    say      devices (usync) → missing bundles → seal for each → one <message>
    take     message → open → show → receipt; unreadable → retry receipt; retry receipt → seal again for that device
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recado.content import Content, Text
from recado.emulator.whatsapp.accounts import Account
from recado.emulator.whatsapp.additions import Additions, is_sealed
from recado.emulator.whatsapp.group_speech import GroupSpeech, words
from recado.emulator.whatsapp.inbox import Shown, Ticks
from recado.errors import DecodeError, DuplicateMessage, EnvelopeError, StanzaError
from recado.events import ReceiptKind
from recado.jid import BROADCAST, GROUP, JID
from recado.protocol.appstate.collections import Collection
from recado.protocol.bundle import bundle_nodes, prekey_node, read_bundle
from recado.protocol.messages.decode import Decoded, decode_message
from recado.protocol.messages.encode import Quoting, encode_device_sent, encode_message
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.phone_requests import CollectionAsked, PhoneRequest
from recado.protocol.messages.secrets import NONCE_SIZE
from recado.protocol.messages.shape import shape_of
from recado.protocol.messages.software import AppStateKeyRequest
from recado.protocol.node import Node
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.keys import OneTimePreKey
from recado.protocol.signal.session import Envelope
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.hosted import as_named, unhosted
from recado.protocol.stanzas.message import MessageStanza
from recado.protocol.stanzas.outgoing import OutgoingMessage, PeerMessage, Resend
from recado.protocol.stanzas.receipt import (
    ReceiptStanza,
    RetryRequest,
    delivery_receipt,
    peer_receipt,
    retry_receipt,
    sender_receipt,
)

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone

MAX_RETRIES = 5
_MALFORMED = 487
_TICKS = {ReceiptKind.DELIVERED: Ticks.DELIVERED, ReceiptKind.READ: Ticks.READ, ReceiptKind.PLAYED: Ticks.READ}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was sealed, kept for those who ask again; `chat` None: to the own companions alone (history)."""

    message: bytes
    chat: Account | None


class Speech:
    """The speaking and listening of one phone."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._world = phone.world
        self._account = phone.account
        self._spoken: dict[str, Spoken] = {}
        self._asked: dict[tuple[JID, str], int] = {}
        self._answered: dict[tuple[JID, str], int] = {}
        self._greeted: set[JID] = set()
        self.additions = Additions(phone.account)
        self.groups = GroupSpeech(phone, self)

    # ---- speaking

    def say(self, to: Account, said: str | Content, quoting: Shown | None) -> Shown:
        """Write a text, or something else, to all devices of both sides."""
        content = Text(said) if isinstance(said, str) else said
        entropy, id = self._world.entropy, new_message_id(self._world.entropy)
        quoted = Quoting(quoting.id, self.lid(quoting.sender), Text(quoting.text)) if quoting else None
        now = self._world.clock.now()
        if is_sealed(content):
            message = self.additions.write(content, to.lid, now, entropy(NONCE_SIZE))
        else:
            message = encode_message(content, chat=to.lid, at=now, quoting=quoted, secret=entropy(32))
        self.additions.note_own(id, message)
        self._spoken[id] = Spoken(message, to)
        shown = Shown(
            id, to.phone, self._account.phone, True, words(content), now, quoted=quoting.id if quoting else None
        )
        shown.content = content
        self._phone.files.note(id, content)
        self._phone.inbox.show(shown)
        shape = shape_of(parse_message(message))
        devices = self._devices(to)
        self.begin([device for device in devices if not self._phone.keyring.knows(device)])
        known = [device for device in devices if self._phone.keyring.knows(device)]
        sealed = tuple((as_named(device), self._seal(device, id)) for device in known)
        outgoing = OutgoingMessage(
            id,
            to.lid,
            sealed,
            kind=shape.kind,
            edit=shape.edit,
            mediatype=shape.mediatype,
            hides_failure=shape.hides_failure,
            meta=dict(shape.meta),
            business=shape.business,
        )
        self._send(outgoing.build())
        return shown

    def publish(self, bundle: PreKeyBundle, prekeys: list[OneTimePreKey]) -> None:
        """Upload one-time keys, as a client does."""
        listed = Node("list", None, [prekey_node(key.id, key.pair.public) for key in prekeys])
        self._ask("encrypt", "set", [*bundle_nodes(bundle), listed])

    def _seal(self, device: JID, id: str) -> Envelope:
        spoken = self._spoken[id]
        message = spoken.message
        if device.user == self._account.lid_user and spoken.chat is not None:
            message = encode_device_sent(message, spoken.chat.lid)
        return self._phone.keyring.seal(device, message)

    def _devices(self, to: Account) -> list[JID]:
        is_machine = to.lid.is_bot  # it has no linked devices, and the server lists none
        users = [str(self._account.lid)] if is_machine else [str(to.lid), str(self._account.lid)]
        asked = [Node("user", {"jid": jid}) for jid in users]
        query = Node("query", None, [Node("devices", {"version": "2"})])
        attrs = {"context": "message", "mode": "query", "sid": self._world.new_id(), "last": "true", "index": "0"}
        answer = self._ask("usync", "get", [Node("usync", attrs, [query, Node("list", None, asked)])])
        found = answer.child("usync", "list")
        devices = [to.lid] if is_machine else []
        for user in found.all("user") if found else ():
            listed = user.child("devices", "device-list")
            person = JID.parse(user.attrs["jid"])
            devices += [person.with_device(int(device.attrs["id"])) for device in (listed.children if listed else ())]
        return [device for device in devices if device != self._account.lid]

    def begin(self, devices: list[JID]) -> None:
        """Begin sessions with devices from the keys the server hands out; one without goes without."""
        if not devices:
            return
        users = [Node("user", {"jid": str(as_named(device)), "reason": "identity"}) for device in devices]
        wanted = Node("key", None, users)
        found = self._ask("encrypt", "get", [wanted]).child("list")
        for user in found.all("user") if found else ():
            try:
                self._phone.keyring.begin(unhosted(JID.parse(user.attrs["jid"])), read_bundle(user))
            except (StanzaError, EnvelopeError, DecodeError):
                continue  # no usable bundle: that device goes without

    # ---- listening

    def take(self, node: Node) -> None:
        """The server delivered a stanza; one that cannot be read is noted by the world, and acknowledged."""
        listen = {
            "message": self._on_message,
            "receipt": self._on_receipt,
            "notification": self._on_notification,
            "ack": self._on_ack,
            "chatstate": self._on_typing,
        }.get(node.tag)
        in_group = self._in_group(node)
        try:
            if in_group is not None:
                in_group(node)
            elif listen is not None:
                listen(node)
        except (StanzaError, ValueError):
            self._world.note_unknown(self._phone.device, node)
            self._send(ack(node, error=_MALFORMED))

    def _in_group(self, node: Node) -> Callable[[Node], None] | None:
        """Who listens to a stanza of a group or a broadcast; None when it is of a person."""
        if node.attrs.get("from", "").partition("@")[2] not in (GROUP, BROADCAST):
            return None
        groups = self.groups
        heard = {"message": groups.on_message, "receipt": groups.on_receipt, "notification": groups.on_change}
        heard["chatstate"] = self._on_typing
        if node.tag in ("receipt", "notification"):
            self.acknowledge(node)
        return heard.get(node.tag) or (groups.on_ack if node.tag == "ack" else None)

    def acknowledge(self, node: Node) -> None:
        """Take note of a stanza, and no more."""
        self._send(ack(node))

    def _on_typing(self, node: Node) -> None:
        author = self._world.directory.account(JID.parse(node.attrs.get("participant") or node.attrs["from"]))
        if author is not None:
            self._phone.inbox.typing[author.phone] = node.child("composing") is not None

    def _on_message(self, node: Node) -> None:
        stanza = MessageStanza.parse(node, own=self._account.phone, own_lid=self._account.lid)
        device = self.lid(stanza.sender)
        chat = self._world.directory.account(stanza.chat)
        known = self._phone.inbox.get(chat.phone, stanza.id) if chat else None
        try:
            opened = [decode_message(self._phone.keyring.open(device, sealed)) for sealed in stanza.envelopes]
        except DuplicateMessage:
            if known is None:
                self.ask_again(node, device, stanza.id)
                return
            self._phone.inbox.repeat(known)
            opened = []
        except (EnvelopeError, DecodeError):
            self.ask_again(node, device, stanza.id)
            return
        if stanza.is_peer:
            self._send(peer_receipt(node))
            for decoded in opened:
                own = self._account.phone.with_device(device.device)
                if isinstance(decoded.news, CollectionAsked):
                    self._phone.settings.recover(device, own, stanza.id, decoded.news)
                elif isinstance(decoded.news, PhoneRequest):
                    self._phone.archive.answer(device, own, stanza.id, decoded.news)
                elif isinstance(decoded.news, AppStateKeyRequest):
                    self._phone.settings.answer(device, own, decoded.news)
            return
        for decoded in opened:
            self._show(stanza, decoded, chat)
        self._confirm(node, stanza)

    def _show(self, stanza: MessageStanza, decoded: Decoded, chat: Account | None) -> None:
        if chat is None:
            return
        author = self._account if stanza.from_me else chat
        content = self.additions.read(decoded, author)
        if content is None:
            return
        self.additions.note(stanza.id, decoded, author)
        self._phone.files.note(stanza.id, content)
        ticks = Ticks.SENT if stanza.from_me else Ticks.PENDING
        shown = Shown(
            stanza.id,
            chat.phone,
            author.phone.with_device(stanza.sender.device),
            stanza.from_me,
            words(content),
            stanza.sent_at,
            ticks,
            quoted=decoded.quoted.id if decoded.quoted else None,
            push_name=stanza.push_name,
        )
        shown.content = content
        self._phone.inbox.show(shown)

    def _confirm(self, node: Node, stanza: MessageStanza) -> None:
        if not self._phone.sends_receipts:
            self._send(ack(node))
        elif stanza.from_me:
            self._send(sender_receipt(node))
        else:
            self._send(delivery_receipt(node, is_active=True))
            if self._phone.reads_at_once:
                self._send(Node("receipt", {"id": stanza.id, "to": node.attrs["from"], "type": "read"}))

    def ask_again(self, node: Node, device: JID, id: str) -> None:
        """Note that a message did not open, and ask its author for it, as long as that makes sense."""
        self._phone.inbox.unreadable.append(id)
        count = self._asked[device, id] = self._asked.get((device, id), 0) + 1
        if self._phone.asks_again and count <= MAX_RETRIES:
            own = self._phone.keyring.own
            receipt = retry_receipt(node, count=count, registration_id=own.registration_id)
            if count > 1:
                receipt.content = [*receipt.children, self._retry_keys()]
            self._send(receipt)
        self._send(ack(node))

    def _retry_keys(self) -> Node:
        """The keys that go with a second request. A phone vouches for itself: it shows no device identity."""
        (fresh,) = self._phone.keyring.new_prekeys(1)
        keys = self._phone.device.keys
        _, *nodes = bundle_nodes(keys.bundle())
        return Node("keys", None, [*nodes, prekey_node(fresh.id, fresh.pair.public)])

    def _on_receipt(self, node: Node) -> None:
        if node.attrs.get("type") == "server-error":
            self._send(ack(node))
            if node.attrs.get("category") == "peer":
                self._phone.archive.on_request(node)
            else:
                self._phone.files.on_request(node)
            return
        receipt = ReceiptStanza.parse(node, own=self._account.phone, own_lid=self._account.lid)
        self._send(ack(node))
        if receipt.retry is not None:
            self._say_again(receipt)
            return
        ticks, chat = _TICKS.get(receipt.says) if receipt.says else None, self._world.directory.account(receipt.chat)
        if ticks is None or chat is None or receipt.kind == "inactive":
            return  # phones draw nothing for a device that is not looked at
        for id in receipt.ids:
            shown = self._phone.inbox.get(chat.phone, id)
            if shown is not None and shown.from_me and not receipt.from_me:
                shown.reach(ticks)
            elif shown is not None and receipt.from_me and ticks is Ticks.READ:
                shown.is_read = True

    def _say_again(self, receipt: ReceiptStanza) -> None:
        retry, device = receipt.retry, self.lid(receipt.sender)
        assert retry is not None
        spoken = self._spoken.get(retry.id)
        times = self._answered[device, retry.id] = self._answered.get((device, retry.id), 0) + 1
        if spoken is None or not self._phone.answers_retries or times > MAX_RETRIES:
            return
        if not self.begin_again(device, retry):
            return
        is_own = device.user == self._account.lid_user
        resend = Resend(
            id=retry.id,
            to=device,
            envelope=self._seal(device, retry.id),
            count=retry.count,
            recipient=spoken.chat.lid if is_own and spoken.chat else None,
        ).build()
        if spoken.chat is None:
            resend.attrs["category"] = "peer"
        self._send(resend)

    def begin_again(self, device: JID, retry: RetryRequest) -> bool:
        """Begin anew with a device that could not open something, from the keys it sent along or the server has."""
        try:
            if retry.bundle is not None:
                self._phone.keyring.begin(device, retry.bundle)
            else:
                self.begin([device])
        except (EnvelopeError, DecodeError):
            return False
        return self._phone.keyring.knows(device)

    def _on_notification(self, node: Node) -> None:
        self._send(ack(node))
        author = self._world.directory.account(JID.parse(node.attrs.get("from", "")))
        if node.child("count"):
            self._phone.top_up()
        elif node.child("identity") and author is not None:
            self._phone.keyring.forget(author.lid_user)
        elif node.attrs.get("type") == "server_sync":
            for changed in node.all("collection"):
                self._phone.settings.catch_up(Collection(changed.attrs["name"]))
        elif node.child("devices") and author is self._account:
            for device in self._account.companions:
                if device.was_active and device.lid not in self._greeted:
                    self._greeted.add(device.lid)
                    self._phone.settings.greet(device.lid, device.phone)
                    self._phone.archive.push(device.lid, device.phone)

    def _on_ack(self, node: Node) -> None:
        to = self._world.directory.account(JID.parse(node.attrs.get("from", "")))
        shown = self._phone.inbox.get(to.phone, node.attrs.get("id", "")) if to else None
        if shown is not None and shown.from_me:
            shown.reach(Ticks.REFUSED if "error" in node.attrs else Ticks.SENT)

    # ---- own devices

    def tell_device(self, device: JID, address: JID, message: bytes) -> str | None:
        """Tell one own companion something as software: the message's id; None when it has no keys."""
        self.begin([] if self._phone.keyring.knows(device) else [device])
        if not self._phone.keyring.knows(device):
            return None
        id = new_message_id(self._world.entropy)
        self._spoken[id] = Spoken(message, None)
        self._send(PeerMessage(id, address, self._seal(device, id)).build())
        return id

    # ---- the line

    def _send(self, node: Node) -> None:
        self._world.receive(self._phone.device, node)

    def _ask(self, about: str, kind: str, children: list[Node]) -> Node:
        attrs = {"id": self._world.new_id(), "xmlns": about, "type": kind, "to": "@s.whatsapp.net"}
        return self._world.ask(self._phone.device, Node("iq", attrs, children))

    def lid(self, jid: JID) -> JID:
        """A device's address in the LID space."""
        account = self._world.directory.account(jid)
        return account.lid.with_device(jid.device) if account else jid
