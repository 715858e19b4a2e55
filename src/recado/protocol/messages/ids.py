"""
Message ids as WhatsApp Web makes them: `3EB0` and 18 hexadecimal digits. Chosen once, before a message is queued, and
kept through every resend: it is what the other side recognises a duplicate by.
"""

from __future__ import annotations

from collections.abc import Callable

from recado.events import MessageId


def new_message_id(entropy: Callable[[int], bytes]) -> MessageId:
    """A new id, 22 characters."""
    return MessageId("3EB0" + entropy(9).hex().upper())
