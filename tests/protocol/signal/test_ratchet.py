"""The double ratchet alone: two values, one secret, and the bounds on what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from recado.errors import DuplicateMessage, MalformedEnvelope, TooFarAhead
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.crypto.keys import hkdf, hmac_sha256
from recado.protocol.crypto.symmetric import cbc_seal
from recado.protocol.signal import skipped
from recado.protocol.signal.chain import step
from recado.protocol.signal.format import WhisperMessage, decode_message
from recado.protocol.signal.ratchet import MAX_CHAINS, MAX_JUMP, MAX_KEPT_KEYS, Ratchet, begin, seal, trimmed, unseal

AD = b"both identities"


class Pair:
    """Two ratchets of one secret."""

    def __init__(self, dice: Any) -> None:
        self.dice = dice
        theirs = KeyPair.generate(dice)
        self.ours = begin(b"r" * 32, theirs.public, dice)
        self.theirs = Ratchet(b"r" * 32, theirs, b"c" * 32)

    def forth(self, plaintext: bytes = b"x") -> WhisperMessage:
        self.ours, message = seal(self.ours, plaintext, AD)
        return decode_message(message)

    def back(self, plaintext: bytes = b"x") -> WhisperMessage:
        self.theirs, message = seal(self.theirs, plaintext, AD)
        return decode_message(message)

    def arrive(self, message: WhisperMessage) -> bytes:
        self.theirs, plaintext = unseal(self.theirs, message, AD, self.dice)
        return plaintext

    def arrive_back(self, message: WhisperMessage) -> bytes:
        self.ours, plaintext = unseal(self.ours, message, AD, self.dice)
        return plaintext

    def turn(self) -> None:
        self.arrive(self.forth())
        self.arrive_back(self.back())


@pytest.fixture
def pair(ana: Any) -> Pair:
    return Pair(ana.dice)


def test_each_turn_brings_new_keys_and_counts_from_zero(pair: Pair) -> None:
    first, second = pair.forth(b"1"), pair.forth(b"2")
    assert (first.counter, second.counter, first.ratchet) == (0, 1, second.ratchet)
    assert (pair.arrive(first), pair.arrive(second)) == (b"1", b"2")
    answer = pair.back(b"3")
    assert pair.arrive_back(answer) == b"3"
    third = pair.forth(b"4")
    assert third.counter == 0
    assert third.ratchet != first.ratchet
    assert pair.ours.previous == 1
    assert pair.ours.knows(answer.ratchet)
    assert not pair.ours.knows(third.ratchet)


def test_a_side_that_never_sent_names_no_previous_message(pair: Pair) -> None:
    pair.arrive(pair.forth())
    assert (pair.theirs.sent, pair.theirs.previous) == (0, 0)


def test_five_chains_are_held_and_the_oldest_is_let_go(pair: Pair) -> None:
    late = []
    for _ in range(MAX_CHAINS + 1):
        late.append(pair.forth(b"late"))
        pair.turn()
    assert len(pair.theirs.receiving) == MAX_CHAINS
    assert all(pair.arrive(message) == b"late" for message in reversed(late[1:]))
    before = pair.theirs
    with pytest.raises(Exception, match="authenticate"):
        pair.arrive(late[0])
    assert pair.theirs is before


def test_a_jump_up_to_the_bound_is_followed_and_keeps_two_thousand_keys(pair: Pair) -> None:
    passed = [pair.forth() for _ in range(3)]
    pair.ours = pair.ours._replace(sending=skipped.advance(pair.ours.sending, 3, MAX_JUMP, keep=0)[0], sent=MAX_JUMP)
    assert pair.arrive(pair.forth(b"far")) == b"far"
    assert skipped.count(pair.theirs.receiving[0].skipped) == MAX_KEPT_KEYS
    with pytest.raises(DuplicateMessage):
        pair.arrive(passed[0])


def test_a_jump_beyond_the_bound_is_refused(pair: Pair) -> None:
    pair.arrive(pair.forth())
    pair.ours = pair.ours._replace(sent=MAX_JUMP + 2)
    before = pair.theirs
    with pytest.raises(TooFarAhead):
        pair.arrive(pair.forth())
    assert pair.theirs is before


def test_a_jump_may_be_given_a_shorter_bound(pair: Pair) -> None:
    pair.forth()
    message = pair.forth(b"x")
    with pytest.raises(TooFarAhead):
        unseal(pair.theirs, message, AD, pair.dice, max_jump=0)
    assert unseal(pair.theirs, message, AD, pair.dice, max_jump=1)[1] == b"x"


def test_the_kept_keys_are_bounded_over_all_chains_and_the_oldest_go_first(pair: Pair) -> None:
    oldest = [pair.forth(b"%d" % n) for n in range(11)]
    pair.arrive(oldest[-1])
    pair.turn()
    newer = [pair.forth(b"%d" % n) for n in range(MAX_KEPT_KEYS - 3)]
    pair.arrive(newer[-1])
    first, second = pair.theirs.receiving[0], pair.theirs.receiving[1]
    assert (skipped.count(first.skipped), skipped.count(second.skipped)) == (MAX_KEPT_KEYS - 4, 4)
    with pytest.raises(DuplicateMessage):
        pair.arrive(oldest[5])
    assert [pair.arrive(message) for message in oldest[6:10]] == [b"6", b"7", b"8", b"9"]
    assert pair.arrive(newer[0]) == b"0"


def test_the_bound_holds_within_a_chain_too(pair: Pair) -> None:
    for jump in (1_500, 1_500):
        first = pair.forth(b"first")
        for _ in range(jump):
            last = pair.forth()
        pair.arrive(last)
    assert skipped.count(pair.theirs.receiving[0].skipped) == MAX_KEPT_KEYS
    assert pair.arrive(first) == b"first"
    assert skipped.count(pair.theirs.receiving[0].skipped) == MAX_KEPT_KEYS - 1


def test_a_trimmed_ratchet_keeps_its_newest_keys(pair: Pair) -> None:
    messages = [pair.forth(b"%d" % n) for n in range(6)]
    pair.arrive(messages[-1])
    pair.theirs = trimmed(pair.theirs, 2)
    with pytest.raises(DuplicateMessage):
        pair.arrive(messages[2])
    assert pair.arrive(messages[3]) == b"3"


def test_an_authentic_message_of_no_whole_blocks_is_malformed(pair: Pair) -> None:
    keys = hkdf(step(pair.ours.sending)[0], 80, info=b"WhisperMessageKeys")
    honest = pair.forth()
    for ciphertext in (b"x", cbc_seal(keys[:32], keys[64:], b"x" * 16)[:16]):
        forged = honest._replace(ciphertext=ciphertext)
        forged = forged._replace(mac=hmac_sha256(keys[32:64], AD + forged.signed)[:8])
        with pytest.raises(MalformedEnvelope):
            pair.arrive(forged)
    assert pair.arrive(honest) == b"x"


def test_keys_do_not_show_in_a_repr(pair: Pair) -> None:
    pair.forth()
    pair.arrive(pair.forth())
    assert repr(pair.theirs) == "Ratchet(sent=0, receiving=[ReceivingChain(position=2, kept=1)])"
