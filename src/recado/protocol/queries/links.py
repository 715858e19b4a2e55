"""
Short links to people: the own contact code (what a QR code of a contact holds), and what links of others lead to.

    <iq xmlns="w:qr" type="set"><qr type="contact" action="get|revoke"/></iq>        →  <qr code="…"/>
    <iq xmlns="w:qr" type="get"><qr code="…"/></iq>
      →  <qr jid="…" notify="…" type="contact"/>                                      https://wa.me/qr/CODE
      →  <qr jid="…" notify="…"><message>[text]</message><business is_signed verified_name verified_level/></qr>
                                                                                       https://wa.me/message/CODE
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.errors import QueryError, UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

CONTACT_LINK = "https://wa.me/qr/"
_PREFIXES = (
    CONTACT_LINK,
    "https://api.whatsapp.com/qr/",
    "https://wa.me/message/",
    "https://api.whatsapp.com/message/",
)
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Whom a link leads to; a business's says which `message` it would begin with, and the name it is certified by."""

    jid: JID
    name: str = field(default="", repr=False)
    message: str | None = field(default=None, repr=False)
    verified_name: str | None = field(default=None, repr=False)
    is_business: bool = False


@dataclass(frozen=True, slots=True)
class TargetOfLink:
    """Whom a short link, or its code alone, leads to."""

    link: str = field(repr=False)

    @property
    def code(self) -> str:
        """The code in the link. Raises UsageError for a link of another kind."""
        for prefix in _PREFIXES:
            if self.link.startswith(prefix):
                return _whole(self.link.removeprefix(prefix).partition("?")[0])
        return _whole(self.link)

    def build(self) -> Node:
        """The question."""
        return ask("w:qr", Node("qr", {"code": self.code}))

    def parse(self, answer: Node) -> LinkTarget | None:
        """Whom; None when the link leads nowhere (any more). Raises QueryError, StanzaError."""
        try:
            raise_for_error(answer)
        except QueryError as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        reader = answer.read()
        found = reader.child("qr")
        reader.done()
        inner = found.read()
        jid = inner.jid("jid")
        inner.done()
        message, business = found.child("message"), found.child("business")
        return LinkTarget(
            jid.bare,
            found.attrs.get("notify", ""),
            None if message is None else message.text,
            None if business is None else business.attrs.get("verified_name"),
            business is not None,
        )


@dataclass(frozen=True, slots=True)
class OwnContactLink:
    """The own contact link; `renew` makes the one there was lead nowhere."""

    renew: bool = False

    def build(self) -> Node:
        """The question."""
        return tell("w:qr", Node("qr", {"type": "contact", "action": "revoke" if self.renew else "get"}))

    def parse(self, answer: Node) -> str:
        """The link. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        reader = answer.read()
        found = reader.child("qr")
        reader.done()
        inner = found.read()
        code = inner.str("code")
        inner.done()
        return f"{CONTACT_LINK}{code}"


def _whole(code: str) -> str:
    if not code or "/" in code or ":" in code:
        raise UsageError("that is no link to a contact or to a business's message")
    return code
