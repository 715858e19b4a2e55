"""
Calls, as far as a client without a voice takes part: it hears that somebody calls, and may refuse.

    S→C <call from="…" id="…" t="…" offline?><offer call-id="…" call-creator="…" caller_pn? type="group"? group-jid?>
          <audio/>…<video/>?</offer></call>       offer_notice · preaccept · accept · reject · terminate reason?
    C→S <call from="own" to="caller" id="…"><reject call-id="…" call-creator="…" count="0"/></call>
    C→S <call to="@call" id="…"><link_create media="audio|video"><event start_time?/></link_create></call>
    S→C <ack class="call" id="…"><link_create token="…"/></ack>
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.errors import QueryError, StanzaError
from recado.events import CallState
from recado.jid import JID
from recado.protocol.node import Node

CALL_LINK = "https://call.whatsapp.com/"

_STATES = {
    "offer": CallState.OFFERED,
    "offer_notice": CallState.OFFERED,
    "accept": CallState.ACCEPTED,
    "reject": CallState.REJECTED,
    "terminate": CallState.ENDED,
}
_BETWEEN_PHONES = frozenset({"preaccept", "transport", "relaylatency", "enc_rekey", "mute_v2", "video", "heartbeat"})
"""What the two ends negotiate; nothing of it is for people."""


@dataclass(frozen=True, slots=True)
class CallStanza:
    """One step of a call; `state` is None for what only the two ends need."""

    id: str
    caller: JID
    state: CallState | None
    caller_alt: JID | None = None
    is_video: bool = False
    group: JID | None = None
    at: datetime | None = None
    is_offline: bool = False

    @staticmethod
    def parse(node: Node) -> CallStanza:
        """Read it. Raises StanzaError, for a step of a kind unknown here too."""
        step = next(iter(node.children), None)
        if step is None or (step.tag not in _STATES and step.tag not in _BETWEEN_PHONES):
            raise StanzaError(node.tag, ["<offer>"])
        outer, inner = node.read(), step.read()
        origin, at = outer.jid("from"), outer.opt_time("t")
        id, creator = inner.str("call-id"), inner.opt_jid("call-creator") or inner.opt_jid("from")
        group = inner.opt_jid("group-jid")
        outer.done()
        inner.done()
        caller = creator or origin
        alt = inner.opt_jid("caller_pn") if caller.is_lid else inner.opt_jid("caller_lid")
        state = _STATES.get(step.tag)
        if state is CallState.ENDED and step.attrs.get("reason") == "timeout":
            state = CallState.MISSED
        return CallStanza(
            id,
            caller.bare,
            state,
            caller_alt=alt.bare if alt is not None else None,
            is_video=step.child("video") is not None or step.attrs.get("media") == "video",
            group=group,
            at=at,
            is_offline="offline" in node.attrs,
        )


def reject(call_id: str, caller: JID, *, own: JID, id: str) -> Node:
    """We (`own`, this account) refuse a call."""
    refused = Node("reject", {"call-id": call_id, "call-creator": str(caller.bare), "count": "0"})
    return Node("call", {"from": str(own.bare), "to": str(caller.bare), "id": id}, [refused])


def create_link(*, id: str, is_video: bool, starts_at: datetime | None = None) -> Node:
    """Have the server make a link that people join a call by, planned for a time or for now."""
    planned = [Node("event", {"start_time": str(int(starts_at.timestamp()))})] if starts_at is not None else None
    return Node("call", {"to": "@call", "id": id}, [Node("link_create", {"media": _media(is_video)}, planned)])


def read_link(ack: Node, *, is_video: bool) -> str:
    """The link in the server's answer. Raises QueryError, StanzaError."""
    error = ack.attrs.get("error", "")
    if error:
        raise QueryError(int(error) if error.isdigit() else 500, "no link was made")
    created = ack.child("link_create")
    token = created.attrs.get("token") if created is not None else None
    if not token:
        raise StanzaError("ack", ["token"])
    return f"{CALL_LINK}{'video' if is_video else 'voice'}/{token}"


def _media(is_video: bool) -> str:
    return "video" if is_video else "audio"
