"""Devices for the tests: each has keys of its own, publishes a bundle, and keeps one record per test step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey, make_prekeys, make_signed_prekey
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
    wanted_prekeys,
)


class Dice:
    """Reproducible entropy that counts how often it was asked."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return b"".join(sha256(f"{self.seed}/{self.calls}/{part}".encode()).digest() for part in (0, 1))[:size]


@dataclass
class Device:
    """One device talking to one other: its record is replaced when a step succeeds, as a store would."""

    name: str
    dice: Dice
    own: OwnIdentity
    signed: SignedPreKey
    prekeys: dict[int, OneTimePreKey]
    record: SessionRecord | None = None
    received: list[bytes] = field(default_factory=list)

    def bundle(self, prekey_id: int | None = 1) -> PreKeyBundle:
        one = self.prekeys[prekey_id] if prekey_id is not None else None
        return PreKeyBundle(
            self.own.registration_id,
            self.own.pair.public,
            self.signed.id,
            self.signed.pair.public,
            self.signed.signature,
            one.id if one else None,
            one.pair.public if one else None,
        )

    def begin(self, bundle: PreKeyBundle) -> None:
        self.record = initiate(bundle, own=self.own, entropy=self.dice, record=self.record)

    def seal(self, plaintext: bytes) -> Envelope:
        self.record, envelope = seal(self.record, plaintext, own=self.own)
        return envelope

    def open(self, envelope: Envelope) -> Opened:
        prekey = signed = None
        if envelope.kind is EnvelopeKind.PREKEY:
            prekey_id, signed_id = wanted_prekeys(envelope)
            one = self.prekeys.get(prekey_id) if prekey_id is not None else None
            prekey = one.pair if one else None
            signed = self.signed.pair if signed_id == self.signed.id else None
        opened = open_envelope(
            self.record, envelope, own=self.own, entropy=self.dice, prekey=prekey, signed_prekey=signed
        )
        self.record = opened.record
        if opened.used_prekey is not None:
            del self.prekeys[opened.used_prekey]
        self.received.append(opened.plaintext)
        return opened


def make_device(name: str, number: int = 1000) -> Device:
    dice = Dice(name)
    own = OwnIdentity(number, KeyPair.generate(dice))
    prekeys = {prekey.id: prekey for prekey in make_prekeys(1, 60, dice)}
    return Device(name, dice, own, make_signed_prekey(own.pair, 1, dice), prekeys)


@pytest.fixture
def device() -> Callable[..., Device]:
    return make_device


@pytest.fixture
def ana() -> Device:
    return make_device("ana", 1001)


@pytest.fixture
def bia() -> Device:
    return make_device("bia", 1002)


@pytest.fixture
def talking(ana: Device, bia: Device) -> tuple[Device, Device]:
    """Two devices whose session is confirmed on both sides."""
    ana.begin(bia.bundle())
    bia.open(ana.seal(b"first"))
    ana.open(bia.seal(b"second"))
    bia.open(ana.seal(b"third"))
    return ana, bia
