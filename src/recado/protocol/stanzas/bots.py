"""
The answer of a machine, as the server brings it: in parts, each of which takes the place of the one before.

    <message from="…@bot" id="…" t="…" type="text">
      <bot edit="first|inner|last" edit_target_id? sender_timestamp_ms?/>
      <meta target_id="the question" target_sender_jid="who asked"? target_chat_jid="where"?/>
      <enc v="2" type="msmsg">[bytes]</enc>
    </message>

What is in it is for `messages.bots`. docs/protocol/stanzas.md
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.jid import JID
from recado.protocol.node import Node

SEALED = "msmsg"
FIRST, INNER, LAST = "first", "inner", "last"


@dataclass(frozen=True, slots=True)
class MachineAnswer:
    """What a machine answers to the message `question` of `asker` in `chat`; `replaces` an earlier part of it."""

    id: str
    sealed: bytes = field(repr=False)
    question: str
    asker: JID | None = None
    chat: JID | None = None
    replaces: str | None = None

    @property
    def sealed_as(self) -> str:
        """The id its key is made of: of all parts the first one's."""
        return self.replaces or self.id

    @staticmethod
    def read(node: Node) -> MachineAnswer | None:
        """The answer in a message of a machine; None when it is something else. Raises StanzaError."""
        sealed = next((part for part in node.all("enc") if part.attrs.get("type") == SEALED), None)
        if sealed is None:
            return None
        reader, meta = node.read(), (node.child("meta") or Node("meta")).read()
        id, question = reader.str("id"), meta.str("target_id")
        asker, chat = meta.opt_jid("target_sender_jid"), meta.opt_jid("target_chat_jid")
        reader.done()
        meta.done()
        part = node.child("bot")
        is_later = part is not None and part.attrs.get("edit") in (INNER, LAST)
        replaces = part.attrs.get("edit_target_id") if part is not None and is_later else None
        return MachineAnswer(id, sealed.blob, question, asker and asker.bare, chat and chat.bare, replaces)

    def build(self, machine: JID, at: int, *, edit: str = FIRST) -> Node:
        """The stanza, as a server brings it."""
        attrs = {"from": str(machine), "id": self.id, "t": str(at), "type": "text"}
        meta = {"target_id": self.question}
        for name, value in (("target_sender_jid", self.asker), ("target_chat_jid", self.chat)):
            if value is not None:
                meta[name] = str(value)
        part = {"edit": edit}
        if self.replaces is not None:
            part |= {"edit_target_id": self.replaces, "sender_timestamp_ms": str(at * 1000)}
        enc = Node("enc", {"v": "2", "type": SEALED}, self.sealed)
        return Node("message", attrs, [Node("bot", part), Node("meta", meta), enc])
