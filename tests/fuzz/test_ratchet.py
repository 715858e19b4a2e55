"""
Two devices over a network that loses, delays, reorders, duplicates and spoils, against a model that knows only what
was sent: every message opens exactly once or is refused by name, and a refusal changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from recado.errors import BadMac, DuplicateMessage, EnvelopeError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import make_prekeys, make_signed_prekey
from recado.protocol.signal.ratchet import MAX_CHAINS
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


@dataclass
class Letter:
    """A message under way, and what the model knows of it."""

    to: int
    plaintext: bytes
    envelope: Envelope
    opened: bool = False
    expirable: bool = False  # its chain or session may have been let go meanwhile


class Device:
    """One side, with ninety-nine one-time prekeys."""

    def __init__(self, name: str) -> None:
        self.name, self.calls = name, 0
        self.own = OwnIdentity(7, KeyPair.generate(self.entropy))
        self.signed = make_signed_prekey(self.own.pair, 1, self.entropy)
        self.prekeys = {prekey.id: prekey.pair for prekey in make_prekeys(1, 99, self.entropy)}
        self.record: SessionRecord | None = None
        self.offered = 0

    def entropy(self, size: int) -> bytes:
        self.calls += 1
        return b"".join(sha256(f"{self.name}/{self.calls}/{part}".encode()).digest() for part in (0, 1))[:size]

    def bundle(self) -> PreKeyBundle:
        self.offered += 1
        one = self.offered if self.offered in self.prekeys and self.offered % 3 else None
        return PreKeyBundle(
            7,
            self.own.pair.public,
            1,
            self.signed.pair.public,
            self.signed.signature,
            one,
            self.prekeys[one].public if one else None,
        )

    def open(self, envelope: Envelope) -> bytes:
        prekey_id = wanted_prekeys(envelope)[0] if envelope.kind is EnvelopeKind.PREKEY else None
        opened = open_envelope(
            self.record,
            envelope,
            own=self.own,
            entropy=self.entropy,
            prekey=self.prekeys.get(prekey_id) if prekey_id else None,
            signed_prekey=self.signed.pair,
        )
        assert not opened.identity_changed
        self.record = opened.record
        if opened.used_prekey is not None:
            del self.prekeys[opened.used_prekey]
        return opened.plaintext


class TwoRatchets(RuleBasedStateMachine):
    """The rules: begin, send, deliver, repeat, spoil, lose, and go through the store."""

    def __init__(self) -> None:
        super().__init__()
        self.sides = (Device("ana"), Device("bia"))
        self.letters: list[Letter] = []
        self.sent = 0

    @initialize()
    def begin_once(self) -> None:
        self.begin(0)

    @rule(side=st.integers(0, 1))
    def begin(self, side: int) -> None:
        us, them = self.sides[side], self.sides[1 - side]
        us.record = initiate(them.bundle(), own=us.own, entropy=us.entropy, record=us.record)

    @rule(side=st.integers(0, 1), count=st.integers(1, 4))
    def send(self, side: int, count: int) -> None:
        us = self.sides[side]
        if us.record is None:
            return
        for _ in range(count):
            self.sent += 1
            plaintext = b"letter %d" % self.sent
            us.record, envelope = seal(us.record, plaintext, own=us.own)
            self.letters.append(Letter(1 - side, plaintext, envelope))

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        letter = data.draw(st.sampled_from(self.letters[-12:]))
        them, before = self.sides[letter.to], self.sides[letter.to].record
        chains = before.current.ratchet.receiving if before else ()
        if letter.opened:
            with pytest.raises(EnvelopeError) as refusal:
                them.open(letter.envelope)
            assert isinstance(refusal.value, DuplicateMessage) or letter.expirable
            assert them.record is before
            return
        try:
            assert them.open(letter.envelope) == letter.plaintext
        except EnvelopeError:
            assert letter.expirable
            assert them.record is before
            return
        letter.opened = True
        assert them.record is not None
        if len(chains) == MAX_CHAINS and not them.record.current.ratchet.knows(chains[-1].ratchet):
            # A chain was let go, or another session came into use: what is under way to this side may be lost with it.
            for other in self.letters:
                other.expirable |= other.to == letter.to

    @precondition(lambda self: self.letters)
    @rule(data=st.data(), bit=st.integers(0, 7))
    def spoil(self, data: st.DataObject, bit: int) -> None:
        letter = data.draw(st.sampled_from(self.letters[-12:]))
        place = data.draw(st.integers(0, len(letter.envelope.ciphertext) - 1))
        spoilt = bytearray(letter.envelope.ciphertext)
        spoilt[place] ^= 1 << bit
        them = self.sides[letter.to]
        before, stored = them.record, them.record and them.record.encode()
        try:
            plaintext = them.open(Envelope(letter.envelope.kind, bytes(spoilt)))
        except EnvelopeError:
            assert them.record is before
            assert (them.record and them.record.encode()) == stored
            return
        # Only what stands outside the MAC may change unnoticed: the registration's number, or a field's name.
        assert letter.envelope.kind is EnvelopeKind.PREKEY
        assert plaintext == letter.plaintext
        assert not letter.opened
        letter.opened = True

    @precondition(lambda self: len(self.letters) > 4)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.letters.remove(data.draw(st.sampled_from(self.letters)))

    @rule(side=st.integers(0, 1))
    def restart(self, side: int) -> None:
        us = self.sides[side]
        if us.record is not None:
            stored = us.record.encode()
            us.record = SessionRecord.decode(stored)
            assert us.record.encode() == stored

    @invariant()
    def an_impostor_opens_nothing(self) -> None:
        if self.letters and self.sent % 5 == 0:
            letter = self.letters[-1]
            them = self.sides[letter.to]
            impostor = OwnIdentity(9, self.sides[1 - letter.to].own.pair)
            with pytest.raises(EnvelopeError):
                open_envelope(them.record, letter.envelope, own=impostor, entropy=them.entropy)


TestTwoRatchets = TwoRatchets.TestCase
TestTwoRatchets.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_a_long_conversation_with_everything_delivered_ends_with_everything_opened() -> None:
    ana, bia = Device("ana"), Device("bia")
    ana.record = initiate(bia.bundle(), own=ana.own, entropy=ana.entropy)
    waiting: list[Letter] = []
    for turn in range(60):
        us, to = ((ana, 1), (bia, 0))[turn % 2 if turn else 0]
        for number in range(turn % 5 + 1):
            us.record, envelope = seal(us.record, b"%d/%d" % (turn, number), own=us.own)
            waiting.append(Letter(to, b"%d/%d" % (turn, number), envelope))
        waiting.reverse()
        for letter in waiting[turn % 3 :] if turn else waiting:
            assert (ana, bia)[letter.to].open(letter.envelope) == letter.plaintext
            with pytest.raises((DuplicateMessage, BadMac)):
                (ana, bia)[letter.to].open(letter.envelope)
        waiting = waiting[: turn % 3] if turn else []
    for letter in waiting:
        assert (ana, bia)[letter.to].open(letter.envelope) == letter.plaintext
