"""
What the rows of `baileys_sessions` are: the kind a key is of, and whether a value is a record of that kind. For those
who look at a session from outside (backup, restore, recovery, the doctor); the store reads through its own types.

A kind is what is shown of a key: the rest of it names a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from recado.client.prekeys import upload_work
from recado.errors import BadRecord
from recado.protocol.signal.record import SessionRecord
from recado.protocol.signal.sender_key import SenderKeyRecord
from recado.store import keys
from recado.store.records import (
    Credentials,
    DeviceList,
    OtherAddress,
    SentMessage,
    StoredPreKey,
    StoredSignedPreKey,
    WorkItem,
)

CREDENTIALS = "creds"
PREKEY = "pre-key"
SIGNED_PREKEY = "signed-pre-key"
SESSION = "session"
SENDER_KEY = "sender-key"
OWN_SENDER_KEY = "own-sender-key"
KEY_HOLDERS = "key-holders"
APP_STATE_COLLECTION = "app-state-collection"
APP_STATE_MAC = "app-state-mac"
IDENTITY = "identity"
LID_MAPPING = "lid-mapping"
DEVICE_LIST = "device-list"
SENT = "sent"
SEEN = "seen"
RETRY = "retry"
WORK = "work"
CURSOR = "cursor"
OTHER = "other"

_NAMED = (
    PREKEY, SIGNED_PREKEY, SESSION, SENDER_KEY, OWN_SENDER_KEY, KEY_HOLDERS, IDENTITY, LID_MAPPING, DEVICE_LIST, SENT,
    SEEN, RETRY, WORK, CURSOR, APP_STATE_COLLECTION, APP_STATE_MAC, "app-state-key", "tctoken", "group", "secret",
    "timer", "contact",
)  # fmt: skip


def kind_of(key: str) -> str:
    """The kind of a key: `session-550000000001.3` is a session."""
    if key == CREDENTIALS:
        return CREDENTIALS
    return next((kind for kind in _NAMED if key.startswith(f"{kind}-")), OTHER)


def is_readable(key: str, value: bytes) -> bool:
    """Is this a record of its kind? Of a kind that has no form of its own, always."""
    check = _FORMS.get(kind_of(key))
    try:
        return check is None or check(value) is not False
    except BadRecord:
        return False


def counted(names: Iterable[str]) -> dict[str, int]:
    """How many there are of each kind."""
    counts: dict[str, int] = {}
    for name in names:
        kind = kind_of(name)
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def upload_wish(now: datetime) -> tuple[str, bytes]:
    """The row that has fresh one-time keys uploaded at the next login."""
    work = upload_work(at=now)
    return keys.work(work.id), work.encode()


def _is_number(value: bytes) -> bool:
    return value.isdigit() and len(value) <= 20


def _is_mark(value: bytes) -> bool:
    """What became of a message, its ciphertext's hash and its secret; of one of our own, when the server took it."""
    return value.isdigit() or (len(value) in (1, 33, 65) and value[0] in (0, 1))


_FORMS: dict[str, Callable[[bytes], object]] = {
    CREDENTIALS: Credentials.decode,
    PREKEY: StoredPreKey.decode,
    SIGNED_PREKEY: StoredSignedPreKey.decode,
    SESSION: SessionRecord.decode,
    OWN_SENDER_KEY: SenderKeyRecord.decode,
    IDENTITY: lambda value: len(value) == 32,
    LID_MAPPING: OtherAddress.decode,
    DEVICE_LIST: DeviceList.decode,
    SENT: SentMessage.decode,
    SEEN: _is_mark,
    RETRY: _is_number,
    WORK: WorkItem.decode,
    CURSOR: _is_number,
}
