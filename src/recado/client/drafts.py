"""
A message on its way out, and what its plan still lacks. Shared by the plans for people and for groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.events import MessageId
from recado.jid import JID

PLANS = 6
"""How often groups, devices and keys are asked for anew while one message is planned."""


@dataclass(slots=True)
class Draft:
    """A message on its way out. `given`: who gets our sender key of which number along with it;
    `machine`: which one is called into the chat; `to`: which address of the chat the stanza names."""

    id: MessageId
    chat: JID
    body: bytes = field(repr=False)
    phash: str | None = None
    machine: JID | None = None
    to: JID | None = None
    given: tuple[int, tuple[JID, ...]] | None = field(default=None, repr=False)

    @property
    def address(self) -> JID:
        """Where it goes."""
        return self.to or self.chat


@dataclass(frozen=True, slots=True)
class Missing:
    """What a plan lacks: the group itself, people whose devices are unknown, devices without a session."""

    group: JID | None = None
    people: tuple[JID, ...] = ()
    devices: tuple[JID, ...] = ()
