"""
Reporting a person or group to WhatsApp, with the messages that are the reason.

    <iq xmlns="spam" type="set"><spam_list jid="…" spam_flow="…" subject?>
      <message id="…" from="…" t="…" participant?/>…</spam_list></iq>   →  <report_list>? or nothing

Neither Baileys nor whatsmeow reports; the shape is the web client's as far as it is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import raise_for_error, tell


@dataclass(frozen=True, slots=True)
class ReportedMessage:
    """One message that is a reason to report."""

    id: str
    chat: JID
    sent_at: datetime
    author: JID | None = None

    def build(self) -> Node:
        """As it is named in a report."""
        attrs = {"id": self.id, "from": str(self.chat.bare), "t": str(int(self.sent_at.timestamp()))}
        if self.author is not None:
            attrs["participant"] = str(self.author)
        return Node("message", attrs)


@dataclass(frozen=True, slots=True)
class Report:
    """Report a chat, because of these messages."""

    chat: JID
    messages: tuple[ReportedMessage, ...] = ()
    subject: str | None = field(default=None, repr=False)

    def build(self) -> Node:
        """The order."""
        flow = "GroupInfoReport" if self.chat.server == "g.us" else "AccountInfoReport"
        attrs = {"jid": str(self.chat.bare), "spam_flow": "MessageMenu" if self.messages else flow}
        if self.subject is not None:
            attrs["subject"] = self.subject
        return tell("spam", Node("spam_list", attrs, [each.build() for each in self.messages] or None))

    def parse(self, answer: Node) -> None:
        """Nothing: taken. Raises QueryError."""
        raise_for_error(answer)
