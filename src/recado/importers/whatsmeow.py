"""
A store of whatsmeow (`sqlstore`, schema 8 and later): a SQLite file, or a PostgreSQL database. One database may hold
many devices; with more than one, `account` says which. Read only: nothing in it is changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from recado.importers.libsignal_record import read_record, read_sender_key_record
from recado.importers.session import ImportedSession, ImportRefused, key_pair, public_key, signal_address
from recado.jid import JID, LID, PHONE
from recado.protocol.proto import adv_pb2
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey
from recado.store.appstate import SharedKey
from recado.store.people import Tokens
from recado.store.records import Credentials

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Runs a query with `?` in the places of its values."""

_BROKEN = (ValueError, TypeError, OverflowError)
_DEVICES = """
    SELECT jid, lid, registration_id, noise_key, identity_key, signed_pre_key, signed_pre_key_id, signed_pre_key_sig,
           adv_key, adv_details, adv_account_sig, adv_account_sig_key, adv_device_sig, platform, business_name,
           push_name
    FROM whatsmeow_device ORDER BY jid
"""


def read_whatsmeow(path: Path | str, *, account: str | None = None) -> ImportedSession:
    """The linked device in a SQLite file; `account` is its number, where there are several. Raises ImportRefused."""
    if not Path(path).is_file():
        raise ImportRefused("there is no such file")
    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return _read(lambda query, values: connection.execute(query, values).fetchall(), account)
    except sqlite3.Error:
        raise ImportRefused("this is no store of whatsmeow that could be read") from None


def read_whatsmeow_postgres(dsn: str, *, account: str | None = None) -> ImportedSession:
    """The same from a PostgreSQL database. Raises ImportRefused."""
    try:
        with psycopg.connect(dsn) as connection:
            connection.read_only = True

            def ask(query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
                return connection.execute(query.replace("?", "%s").encode(), values).fetchall()

            return _read(ask, account)
    except psycopg.Error:
        raise ImportRefused("this is no store of whatsmeow that could be read") from None


def _read(ask: Ask, account: str | None) -> ImportedSession:
    rows = ask(_DEVICES, ())
    if account is not None:
        wanted = account.lstrip("+")
        rows = [row for row in rows if wanted in (row[0], JID.parse(row[0]).user)]
    if not rows:
        raise ImportRefused("there is no such linked device in this store")
    if len(rows) > 1:
        raise ImportRefused("there are several linked devices in this store: say whose")
    try:
        imported = _device(rows[0])
    except _BROKEN:
        raise ImportRefused("the keys of the device cannot be read") from None
    own = rows[0][0]
    _sessions(imported, ask("SELECT their_id, session FROM whatsmeow_sessions WHERE our_jid = ?", (own,)))
    _prekeys(imported, ask("SELECT key_id, key, uploaded FROM whatsmeow_pre_keys WHERE jid = ?", (own,)))
    _lids(imported, ask("SELECT lid, pn FROM whatsmeow_lid_map", ()))
    query = "SELECT chat_id, sender_id, sender_key FROM whatsmeow_sender_keys WHERE our_jid = ?"
    _sender_keys(imported, ask(query, (own,)))
    query = "SELECT key_id, key_data, timestamp, fingerprint FROM whatsmeow_app_state_sync_keys WHERE jid = ?"
    for id, data, made_at, fingerprint in ask(query, (own,)):
        imported.app_state_keys.append(SharedKey(bytes(id), bytes(data), int(made_at), bytes(fingerprint)))
    _tokens(imported, ask("SELECT their_jid, token, timestamp FROM whatsmeow_privacy_tokens WHERE our_jid = ?", (own,)))
    return imported


def _device(row: tuple[Any, ...]) -> ImportedSession:
    jid, lid, registration_id, noise, identity, signed, signed_id, signature = row[:8]
    adv_key, details, account_signature, account_key, device_signature, platform, business, push_name = row[8:]
    device = JID.parse(jid)
    if not device.device or not device.is_phone:
        raise ValueError("not a linked device")
    told = adv_pb2.ADVSignedDeviceIdentity(
        details=bytes(details),
        account_signature_key=bytes(account_key),
        account_signature=bytes(account_signature),
        device_signature=bytes(device_signature),
    )
    credentials = Credentials(
        noise=key_pair(bytes(noise)),
        identity=key_pair(bytes(identity)),
        signed_prekey=SignedPreKey(int(signed_id), key_pair(bytes(signed)), bytes(signature)),
        registration_id=int(registration_id),
        adv_secret=bytes(adv_key),
        account=device,
        lid=JID.parse(lid).with_device(device.device) if lid else None,
        signed_identity=told.SerializeToString(),
        push_name=push_name or "",
        platform=platform or "",
        business_name=business or None,
    )
    return ImportedSession(credentials, public_key(bytes(account_key)))


def _sessions(imported: ImportedSession, rows: list[tuple[Any, ...]]) -> None:
    for their_id, serialised in rows:
        if not serialised:
            continue
        try:
            record, lost = read_record(bytes(serialised))
            imported.sessions[_address(their_id)] = record
        except _BROKEN:
            imported.left_out["session"] += 1
        else:
            imported.left_out["passed-over message"] += lost
    imported.left_out += type(imported.left_out)()  # without the zeros


def _prekeys(imported: ImportedSession, rows: list[tuple[Any, ...]]) -> None:
    uploaded = 0
    for id, key, was_uploaded in rows:
        try:
            imported.prekeys.append(OneTimePreKey(int(id), key_pair(bytes(key))))
        except _BROKEN:
            imported.left_out["pre-key"] += 1
            continue
        if was_uploaded:
            uploaded = max(uploaded, int(id))
    last = max([uploaded, *(prekey.id for prekey in imported.prekeys)])
    imported.credentials = replace(imported.credentials, next_prekey_id=last + 1, uploaded_up_to=uploaded)


def _lids(imported: ImportedSession, rows: list[tuple[Any, ...]]) -> None:
    for lid, phone in rows:
        imported.lids.append((JID(phone.partition("@")[0], PHONE), JID(lid.partition("@")[0], LID)))


def _sender_keys(imported: ImportedSession, rows: list[tuple[Any, ...]]) -> None:
    ours = (imported.credentials.account, imported.credentials.lid)
    for chat, sender, serialised in rows:
        try:
            group, author = JID.parse(chat), _address(sender)
            if author not in ours:
                imported.sender_keys[group, author] = read_sender_key_record(bytes(serialised))
        except _BROKEN:
            imported.left_out["sender-key"] += 1


def _tokens(imported: ImportedSession, rows: list[tuple[Any, ...]]) -> None:
    for their, token, at in rows:
        try:
            imported.tokens[JID.parse(their)] = Tokens(token=bytes(token), at=datetime.fromtimestamp(int(at), UTC))
        except (*_BROKEN, OSError):
            imported.left_out["token"] += 1


def _address(text: str) -> JID:
    user, _, device = text.rpartition(":")
    return signal_address(user, device)
