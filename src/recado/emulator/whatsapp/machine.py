"""
`world.machine`: an assistant one can write to, as WhatsApp has them: an address of its own, no number, no linked
devices. It opens what it is asked with keys of its own and answers in parts, each sealed with the secret of the
question and taking the place of the one before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recado.content import Text, content_text
from recado.emulator.whatsapp.accounts import Account, Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.keyring import Keyring
from recado.emulator.whatsapp.line import Move, Outgoing
from recado.errors import DecodeError, EnvelopeError, StanzaError
from recado.jid import JID
from recado.protocol.messages.bots import answer_secret, seal_answer
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.secrets import NONCE_SIZE
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.bots import FIRST, INNER, LAST, MachineAnswer
from recado.protocol.stanzas.message import MessageStanza
from recado.protocol.stanzas.receipt import delivery_receipt, retry_receipt

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

ADDRESS, PERSONA = JID.parse("15550142@bot"), "1000000000000001$2000000000000001"
"""The one machine of this world, at an invented number."""

_PREKEYS = 8
_MOST_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Question:
    """What the machine was asked, by whom (an address in the machine's own kind of space), in which of its parts."""

    id: str
    asker: JID
    text: str = field(repr=False)
    persona: str
    derived: bytes = field(repr=False)
    chat: JID | None = None


class Machine:
    """Keys, a line in the same process, and what was asked. `answers`: the parts of the next answers, in order."""

    def __init__(self, world: World, entropy: Callable[[int], bytes]) -> None:
        self._world = world
        self.account = world.directory.add_machine("Helper", ADDRESS)
        self.keyring = Keyring(entropy)
        self.questions: list[Question] = []
        self.answers: deque[tuple[str, ...]] = deque()
        self.refused: list[str] = []
        self.unreadable: list[str] = []
        signed, own = self.keyring.signed_prekey, self.keyring.own
        keys = KeyBundle(
            own.registration_id, own.pair.public, PublishedKey(signed.id, signed.pair.public, signed.signature)
        )
        self.device = self.account.devices[0] = Device(self.account, 0, keys)
        self.device.line, self.device.is_reading = self, True
        self._asked: dict[str, int] = {}
        self._publish()

    def __str__(self) -> str:
        return str(ADDRESS)

    # ---- the line

    def deliver(self, node: Node) -> None:
        """Take a stanza: a question is answered, everything else acknowledged."""
        if node.tag == "message":
            self._on_message(node)
        elif node.tag == "bot":
            self._on_call(node)
        elif node.tag in ("receipt", "notification"):
            if node.child("count"):
                self._publish()
            self._world.receive(self.device, ack(node))
        elif node.tag == "ack" and "error" in node.attrs:
            self.refused.append(node.attrs.get("id", ""))

    def hang_up(self) -> None:
        """Machines are always there."""

    def cut(self) -> None:
        """Machines are always there."""

    def later(self, seconds: float, move: Move) -> None:
        """A machine waits for nothing."""
        self._world.transmit(move())

    # ---- questions and answers

    def answer(self, question: Question, *parts: str) -> list[str]:
        """Answer in these parts; their ids."""
        ids: list[str] = []
        for place, text in enumerate(parts):
            edit = FIRST if place == 0 else LAST if place == len(parts) - 1 else INNER
            id = new_message_id(self._world.entropy)
            replaces = ids[0] if ids else None
            sealed = seal_answer(
                encode_message(Text(text)),
                question.derived,
                id=replaces or id,
                asker=question.asker.bare,
                machine=ADDRESS,
                nonce=self._world.entropy(NONCE_SIZE),
            )
            said = MachineAnswer(id, sealed, question.id, question.asker.bare, question.chat, replaces)
            self.post(question, said.build(ADDRESS, self._world.seconds(), edit=edit))
            ids.append(id)
        return ids

    def forget_everybody(self) -> None:
        """Lose the sessions, as after a restart: what comes next does not open, and is asked for again."""
        for question in self.questions:
            self.keyring.forget(question.asker.user)

    def post(self, question: Question, node: Node) -> None:
        """Have a stanza brought to every linked device of who asked, and of who else is in the chat."""
        outgoing: list[Outgoing] = []
        for account in self._audience(question):
            for device in account.companions:
                outgoing += post(self._world, device, node)
        self._world.transmit(outgoing)

    def _audience(self, question: Question) -> list[Account]:
        group = None if question.chat is None else self._world.groups.find(question.chat)
        if group is not None:
            return list(group.members.values())
        directory = self._world.directory
        people = [directory.account(question.asker), question.chat and directory.account(question.chat)]
        return [account for account in people if account]

    def _on_call(self, node: Node) -> None:
        """It is called into a chat by a message there: this is the part of it that is for the machine."""
        sealed = [enc for to in node.all("to") for enc in to.all("enc")]
        stanza = MessageStanza.parse(Node("message", node.attrs, sealed), own=ADDRESS, own_lid=None)
        try:
            (opened,) = [self.keyring.open(stanza.sender, each) for each in stanza.envelopes]
            said, around = decode_message(opened), parse_message(opened).message_context_info
        except (ValueError, EnvelopeError, DecodeError):
            self.unreadable.append(stanza.id)
            return
        text = content_text(said.content) if said.content is not None else None
        asker, persona, chat = stanza.sender.bare, around.bot_metadata.persona_id, JID.parse(node.attrs["chat"])
        self._take(Question(stanza.id, asker, text or "", persona, around.bot_message_secret, chat))

    def _on_message(self, node: Node) -> None:
        try:
            stanza = MessageStanza.parse(node, own=ADDRESS, own_lid=None)
            asker = self._lid(stanza.sender)
            opened = [self.keyring.open(asker, sealed) for sealed in stanza.envelopes]
            decoded = [decode_message(each) for each in opened]
        except (StanzaError, EnvelopeError, DecodeError):
            self._ask_again(node)
            return
        self._world.receive(self.device, delivery_receipt(node, is_active=True))
        for plaintext, said in zip(opened, decoded, strict=True):
            persona = parse_message(plaintext).message_context_info.bot_metadata.persona_id
            if said.content is None or said.secret is None or any(each.id == stanza.id for each in self.questions):
                continue
            text = content_text(said.content) or ""
            self._take(Question(stanza.id, asker.bare, text, persona, answer_secret(said.secret)))

    def _take(self, asked: Question) -> None:
        self.questions.append(asked)
        self.answer(asked, *(self.answers.popleft() if self.answers else ("You said", f"You said: {asked.text}")))

    def _ask_again(self, node: Node) -> None:
        id = node.attrs.get("id", "")
        count = self._asked[id] = self._asked.get(id, 0) + 1
        if count <= _MOST_RETRIES:
            own = self.keyring.own
            self._world.receive(self.device, retry_receipt(node, count=count, registration_id=own.registration_id))
        self._world.receive(self.device, ack(node))

    def _publish(self) -> None:
        fresh = self.keyring.new_prekeys(_PREKEYS)
        self.device.keys.one_time.update((key.id, key.pair.public) for key in fresh)
        self.device.keys.told_at = None

    def _lid(self, jid: JID) -> JID:
        account: Account | None = self._world.directory.account(jid)
        return account.lid.with_device(jid.device) if account else jid
