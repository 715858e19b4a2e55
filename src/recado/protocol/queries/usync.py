"""
Ask what the server knows of people, column by column; one question for many of them.

    <iq xmlns="usync" type="get"><usync context="interactive|background" mode="query" sid="…" last="true" index="0">
      <query><contact/><lid/><status/><picture/><business><verified_name/></business><disappearing_mode/></query>
      <list><user jid="…"/>… | <user><contact>+55…</contact></user>…</list></usync></iq>
    <usync …><list><user jid="…" pn_jid?><contact type="in|out">+55…</contact><lid val="…@lid"/>
      <status t="…">[text]</status><picture id="…"/><disappearing_mode duration="…" t="…"/>
      <username>[text]</username></user>…</list></usync>

A column the server refuses for one person holds <error code=…/>; it costs that column of that person and nothing else.
The devices of people are asked apart (devices.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from recado.errors import DecodeError, QueryError, StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.business import read_verified_name
from recado.protocol.queries.query import ask, error_of, raise_for_error

MALFORMED = 502
"""The code given to an entry that cannot be read."""
_HIDDEN = 401


class Column(StrEnum):
    """What can be asked of a person, by the name it has on the wire."""

    CONTACT = "contact"
    LID = "lid"
    ABOUT = "status"
    PICTURE = "picture"
    BUSINESS = "business"
    TIMER = "disappearing_mode"
    USERNAME = "username"


@dataclass(frozen=True, slots=True)
class Told:
    """
    What the server told of one person, asked for as `asked`. A field is None when it was not asked, or is not known;
    `problems` says, by column, what was refused. `about` is "" when the person shows none.
    """

    asked: JID
    jid: JID | None = None
    phone: JID | None = None
    lid: JID | None = None
    is_on_whatsapp: bool | None = None
    about: str | None = field(default=None, repr=False)
    about_at: datetime | None = None
    picture: str | None = None
    is_business: bool | None = None
    verified_name: str | None = field(default=None, repr=False)
    timer: int | None = None
    username: str | None = field(default=None, repr=False)
    problems: Mapping[str, QueryError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookUp:
    """
    Those columns of those people; one known by number alone is looked for by that number when the contact is asked.
    `tokens` are shown where a person shows things to those they trust only.
    """

    people: tuple[JID, ...]
    columns: tuple[Column, ...]
    tokens: Mapping[JID, bytes] = field(default_factory=dict, repr=False)

    def build(self) -> Node:
        """The question."""
        by_number = Column.CONTACT in self.columns
        attrs = {
            "context": "interactive" if by_number else "background",
            "mode": "query",
            "sid": _sid(self.people, self.columns),
            "last": "true",
            "index": "0",
        }
        query = Node("query", None, [_column(column) for column in self.columns])
        users = [self._user(person, by_number=by_number) for person in self.people]
        return ask("usync", Node("usync", attrs, [query, Node("list", None, users)]))

    def parse(self, answer: Node) -> dict[JID, Told]:
        """
        What was told, by the address that was asked for. Whom the server leaves out is left out; an entry that cannot
        be read has a problem for every column.
        """
        raise_for_error(answer)
        reader = answer.read()
        usync = reader.child("usync")
        reader.done()
        inner = usync.read()
        listed = inner.child("list")
        inner.done()
        refused = _refused(usync.child("result"))
        told: dict[JID, Told] = {}
        for user in listed.all("user"):
            asked = self._asked(user)
            if asked is not None and asked not in told:
                told[asked] = self._read(asked, user, refused)
        return told

    def _user(self, person: JID, *, by_number: bool) -> Node:
        if by_number and person.is_phone:
            return Node("user", None, [Node("contact", None, f"+{person.user}".encode())])
        token = self.tokens.get(person)
        shown = [Node("tctoken", None, token)] if token else None
        return Node("user", {"jid": str(person.bare)}, shown)

    def _asked(self, user: Node) -> JID | None:
        """Whom of ours an entry is about: the echo of the number, else one of its addresses."""
        contact = user.child("contact")
        echo = "".join(filter(str.isdigit, contact.text)) if contact is not None else ""
        for person in self.people:
            if echo and person.is_phone and person.user == echo:
                return person
        named = {user.attrs.get("jid"), user.attrs.get("pn_jid")}
        return next((person for person in self.people if str(person.bare) in named), None)

    def _read(self, asked: JID, user: Node, refused: Mapping[str, QueryError]) -> Told:
        found: dict[str, Any] = {}
        problems = dict(refused)
        for column in self.columns:
            part = user.child(column.value)
            if part is None:
                continue
            try:
                if part.child("error") is not None:
                    problems[column.value] = error_of(part)
                else:
                    found.update(_READERS[column](part))
            except (StanzaError, DecodeError) as error:
                problems[column.value] = QueryError(MALFORMED, type(error).__name__)
        try:
            jid, number = user.read().opt_jid("jid"), user.read().opt_jid("pn_jid")
        except StanzaError:
            jid = number = None
        lid = found.pop("lid", None) or (jid if jid is not None and jid.is_lid else None)
        phone = next((each for each in (number, jid, asked) if each is not None and each.is_phone), None)
        return Told(asked, jid, phone and phone.bare, lid and lid.bare, **found, problems=problems)


def _column(column: Column) -> Node:
    return Node(column.value, None, [Node("verified_name")] if column is Column.BUSINESS else None)


def _contact(part: Node) -> dict[str, Any]:
    kind = part.attrs.get("type")
    if kind not in ("in", "out", "invalid"):
        raise StanzaError("contact", ["type"])
    return {"is_on_whatsapp": kind == "in"}


def _lid(part: Node) -> dict[str, Any]:
    reader = part.read()
    lid = reader.opt_jid("val")
    reader.done()
    return {"lid": lid} if lid is not None and lid.is_lid else {}


def _about(part: Node) -> dict[str, Any]:
    reader = part.read()
    at, code = reader.opt_time("t"), reader.opt_int("code")
    reader.done()
    if code not in (None, _HIDDEN):
        raise StanzaError("status", ["code"])
    return {"about": part.text, "about_at": at}


def _picture(part: Node) -> dict[str, Any]:
    return {"picture": part.attrs.get("id")}


def _business(part: Node) -> dict[str, Any]:
    name = part.child("verified_name")
    if name is None:
        return {"is_business": False}
    return {"is_business": True, "verified_name": read_verified_name(name.blob)}


def _username(part: Node) -> dict[str, Any]:
    return {"username": part.text or None}


def _timer(part: Node) -> dict[str, Any]:
    reader = part.read()
    seconds = reader.int("duration")
    reader.done()
    return {"timer": seconds}


_READERS: dict[Column, Callable[[Node], dict[str, Any]]] = {
    Column.CONTACT: _contact,
    Column.LID: _lid,
    Column.ABOUT: _about,
    Column.PICTURE: _picture,
    Column.BUSINESS: _business,
    Column.TIMER: _timer,
    Column.USERNAME: _username,
}


def _refused(result: Node | None) -> dict[str, QueryError]:
    """Columns the server refused for everybody."""
    columns = result.children if result is not None else []
    return {column.tag: error_of(column) for column in columns if column.child("error") is not None}


def _sid(people: tuple[JID, ...], columns: tuple[Column, ...]) -> str:
    digest = hashlib.sha256(" ".join([*columns, *map(str, people)]).encode()).digest()
    return f"{int.from_bytes(digest[:2], 'big')}.{int.from_bytes(digest[2:4], 'big')}-2"
