"""
Who is who. A person has a phone number, a LID and a BSUID, not all of them known; a contact is the person, whatever
address a fact used, and has one conversation whatever the provider. A `Directory` gathers every address a batch of
facts names, and settles all of them in one read and a few writes: found, added, completed, or merged when two contacts
turn out to be one.

One person's number may be spelt in two ways (Brazil's ninth digit), and a number may change: `same` and `moved` say so,
and what is known of the other number is theirs too (contact_numbers).

Two writers may add the same person at once: the unique index refuses the second (Collided), whose unit is done again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import JID

_queries = load_queries(__file__, "directory.sql")

_SPACES = ("phone", "lid", "bsuid")
"""The kinds of address, the one that says most of who it is first."""
_OTHER = "other"


@dataclass(slots=True, eq=False)
class _Person:
    """Somebody the batch speaks of: what it says of them, and then who they are here."""

    phone: str | None = None
    lid: str | None = None
    bsuid: str | None = None
    push_name: str | None = None
    username: str | None = None
    talks: bool = False
    others: dict[str, bool] = field(default_factory=dict)
    """Their other numbers, and whether each is one they had before."""
    contact_id: UUID | None = None
    conversation_id: UUID | None = None

    def take(self, other: _Person) -> None:
        self.phone = other.phone or self.phone
        self.lid = other.lid or self.lid
        self.bsuid = other.bsuid or self.bsuid
        self.push_name = other.push_name or self.push_name
        self.username = other.username or self.username
        self.talks = self.talks or other.talks
        self.others.update(other.others)


@dataclass(slots=True)
class _Known:
    """A contact as it is kept."""

    id: UUID
    phone: str | None
    lid: str | None
    bsuid: str | None
    push_name: str | None
    username: str | None
    conversation_id: UUID | None
    numbers: list[str]
    formers: list[str]


@dataclass(slots=True)
class _Rows:
    """The found contacts by each address, and the conversations of other chats."""

    by_address: dict[tuple[str, str], _Known] = field(default_factory=dict)
    by_chat: dict[str, UUID] = field(default_factory=dict)

    def known(self, person: _Person) -> dict[str, _Known]:
        """Who has each of the person's addresses."""
        addresses = [(space, (space, getattr(person, space))) for space in _SPACES]
        found = {space: self.by_address[key] for space, key in addresses if key in self.by_address}
        main = found.get("phone")
        for number in person.others:
            # A number that is known to be given up may be somebody else's by now, whoever tells of it again.
            is_over = main is not None and number in main.formers
            if not is_over and ("phone", number) in self.by_address:
                found[f"{_OTHER} {number}"] = self.by_address["phone", number]
        return found


