"""
Who is there, and who is typing.

    <presence name="…" type="available|unavailable"/>          C→S, our own; type may be missing
    <presence to="…" type="subscribe"><tctoken/>?</presence>   C→S
    <presence from="…" type="unavailable"? last="…"?/>         S→C
    <chatstate from="…" to="…" participant?><composing media="audio"?/> | <paused/></chatstate>
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.errors import StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.source import read_source


@dataclass(frozen=True, slots=True)
class PresenceStanza:
    """Somebody came or went; `last_seen` when they show it."""

    contact: JID
    is_available: bool
    last_seen: datetime | None = None

    @staticmethod
    def parse(node: Node) -> PresenceStanza:
        """Read it. Raises StanzaError."""
        reader = node.read()
        contact = reader.jid("from")
        reader.done()
        # "last" may be a word instead of a time: deny, none, error.
        last_seen = node.read().opt_time("last")
        return PresenceStanza(contact, node.attrs.get("type") != "unavailable", last_seen)


@dataclass(frozen=True, slots=True)
class ChatState:
    """Somebody types (or records, `is_audio`) in a chat, or stopped."""

    chat: JID
    sender: JID
    is_typing: bool
    is_audio: bool = False

    @staticmethod
    def parse(node: Node, *, own: JID, own_lid: JID | None = None) -> ChatState:
        """Read it; `own` and `own_lid` are this account's addresses. Raises StanzaError."""
        reader = node.read()
        source = read_source(reader, own=own, own_lid=own_lid)
        reader.done()
        state = next(iter(node.children), None)
        if state is None or state.tag not in ("composing", "paused"):
            raise StanzaError(node.tag, ["<composing>"])
        return ChatState(source.chat, source.sender, state.tag == "composing", state.attrs.get("media") == "audio")


def available(name: str | None) -> Node:
    """We are there; `name` is how the account calls itself."""
    return _own("available", name)


def unavailable(name: str | None) -> Node:
    """We are not at the screen: the phone keeps ringing."""
    return _own("unavailable", name)


def subscribe(person: JID, *, id: str, token: bytes | None = None) -> Node:
    """Tell us of that person from now on; `token` is what they gave us."""
    shown = [Node("tctoken", None, token)] if token else None
    return Node("presence", {"to": str(person.bare), "id": id, "type": "subscribe"}, shown)


def chat_state(chat: JID, *, sender: JID, is_typing: bool, is_audio: bool = False) -> Node:
    """We (`sender`, this device) type in `chat`, or stopped."""
    media = {"media": "audio"} if is_typing and is_audio else None
    state = Node("composing" if is_typing else "paused", media)
    return Node("chatstate", {"from": str(sender), "to": str(chat)}, [state])


def _own(kind: str, name: str | None) -> Node:
    attrs = {"type": kind}
    if name:
        attrs["name"] = name
    return Node("presence", attrs)
