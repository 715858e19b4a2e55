"""Records of every version ever stored stay readable: formats/ holds one of each, with a message it must open."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from recado.errors import BadRecord
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.migrate import CURRENT_VERSION, migrate
from recado.protocol.signal.session import Envelope, EnvelopeKind, OwnIdentity, SessionRecord, open_envelope, seal

FORMATS = sorted((Path(__file__).parent / "formats").glob("v*.json"))


def test_each_version_has_its_example() -> None:
    assert [path.stem for path in FORMATS] == [f"v{version}" for version in range(1, CURRENT_VERSION + 1)]


@pytest.mark.parametrize("path", FORMATS, ids=lambda path: path.stem)
def test_a_record_of_this_version_still_works(path: Path) -> None:
    example = json.loads(path.read_text())
    stored = b64decode(example["record"])
    assert f"v{stored[0]}" == path.stem
    record = SessionRecord.decode(stored)
    own = OwnIdentity(example["registration_id"], KeyPair.from_private(b64decode(example["identity"])))
    assert (record.remote_registration_id, record.is_confirmed) == (example["remote_registration_id"], False)
    assert len(record.archived) == 1
    for message in example["opens"]:
        envelope = Envelope(EnvelopeKind(message["kind"]), b64decode(message["ciphertext"]))
        opened = open_envelope(record, envelope, own=own, entropy=lambda size: bytes(range(size)))
        assert opened.plaintext.decode() == message["plaintext"]
        record = opened.record
    assert seal(record, b"oi", own=own)[1].kind is EnvelopeKind.MESSAGE


def test_older_versions_are_led_up_step_by_step() -> None:
    steps = {1: lambda body: body + b"a", 2: lambda body: body + b"b"}
    assert migrate(b"\x01x", steps, current=3) == b"xab"
    assert migrate(b"\x02x", steps, current=3) == b"xb"
    assert migrate(b"\x03x", steps, current=3) == b"x"


@pytest.mark.parametrize("stored", [b"", b"\x00x", b"\x04x"])
def test_a_version_nobody_wrote_is_refused(stored: bytes) -> None:
    with pytest.raises(BadRecord):
        migrate(stored, {1: bytes, 2: bytes}, current=3)
