"""
How the mentorado's own devices show chats and name people, from facts to rows: put away, on top, silent, unread, and
the names of the address book. A part of the projector's batch; the last word on each counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recado.events import ChatChanged, ContactChanged
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import JID

_queries = load_queries(__file__, "chat_states.sql")

_SAID = ("is_archived", "is_pinned", "is_muted", "is_read")


@dataclass(slots=True)
class ChatStates:
    """What a batch of facts says of chats and names."""

    _chats: dict[JID, dict[str, Any]] = field(default_factory=dict)
    _alts: dict[JID, JID | None] = field(default_factory=dict)
    _names: dict[JID, str] = field(default_factory=dict)
    _verified: dict[JID, str] = field(default_factory=dict)

    def take(self, directory: Directory, fact: ChatChanged) -> None:
        """A chat is shown in another way. One that is put away, on top or silent is a conversation from then on."""
        chat = fact.chat.bare
        said = self._chats[chat] = self._chats.pop(chat, {})  # behind all that was told before
        said.update({name: value for name in _SAID if (value := getattr(fact, name)) is not None})
        if fact.is_muted is not None:
            said["muted_until"] = fact.muted_until
        self._alts[chat] = fact.chat_alt or self._alts.get(chat)
        if fact.is_archived or fact.is_pinned or fact.is_muted:
            directory.chat(chat, fact.chat_alt)

    def name(self, fact: ContactChanged) -> None:
        """A person has a name in the address book; the directory was told of them."""
        if fact.full_name and fact.contact.is_person:
            self._names[fact.contact.bare] = fact.full_name
        self.certify(fact.contact, fact.verified_name)

    def certify(self, person: JID, name: str | None) -> None:
        """A business is called so, by WhatsApp's word; the directory was told of them."""
        if name and person.is_person:
            self._verified[person.bare] = name

    async def settle(self, unit: Unit, directory: Directory) -> None:
        """Write it, once the directory is settled."""
        if self._names:
            contacts = {directory.contact_id(jid): name for jid, name in self._names.items()}
            await unit.run(_queries.name_contacts, ids=list(contacts), names=list(contacts.values()))
        if self._verified:
            contacts = {directory.contact_id(jid): name for jid, name in self._verified.items()}
            await unit.run(_queries.certify_contacts, ids=list(contacts), names=list(contacts.values()))
        if self._chats:
            await unit.run(_queries.save_chat_states, **self._columns())

    def _columns(self) -> dict[str, list[Any]]:
        chats = list(self._chats)
        both = [[jid for jid in (chat, self._alts[chat]) if jid is not None] for chat in chats]
        return {
            "phones": [next((jid.user for jid in each if jid.is_phone), None) for each in both],
            "lids": [next((jid.user for jid in each if jid.is_lid), None) for each in both],
            "chats": [None if chat.is_person else str(chat) for chat in chats],
            "archiveds": [self._chats[chat].get("is_archived") for chat in chats],
            "pinneds": [self._chats[chat].get("is_pinned") for chat in chats],
            "muteds": [self._chats[chat].get("is_muted") for chat in chats],
            "muted_untils": [self._chats[chat].get("muted_until") for chat in chats],
            "reads": [self._chats[chat].get("is_read") for chat in chats],
        }
