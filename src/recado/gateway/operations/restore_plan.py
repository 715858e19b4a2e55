"""
What a restore writes, as a pure function of what was saved and what is there (docs/decisions/0020).

Identity and credentials come back. Ratchets and own sender keys come back only when the saved ones are the very ones
that are there, so when nothing changes: an older ratchet would use message keys again. One-time keys stay where the
database shows that they are not spent; the next id is beyond every one that may have been given away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from recado.errors import BadRecord
from recado.gateway.providers.baileys import session_rows as rows
from recado.protocol.signal.keys import prekey_id_after
from recado.store.records import Credentials

# Who holds our own key of a group goes with the key.
_RATCHETS = (rows.SESSION, rows.SENDER_KEY, rows.OWN_SENDER_KEY, rows.KEY_HOLDERS)
_ONLY_FROM_HERE = (rows.PREKEY, rows.RETRY, rows.WORK, rows.CURSOR)
_ASKED_ANEW = (rows.DEVICE_LIST, rows.APP_STATE_COLLECTION, rows.APP_STATE_MAC)
_COUNTERS = (rows.CURSOR, rows.RETRY)
ID_GAP = 1 << 16
"""How far the next one-time key's id jumps, where the old one may have been used elsewhere since: more than anybody
uploads between two backups, and a fraction of the 24 bits there are."""


class Value(NamedTuple):
    """One key's value in the clear, and when it may be purged."""

    value: bytes
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return "Value()"


Values = Mapping[str, Value]


class NothingToRestore(BadRecord):
    """There are no credentials in this backup that could be restored."""


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """Everything that is there afterwards, and what is to be said about it."""

    values: dict[str, Value] = field(repr=False)
    is_current: bool
    """The saved ratchets are the ones that are there, and stay."""
    restored: dict[str, int]
    dropped: dict[str, int]
    account: str | None = field(repr=False)
    lid: str | None = field(repr=False)
    push_name: str = field(repr=False)


def plan_restore(saved: Values, present: Values) -> RestorePlan:
    """
    What is to be there after `saved` was restored over `present` (the values that can be opened, readable or not).
    Raises NothingToRestore.
    """
    credentials = _credentials(saved)
    if credentials is None or credentials.account is None:
        raise NothingToRestore
    sound = {key: value for key, value in present.items() if rows.is_readable(key, value.value)}
    here = _credentials(sound)
    is_same_device = is_same_link(here, credentials) if here is not None else _share_a_value(saved, sound)
    is_current = is_same_device and _ratchets(saved) == _ratchets(present)
    values: dict[str, Value] = {}
    for key in sorted({*saved, *sound}):
        chosen = _choose(rows.kind_of(key), saved.get(key), sound.get(key), is_same_device, is_current)
        if chosen is not None and rows.is_readable(key, chosen.value):
            values[key] = chosen
    values[rows.CREDENTIALS] = Value(_with_fresh_ids(credentials, here if is_same_device else None, present).encode())
    lid = credentials.lid
    return RestorePlan(
        values=values,
        is_current=is_current,
        restored=rows.counted(key for key in values if key in saved),
        dropped=rows.counted(key for key in saved if key not in values),
        account=credentials.account.user,
        lid=lid.user if lid is not None else None,
        push_name=credentials.push_name,
    )


def is_same_link(one: Credentials, other: Credentials) -> bool:
    """Are these the credentials of one linked device, at whatever time?"""
    return (
        one.identity.public == other.identity.public
        and one.registration_id == other.registration_id
        and one.account == other.account
    )


def find_credentials(values: Values) -> Credentials | None:
    """The credentials among these, when they can be read."""
    return _credentials(values)


def _choose(kind: str, saved: Value | None, here: Value | None, is_same_device: bool, is_current: bool) -> Value | None:
    if kind == rows.CURSOR:
        return here  # it counts the events of this database, whatever device they came through
    ours = here if is_same_device else None
    if kind in _RATCHETS:
        return saved if is_current else None
    if kind in _ASKED_ANEW:
        return None
    if kind in _ONLY_FROM_HERE:
        return ours
    return ours or saved


def _share_a_value(saved: Values, here: Values) -> bool:
    """Without credentials to compare: keys and records are random, so one in both says that they are one device's."""
    return any(saved.get(key) == value for key, value in here.items() if rows.kind_of(key) not in _COUNTERS)


def _ratchets(values: Values) -> dict[str, bytes]:
    return {key: value.value for key, value in values.items() if rows.kind_of(key) in _RATCHETS}


def _credentials(values: Values) -> Credentials | None:
    found = values.get(rows.CREDENTIALS)
    try:
        return Credentials.decode(found.value) if found is not None else None
    except BadRecord:
        return None


def _with_fresh_ids(saved: Credentials, here: Credentials | None, present: Values) -> Credentials:
    """The next id is the greater one; where nobody knows what was used since, far beyond it."""
    if here is not None:
        next_id = max(saved.next_prekey_id, here.next_prekey_id, *_after_ids(present), 1)
        newer = here if here.next_prekey_id >= saved.next_prekey_id else saved
        return replace(saved, next_prekey_id=next_id, uploaded_up_to=newer.uploaded_up_to)
    next_id = max(saved.next_prekey_id, *_after_ids(present), 1)
    return replace(saved, next_prekey_id=prekey_id_after(next_id, ID_GAP))


def _after_ids(values: Values) -> list[int]:
    ids = [key.removeprefix(f"{rows.PREKEY}-") for key in values if rows.kind_of(key) == rows.PREKEY]
    return [prekey_id_after(int(id)) for id in ids if id.isdigit()] or [1]
