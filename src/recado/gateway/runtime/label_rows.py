"""
The labels of a business account, from facts to rows: which there are, and what conversations and messages carry them.
A part of the projector's batch; the last word on each counts, and what carried a deleted label carries it no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recado.events import LabelChanged, LabelPlaced
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import JID

_queries = load_queries(__file__, "label_rows.sql")
_Place = tuple[str, JID, str | None]
"""A label, a chat, and a message in it."""


@dataclass(slots=True)
class LabelRows:
    """What a batch of facts says of labels."""

    _labels: dict[str, LabelChanged] = field(default_factory=dict)
    _places: dict[_Place, LabelPlaced] = field(default_factory=dict)

    def change(self, fact: LabelChanged) -> None:
        """A label was made, changed or deleted."""
        self._labels[fact.label] = fact
        if fact.is_deleted:
            self._places = {place: told for place, told in self._places.items() if told.label != fact.label}

    def place(self, directory: Directory, fact: LabelPlaced) -> None:
        """A label was put somewhere or taken off. A chat that carries one is a conversation from then on."""
        key = (fact.label, fact.chat.bare, fact.message)
        self._places.pop(key, None)  # behind all that was told before
        self._places[key] = fact
        if fact.is_placed and fact.message is None:
            directory.chat(fact.chat, fact.chat_alt)

    async def settle(self, unit: Unit) -> None:
        """Write it, once the directory is settled and the messages are there."""
        gone = [fact.label for fact in self._labels.values() if fact.is_deleted]
        if gone:
            await unit.run(_queries.delete_labels, ids=gone)
        kept = [fact for fact in self._labels.values() if not fact.is_deleted]
        if kept:
            await unit.run(
                _queries.save_labels,
                ids=[fact.label for fact in kept],
                names=[fact.name for fact in kept],
                colors=[fact.color for fact in kept],
                ats=[fact.at for fact in kept],
            )
        on_chats = [fact for fact in self._places.values() if fact.message is None]
        if on_chats:
            await unit.run(_queries.save_chat_labels, **_columns(on_chats))
        on_messages = [fact for fact in self._places.values() if fact.message is not None]
        if on_messages:
            ids = [fact.message for fact in on_messages]
            await unit.run(_queries.save_message_labels, ids=ids, **_columns(on_messages))


def _columns(placed: list[LabelPlaced]) -> dict[str, Any]:
    both = [[jid.bare for jid in (fact.chat, fact.chat_alt) if jid is not None] for fact in placed]
    return {
        "labels": [fact.label for fact in placed],
        "placeds": [fact.is_placed for fact in placed],
        "phones": [next((jid.user for jid in each if jid.is_phone), None) for each in both],
        "lids": [next((jid.user for jid in each if jid.is_lid), None) for each in both],
        "chats": [None if fact.chat.is_person else str(fact.chat.bare) for fact in placed],
    }
