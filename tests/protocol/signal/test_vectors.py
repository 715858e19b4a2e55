"""
Sessions recorded with two other libraries (vectors/signal.json): our half is run again from the same entropy, so that
what they sealed must open, and what we seal must be byte for byte what they opened.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from recado.errors import BadMac, DuplicateMessage, EnvelopeError, MalformedEnvelope, UnknownPreKey
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import make_prekeys, make_registration_id, make_signed_prekey
from recado.protocol.signal.session import (
    Envelope,
    EnvelopeKind,
    Opened,
    OwnIdentity,
    PreKeyBundle,
    SessionRecord,
    initiate,
    open_envelope,
    seal,
)

SESSIONS = json.loads((Path(__file__).parents[1] / "vectors" / "signal.json").read_text())
EACH = pytest.mark.parametrize("session", [pytest.param(session, id=session["seed"]) for session in SESSIONS])


def entropy_of(seed: str) -> Callable[[int], bytes]:
    calls = 0

    def entropy(size: int) -> bytes:
        nonlocal calls
        calls += 1
        return b"".join(sha256(f"{seed}/{calls}/{part}".encode()).digest() for part in (0, 1))[:size]

    return entropy


class Replay:
    """Our half of a recorded session."""

    def __init__(self, session: dict[str, Any]) -> None:
        self.entropy = entropy_of(session["seed"])
        self.own = OwnIdentity(make_registration_id(self.entropy), KeyPair.generate(self.entropy))
        self.signed = make_signed_prekey(self.own.pair, 3, self.entropy)
        self.prekey = make_prekeys(11, 1, self.entropy)[0].pair if session["prekey"] else None
        self.record: SessionRecord | None = None
        if session["bundle"]:
            self.record = initiate(bundle_of(session), own=self.own, entropy=self.entropy)

    def open(self, envelope: Envelope, *, own: OwnIdentity | None = None) -> Opened:
        return open_envelope(
            self.record,
            envelope,
            own=own or self.own,
            entropy=self.entropy,
            prekey=self.prekey,
            signed_prekey=self.signed.pair,
        )


def key(typed: str) -> bytes:
    return b64decode(typed)[-32:]


def bundle_of(session: dict[str, Any]) -> PreKeyBundle:
    theirs = session["bundle"]
    signed, prekey = theirs["signed_prekey"], theirs["prekey"]
    return PreKeyBundle(
        theirs["registration_id"],
        key(theirs["identity"]),
        signed["id"],
        key(signed["public"]),
        b64decode(signed["signature"]),
        prekey["id"] if prekey else None,
        key(prekey["public"]) if prekey else None,
    )


def envelope_of(step: dict[str, Any]) -> Envelope:
    return Envelope(EnvelopeKind(step["kind"]), b64decode(step["ciphertext"]))


def test_both_libraries_both_roles_and_both_kinds_of_bundle_are_recorded() -> None:
    kinds = {(session["library"], session["bundle"] is None, session["prekey"]) for session in SESSIONS}
    assert len(kinds) == len(SESSIONS) == 8
    assert all({step["do"] for step in session["steps"]} == {"seal", "open"} for session in SESSIONS)


@EACH
def test_a_recorded_session_runs_again_byte_for_byte(session: dict[str, Any]) -> None:
    us = Replay(session)
    for step in session["steps"]:
        plaintext, envelope = b64decode(step["plaintext"]), envelope_of(step)
        if step["do"] == "seal":
            us.record, sealed = seal(us.record, plaintext, own=us.own)
            assert sealed == envelope
        else:
            opened = us.open(envelope)
            assert opened.plaintext == plaintext
            us.record = opened.record
        us.record = SessionRecord.decode(us.record.encode())


def refusals(us: Replay, envelope: Envelope) -> list[tuple[Envelope, type[EnvelopeError]]]:
    """The envelope spoilt in each way a network or an enemy could."""
    kind, ciphertext = envelope.kind, envelope.ciphertext
    spoilt: list[tuple[bytes, type[EnvelopeError]]] = [
        (b"\x32" + ciphertext[1:], MalformedEnvelope),
        (b"\x43" + ciphertext[1:], MalformedEnvelope),
        (ciphertext[:40], MalformedEnvelope),
        (ciphertext[:-1], EnvelopeError),
    ]
    if kind is EnvelopeKind.MESSAGE:
        spoilt.append((ciphertext[:-1] + bytes((ciphertext[-1] ^ 1,)), BadMac))
        spoilt.append((ciphertext[:-9] + bytes((ciphertext[-9] ^ 1,)) + ciphertext[-8:], BadMac))
    return [(Envelope(kind, data), error) for data, error in spoilt]


@EACH
def test_a_spoilt_or_replayed_message_of_theirs_is_refused_and_leaves_no_trace(session: dict[str, Any]) -> None:
    us, stranger = Replay(session), OwnIdentity(1, KeyPair.generate(entropy_of("stranger")))
    for step in session["steps"]:
        if step["do"] == "seal":
            us.record, _ = seal(us.record, b64decode(step["plaintext"]), own=us.own)
            continue
        envelope, before = envelope_of(step), us.record and us.record.encode()
        for spoilt, error in refusals(us, envelope):
            with pytest.raises(error):
                us.open(spoilt)
        with pytest.raises(BadMac):
            us.open(envelope, own=stranger)
        assert (us.record and us.record.encode()) == before
        us.record = us.open(envelope).record
        with pytest.raises(DuplicateMessage):
            us.open(envelope)


@pytest.mark.parametrize("session", [s for s in SESSIONS if s["bundle"]], ids=lambda s: str(s["seed"]))
def test_a_bundle_of_theirs_with_a_changed_signature_is_refused(session: dict[str, Any]) -> None:
    us, bundle = Replay(session), bundle_of(session)
    for place in (0, 31, 32, 63):
        signature = bytearray(bundle.signature)
        signature[place] ^= 1
        with pytest.raises(BadMac):
            initiate(replace(bundle, signature=bytes(signature)), own=us.own, entropy=us.entropy)


@pytest.mark.parametrize("session", [s for s in SESSIONS if not s["bundle"]], ids=lambda s: str(s["seed"]))
def test_a_first_message_of_theirs_without_its_prekeys_is_refused(session: dict[str, Any]) -> None:
    us = Replay(session)
    first = envelope_of(next(step for step in session["steps"] if step["do"] == "open"))
    with pytest.raises(UnknownPreKey):
        open_envelope(None, first, own=us.own, entropy=us.entropy, prekey=us.prekey)
    if us.prekey:
        with pytest.raises(UnknownPreKey):
            open_envelope(None, first, own=us.own, entropy=us.entropy, signed_prekey=us.signed.pair)
        with pytest.raises(BadMac):
            open_envelope(
                None, first, own=us.own, entropy=us.entropy, prekey=us.signed.pair, signed_prekey=us.signed.pair
            )
