"""
Notifications: what the server tells that is not a message.

    <notification from="@s.whatsapp.net" id="…" type="encrypt" t="…"><count value="3"/></notification>
    <notification from="person" type="encrypt" …><identity/></notification>
    <notification from="person" type="devices" lid? …><add|remove|update device_hash="2:…"><device jid="…" key-index?/>…
    <notification from="own" type="account_sync" …><devices dhash="2:…"><device jid="…"/>…</devices> | <privacy/> | …
    <notification from="@s.whatsapp.net" type="server_sync" …><collection name="…" version="…"/>…</notification>
    <notification from="person" type="privacy_token" sender_lid? …>
      <tokens><token jid="…" t="…" type="trusted_contact">[bytes]</token></tokens></notification>
    picture, status, business, contacts, … : people.py; mediaretry: media_retry.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.tokens import TRUSTED_CONTACT
from recado.protocol.stanzas.media_retry import MediaRetry
from recado.protocol.stanzas.newsletters import NewsletterSays, read_channels, read_counted
from recado.protocol.stanzas.people import PEOPLE_SAY, PeopleSay, own_changes, own_topics


@dataclass(frozen=True, slots=True)
class PreKeysLow:
    """The server holds only `left` one-time keys of ours."""

    left: int


@dataclass(frozen=True, slots=True)
class IdentityReset:
    """The sender has a new identity key (a new phone, or reinstalled)."""


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """
    The sender's list of devices changed: `action` is add, remove or update; `devices` are those it concerns, in the
    sender's address space and in the LID space; the hash is that of the whole new list.
    """

    action: str
    devices: tuple[JID, ...]
    lid_devices: tuple[JID, ...] = ()
    device_hash: str | None = None


@dataclass(frozen=True, slots=True)
class AccountSync:
    """
    The own account changed elsewhere: `topics` by their tags; `devices` when the list of devices is among them,
    `changes` as far as they are known here.
    """

    topics: tuple[str, ...]
    devices: tuple[JID, ...] | None = None
    device_hash: str | None = None
    changes: tuple[PeopleSay, ...] = ()

    @property
    def unknown(self) -> bool:
        """Is there a topic this version has no use for?"""
        return not own_topics().issuperset(set(self.topics) - {"devices"})


@dataclass(frozen=True, slots=True)
class ServerSync:
    """Collections of the app state have new versions."""

    collections: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PrivacyToken:
    """The sender trusts us: the token to show when writing to them."""

    token: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class OtherNotification:
    """One that this version has no use for."""

    kind: str


Says = (
    PreKeysLow
    | IdentityReset
    | DevicesChanged
    | AccountSync
    | ServerSync
    | PrivacyToken
    | PeopleSay
    | MediaRetry
    | NewsletterSays
    | OtherNotification
)


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification: its wire word, whom it is from (and their LID, where it is given), and what it says."""

    id: str
    kind: str
    sender: JID
    says: Says
    sender_lid: JID | None = None
    sent_at: datetime | None = None
    offline: bool = False

    @staticmethod
    def parse(node: Node) -> Notification:
        """Read it; what is not understood becomes OtherNotification. Raises StanzaError."""
        reader = node.read()
        id, kind, sender = reader.str("id"), reader.str("type"), reader.jid("from")
        lid = reader.opt_jid("sender_lid") or reader.opt_jid("lid")
        sent_at = reader.opt_time("t")
        reader.done()
        says = _SAYS[kind](node) if kind in _SAYS else None
        return Notification(id, kind, sender, says or OtherNotification(kind), lid, sent_at, "offline" in node.attrs)


def _encrypt(node: Node) -> Says | None:
    count = node.child("count")
    if count is None:
        return IdentityReset() if node.child("identity") is not None else None
    reader = count.read()
    left = reader.int("value")
    reader.done()
    return PreKeysLow(left)


def _devices(node: Node) -> Says | None:
    change = next((child for child in node.children if child.tag in ("add", "remove", "update")), None)
    if change is None:
        return None
    return DevicesChanged(change.tag, _listed(change, "jid"), _listed(change, "lid"), change.attrs.get("device_hash"))


def _account_sync(node: Node) -> Says:
    devices = node.child("devices")
    topics = tuple(child.tag for child in node.children)
    if devices is None:
        return AccountSync(topics, changes=own_changes(node))
    return AccountSync(topics, _listed(devices, "jid"), devices.attrs.get("dhash"), own_changes(node))


def _server_sync(node: Node) -> Says:
    collections = []
    for collection in node.all("collection"):
        reader = collection.read()
        collections.append((reader.str("name"), reader.opt_int("version") or 0))
        reader.done()
    return ServerSync(tuple(collections))


def _privacy_token(node: Node) -> Says | None:
    tokens = node.child("tokens")
    for token in tokens.all("token") if tokens is not None else ():
        if token.attrs.get("type") == TRUSTED_CONTACT:
            reader = token.read()
            at = reader.time("t")
            reader.done()
            return PrivacyToken(token.blob, at)
    return None


def _listed(parent: Node, name: str) -> tuple[JID, ...]:
    found = []
    for device in parent.all("device"):
        reader = device.read()
        jid = reader.opt_jid(name)
        reader.done()
        if jid is not None:
            found.append(jid)
    return tuple(found)


_SAYS: dict[str, Callable[[Node], Says | None]] = {
    "encrypt": _encrypt,
    "devices": _devices,
    "account_sync": _account_sync,
    "server_sync": _server_sync,
    "privacy_token": _privacy_token,
    "mediaretry": MediaRetry.parse,
    **PEOPLE_SAY,
    "newsletter": read_counted,
    "mex": lambda node: read_channels(node) or PEOPLE_SAY["mex"](node),
}
