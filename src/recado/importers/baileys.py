"""
A folder that Baileys' `useMultiFileAuthState` wrote: `creds.json`, and a file a key, named `kind-id.json` with "/" and
":" of the id written as "__" and "-". Read as it is; nothing in the folder is changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recado.importers.libsignal_json import read_bytes, read_sender_key, read_session
from recado.importers.session import ImportedSession, ImportRefused, key_pair, public_key, signal_address
from recado.jid import JID, LID, PHONE
from recado.protocol.proto import adv_pb2, e2e_pb2
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey
from recado.store.appstate import SharedKey
from recado.store.people import Tokens
from recado.store.records import Credentials

Entropy = Callable[[int], bytes]

_BROKEN = (ValueError, KeyError, TypeError, AttributeError, OverflowError)


def read_baileys(folder: Path | str, *, entropy: Entropy = os.urandom) -> ImportedSession:
    """
    The linked device in the folder. Raises ImportRefused when there is none, or its own keys cannot be read; a file of
    anything else that cannot be read is left out, and counted.
    """
    path = Path(folder)
    try:
        creds = json.loads((path / "creds.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise ImportRefused("there is no creds.json of Baileys in this folder that could be read") from None
    try:
        imported = _credentials(creds)
    except _BROKEN:
        raise ImportRefused("the keys in creds.json are not those of a linked device") from None
    for kind, name, file in _files(path):
        try:
            _READERS[kind](imported, name, json.loads(file.read_text("utf-8")), entropy)
        except (*_BROKEN, OSError):
            imported.left_out[kind] += 1
    next_id = max([imported.credentials.next_prekey_id, *(prekey.id + 1 for prekey in imported.prekeys)])
    imported.credentials = replace(imported.credentials, next_prekey_id=next_id)
    return imported


def _credentials(creds: Any) -> ImportedSession:
    me, account, signed = creds["me"], creds["account"], creds["signedPreKey"]
    device = JID.parse(me["id"])
    if not device.device or not device.is_phone:
        raise ValueError("not a linked device")
    lid = JID.parse(me["lid"]).with_device(device.device) if me.get("lid") else None
    identity = adv_pb2.ADVSignedDeviceIdentity(
        details=read_bytes(account["details"]),
        account_signature_key=read_bytes(account["accountSignatureKey"]),
        account_signature=read_bytes(account["accountSignature"]),
        device_signature=read_bytes(account["deviceSignature"]),
    )
    credentials = Credentials(
        noise=_pair(creds["noiseKey"]),
        identity=_pair(creds["signedIdentityKey"]),
        signed_prekey=SignedPreKey(int(signed["keyId"]), _pair(signed["keyPair"]), read_bytes(signed["signature"])),
        registration_id=int(creds["registrationId"]),
        adv_secret=read_bytes(creds["advSecretKey"]),
        account=device,
        lid=lid,
        signed_identity=identity.SerializeToString(),
        push_name=me.get("name") or "",
        platform=creds.get("platform") or "",
        routing=read_bytes(creds["routingInfo"]) if creds.get("routingInfo") else None,
        next_prekey_id=int(creds["nextPreKeyId"]),
        uploaded_up_to=int(creds["firstUnuploadedPreKeyId"]) - 1,
    )
    return ImportedSession(credentials, public_key(identity.account_signature_key))


def _files(path: Path) -> Iterator[tuple[str, str, Path]]:
    """The files of a kind that is taken over: kind, id as it is in the name, and where."""
    for file in sorted(path.glob("*.json")):
        kind = next((kind for kind in _READERS if file.name.startswith(f"{kind}-")), None)
        if kind is not None and not file.name.startswith("sender-key-memory-"):
            yield kind, file.name[len(kind) + 1 : -len(".json")], file


def _session(imported: ImportedSession, name: str, told: Any, entropy: Entropy) -> None:
    user, _, device = name.rpartition(".")
    address = signal_address(user, device)
    if not told["_sessions"]:
        return  # it was closed and cleared: nothing to go on with
    imported.sessions[address] = read_session(told, entropy=entropy)


def _prekey(imported: ImportedSession, name: str, told: Any, entropy: Entropy) -> None:
    imported.prekeys.append(OneTimePreKey(int(name), _pair(told)))


def _lid(imported: ImportedSession, name: str, told: Any, entropy: Entropy) -> None:
    if name.endswith("_reverse") or name in ("reverse", "index"):
        return  # the same pair, seen from the other side
    if not (isinstance(told, str) and told.isdigit() and name.isdigit()):
        raise ValueError("not a pair")
    imported.lids.append((JID(name, PHONE), JID(told, LID)))


def _sender_key(imported: ImportedSession, name: str, told: Any, entropy: Entropy) -> None:
    # group--user--device: an author may have "_1" behind the user, a group may have "-" in its own name.
    group, user, device = name.rsplit("--", 2)
    author, ours = signal_address(user, device), imported.credentials
    if author in (ours.account, ours.lid):
        return  # a new one is made, and given to whoever is in the group by then
    imported.sender_keys[JID.parse(group), author] = read_sender_key(json.loads(read_bytes(told)))


def _app_state_key(imported: ImportedSession, name: str, told: Any, entropy: Entropy) -> None:
    fingerprint = _fingerprint(told.get("fingerprint") or {})
    id, made_at = read_bytes(name.replace("__", "/")), int(told.get("timestamp") or 0)
    data = read_bytes(told["keyData"])
    if len(data) != 32:
        raise ValueError("not a key")
    imported.app_state_keys.append(SharedKey(id, data, made_at, fingerprint))


def _fingerprint(told: Any) -> bytes:
    return e2e_pb2.AppStateSyncKeyFingerprint(
        raw_id=told.get("rawId"), current_index=told.get("currentIndex"), device_indexes=told.get("deviceIndexes") or ()
    ).SerializeToString()


def _token(imported: ImportedSession, name: str, told: Any, entropy: Entropy) -> None:
    if "@" not in name or not told.get("token"):
        return  # its own index of tokens, or a mark without one
    at = datetime.fromtimestamp(int(told["timestamp"]), UTC)
    imported.tokens[JID.parse(name)] = Tokens(token=read_bytes(told["token"]), at=at)


def _pair(told: Any) -> Any:
    return key_pair(read_bytes(told["private"]), read_bytes(told["public"]))


_READERS: dict[str, Callable[[ImportedSession, str, Any, Entropy], None]] = {
    "session": _session,
    "pre-key": _prekey,
    "lid-mapping": _lid,
    "sender-key": _sender_key,
    "app-state-sync-key": _app_state_key,
    "tctoken": _token,
}
