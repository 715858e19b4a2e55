"""
Ask for other devices' published keys, to begin sessions with them.

    <iq xmlns="encrypt" type="get"><key><user jid="…" reason="identity"?/>…</key></iq>
    <list><user jid="…" t="…"><registration/><type/><identity/><skey/><key/>?</user>
          <user jid="…"><error code="…" text="…"/></user>…</list>
"""

from __future__ import annotations

from dataclasses import dataclass

from recado.errors import QueryError, StanzaError
from recado.jid import JID
from recado.protocol.bundle import read_bundle
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, error_of, raise_for_error
from recado.protocol.signal.agreement import PreKeyBundle

NOT_ACCEPTABLE = 406


@dataclass(frozen=True, slots=True)
class BundlesFor:
    """The keys of `devices`; `force_identity` when a session exists and is to be begun anew."""

    devices: tuple[JID, ...]
    force_identity: bool = False

    def build(self) -> Node:
        """The question."""
        reason = {"reason": "identity"} if self.force_identity else {}
        return ask("encrypt", Node("key", None, [Node("user", {"jid": str(jid), **reason}) for jid in self.devices]))

    def parse(self, answer: Node) -> dict[JID, PreKeyBundle | QueryError]:
        """
        Each device's bundle, or why there is none; one bad entry does not spoil the others. A device the server leaves
        out is left out.
        """
        raise_for_error(answer)
        reader = answer.read()
        listed = reader.child("list")
        reader.done()
        found: dict[JID, PreKeyBundle | QueryError] = {}
        for user in listed.all("user"):
            try:
                jid = user.read().opt_jid("jid")
                if jid is not None:
                    found[jid] = error_of(user) if user.child("error") is not None else read_bundle(user)
            except StanzaError as error:
                found[JID.parse(user.attrs["jid"])] = QueryError(NOT_ACCEPTABLE, str(error))
        return found
