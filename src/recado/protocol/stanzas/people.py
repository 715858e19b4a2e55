"""
What notifications say of people: their pictures, words and numbers, and the own account's settings.

    type="picture"            <set id="…" author? | hash?/> | <delete author?/>
    type="status"             <set>[text]</set>
    type="disappearing_mode"  <disappearing_mode duration="…" t="…"/>
    type="business"           <verified_name jid="…">[certificate]</verified_name> | <remove jid="…"/> | <profile/>
    type="contacts"           <modify old="…" new="…" old_lid? new_lid?/> | <update/> | <add/> | <remove/> | <sync/>
    type="account_sync"       <blocklist><item action jid/>…</blocklist> · <privacy><category/>…</privacy>
                              · <disappearing_mode/> · <picture/> · <status/>
    type="mex"                <update op_name="…">{"data":{"xwa2_notify_account_reachout_timelock":{…}}}</update>
                              and the cap on new chats (queries/caps.py)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.business import read_verified_name
from recado.protocol.queries.caps import CAP_NEWS, NewChatCap
from recado.protocol.queries.tokens import TIME_LOCK_NEWS, TimeLock


@dataclass(frozen=True, slots=True)
class PictureSaid:
    """There is a new picture (its id; "" when it was not given), or none any more (None)."""

    picture: str | None
    author: JID | None = None


@dataclass(frozen=True, slots=True)
class AboutSaid:
    """Somebody says this of themselves now; None: something else than before."""

    about: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimerSaid:
    """New chats begin with another timer."""

    seconds: int


@dataclass(frozen=True, slots=True)
class BlocksSaid:
    """These are blocked now, or no longer; neither: the list is another, and must be asked for."""

    blocked: tuple[JID, ...] = ()
    unblocked: tuple[JID, ...] = ()


@dataclass(frozen=True, slots=True)
class PrivacySaid:
    """These privacy settings have other values; none: they must be asked for."""

    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessSaid:
    """The name WhatsApp certifies for a person; None: they are no business any more, or their profile is another."""

    contact: JID | None
    verified_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NumberSaid:
    """A person moved to another number."""

    old: JID
    new: JID
    old_lid: JID | None = None
    new_lid: JID | None = None


@dataclass(frozen=True, slots=True)
class ContactsSaid:
    """Something about contacts is to be looked at again; what it is, a look-up tells."""


@dataclass(frozen=True, slots=True)
class TimeLockSaid:
    """The account may not write first, or may again."""

    lock: TimeLock


@dataclass(frozen=True, slots=True)
class CapSaid:
    """How many chats the account may still begin."""

    cap: NewChatCap


PeopleSay = (
    PictureSaid
    | AboutSaid
    | TimerSaid
    | BlocksSaid
    | PrivacySaid
    | BusinessSaid
    | NumberSaid
    | ContactsSaid
    | TimeLockSaid
    | CapSaid
)


def _picture(node: Node) -> PeopleSay | None:
    for child in node.children:
        if child.tag in ("set", "add", "delete"):
            reader = child.read()
            author = reader.opt_jid("author")
            reader.done()
            return PictureSaid(None if child.tag == "delete" else child.attrs.get("id", ""), author)
    return None


def _status(node: Node) -> PeopleSay | None:
    words = node.child("set")
    return None if words is None else AboutSaid(words.text)


def _timer(node: Node) -> PeopleSay | None:
    timer = node.child("disappearing_mode")
    return None if timer is None else _timer_of(timer)


def _timer_of(timer: Node) -> TimerSaid:
    reader = timer.read()
    seconds = reader.int("duration")
    reader.done()
    return TimerSaid(seconds)


def _business(node: Node) -> PeopleSay | None:
    for child in node.children:
        if child.tag in ("verified_name", "remove", "profile", "profile_hash"):
            reader = child.read()
            contact = reader.opt_jid("jid")
            reader.done()
            try:
                name = read_verified_name(child.blob) if child.tag == "verified_name" and child.blob else None
            except DecodeError:
                name = None
            return BusinessSaid(contact, name)
    return None


def _contacts(node: Node) -> PeopleSay | None:
    moved = node.child("modify")
    if moved is not None:
        reader = moved.read()
        old, new = reader.jid("old"), reader.jid("new")
        lids = reader.opt_jid("old_lid"), reader.opt_jid("new_lid")
        reader.done()
        return NumberSaid(old.bare, new.bare, *lids)
    known = any(child.tag in ("update", "add", "remove", "sync") for child in node.children)
    return ContactsSaid() if known else None


def _mex(node: Node) -> PeopleSay | None:
    for update in node.all("update"):
        try:
            said = json.loads(update.blob).get("data") or {}
            lock, cap = said.get(TIME_LOCK_NEWS), said.get(CAP_NEWS)
        except (ValueError, AttributeError, RecursionError):
            continue
        if lock is not None:
            return TimeLockSaid(TimeLock.read(lock))
        if cap is not None:
            return CapSaid(NewChatCap.read(cap))
    return None


def _blocks(child: Node) -> PeopleSay:
    changed: dict[str, list[JID]] = {"block": [], "unblock": []}
    for item in child.all("item"):
        reader = item.read()
        jid, action = reader.jid("jid"), reader.str("action")
        reader.done()
        changed.setdefault(action, []).append(jid.bare)
    return BlocksSaid(tuple(changed["block"]), tuple(changed["unblock"]))


def _privacy(child: Node) -> PeopleSay:
    found = [(each.attrs.get("name", ""), each.attrs.get("value", "")) for each in child.all("category")]
    return PrivacySaid(tuple((name, value) for name, value in found if name and value))


def _own_about(child: Node) -> PeopleSay:
    return AboutSaid(child.text or None)


def _own_picture(child: Node) -> PeopleSay:
    return PictureSaid(child.attrs.get("id", ""))


_OWN: dict[str, Callable[[Node], PeopleSay]] = {
    "blocklist": _blocks,
    "privacy": _privacy,
    "disappearing_mode": _timer_of,
    "picture": _own_picture,
    "status": _own_about,
}

PEOPLE_SAY: dict[str, Callable[[Node], PeopleSay | None]] = {
    "picture": _picture,
    "status": _status,
    "disappearing_mode": _timer,
    "business": _business,
    "contacts": _contacts,
    "mex": _mex,
}
"""How a notification of that type reads; None for one that says nothing known here."""


def own_changes(node: Node) -> tuple[PeopleSay, ...]:
    """What an account_sync says of the own profile and settings. Raises StanzaError."""
    return tuple(_OWN[child.tag](child) for child in node.children if child.tag in _OWN)


def own_topics() -> frozenset[str]:
    """The parts of an account_sync that are read here."""
    return frozenset(_OWN)
