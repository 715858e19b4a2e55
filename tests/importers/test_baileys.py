"""A folder of Baileys: what is refused, and what is left out and counted. That one goes on: tests/interop."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from recado.importers import ImportRefused, read_baileys
from recado.importers.libsignal_json import read_bytes, read_sender_key, read_session
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair


def buffer(value: bytes) -> dict[str, str]:
    return {"type": "Buffer", "data": base64.b64encode(value).decode()}


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def pair() -> dict[str, Any]:
    made = KeyPair.generate(os.urandom)
    return {"private": buffer(made.private), "public": buffer(made.public)}


def creds() -> dict[str, Any]:
    return {
        "noiseKey": pair(),
        "signedIdentityKey": pair(),
        "signedPreKey": {"keyPair": pair(), "signature": buffer(bytes(64)), "keyId": 1},
        "registrationId": 77,
        "advSecretKey": text(bytes(32)),
        "nextPreKeyId": 813,
        "firstUnuploadedPreKeyId": 813,
        "me": {"id": "550000000001:3@s.whatsapp.net", "lid": "100000000000001:3@lid", "name": "Ana"},
        "account": {
            "details": text(b"details"),
            "accountSignatureKey": text(bytes(32)),
            "accountSignature": text(bytes(64)),
            "deviceSignature": text(bytes(64)),
        },
        "platform": "android",
    }


def folder(path: Path, **files: Any) -> Path:
    for name, told in {"creds": creds(), **files}.items():
        (path / f"{name}.json").write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def entry(*, closed: int = -1, used: int = 1) -> dict[str, Any]:
    own, theirs = KeyPair.generate(os.urandom), KeyPair.generate(os.urandom)
    finished = {"chainKey": {"counter": 4}, "chainType": 2, "messageKeys": {"3": text(b"s" * 32)}}
    public, their_public = text(b"\x05" + own.public), text(b"\x05" + theirs.public)
    return {
        "registrationId": 5,
        "currentRatchet": {
            "ephemeralKeyPair": {"pubKey": public, "privKey": text(own.private)},
            "lastRemoteEphemeralKey": their_public,
            "previousCounter": 2,
            "rootKey": text(bytes(32)),
        },
        "indexInfo": {
            "baseKey": text(b"\x05" + os.urandom(32)),
            "baseKeyType": 1,
            "closed": closed,
            "used": used,
            "remoteIdentityKey": text(b"\x05" + bytes(32)),
        },
        "_chains": {
            text(b"\x05" + os.urandom(32)): finished,
            their_public: {"chainKey": {"counter": -1, "key": text(bytes(32))}, "chainType": 2, "messageKeys": {}},
            public: {"chainKey": {"counter": 6, "key": text(bytes(32))}, "chainType": 1, "messageKeys": {}},
        },
    }


def session(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"_sessions": {each["indexInfo"]["baseKey"]: each for each in entries}, "version": "v1"}


def test_counters_chains_and_what_was_passed_over_are_read_as_they_stand() -> None:
    current = session(entry(closed=5, used=1), entry(used=9), entry(closed=7, used=3))
    record = read_session(current, entropy=os.urandom)
    ratchet = record.current.ratchet
    assert (ratchet.sent, ratchet.previous) == (7, 2)
    newest, finished = ratchet.receiving
    assert (newest.position, newest.key) == (0, bytes(32))
    assert (finished.position, finished.skipped) == (5, (3).to_bytes(4, "big") + b"s" * 32)
    assert finished.key != bytes(32) and len(finished.key) == 32
    assert len(record.archived) == 2 and record.is_confirmed


def test_a_session_a_message_was_tried_with_in_vain_is_not_the_one_in_use() -> None:
    """Both sides began at once; a message of the closed session was tried with the open one first, which broke it."""
    broken, sound = entry(used=1), entry(closed=5, used=9)
    name, chain = list(sound["_chains"].items())[1]
    broken["_chains"][name] = chain
    record = read_session(session(broken, sound), entropy=os.urandom)
    assert text(b"\x05" + record.base_key) == sound["indexInfo"]["baseKey"] and len(record.archived) == 1
    # The other way round the one in use is sound, and stays.
    broken, sound = entry(closed=5, used=1), entry(used=9)
    broken["_chains"].update(list(sound["_chains"].items())[1:2])
    record = read_session(session(broken, sound), entropy=os.urandom)
    assert text(b"\x05" + record.base_key) == sound["indexInfo"]["baseKey"]


def test_an_offer_is_one_still() -> None:
    offered = entry() | {"pendingPreKey": {"signedKeyId": 4, "preKeyId": 9, "baseKey": text(b"\x05" + bytes(32))}}
    offer = read_session(session(offered), entropy=os.urandom).current.offer
    assert offer is not None and (offer.prekey_id, offer.signed_prekey_id) == (9, 4)


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    sender = [
        {
            "senderKeyId": 3,
            "senderChainKey": {"iteration": 2, "seed": buffer(bytes(32))},
            "senderSigningKey": {"public": buffer(b"\x05" + bytes(32))},
            "senderMessageKeys": [{"iteration": 1, "seed": buffer(b"k" * 32)}],
        }
    ]
    packed = buffer(json.dumps(sender).encode())
    read = read_baileys(
        folder(
            tmp_path,
            **{
                "session-200_1.2": session(entry()),
                "session-550000000002.0": session(entry()),
                "session-201_1.0": {"_sessions": {}, "version": "v1"},
                "pre-key-4": pair(),
                "lid-mapping-550000000002": '"200"',
                "lid-mapping-200_reverse": '"550000000002"',
                "sender-key-120363-1@g.us--200_1--2": packed,
                "sender-key-120363-1@g.us--100000000000001_1--3": packed,
                "sender-key-memory-120363-1@g.us": {"200:2@lid": True},
                "app-state-sync-key-AAAAAA__A": {
                    "keyData": text(bytes(32)),
                    "timestamp": "5",
                    "fingerprint": {"rawId": 1},
                },
                "tctoken-200@lid": {"token": buffer(b"t"), "timestamp": "1760000000"},
                "tctoken-__index": {"token": ""},
                "device-list-200": ["0", "2"],
            },
        )
    )
    assert not read.left_out
    assert set(read.sessions) == {JID("200", "lid", 2), JID("550000000002", "s.whatsapp.net")}
    assert list(read.sender_keys) == [(JID("120363-1", "g.us"), JID("200", "lid", 2))]
    assert read.lids == [(JID.phone("550000000002"), JID("200", "lid"))]
    assert [key.id for key in read.app_state_keys] == [base64.b64decode("AAAAAA/A")]
    assert list(read.tokens) == [JID("200", "lid")]
    assert read.credentials.account == JID("550000000001", "s.whatsapp.net", 3)
    assert (read.credentials.next_prekey_id, read.credentials.uploaded_up_to) == (813, 812)
    assert "550000000001" not in repr(read)


def test_what_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    files = {
        "session-200_1.0": "{", "session-201_9.0": session(entry()), "session-202_1.0": session(entry(closed=4)),
        "pre-key-x": pair(), "pre-key-2": {"private": buffer(bytes(31)), "public": buffer(bytes(32))},
        "lid-mapping-5": 7, "sender-key-1@g.us--2_1--0": buffer(b"[]"), "app-state-sync-key-AAAA": {"keyData": "AAAA"},
    }  # fmt: skip
    read = read_baileys(folder(tmp_path, **files))
    counts = {"session": 3, "pre-key": 2, "lid-mapping": 1, "sender-key": 1, "app-state-sync-key": 1}
    assert dict(read.left_out) == counts
    assert read.sessions == {} and read.summary()["session left out"] == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told.pop("me"),
        lambda told: told.pop("account"),
        lambda told: told["me"].update(id="550000000001@s.whatsapp.net"),
        lambda told: told["noiseKey"].update(public=buffer(bytes(32))),
        lambda told: told.update(advSecretKey=7),
        lambda told: told["signedIdentityKey"].update(private=buffer(bytes(4))),
    ],
)
def test_a_device_that_is_not_linked_or_whose_keys_are_broken_is_refused(tmp_path: Path, spoil: Any) -> None:
    told = creds()
    spoil(told)
    with pytest.raises(ImportRefused, match=r"creds\.json"):
        read_baileys(folder(tmp_path, creds=told))


def test_a_folder_without_credentials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused):
        read_baileys(tmp_path)
    (tmp_path / "creds.json").write_text("not JSON")
    with pytest.raises(ImportRefused):
        read_baileys(tmp_path)


def test_bytes_are_read_in_every_form_javascript_leaves_them_in() -> None:
    for form in (buffer(b"\x01\x02"), {"type": "Buffer", "data": [1, 2]}, "AQI=", [1, 2], {"0": 1, "1": 2}):
        assert read_bytes(form) == b"\x01\x02"
    for form in (None, 7, {"a": 1}, "*"):
        with pytest.raises(ValueError, match=r"\w"):
            read_bytes(form)
    with pytest.raises(ValueError, match="no key"):
        read_sender_key([])
