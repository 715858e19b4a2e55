"""Records: everything comes back, older forms are read, and neither a repr nor an error shows what they hold."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recado.errors import BadRecord
from recado.jid import JID
from recado.protocol.signal.keys import make_signed_prekey
from recado.store.contract import NOW
from recado.store.migrate import STEPS
from recado.store.records import (
    Credentials,
    DeviceList,
    OtherAddress,
    SentMessage,
    StoredPreKey,
    StoredSignedPreKey,
    WorkItem,
)

FORMATS = Path(__file__).parent / "formats"
KEYS = Credentials.new(random.Random(1).randbytes)
LINKED = replace(
    KEYS,
    account=JID("550000000001", "s.whatsapp.net", 3),
    lid=JID("77000000000001", "lid", 3),
    signed_identity=b"\x00\xffsigned",
    push_name="Ana",
    platform="android",
    business_name="Doces da Ana",
    routing=b"\x01\x02",
    next_prekey_id=813,
    uploaded_up_to=812,
    server_time_offset=-2,
)
RECORDS = [
    KEYS,
    LINKED,
    StoredPreKey(KEYS.noise),
    StoredSignedPreKey(make_signed_prekey(KEYS.identity, 2, random.Random(2).randbytes)),
    OtherAddress(JID("77000000000001", "lid")),
    DeviceList((0, 3, 99), NOW, "2:abcdefgh"),
    SentMessage("3EB0", JID("77000000000001", "lid"), b"\x0a\x02oi", NOW),
    WorkItem("prekeys", "prekeys", b"\x00", due_at=NOW, attempts=2),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_comes_back(record) -> None:
    assert type(record).decode(record.encode()) == record


@pytest.mark.parametrize("path", sorted(FORMATS.glob("*-v*.json")), ids=lambda path: path.stem)
def test_every_form_ever_written_is_read(path: Path) -> None:
    if path.stem.startswith("facts"):
        return  # test_facts.py reads these
    kinds = {type(record).__name__: type(record) for record in RECORDS}
    expected = {type(record).__name__: record for record in RECORDS}
    for kind, body in json.loads(path.read_text()).items():
        assert kinds[kind].decode(json.dumps(body).encode()) == expected[kind]


def test_every_kind_of_record_has_its_form_on_file() -> None:
    on_file = {kind for path in FORMATS.glob("records-v*.json") for kind in json.loads(path.read_text())}
    assert on_file == {type(record).__name__ for record in RECORDS}


def test_an_older_version_is_brought_forward_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeviceList, "VERSION", 3)
    monkeypatch.setitem(STEPS, ("DeviceList", 1), lambda body: {**body, "devices": body["devices"] + [1]})
    monkeypatch.setitem(STEPS, ("DeviceList", 2), lambda body: {**body, "devices": body["devices"] + [2]})
    old = {"v": 1, "devices": [0], "at": NOW.isoformat()}
    assert DeviceList.decode(json.dumps(old).encode()) == DeviceList((0, 1, 2), NOW)
    assert json.loads(DeviceList((0,), NOW).encode())["v"] == 3


@pytest.mark.parametrize("version", [0, 2, "1", None, True])
def test_a_version_that_leads_nowhere_is_a_bad_record(version: object) -> None:
    body = {**json.loads(DeviceList((0,), NOW).encode()), "v": version}
    with pytest.raises(BadRecord):
        DeviceList.decode(json.dumps(body).encode())


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"secret",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"v":1}',
        b'{"v":1,"noise":"secret"}',
        b'{"v":1,"noise":{"private":"c2VjcmV0","public":"c2VjcmV0"}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_record_is_a_bad_record_that_names_its_kind_only(stored: bytes) -> None:
    with pytest.raises(BadRecord) as caught:
        Credentials.decode(stored)
    assert str(caught.value) == "a stored Credentials cannot be read"
    assert caught.value.__suppress_context__


def test_a_repr_shows_no_key_no_number_and_no_text() -> None:
    shown = " ".join(map(repr, RECORDS))
    secrets = [LINKED.noise.private, LINKED.identity.private, LINKED.adv_secret, LINKED.signed_identity]
    secrets += [LINKED.signed_prekey.signature, LINKED.routing, b"\x0a\x02oi"]
    for secret in secrets:
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
    for word in ("550000000001", "77000000000001", "Ana", str(LINKED.registration_id)):
        assert word not in shown


def test_new_credentials_differ_and_are_not_linked(entropy) -> None:
    one, other = Credentials.new(entropy), Credentials.new(entropy)
    assert one.account is None
    assert len(one.adv_secret) == 32
    assert len({one.noise, one.identity, one.signed_prekey.pair, other.noise, other.identity}) == 5


def test_the_ids_of_work_sort_by_the_time_it_is_due(entropy) -> None:
    times = [NOW + timedelta(seconds=step) for step in (-5, 0, 0.000001, 1, 10**8)]
    ids = [WorkItem.new("history", due_at=at, entropy=entropy).id for at in times]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
