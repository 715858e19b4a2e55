"""Sessions between two devices: how they begin, which one a message belongs to, and what leaves a record as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from recado.errors import (
    BadMac,
    BadRecord,
    DecodeError,
    DuplicateMessage,
    EnvelopeError,
    MalformedEnvelope,
    NoSession,
    TooFarAhead,
    UnknownPreKey,
)
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.format import (
    PreKeyWhisperMessage,
    decode_prekey_message,
    encode_prekey_message,
)
from recado.protocol.signal.record import MAX_ARCHIVED, decode_state
from recado.protocol.signal.session import (
    Envelope,
    EnvelopeKind,
    OwnIdentity,
    SessionRecord,
    begins_session,
    initiate,
    open_envelope,
    seal,
    wanted_prekeys,
)


def refused(device: Any, envelope: Envelope, error: type[EnvelopeError]) -> None:
    """The device refuses the envelope, and neither its record nor its prekeys have changed."""
    before, stored, keys = device.record, device.record and device.record.encode(), set(device.prekeys)
    with pytest.raises(error):
        device.open(envelope)
    assert device.record is before
    assert (device.record and device.record.encode()) == stored
    assert set(device.prekeys) == keys


def damaged(envelope: Envelope, place: int) -> Envelope:
    broken = bytearray(envelope.ciphertext)
    broken[place] ^= 1
    return Envelope(envelope.kind, bytes(broken))


# ---- beginning


def test_a_session_begins_with_a_one_time_prekey_which_is_then_used_up(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(7))
    envelope = ana.seal(b"oi")
    assert envelope.kind is EnvelopeKind.PREKEY
    assert wanted_prekeys(envelope) == (7, 1)
    opened = bia.open(envelope)
    assert (opened.plaintext, opened.used_prekey, opened.identity_changed) == (b"oi", 7, False)
    assert opened.identity == ana.own.pair.public
    assert bia.record.remote_registration_id == ana.own.registration_id
    assert ana.record.remote_registration_id == bia.own.registration_id
    assert ana.record.base_key == bia.record.base_key


def test_a_session_begins_without_a_one_time_prekey_too(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(None))
    envelope = ana.seal(b"oi")
    assert wanted_prekeys(envelope) == (None, 1)
    opened = open_envelope(
        None,
        envelope,
        own=bia.own,
        entropy=bia.dice,
        prekey=bia.prekeys[1].pair,  # not named, so not used
        signed_prekey=bia.signed.pair,
    )
    assert (opened.plaintext, opened.used_prekey) == (b"oi", None)


def test_every_message_offers_the_session_until_an_answer_was_opened(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    first, second = ana.seal(b"1"), ana.seal(b"2")
    assert (first.kind, second.kind) == (EnvelopeKind.PREKEY, EnvelopeKind.PREKEY)
    assert not ana.record.is_confirmed
    bia.open(second)
    answer = bia.seal(b"3")
    assert answer.kind is EnvelopeKind.MESSAGE
    assert bia.record.is_confirmed
    assert ana.seal(b"4").kind is EnvelopeKind.PREKEY
    ana.open(answer)
    assert ana.record.is_confirmed
    assert ana.seal(b"5").kind is EnvelopeKind.MESSAGE


def test_a_repeated_offer_is_opened_in_the_session_it_began_and_needs_no_prekey(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(3))
    first, second = ana.seal(b"1"), ana.seal(b"2")
    bia.open(second)
    assert 3 not in bia.prekeys
    opened = bia.open(first)
    assert (opened.plaintext, opened.used_prekey) == (b"1", None)
    assert bia.record.archived == ()


def test_prekeys_are_wanted_for_what_begins_a_session_alone(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(3))
    first, second = ana.seal(b"1"), ana.seal(b"2")
    assert begins_session(None, first)
    bia.open(first)
    assert not begins_session(bia.record, second)  # in the current one
    ana.begin(bia.bundle(4))
    newer = ana.seal(b"3")
    assert begins_session(bia.record, newer)
    bia.open(newer)
    assert not begins_session(bia.record, second)  # in one that was put away
    assert bia.open(second).plaintext == b"2"
    ana.open(bia.seal(b"4"))
    assert not begins_session(bia.record, ana.seal(b"5"))


def test_an_offer_under_another_identity_wants_its_prekeys(ana: Any, bia: Any, device: Any) -> None:
    ana.begin(bia.bundle(3))
    bia.open(ana.seal(b"1"))
    again = device("ana again")
    again.begin(bia.bundle(4))
    assert begins_session(bia.record, again.seal(b"2"))


def test_a_bundle_whose_signature_is_not_the_identitys_begins_nothing(ana: Any, bia: Any) -> None:
    bundle, other = bia.bundle(), KeyPair.generate(ana.dice)
    for forged in (
        replace(bundle, signature=bytes(64)),
        replace(bundle, signature=bundle.signature[:-1]),
        replace(bundle, signed_prekey=other.public),
        replace(bundle, identity=other.public),
    ):
        calls = ana.dice.calls
        with pytest.raises(BadMac):
            initiate(forged, own=ana.own, entropy=ana.dice)
        assert ana.dice.calls == calls


def test_a_bundle_with_an_unusable_one_time_key_begins_nothing(ana: Any, bia: Any) -> None:
    with pytest.raises(DecodeError):
        initiate(replace(bia.bundle(), prekey=bytes(32)), own=ana.own, entropy=ana.dice)


def test_a_one_time_prekey_we_do_not_hold_is_refused(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(5))
    del bia.prekeys[5]
    refused(bia, ana.seal(b"oi"), UnknownPreKey)


def test_a_signed_prekey_we_do_not_hold_is_refused(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(None))
    bia.signed = replace(bia.signed, id=2)
    refused(bia, ana.seal(b"oi"), UnknownPreKey)


def test_the_wrong_prekey_does_not_authenticate(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle(5))
    bia.prekeys[5] = bia.prekeys[6]
    refused(bia, ana.seal(b"oi"), BadMac)


def test_without_a_session_nothing_is_sealed_and_no_message_opened(ana: Any, bia: Any, talking: Any) -> None:
    with pytest.raises(NoSession):
        seal(None, b"oi", own=ana.own)
    with pytest.raises(NoSession):
        open_envelope(None, ana.seal(b"oi"), own=bia.own, entropy=bia.dice)


# ---- within a session


def test_messages_open_in_any_order_and_across_turns(talking: Any) -> None:
    ana, bia = talking
    early = [ana.seal(b"a%d" % n) for n in range(5)]
    bia.open(early[4])
    ana.open(bia.seal(b"turn"))
    later = [ana.seal(b"b%d" % n) for n in range(3)]
    for envelope in (later[2], early[0], later[0], early[3], early[1], later[1], early[2]):
        bia.open(envelope)
    assert bia.received[-7:] == [b"b2", b"a0", b"b0", b"a3", b"a1", b"b1", b"a2"]


def test_entropy_is_drawn_only_for_a_new_ratchet_key(talking: Any) -> None:
    ana, bia = talking
    first, second = ana.seal(b"1"), ana.seal(b"2")
    bia.open(first)
    calls = bia.dice.calls
    bia.open(second)
    bia.seal(b"3")
    assert bia.dice.calls == calls
    ana.open(bia.seal(b"4"))
    bia.open(ana.seal(b"5"))
    assert bia.dice.calls == calls + 1


def test_an_empty_message_and_a_large_one_arrive(talking: Any) -> None:
    ana, bia = talking
    for plaintext in (b"", b"x" * 15, b"x" * 16, b"x" * 100_000):
        assert bia.open(ana.seal(plaintext)).plaintext == plaintext


def test_a_message_opens_once(talking: Any) -> None:
    ana, bia = talking
    skipped, first = ana.seal(b"0"), ana.seal(b"1")
    bia.open(first)
    refused(bia, first, DuplicateMessage)
    bia.open(skipped)
    refused(bia, skipped, DuplicateMessage)


def test_a_replayed_offer_is_a_duplicate(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    envelope = ana.seal(b"oi")
    bia.open(envelope)
    refused(bia, envelope, DuplicateMessage)


@pytest.mark.parametrize("place", [-1, -8, -9, -20])
def test_a_changed_message_or_mac_does_not_authenticate(talking: Any, place: int) -> None:
    ana, bia = talking
    same_chain = ana.seal(b"oi")
    refused(bia, damaged(same_chain, place), BadMac)
    ana.open(bia.seal(b"turn"))
    new_chain = ana.seal(b"tchau")
    calls = bia.dice.calls
    refused(bia, damaged(new_chain, place), BadMac)
    assert bia.dice.calls == calls
    assert bia.open(new_chain).plaintext == b"tchau"
    assert bia.open(same_chain).plaintext == b"oi"


def test_a_changed_first_message_uses_nothing_up(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    envelope = ana.seal(b"oi")
    inner = envelope.ciphertext.index(decode_prekey_message(envelope.ciphertext).message)
    size = len(decode_prekey_message(envelope.ciphertext).message)
    refused(bia, damaged(envelope, inner + size - 1), BadMac)
    assert bia.open(envelope).plaintext == b"oi"


@pytest.mark.parametrize("version", [0x22, 0x23, 0x32, 0x34, 0x44, 0x00, 0xFF])
def test_another_version_is_not_read(talking: Any, version: int) -> None:
    ana, bia = talking
    envelope = ana.seal(b"oi")
    refused(bia, Envelope(envelope.kind, bytes((version,)) + envelope.ciphertext[1:]), MalformedEnvelope)
    ana.begin(bia.bundle(2))
    envelope = ana.seal(b"oi")
    refused(bia, Envelope(envelope.kind, bytes((version,)) + envelope.ciphertext[1:]), MalformedEnvelope)


def test_a_message_cut_anywhere_is_refused(ana: Any, bia: Any, device: Any) -> None:
    ana.begin(bia.bundle())
    first = ana.seal(b"oi")
    for size in range(len(first.ciphertext)):
        with pytest.raises(EnvelopeError):
            device("bia", 1002).open(Envelope(first.kind, first.ciphertext[:size]))
    bia.open(first)
    ana.open(bia.seal(b"oi"))
    second = ana.seal(b"tchau")
    for size in range(len(second.ciphertext)):
        refused(bia, Envelope(second.kind, second.ciphertext[:size]), EnvelopeError)


def test_a_message_under_the_wrong_kind_is_malformed(ana: Any, bia: Any, talking: Any) -> None:
    message = ana.seal(b"oi")
    refused(bia, Envelope(EnvelopeKind.PREKEY, message.ciphertext), MalformedEnvelope)
    ana.begin(bia.bundle(9))
    refused(bia, Envelope(EnvelopeKind.MESSAGE, ana.seal(b"oi").ciphertext), MalformedEnvelope)
    with pytest.raises(MalformedEnvelope):
        wanted_prekeys(message)


def test_a_message_is_bound_to_both_identities(talking: Any, device: Any) -> None:
    ana, bia = talking
    envelope = ana.seal(b"oi")
    stranger = OwnIdentity(1, KeyPair.generate(device("stranger").dice))
    with pytest.raises(BadMac):
        open_envelope(bia.record, envelope, own=stranger, entropy=bia.dice)
    impostor = bia.record.current._replace(remote_identity=stranger.pair.public)
    with pytest.raises(BadMac):
        open_envelope(SessionRecord(impostor), envelope, own=bia.own, entropy=bia.dice)


def test_an_offer_under_another_identity_does_not_authenticate(ana: Any, bia: Any, device: Any) -> None:
    ana.begin(bia.bundle())
    offered = decode_prekey_message(ana.seal(b"oi").ciphertext)
    stolen = offered._replace(identity=device("stranger").own.pair.public)
    refused(bia, Envelope(EnvelopeKind.PREKEY, encode_prekey_message(stolen)), BadMac)


def test_unusable_public_keys_are_malformed(talking: Any, ana: Any, bia: Any) -> None:
    message = ana.seal(b"oi")
    ratchet = ana.record.current.ratchet.pair.public
    zero = message.ciphertext.replace(ratchet, bytes(32))
    refused(bia, Envelope(message.kind, zero), MalformedEnvelope)
    ana.begin(bia.bundle(2))
    offered = decode_prekey_message(ana.seal(b"oi").ciphertext)
    weak = encode_prekey_message(offered._replace(base_key=bytes(32)))
    refused(bia, Envelope(EnvelopeKind.PREKEY, weak), MalformedEnvelope)


def test_a_reflected_message_does_not_open(talking: Any) -> None:
    ana, bia = talking
    bia.open(ana.seal(b"oi"))
    refused(ana, ana.seal(b"oi"), BadMac)


# ---- more than one session


def test_both_may_begin_at_once(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    bia.begin(ana.bundle())
    from_ana, from_bia = ana.seal(b"a"), bia.seal(b"b")
    assert ana.open(from_bia).plaintext == b"b"
    assert bia.open(from_ana).plaintext == b"a"
    assert (len(ana.record.archived), len(bia.record.archived)) == (1, 1)
    for n in range(3):
        crossing = ana.seal(b"a%d" % n), bia.seal(b"b%d" % n)
        assert bia.open(crossing[0]).plaintext == b"a%d" % n
        assert ana.open(crossing[1]).plaintext == b"b%d" % n
    bia.open(ana.seal(b"last"))
    ana.open(bia.seal(b"word"))
    assert ana.record.base_key == bia.record.base_key
    assert (len(ana.record.archived), len(bia.record.archived)) == (1, 1)


def test_a_message_of_an_archived_session_brings_it_back_into_use(talking: Any) -> None:
    ana, bia = talking
    ana.open(bia.seal(b"turn"))
    old, base_key = ana.seal(b"old"), bia.record.base_key
    bia.begin(ana.bundle(8))
    assert (bia.record.base_key != base_key, bia.record.is_confirmed) == (True, False)
    opened = bia.open(old)
    assert (opened.plaintext, opened.identity_changed) == (b"old", False)
    assert (bia.record.base_key, bia.record.is_confirmed) == (base_key, True)
    assert decode_state(bia.record.archived[0]).offer is not None


def test_a_late_message_on_a_chain_an_archived_session_knows_opens_there_and_only_once(talking: Any) -> None:
    ana, bia = talking
    late, known = ana.seal(b"late"), ana.seal(b"known")
    bia.open(known)
    for prekey_id in (8, 9):
        bia.begin(ana.bundle(prekey_id))
    assert bia.open(late).plaintext == b"late"
    bia.begin(ana.bundle(10))
    refused(bia, late, DuplicateMessage)
    refused(bia, known, DuplicateMessage)


def test_a_repeated_offer_brings_an_archived_session_back_into_use(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    first, second = ana.seal(b"1"), ana.seal(b"2")
    bia.open(first)
    base_key = bia.record.base_key
    bia.begin(ana.bundle(8))
    bia.begin(ana.bundle(9))
    replaced = bia.record.base_key
    assert bia.open(second).plaintext == b"2"
    assert bia.record.base_key == base_key
    assert len(bia.record.archived) == 2
    assert decode_state(bia.record.archived[0]).base_key == replaced


def test_a_message_no_session_can_open_is_refused_by_all(talking: Any, device: Any) -> None:
    ana, bia = talking
    for prekey_id in (8, 9, 10):
        bia.begin(ana.bundle(prekey_id))
    twin = device("ana", 1001)
    twin.begin(device("bia", 1002).bundle(4))
    device("bia", 1002).open(twin.seal(b"elsewhere"))
    offered = decode_prekey_message(twin.seal(b"elsewhere").ciphertext)
    refused(bia, Envelope(EnvelopeKind.MESSAGE, offered.message), BadMac)


def test_forty_sessions_are_archived_and_the_oldest_is_forgotten(talking: Any) -> None:
    ana, bia = talking
    old = ana.seal(b"old")
    for prekey_id in range(2, 2 + MAX_ARCHIVED):
        bia.begin(ana.bundle(prekey_id))
    assert len(bia.record.archived) == MAX_ARCHIVED
    assert open_envelope(bia.record, old, own=bia.own, entropy=bia.dice).plaintext == b"old"
    bia.begin(ana.bundle(50))
    assert len(bia.record.archived) == MAX_ARCHIVED
    refused(bia, old, BadMac)


def test_an_archived_session_follows_a_short_jump_only(talking: Any) -> None:
    ana, bia = talking
    ana.open(bia.seal(b"turn"))
    for _ in range(2_001):
        far = ana.seal(b"far")
    bia.begin(ana.bundle(8))
    refused(bia, ana.seal(b"farther"), BadMac)
    bia.begin(ana.bundle(9))
    assert bia.open(far).plaintext == b"far"


def test_a_new_identity_is_taken_on_first_use_and_its_forerunners_sessions_are_gone(talking: Any, device: Any) -> None:
    ana, bia = talking
    bia.begin(ana.bundle(8))
    reinstalled = device("ana reinstalled", 1003)
    reinstalled.begin(bia.bundle(5))
    opened = bia.open(reinstalled.seal(b"new phone"))
    assert (opened.plaintext, opened.identity_changed) == (b"new phone", True)
    assert opened.identity == bia.record.remote_identity == reinstalled.own.pair.public
    assert (bia.record.remote_registration_id, bia.record.archived) == (1003, ())
    refused(bia, ana.seal(b"old phone"), BadMac)


def test_a_bundle_of_another_identity_leaves_no_session_of_the_old_one(talking: Any, device: Any) -> None:
    _, bia = talking
    bia.begin(device("ana reinstalled", 1003).bundle())
    assert bia.record.archived == ()


def test_an_offer_that_steals_a_known_base_key_begins_a_session_of_its_own(ana: Any, bia: Any, device: Any) -> None:
    ana.begin(bia.bundle())
    envelope = ana.seal(b"oi")
    bia.open(envelope)
    offered = decode_prekey_message(envelope.ciphertext)
    thief = offered._replace(identity=device("thief").own.pair.public, prekey_id=2)
    refused(bia, Envelope(EnvelopeKind.PREKEY, encode_prekey_message(thief)), BadMac)


def test_a_bad_message_on_a_chain_the_current_session_knows_asks_no_other(talking: Any) -> None:
    ana, bia = talking
    bia.record = SessionRecord(bia.record.current, (b"\x00",))
    refused(bia, damaged(ana.seal(b"oi"), -1), BadMac)


def test_an_unreadable_archived_session_is_the_operators_trouble(talking: Any) -> None:
    ana, bia = talking
    ana.open(bia.seal(b"turn"))
    bia.record = SessionRecord(bia.record.current, (b"\x00",))
    ana.begin(bia.bundle(8))
    offered = decode_prekey_message(ana.seal(b"oi").ciphertext)
    with pytest.raises(BadRecord):
        bia.open(Envelope(EnvelopeKind.MESSAGE, offered.message))


# ---- bounds and silence


def test_a_jump_beyond_the_bound_is_refused(talking: Any) -> None:
    ana, bia = talking
    state = ana.record.current
    ana.record = SessionRecord(state._replace(ratchet=state.ratchet._replace(sent=30_000)))
    refused(bia, ana.seal(b"far"), TooFarAhead)


def test_nothing_secret_shows_in_a_repr(talking: Any) -> None:
    ana, bia = talking
    ana.seal(b"passed over")
    envelope = ana.seal(b"secret words")
    opened = bia.open(envelope)
    bia.begin(ana.bundle(8))
    shown = "".join(repr(thing) for thing in (envelope, opened, bia.record, bia.own, bia.signed, ana.bundle(9)))
    assert "secret" not in shown
    assert "\\x" not in shown
    assert "archived=1" in repr(bia.record)


def test_an_offer_may_lack_a_registration_but_not_its_keys(ana: Any, bia: Any) -> None:
    ana.begin(bia.bundle())
    offered = decode_prekey_message(ana.seal(b"oi").ciphertext)
    bare = PreKeyWhisperMessage(*offered[:4], 0, offered.message)
    assert bia.open(Envelope(EnvelopeKind.PREKEY, encode_prekey_message(bare))).plaintext == b"oi"
