"""
What things are called in the store: one name per record, the same in every backend.

The names are those people know from Baileys (`creds`, `pre-key-7`, `session-550000000001.3`, `session-77_1.0` for a
LID), so that a table of keys reads the same. Names are printable ASCII whatever a peer sends: the parts a peer chooses
are hashed when they are anything else, so no backend ever meets U+0000 or a text of megabytes in a key.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from recado.jid import HOSTED, HOSTED_LID, JID, LID, PHONE

CREDENTIALS = "creds"
SESSIONS = "session-"
IDENTITIES = "identity-"
PREKEYS = "pre-key-"
WORK = "work-"
CURSORS = "cursor-"
APP_STATE_KEYS = "app-state-key-"
APP_STATE_MACS = "app-state-mac-"
GROUPS = "group-"
SENDER_KEYS = "sender-key-"
OWN_SENDER_KEYS = "own-sender-key-"
KEY_HOLDERS = "key-holders-"
CONTACTS = "contact-"

# Used once or seldom, and many: keeping them would only push the hot sessions out of the cache.
_SELDOM = ("seen-", "sent-", "retry-", "secret-", "history-", "held-", "asked-", "missing-", "renewed-")
UNCACHED = (*_SELDOM, PREKEYS, WORK, APP_STATE_MACS)

# What a user's name is marked with in the address spaces other than phone numbers.
_MARKS = {PHONE: "", LID: "_1", HOSTED: "_128", HOSTED_LID: "_129"}
_LONGEST_PART = 128


@lru_cache(maxsize=4096)
def address(jid: JID) -> str:
    """The Signal address of a device: `user.device`, the user marked `_1` in the LID space."""
    return f"{address_user(jid)}.{jid.device}"


def address_user(jid: JID) -> str:
    """The part of the address all devices of a person share."""
    mark = _MARKS.get(jid.server)
    return _name(jid.user) + (f"_{_name(jid.server)}" if mark is None else mark)


@lru_cache(maxsize=4096)
def session(jid: JID) -> str:
    """The Signal session with a device."""
    return SESSIONS + address(jid)


def identity(jid: JID) -> str:
    """The identity key a device last showed."""
    return IDENTITIES + address(jid)


def prekey(id: int) -> str:
    """A one-time key of ours."""
    return f"{PREKEYS}{id}"


SIGNED_PREKEY_DUE = "rotate-signed-prekey"


def signed_prekey(id: int) -> str:
    """A signed key of ours that was rotated out."""
    return f"signed-pre-key-{id}"


@lru_cache(maxsize=4096)
def lid_of(phone: JID) -> str:
    """The LID of a phone number."""
    return f"lid-mapping-{_name(phone.user)}"


@lru_cache(maxsize=4096)
def phone_of(lid: JID) -> str:
    """The phone number of a LID."""
    return f"lid-mapping-{_name(lid.user)}_reverse"


def devices(jid: JID) -> str:
    """The devices of a person; hosted ones are in the same list."""
    server = LID if jid.is_lid else PHONE if jid.is_phone else jid.server
    return f"device-list-{address_user(JID(jid.user, server))}"


def sent(id: str) -> str:
    """A message we sent, kept for resends."""
    return f"sent-{_part(id)}"


def seen(chat: JID, author: JID, id: str) -> str:
    """A message that was opened; the id comes last because it alone is chosen by the peer."""
    return f"seen-{_part(str(chat))}/{_part(str(author))}/{_part(id)}"


def chat_timer(chat: JID) -> str:
    """After how long what is said in a chat disappears."""
    return f"timer-{address_user(chat)}"


def message_secret(chat: JID, author: JID, id: str) -> str:
    """The secret of a poll or an event."""
    return f"secret-{_part(str(chat))}/{_part(str(author))}/{_part(id)}"


def retries(chat: JID, id: str) -> str:
    """How often a resend of a message was asked for."""
    return f"retry-{_part(str(chat))}/{_part(id)}"


def group(jid: JID) -> str:
    """A group as last told."""
    return GROUPS + _part(str(jid))


@lru_cache(maxsize=4096)
def sender_key(group: JID, author: JID) -> str:
    """The keys a device gave us for a group; the author comes first, so that all of a person's are found together."""
    return f"{SENDER_KEYS}{address(author)}/{_part(str(group))}"


def own_sender_key(group: JID) -> str:
    """Our own key in a group."""
    return OWN_SENDER_KEYS + _part(str(group))


def key_holders(group: JID) -> str:
    """Who was given our key in a group."""
    return KEY_HOLDERS + _part(str(group))


def work(id: str) -> str:
    """Something to be asked of the network later."""
    return f"{WORK}{_part(id)}"


def history_part(part: str) -> str:
    """How far a part of the history is recorded."""
    return f"history-{_part(part)}"


def held_part(part: str) -> str:
    """A part of the history that waits to be fetched."""
    return f"held-{_part(part)}"


def past_request(id: str) -> str:
    """What was asked of the phone."""
    return f"asked-{_part(id)}"


def missing_message(chat: JID, id: str) -> str:
    """A message that may be had from the phone; the id comes last, as with those that were opened."""
    return f"missing-{_part(str(chat))}/{_part(id)}"


def contact(person: JID) -> str:
    """Somebody in the account's address book."""
    return CONTACTS + address_user(person)


def resent_in(jid: JID, id: str) -> str:
    """The session in which a message was last sent again to a device."""
    return f"resent-{address(jid)}/{_part(id)}"


def renewed(jid: JID) -> str:
    """When a session was last begun anew."""
    return f"renewed-{address(jid)}"


def app_state_key(id: bytes) -> str:
    """A key of the state the account's devices share."""
    return APP_STATE_KEYS + _part(id.hex())


def app_state_collection(name: str) -> str:
    """Where a collection of the shared state stands."""
    return f"app-state-collection-{name}"


def app_state_macs(name: str) -> str:
    """What the MACs of a collection's entries begin with."""
    return f"{APP_STATE_MACS}{name}-"


def app_state_mac(name: str, place: bytes) -> str:
    """The MAC of an entry's value, by the MAC of its index."""
    return app_state_macs(name) + place.hex()


def cursor(name: str) -> str:
    """How far a named listener has come."""
    return f"{CURSORS}{_part(name)}"


def _name(text: str) -> str:
    """A user as it is, when it holds none of the marks above; else its hash."""
    return text if text.isascii() and text.isalnum() and len(text) <= _LONGEST_PART else _hashed(text)


def _part(text: str) -> str:
    return text if text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST_PART else _hashed(text)


def _hashed(text: str) -> str:
    return "~" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
