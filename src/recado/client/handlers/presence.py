"""Who is there and who is typing: signals, told to whoever listens now and kept nowhere."""

from __future__ import annotations

from recado.client.turn import Turn
from recado.events import PresenceChanged, TypingChanged
from recado.protocol.node import Node
from recado.protocol.stanzas.presence import ChatState, PresenceStanza


async def on_presence(turn: Turn, node: Node) -> None:
    """Somebody came or went. Raises StanzaError."""
    presence = PresenceStanza.parse(node)
    turn.tell(
        PresenceChanged(
            account=turn.me,
            at=turn.now,
            contact=presence.contact.bare,
            is_available=presence.is_available,
            last_seen=presence.last_seen,
        )
    )


async def on_chatstate(turn: Turn, node: Node) -> None:
    """Somebody types, or stopped. Raises StanzaError."""
    state = ChatState.parse(node, own=turn.account.device, own_lid=turn.account.lid)
    turn.tell(
        TypingChanged(
            account=turn.me,
            at=turn.now,
            chat=state.chat,
            sender=state.sender.bare,
            is_typing=state.is_typing,
            is_audio=state.is_audio,
        )
    )
