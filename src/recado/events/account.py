"""Facts of the account itself: its connection, settings, restrictions, and what nobody understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import CloseReason
from recado.event_terms import ConnectionState
from recado.events.basis import Fact
from recado.jid import JID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChanged(Fact):
    """The connection went to another state; `reason` and `retry_at` where there are any."""

    state: ConnectionState
    reason: CloseReason | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocklistChanged(Fact):
    """The account blocks people it did not block before, or no longer does."""

    blocked: tuple[JID, ...] = ()
    unblocked: tuple[JID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyChanged(Fact):
    """One of the account's privacy settings (`last`, `online`, `profile`, …) has another value."""

    setting: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachOutRestricted(Fact):
    """WhatsApp forbids this account to write first, as far as `until`; not `is_active`: it may again."""

    is_active: bool
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChatsCapped(Fact):
    """WhatsApp counts the chats the account begins (`used` of `quota`, until then) and warns; `is_active`: no more."""

    is_active: bool
    status: str = ""
    quota: int | None = None
    used: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushNameChanged(Fact):
    """The account gives itself another name."""

    name: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanged(Fact):
    """A setting the devices share: `locale`, `unarchive_chats` ("on"), `status_privacy` (with `people`), …"""

    setting: str
    value: str
    people: tuple[JID, ...] = field(default=(), metadata={"sparse": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStateRejected(Fact):
    """What the server gave of a collection of the shared state did not authenticate; nothing of it was believed."""

    collection: str
    version: int
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUnlinked(Fact):
    """This device is no longer linked to the account."""

    reason: CloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReceived(Fact):
    """A stanza this version does not know, or could not read; kept raw."""

    tag: str
    raw: bytes = field(repr=False)
    problem: str = field(default="", repr=False)