class Directory:
    """One batch's people and chats. Name them all with `person` and `chat`, `settle` once, then ask."""

    def __init__(self) -> None:
        self._people: dict[tuple[str, str], _Person] = {}
        self._chats: dict[str, UUID | None] = {}
        self.added: set[UUID] = set()
        """The conversations that began with this batch."""

    def person(
        self,
        jid: JID,
        *alts: JID | None,
        push_name: str | None = None,
        username: str | None = None,
        talks: bool = False,
    ) -> None:
        """Somebody is spoken of, by one address or several; `talks` when there is to be a conversation with them."""
        said = _Person(push_name=push_name, username=username, talks=talks)
        keys = []
        for address in (jid, *alts):
            if address is not None and address.is_person:
                key = _key(address)
                keys.append(key)
                setattr(said, *key)
        one = next((self._people[key] for key in keys if key in self._people), None) or _Person()
        for key in keys:
            other = self._people.get(key)
            if other is not None and other is not one:
                self._join(one, other)
            self._people[key] = one
        one.take(said)

    def same(self, phone: JID, other: JID) -> None:
        """Two numbers are one account's: as it was dialled, and as WhatsApp calls it."""
        self._also(phone, other, is_former=False)

    def moved(self, old: JID, new: JID, lid: JID | None = None) -> None:
        """Somebody has another number from now on; the old one may be given to somebody else."""
        self.person(new, lid)
        self._also(new, old, is_former=True)

    def _also(self, phone: JID, other: JID, *, is_former: bool) -> None:
        self.person(phone)
        one = self._people[_key(phone)]
        there = self._people.get(_key(other))
        if there is not None and there is not one:
            if there.phone is not None:
                one.others.setdefault(there.phone, is_former)
            self._join(one, there)
            one.phone = phone.user
        self._people[_key(other)] = one
        one.others[other.user] = is_former

    def chat(self, jid: JID, alt: JID | None = None) -> None:
        """There is to be a conversation in this chat."""
        if jid.is_person:
            self.person(jid, alt, talks=True)
        else:
            self._chats.setdefault(str(jid.bare), None)

    async def settle(self, unit: Unit) -> None:
        """Have every contact and conversation named so far. Raises Collided when another writer added one meanwhile."""
        people = self._everybody()
        if not people and not self._chats:
            return
        rows = await self._find(unit, people)
        await self._find_out(unit, people, rows)
        people = self._everybody()
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

    def _everybody(self) -> list[_Person]:
        return list({id(person): person for person in self._people.values()}.values())

    def _join(self, one: _Person, other: _Person) -> None:
        """They are the same person."""
        one.take(other)
        for known_as in [key for key, somebody in self._people.items() if somebody is other]:
            self._people[known_as] = one

    async def _find(self, unit: Unit, people: list[_Person]) -> _Rows:
        found = _Rows()
        phones = [person.phone for person in people if person.phone]
        for contact_id, phone, lid, bsuid, push_name, username, conversation_id, chat, *numbers in await unit.tuples(
            _queries.find_known,
            phones=phones + [number for person in people for number in person.others],
            lids=[person.lid for person in people if person.lid],
            bsuids=[person.bsuid for person in people if person.bsuid],
            chats=list(self._chats),
        ):
            if contact_id is None:
                found.by_chat[chat] = conversation_id
                continue
            known = _Known(contact_id, phone, lid, bsuid, push_name, username, conversation_id, *numbers)
            for number in known.numbers:
                found.by_address.setdefault(("phone", number), known)
            for space, value in zip(_SPACES, (phone, lid, bsuid), strict=True):
                if value:
                    found.by_address[space, value] = known
        return found

    async def _find_out(self, unit: Unit, people: list[_Person], rows: _Rows) -> None:
        """Make one of contacts that turned out to be one, and of people here that are one contact."""
        for person in people:
            known = rows.known(person)
            winner = _winner(known)
            for space, other in known.items():
                if winner is not None and other is not winner:
                    await _make_one(unit, winner, other, space)
                    if other.phone is not None and space not in _SPACES and other.phone != person.phone:
                        person.others.setdefault(other.phone, False)
                    is_one = other.phone is None or space not in _SPACES
                    for key in [key for key, somebody in rows.by_address.items() if somebody is other]:
                        if is_one or key == (space, getattr(person, space)):
                            rows.by_address[key] = winner
        met: dict[UUID, _Person] = {}
        for person in people:
            known_as = _winner(rows.known(person))
            if known_as is not None and (one := met.setdefault(known_as.id, person)) is not person:
                self._join(one, person)

    async def _settle_people(self, unit: Unit, people: list[_Person], rows: _Rows) -> None:
        added: list[_Person] = []
        completed: list[_Person] = []
        for person in people:
            known = _winner(rows.known(person))
            if known is None:
                person.contact_id = uuid4()
                added.append(person)
                continue
            person.contact_id, person.conversation_id = known.id, known.conversation_id
            _keep_number(person, known)
            if _says_more(person, known):
                completed.append(person)
        for query, some in ((_queries.add_contacts, added), (_queries.save_contacts, completed)):
            if some:
                await unit.run(
                    query,
                    ids=[person.contact_id for person in some],
                    phones=[person.phone for person in some],
                    lids=[person.lid for person in some],
                    bsuids=[person.bsuid for person in some],
                    push_names=[person.push_name for person in some],
                    usernames=[person.username for person in some],
                )

        numbers = [
            (number, person.contact_id, is_former)
            for person in people
            for number, is_former in person.others.items()
            if number != person.phone
        ]
        if numbers:
            phones, contacts, formers = (list(column) for column in zip(*numbers, strict=True))
            await unit.run(_queries.add_numbers, phones=phones, contacts=contacts, formers=formers)

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
            self.added = {id for id, _, _, _ in new}
            ids, kinds, contacts, chats = (list(column) for column in zip(*new, strict=True))
            await unit.run(_queries.add_conversations, ids=ids, kinds=kinds, contacts=contacts, chats=chats)


def _key(jid: JID) -> tuple[str, str]:
    return ("lid" if jid.is_lid else "bsuid" if jid.is_bsuid else "phone", jid.user)


def _winner(known: dict[str, _Known]) -> _Known | None:
    """Whose contact it is: who has the number, else one with a number, else the first."""
    if "phone" in known:
        return known["phone"]
    return next((one for one in known.values() if one.phone), None) or next(iter(known.values()), None)


def _keep_number(person: _Person, known: _Known) -> None:
    """The number a contact has stays theirs, however it was spelt this time; one they had before does not."""
    if known.phone is None or known.phone == person.phone:
        return
    if person.phone in known.numbers:
        person.phone = known.phone
    elif person.others.get(known.phone) is False and person.phone is not None:
        del person.others[known.phone]
        person.others[person.phone] = False
        person.phone = known.phone


def _says_more(person: _Person, known: _Known) -> bool:
    names = ("phone", "lid", "bsuid", "push_name", "username")
    said = ((getattr(person, name), getattr(known, name)) for name in names)
    return any(new and new != old for new, old in said)


async def _make_one(unit: Unit, winner: _Known, other: _Known, space: str) -> None:
    """
    They are one person's: merge, or, where the address was another number's, have it change hands. Of one who is merged
    the winner keeps what it lacks itself.
    """
    if other.phone is not None and space in _SPACES:
        await unit.run(_queries.release, id=other.id, space=space)
        setattr(other, space, None)
        return
    await unit.run(_queries.merge_contacts, winner=winner.id, loser=other.id)
    winner.conversation_id = winner.conversation_id or other.conversation_id
    kept = {name: getattr(winner, name) or getattr(other, name) for name in ("lid", "bsuid")}
    await unit.run(
        _queries.save_contacts,
        ids=[winner.id],
        phones=[None],
        push_names=[None],
        usernames=[None],
        **{f"{name}s": [value] for name, value in kept.items()},
    )
    winner.lid, winner.bsuid = kept["lid"], kept["bsuid"]
