"""
A file is not on the servers any more: this device asks its own phone to upload it again, and the phone answers.

    <receipt id="MESSAGE" to="own" type="server-error">
      <encrypt><enc_p>[bytes]</enc_p><enc_iv>[12 bytes]</enc_iv></encrypt>
      <rmr jid="chat" from_me="true|false" participant?/></receipt>
    <notification id="MESSAGE" from="own" type="mediaretry" t="…">
      <encrypt>…</encrypt> | <error code="…"/>  <rmr …/></notification>

For a part of the history the receipt names the message that offered it, as software does, and no chat. The answer is no
notification: the part is offered anew, in another message that names the first one (`original_message_id`).

    <receipt id="MESSAGE" to="own" type="server-error" category="peer"><encrypt>…</encrypt></receipt>
"""

from __future__ import annotations

from dataclasses import dataclass

from recado.errors import StanzaError
from recado.jid import JID
from recado.protocol.media.retry import SealedRetry
from recado.protocol.node import Node


@dataclass(frozen=True, slots=True)
class MediaRetry:
    """Whose message it is about, and the sealed words: a request, or an answer; `error` when there is none."""

    id: str
    chat: JID
    from_me: bool
    participant: JID | None = None
    sealed: SealedRetry | None = None
    error: int | None = None

    def request(self, own: JID) -> Node:
        """The receipt that asks `own` phone."""
        return Node("receipt", {"id": self.id, "to": str(own.bare), "type": "server-error"}, self.content())

    def content(self) -> list[Node]:
        """What stands in a receipt or a notification of it."""
        attrs = {"jid": str(self.chat), "from_me": "true" if self.from_me else "false"}
        if self.participant is not None:
            attrs["participant"] = str(self.participant)
        said = Node("error", {"code": str(self.error or 0)}) if self.sealed is None else _encrypt(self.sealed)
        return [said, Node("rmr", attrs)]

    @staticmethod
    def parse(node: Node) -> MediaRetry:
        """Read a receipt or a notification. Raises StanzaError."""
        reader = node.read()
        id, about = reader.str("id"), reader.child("rmr")
        reader.done()
        inner = about.read()
        chat, participant = inner.jid("jid"), inner.opt_jid("participant")
        inner.done()
        error, encrypted = node.child("error"), node.child("encrypt")
        code = None if error is None else error.read().opt_int("code") or 0
        sealed = None if encrypted is None else _sealed(encrypted)
        return MediaRetry(id, chat, inner.opt_str("from_me") == "true", participant, sealed, code)


@dataclass(frozen=True, slots=True)
class PartRetry:
    """A part of the history that could not be had, by the `id` of the message that offered it."""

    id: str
    sealed: SealedRetry

    def request(self, own: JID) -> Node:
        """The receipt that asks `own` phone to upload it again."""
        attrs = {"id": self.id, "to": str(own.bare), "type": "server-error", "category": "peer"}
        return Node("receipt", attrs, [_encrypt(self.sealed)])

    @staticmethod
    def parse(node: Node) -> PartRetry:
        """The phone's side: read the receipt. Raises StanzaError."""
        reader = node.read()
        id, encrypted = reader.str("id"), reader.child("encrypt")
        reader.done()
        return PartRetry(id, _sealed(encrypted))


def _encrypt(sealed: SealedRetry) -> Node:
    return Node("encrypt", None, [Node("enc_p", None, sealed.ciphertext), Node("enc_iv", None, sealed.nonce)])


def _sealed(encrypted: Node) -> SealedRetry:
    ciphertext, nonce = encrypted.child("enc_p"), encrypted.child("enc_iv")
    if ciphertext is None or nonce is None:
        raise StanzaError(encrypted.tag, ["enc_p", "enc_iv"])
    return SealedRetry(ciphertext.blob, nonce.blob)
