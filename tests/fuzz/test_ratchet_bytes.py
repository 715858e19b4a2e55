"""Whatever bytes arrive or were stored: a value, or an error of the right family; never another exception."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from hypothesis import example, given, settings
from hypothesis import strategies as st

from recado.errors import BadRecord, EnvelopeError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import make_signed_prekey
from recado.protocol.signal.session import (
    Envelope,
    EnvelopeKind,
    OwnIdentity,
    PreKeyBundle,
    SessionRecord,
    initiate,
    open_envelope,
    seal,
    wanted_prekeys,
)


def entropy(size: int) -> bytes:
    return b"".join(sha256(bytes((part,))).digest() for part in range(3))[:size]


OWN = OwnIdentity(1, KeyPair.generate(entropy))
SIGNED = make_signed_prekey(OWN.pair, 1, entropy)
RECORD = initiate(PreKeyBundle(1, OWN.pair.public, 1, SIGNED.pair.public, SIGNED.signature), own=OWN, entropy=entropy)
RECORD = RECORD.succeeded_by(RECORD.current)
STORED = RECORD.encode()
SEALED = seal(RECORD, b"words", own=OWN)[1].ciphertext


def spliced(whole: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with a piece of them replaced by others."""
    piece = st.tuples(st.integers(0, len(whole)), st.integers(0, 40), st.binary(max_size=40))
    return piece.map(lambda cut: whole[: cut[0]] + cut[2] + whole[cut[0] + cut[1] :])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(EnvelopeKind), st.binary(max_size=300) | spliced(SEALED))
@example(EnvelopeKind.MESSAGE, b"\x33" * 9)
def test_any_bytes_are_opened_or_refused_by_name(kind: EnvelopeKind, ciphertext: bytes) -> None:
    envelope = Envelope(kind, ciphertext)
    with suppress(EnvelopeError):
        wanted_prekeys(envelope)
    for record in (None, RECORD):
        with suppress(EnvelopeError):
            open_envelope(record, envelope, own=OWN, entropy=entropy, prekey=SIGNED.pair, signed_prekey=SIGNED.pair)
    assert RECORD.encode() == STORED


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300) | spliced(STORED))
def test_any_stored_bytes_are_a_record_or_a_bad_one(stored: bytes) -> None:
    with suppress(BadRecord):
        record = SessionRecord.decode(stored)
        assert SessionRecord.decode(record.encode()) == record
