"""
How a phone speaks and listens in groups: a sender key of its own for each, given to the devices that lack it; those of
others kept; what does not open asked for again; and the key made anew when somebody is gone.

It shares the phone's keyring and line with `Speech`, which hands it the stanzas of groups.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from recado.content import Content, PollVote, Text, content_kind
from recado.emulator.whatsapp.additions import is_sealed
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.inbox import Shown, Ticks
from recado.errors import DecodeError, DuplicateMessage, EnvelopeError, UsageError
from recado.events import ReceiptKind
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import Quoting, encode_message
from recado.protocol.messages.group_keys import encode_distribution_message, read_distribution
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.padding import pad, unpad
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.secrets import NONCE_SIZE
from recado.protocol.messages.shape import shape_of
from recado.protocol.messages.targets import ABOUT_OTHERS
from recado.protocol.node import Node
from recado.protocol.signal.sender_key import (
    SenderKeyRecord,
    distribution,
    learn,
    new_sender_key,
    open_for_group,
    seal_for_group,
)
from recado.protocol.signal.session import Envelope, EnvelopeKind
from recado.protocol.stanzas.group_message import GroupMessage
from recado.protocol.stanzas.message import MessageStanza
from recado.protocol.stanzas.outgoing import Resend
from recado.protocol.stanzas.receipt import ReceiptStanza, delivery_receipt, sender_receipt

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone
    from recado.emulator.whatsapp.speech import Speech

_TICKS = {ReceiptKind.DELIVERED: Ticks.DELIVERED, ReceiptKind.READ: Ticks.READ, ReceiptKind.PLAYED: Ticks.READ}
_GONE = ("remove", "leave")


@dataclass(frozen=True, slots=True)
class SpokenToGroup:
    """What was said in a group, kept for those who ask again."""

    message: bytes
    group: JID


class GroupSpeech:
    """The groups of one phone. `own`, `given` and `others` are its keys, who has them, and those of others."""

    def __init__(self, phone: Phone, speech: Speech) -> None:
        self._phone = phone
        self._speech = speech
        self._world = phone.world
        self.own: dict[JID, SenderKeyRecord] = {}
        self.given: dict[JID, set[JID]] = {}
        self.others: dict[tuple[JID, JID], SenderKeyRecord] = {}
        self.spoken: dict[str, SpokenToGroup] = {}

    # ---- speaking

    def say(self, group: GroupState, said: str | Content, quoting: Shown | None = None) -> Shown:
        """Write a text, or something else, to everybody in the group. Raises UsageError for a phone not in it."""
        account, entropy = self._phone.account, self._world.entropy
        if not group.has(account):
            raise UsageError("the phone is not in that group")
        content = self._aimed(group, Text(said) if isinstance(said, str) else said)
        id, now = new_message_id(entropy), self._world.clock.now()
        message = self._written(group, content, quoting)
        self.spoken[id] = SpokenToGroup(message, group.jid)
        shown = Shown(id, group.jid, account.phone, True, words(content), now, quoted=quoting.id if quoting else None)
        shown.content = content
        self._speech.additions.note_own(id, message)
        self._phone.files.note(id, content)
        self._phone.inbox.show(shown)
        record = self.own.get(group.jid) or new_sender_key(entropy)
        participants = self._give(group, record)
        record, ciphertext = seal_for_group(record, pad(message, entropy), entropy=entropy)
        self.own[group.jid] = record
        shape = shape_of(parse_message(message))
        sent = GroupMessage(
            id=id,
            to=group.jid,
            ciphertext=ciphertext,
            participants=tuple(participants),
            by_lid=True,
            expires_in=group.expiration or None,
            kind=shape.kind,
            edit=shape.edit,
            mediatype=shape.mediatype,
            hides_failure=shape.hides_failure,
            meta=dict(shape.meta),
            business=shape.business,
        )
        self._send(sent.build())
        return shown

    def _written(self, group: GroupState, content: Content, quoting: Shown | None) -> bytes:
        now, entropy = self._world.clock.now(), self._world.entropy
        if is_sealed(content):
            return self._speech.additions.write(content, group.jid, now, entropy(NONCE_SIZE))
        quoted = Quoting(quoting.id, self._speech.lid(quoting.sender), Text(quoting.text)) if quoting else None
        return encode_message(content, chat=group.jid, at=now, quoting=quoted, secret=entropy(32))

    def _aimed(self, group: GroupState, content: Content) -> Content:
        """What is about another message says whose that is; the screen knows, when the caller does not."""
        if not isinstance(content, ABOUT_OTHERS) or content.author is not None:
            return content
        about = self._phone.inbox.get(group.jid, content.poll if isinstance(content, PollVote) else content.to)
        if about is None:
            return content
        author = None if about.from_me else str(self._speech.lid(about.sender).bare)
        return replace(content, from_me=about.from_me, author=author)

    def _give(self, group: GroupState, record: SenderKeyRecord) -> list[tuple[JID, Envelope]]:
        """The key for every device in the group that lacks it."""
        holders = self.given.setdefault(group.jid, set())
        lacking = [each.lid for each in group.devices if each is not self._phone.device and each.lid not in holders]
        self._speech.begin([device for device in lacking if not self._phone.keyring.knows(device)])
        given = encode_distribution_message(group.jid, distribution(record))
        reached = [device for device in lacking if self._phone.keyring.knows(device)]
        holders.update(reached)
        return [(device, self._phone.keyring.seal(device, given)) for device in reached]

    # ---- listening

    def on_message(self, node: Node) -> None:
        """A message to a group came."""
        account = self._phone.account
        stanza = MessageStanza.parse(node, own=account.phone, own_lid=account.lid)
        author = self._speech.lid(stanza.sender)
        known = self._phone.inbox.get(stanza.chat, stanza.id)
        try:
            plaintexts = self._open(stanza, author)
        except DuplicateMessage:
            if known is None:
                self._speech.ask_again(node, author, stanza.id)
                return
            self._phone.inbox.repeat(known)
            plaintexts = []
        except (EnvelopeError, DecodeError):
            self._speech.ask_again(node, author, stanza.id)
            return
        for plaintext in plaintexts:
            self._show(stanza, author, plaintext)
        if not self._phone.sends_receipts:
            self._speech.acknowledge(node)
        elif stanza.from_me:
            self._send(sender_receipt(node))
        else:
            self._send(delivery_receipt(node, is_active=True))
            if self._phone.reads_at_once:
                attrs = {"id": stanza.id, "to": str(stanza.chat), "participant": node.attrs["participant"]}
                self._send(Node("receipt", {**attrs, "type": "read"}))

    def _open(self, stanza: MessageStanza, author: JID) -> list[bytes]:
        """The plaintexts, keys taken in. Raises EnvelopeError, DecodeError."""
        plaintexts = []
        for envelope in sorted(stanza.envelopes, key=lambda each: each.kind is EnvelopeKind.GROUP):
            if envelope.kind is EnvelopeKind.GROUP:
                record, padded = open_for_group(self.others.get((stanza.chat, author)), envelope.ciphertext)
                self.others[stanza.chat, author] = record
                plaintexts.append(unpad(padded))
                continue
            plaintext = self._phone.keyring.open(author, envelope)
            given = read_distribution(plaintext)
            if given is not None and given.group == stanza.chat:
                self.others[stanza.chat, author] = learn(self.others.get((stanza.chat, author)), given.key)
            plaintexts.append(plaintext)
        return plaintexts

    def _show(self, stanza: MessageStanza, author: JID, plaintext: bytes) -> None:
        decoded = decode_message(plaintext)
        who = self._world.directory.account(author)
        content = self._speech.additions.read(decoded, who, is_group=True) if who is not None else None
        if content is None or who is None:
            return
        self._speech.additions.note(stanza.id, decoded, who)
        self._phone.files.note(stanza.id, content)
        self._phone.inbox.show(
            Shown(
                stanza.id,
                stanza.chat,
                who.phone.with_device(author.device),
                stanza.from_me,
                words(content),
                stanza.sent_at,
                Ticks.SENT if stanza.from_me else Ticks.PENDING,
                quoted=decoded.quoted.id if decoded.quoted else None,
                push_name=stanza.push_name,
                content=content,
            )
        )

    def on_receipt(self, node: Node) -> None:
        """Somebody in a group has, read, or could not open something of ours."""
        account = self._phone.account
        receipt = ReceiptStanza.parse(node, own=account.phone, own_lid=account.lid)
        if receipt.retry is not None:
            self._say_again(receipt)
            return
        ticks = _TICKS.get(receipt.says) if receipt.says else None
        for id in receipt.ids if ticks is not None else ():
            shown = self._phone.inbox.get(receipt.chat, id)
            if shown is not None and ticks is not None and shown.from_me and not receipt.from_me:
                shown.reach(ticks)

    def _say_again(self, receipt: ReceiptStanza) -> None:
        retry, device = receipt.retry, self._speech.lid(receipt.sender)
        if retry is None or not self._phone.answers_retries:
            return
        spoken = self.spoken.get(retry.id)
        record = self.own.get(spoken.group) if spoken is not None else None
        group = self._world.groups.find(receipt.chat)
        person = self._world.directory.account(device)
        if spoken is None or record is None or group is None or person is None or not group.has(person):
            return
        if not self._speech.begin_again(device, retry):
            return
        message = encode_distribution_message(spoken.group, distribution(record), spoken.message)
        envelope = self._phone.keyring.seal(device, message)
        resend = Resend(id=retry.id, to=spoken.group, envelope=envelope, count=retry.count, participant=device)
        self._send(resend.build())

    def on_change(self, node: Node) -> None:
        """Something changed in a group: with somebody gone the key is made anew."""
        if any(child.tag in _GONE for child in node.children):
            self.rotate(JID.parse(node.attrs["from"]))

    def rotate(self, group: JID) -> None:
        """Make the key of that group anew with the next message."""
        self.own.pop(group, None)
        self.given.pop(group, None)

    def on_ack(self, node: Node) -> None:
        """The server took a message to a group, or refused it."""
        shown = self._phone.inbox.get(JID.parse(node.attrs.get("from", "")), node.attrs.get("id", ""))
        if shown is not None and shown.from_me:
            shown.reach(Ticks.REFUSED if "error" in node.attrs else Ticks.SENT)

    def to_json(self) -> dict[str, Any]:
        """The keys and what was said, as JSON types."""
        return {
            "own": [[str(group), _text(record.encode())] for group, record in self.own.items()],
            "given": [[str(group), sorted(map(str, devices))] for group, devices in self.given.items()],
            "others": [[str(group), str(who), _text(key.encode())] for (group, who), key in self.others.items()],
            "spoken": [[id, _text(each.message), str(each.group)] for id, each in self.spoken.items()],
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what `to_json` gave. Raises BadRecord, ValueError."""
        for group, record in saved.get("own", []):
            self.own[JID.parse(group)] = SenderKeyRecord.decode(b64decode(record))
        for group, devices in saved.get("given", []):
            self.given[JID.parse(group)] = {JID.parse(device) for device in devices}
        for group, author, record in saved.get("others", []):
            self.others[JID.parse(group), JID.parse(author)] = SenderKeyRecord.decode(b64decode(record))
        for id, message, group in saved.get("spoken", []):
            self.spoken[id] = SpokenToGroup(b64decode(message), JID.parse(group))

    def _send(self, node: Node) -> None:
        self._world.receive(self._phone.device, node)


def words(content: Content) -> str:
    """What the screen shows of it."""
    return content.body if isinstance(content, Text) else f"[{content_kind(content)}]"


def _text(value: bytes) -> str:
    return b64encode(value).decode()
