"""Channels, as facts change them: a new name or description, following and leaving, and what became of the channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recado.events import NewsletterChanged
from recado.gateway.channels.service import change_channel
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.unit import Unit
from recado.jid import JID
from recado.newsletters import NewsletterChange

_ROLES = {NewsletterChange.FOLLOWED: "subscriber", NewsletterChange.UNFOLLOWED: "guest"}


@dataclass(slots=True)
class ChannelRows:
    """What a batch of facts says of channels, the last word on each."""

    _names: dict[JID, str] = field(default_factory=dict)
    _known: dict[JID, dict[str, Any]] = field(default_factory=dict)

    def take(self, directory: Directory, fact: NewsletterChanged) -> None:
        """One fact; what says nothing of the channel's row is passed over."""
        known: dict[str, Any] = {}
        match fact.what:
            case NewsletterChange.NAME:
                self._names[fact.newsletter] = fact.value
            case NewsletterChange.DESCRIPTION:
                known = {"description": fact.value}
            case NewsletterChange.STATE:
                known = {"state": fact.value}
            case NewsletterChange.FOLLOWED | NewsletterChange.UNFOLLOWED:
                known = {"own_role": _ROLES[fact.what]}
            case _:
                return
        directory.chat(fact.newsletter)
        self._known.setdefault(fact.newsletter, {}).update(known)

    @property
    def chats(self) -> set[JID]:
        """The channels something was said of."""
        return set(self._known)

    async def settle(self, unit: Unit, directory: Directory) -> None:
        """Write it down."""
        for chat, known in self._known.items():
            await change_channel(unit, directory.conversation_id(chat), known, name=self._names.get(chat, ""))
