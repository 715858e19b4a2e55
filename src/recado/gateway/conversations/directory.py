"""
Who is who. A person has a phone number and a LID; a contact is the person, whatever address a fact used, and has one
conversation whatever the provider. A `Directory` gathers every address a batch of facts names, and settles all of them
in one read and a few writes: found, added, completed, or merged when two contacts turn out to be one.

Two writers may add the same person at once: the unique index refuses the second (Collided), whose unit is done again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import JID

_queries = load_queries(__file__, "directory.sql")


@dataclass(slots=True, eq=False)
class _Person:
    """Somebody the batch speaks of: what it says of them, and then who they are here."""

    phone: str | None = None
    lid: str | None = None
    push_name: str | None = None
    talks: bool = False
    contact_id: UUID | None = None
    conversation_id: UUID | None = None

    def take(self, other: _Person) -> None:
        self.phone = other.phone or self.phone
        self.lid = other.lid or self.lid
        self.push_name = other.push_name or self.push_name
        self.talks = self.talks or other.talks


@dataclass(frozen=True, slots=True)
class _Known:
    """A contact as it is kept."""

    id: UUID
    phone: str | None
    lid: str | None
    push_name: str | None
    conversation_id: UUID | None


@dataclass(slots=True)
class _Rows:
    """The found contacts by each address, and the conversations of other chats."""

    by_phone: dict[str, _Known] = field(default_factory=dict)
    by_lid: dict[str, _Known] = field(default_factory=dict)
    by_chat: dict[str, UUID] = field(default_factory=dict)


class Directory:
    """One batch's people and chats. Name them all with `person` and `chat`, `settle` once, then ask."""

    def __init__(self) -> None:
        self._people: dict[tuple[str, str], _Person] = {}
        self._chats: dict[str, UUID | None] = {}

    def person(self, jid: JID, alt: JID | None = None, *, push_name: str | None = None, talks: bool = False) -> None:
        """Somebody is spoken of, by one address or both; `talks` when there is to be a conversation with them."""
        said = _Person(push_name=push_name, talks=talks)
        keys = []
        for address in (jid, alt):
            if address is not None and address.is_person:
                keys.append(_key(address))
                if address.is_lid:
                    said.lid = address.user
                else:
                    said.phone = address.user
        one = next((self._people[key] for key in keys if key in self._people), None) or _Person()
        for key in keys:
            other = self._people.get(key)
            if other is not None and other is not one:
                one.take(other)
                for known_as in [k for k, somebody in self._people.items() if somebody is other]:
                    self._people[known_as] = one
            self._people[key] = one
        one.take(said)

    def chat(self, jid: JID, alt: JID | None = None) -> None:
        """There is to be a conversation in this chat."""
        if jid.is_person:
            self.person(jid, alt, talks=True)
        else:
            self._chats.setdefault(str(jid.bare), None)

    async def settle(self, unit: Unit) -> None:
        """Have every contact and conversation named so far. Raises Collided when another writer added one meanwhile."""
        people = list({id(person): person for person in self._people.values()}.values())
        if not people and not self._chats:
            return
        rows = await self._find(unit, people)
        await self._settle_people(unit, people, rows)
        await self._settle_conversations(unit, people, rows)

    def contact_id(self, jid: JID) -> UUID:
        """Who that person is here."""
        found = self._people[_key(jid)].contact_id
        assert found is not None
        return found

    def conversation_id(self, jid: JID) -> UUID:
        """The conversation in that chat."""
        found = self._people[_key(jid)].conversation_id if jid.is_person else self._chats[str(jid.bare)]
        assert found is not None
        return found

    async def _find(self, unit: Unit, people: list[_Person]) -> _Rows:
        found = _Rows()
        for contact_id, phone, lid, push_name, conversation_id, chat in await unit.tuples(
            _queries.find_known,
            phones=[person.phone for person in people if person.phone],
            lids=[person.lid for person in people if person.lid],
            chats=list(self._chats),
        ):
            if contact_id is None:
                found.by_chat[chat] = conversation_id
                continue
            known = _Known(contact_id, phone, lid, push_name, conversation_id)
            if phone:
                found.by_phone[phone] = known
            if lid:
                found.by_lid[lid] = known
        return found

    async def _settle_people(self, unit: Unit, people: list[_Person], rows: _Rows) -> None:
        added: list[_Person] = []
        completed: list[_Person] = []
        for person in people:
            by_phone = rows.by_phone.get(person.phone or "")
            by_lid = rows.by_lid.get(person.lid or "")
            known = by_phone or by_lid
            if known is None:
                person.contact_id = uuid4()
                added.append(person)
                continue
            if by_phone is not None and by_lid is not None and by_phone.id != by_lid.id:
                await _make_one(unit, by_phone, by_lid)
                known = _Known(
                    by_phone.id,
                    by_phone.phone,
                    None,
                    by_phone.push_name,
                    by_phone.conversation_id or (by_lid.conversation_id if by_lid.phone is None else None),
                )
            person.contact_id, person.conversation_id = known.id, known.conversation_id
            if _says_more(person, known):
                completed.append(person)
        for query, some in ((_queries.add_contacts, added), (_queries.save_contacts, completed)):
            if some:
                await unit.run(
                    query,
                    ids=[person.contact_id for person in some],
                    phones=[person.phone for person in some],
                    lids=[person.lid for person in some],
                    push_names=[person.push_name for person in some],
                )

    async def _settle_conversations(self, unit: Unit, people: list[_Person], rows: _Rows) -> None:
        new: list[tuple[UUID, str, UUID | None, str | None]] = []
        for person in people:
            if person.talks and person.conversation_id is None:
                person.conversation_id = uuid4()
                new.append((person.conversation_id, "person", person.contact_id, None))
        for chat in self._chats:
            self._chats[chat] = found = rows.by_chat.get(chat) or uuid4()
            if chat not in rows.by_chat:
                new.append((found, "group" if JID.parse(chat).is_group else "other", None, chat))
        if new:
            ids, kinds, contacts, chats = (list(column) for column in zip(*new, strict=True))
            await unit.run(_queries.add_conversations, ids=ids, kinds=kinds, contacts=contacts, chats=chats)


def _key(jid: JID) -> tuple[str, str]:
    return ("lid" if jid.is_lid else "phone", jid.user)


def _says_more(person: _Person, known: _Known) -> bool:
    return bool(
        (person.phone and person.phone != known.phone)
        or (person.lid and person.lid != known.lid)
        or (person.push_name and person.push_name != known.push_name)
    )


async def _make_one(unit: Unit, by_phone: _Known, by_lid: _Known) -> None:
    """The number and the LID are one person's: merge, or, where the LID was another number's, have it change hands."""
    if by_lid.phone is None:
        await unit.run(_queries.merge_contacts, winner=by_phone.id, loser=by_lid.id)
    else:
        await unit.run(_queries.release_lids, ids=[by_lid.id])
