"""Facts of people and groups: names, numbers, pictures, who calls, who joins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.event_terms import CallState
from recado.events.basis import Fact
from recado.groups import GroupChange
from recado.jid import JID

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Fact):
    """Something was learnt of a person: the other address, or the name they gave themselves."""

    contact: JID
    phone: JID | None = None
    lid: JID | None = None
    push_name: str | None = field(default=None, repr=False)
    verified_name: str | None = field(default=None, repr=False, metadata=_SPARSE)
    also: JID | None = field(default=None, metadata=_SPARSE)  # the same account, as its number was dialled
    full_name: str | None = field(default=None, repr=False, metadata=_SPARSE)  # in the account's address book
    first_name: str | None = field(default=None, repr=False, metadata=_SPARSE)
    is_saved: bool | None = field(default=None, metadata=_SPARSE)  # in the address book, or (False) taken out of it


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFound(Fact):
    """A look-up (`request`) found out who has a number, or that nobody on WhatsApp has."""

    asked: JID
    is_on_whatsapp: bool
    phone: JID | None = None
    lid: JID | None = None
    verified_name: str | None = field(default=None, repr=False)
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChanged(Fact):
    """A person has another phone number now; `lid` stays theirs where it is known."""

    old: JID
    new: JID
    lid: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureChanged(Fact):
    """A person's, a group's or the own picture is new, or gone (`picture` None)."""

    contact: JID
    picture: str | None = None
    author: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutChanged(Fact):
    """A person (or this account) says something else about themselves; None: ask for it."""

    contact: JID
    about: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisappearingDefaultChanged(Fact):
    """New chats of a person (or of this account) begin with another timer; 0 is none."""

    contact: JID
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReceived(Fact):
    """Somebody calls, or a call went on to another state; the voice itself is not for this client."""

    id: str
    caller: JID
    state: CallState
    caller_alt: JID | None = None
    is_video: bool = False
    group: JID | None = None
    is_offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChanged(Fact):
    """Something changed in a group: `what`, whom it concerns or its new `value` (a subject, "on", …), and `by` whom."""

    group: JID
    what: GroupChange
    by: JID | None = None
    people: tuple[JID, ...] = ()
    value: str = field(default="", repr=False)
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerIdentityChanged(Fact):
    """A device's identity key is new: reinstalled, or somebody else's."""

    contact: JID
