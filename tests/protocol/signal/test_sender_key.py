"""Sender keys: what Baileys seals for a group opens here and the other way about; order, repeats, gaps, forgeries."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.errors import (
    BadMac,
    BadRecord,
    DuplicateMessage,
    EnvelopeError,
    MalformedEnvelope,
    TooFarAhead,
    UnknownSenderKey,
)
from recado.protocol.crypto.keys import hkdf
from recado.protocol.signal.chain import step
from recado.protocol.signal.sender_key import (
    MAX_JUMP,
    MAX_KEPT_KEYS,
    MAX_STATES,
    SenderKeyRecord,
    distribution,
    group_message_keys,
    learn,
    new_sender_key,
    open_for_group,
    seal_for_group,
)
from recado.protocol.signal.sender_key_format import Distribution, decode_distribution, encode_distribution
from recado.protocol.signal.skipped import count

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sender_keys.json").read_text())


def entropy_of(seed: str) -> Callable[[int], bytes]:
    calls = 0

    def draw(size: int) -> bytes:
        nonlocal calls
        calls += 1
        return b"".join(sha256(f"{seed}/{calls}/{part}".encode()).digest() for part in (0, 1))[:size]

    return draw


def bytes_of(text: str) -> bytes:
    return b64decode(text)


def talk(messages: int, seed: str = "talk") -> tuple[SenderKeyRecord, list[bytes], SenderKeyRecord]:
    """An author's record, what it sealed, and a reader's record from before the first of them."""
    entropy = entropy_of(seed)
    author = new_sender_key(entropy)
    reader = learn(None, decode_distribution(distribution(author)))
    sealed = []
    for number in range(messages):
        author, ciphertext = seal_for_group(author, b"message %d" % number, entropy=entropy)
        sealed.append(ciphertext)
    return author, sealed, reader


def test_what_baileys_sealed_for_a_group_opens_here() -> None:
    theirs = VECTORS["baileys"]
    record = learn(None, decode_distribution(bytes_of(theirs["distribution"])))
    for each in theirs["sealed"]:
        record, plaintext = open_for_group(record, bytes_of(each["ciphertext"]))
        assert plaintext == bytes_of(each["plaintext"])
    later = decode_distribution(bytes_of(theirs["later"]))
    assert (later.id, later.iteration) == (record.current.id, record.current.iteration)
    assert later.chain_key == record.current.chain


def test_what_baileys_sealed_opens_in_any_order() -> None:
    theirs = VECTORS["baileys"]
    record = learn(None, decode_distribution(bytes_of(theirs["distribution"])))
    for each in reversed(theirs["sealed"]):
        record, plaintext = open_for_group(record, bytes_of(each["ciphertext"]))
        assert plaintext == bytes_of(each["plaintext"])


def test_what_recado_seals_is_byte_for_byte_what_baileys_read() -> None:
    ours = VECTORS["ours"]
    entropy = entropy_of(ours["seed"])
    record = new_sender_key(entropy)
    assert distribution(record) == bytes_of(ours["distribution"])
    read: list[Any] = VECTORS["baileys"]["reads"]
    for each, there in zip(ours["sealed"], read, strict=True):
        record, ciphertext = seal_for_group(record, bytes_of(each["plaintext"]), entropy=entropy)
        assert ciphertext == bytes_of(each["ciphertext"])
        assert there == each["plaintext"]


def test_the_message_keys_are_those_of_the_librarys_hkdf() -> None:
    seed = sha256(b"seed").digest()
    derived = hkdf(seed, 48, info=b"WhisperGroup")
    assert group_message_keys(seed) == (derived[:16], derived[16:])


@given(st.lists(st.integers(0, 24), max_size=60), st.integers(0, 24))
def test_in_any_order_each_message_opens_once(order: list[int], start: int) -> None:
    _, sealed, reader = talk(25)
    opened: set[int] = set()
    for number in [*order, start]:
        if number in opened:
            with pytest.raises(DuplicateMessage):
                open_for_group(reader, sealed[number])
        else:
            reader, plaintext = open_for_group(reader, sealed[number])
            assert plaintext == b"message %d" % number
            opened.add(number)
        assert SenderKeyRecord.decode(reader.encode()) == reader


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_changed_bit_never_opens(place: int, bit: int) -> None:
    _, sealed, reader = talk(1)
    changed = bytearray(sealed[0])
    changed[place % len(changed)] ^= 1 << bit
    with pytest.raises(EnvelopeError):
        open_for_group(reader, bytes(changed))


@given(st.binary(max_size=200))
def test_no_bytes_whatever_do_more_than_be_refused(noise: bytes) -> None:
    _, _, reader = talk(0)
    with pytest.raises(EnvelopeError):
        open_for_group(reader, noise)
    with pytest.raises(EnvelopeError):
        decode_distribution(noise[:1] + b"\xff" + noise[1:])


def test_who_is_given_the_key_later_reads_nothing_from_before() -> None:
    entropy = entropy_of("later")
    author = new_sender_key(entropy)
    author, before = seal_for_group(author, b"before", entropy=entropy)
    reader = learn(None, decode_distribution(distribution(author)))
    with pytest.raises(DuplicateMessage):
        open_for_group(reader, before)
    author, after = seal_for_group(author, b"after", entropy=entropy)
    assert open_for_group(reader, after)[1] == b"after"


def test_the_same_key_given_again_loses_nothing_that_was_skipped() -> None:
    author, sealed, reader = talk(4)
    reader, _ = open_for_group(reader, sealed[2])
    reader = learn(reader, decode_distribution(distribution(author)))
    assert open_for_group(reader, sealed[0])[1] == b"message 0"


def test_a_key_of_another_signer_under_the_same_number_replaces_it() -> None:
    author, sealed, reader = talk(1)
    other = new_sender_key(entropy_of("other")).current
    reader = learn(reader, Distribution(author.current.id, 0, other.chain, other.public))
    with pytest.raises(BadMac):
        open_for_group(reader, sealed[0])
    assert len(reader.keys) == 1


def test_an_older_key_still_opens_and_at_most_five_are_kept() -> None:
    _, sealed, reader = talk(2)
    for number in range(MAX_STATES - 1):
        reader = learn(reader, decode_distribution(distribution(new_sender_key(entropy_of(f"key {number}")))))
    assert open_for_group(reader, sealed[1])[1] == b"message 1"
    reader = learn(reader, decode_distribution(distribution(new_sender_key(entropy_of("one too many")))))
    assert len(reader.keys) == MAX_STATES
    with pytest.raises(UnknownSenderKey):
        open_for_group(reader, sealed[1])


def test_without_a_key_nothing_opens_and_nothing_is_sealed_in_another_name() -> None:
    author, sealed, reader = talk(1)
    with pytest.raises(UnknownSenderKey):
        open_for_group(None, sealed[0])
    with pytest.raises(UnknownSenderKey):
        seal_for_group(reader, b"forged", entropy=entropy_of("forger"))
    assert author.current.private is not None


def test_nobody_but_the_author_can_make_a_reader_walk_the_chain() -> None:
    author, _, reader = talk(0)
    forger = SenderKeyRecord(
        (new_sender_key(entropy_of("f")).current._replace(id=author.current.id, iteration=20_000),)
    )
    _, forged = seal_for_group(forger, b"walk", entropy=entropy_of("forger"))
    with pytest.raises(BadMac):
        open_for_group(reader, forged)


def test_skipped_keys_are_bounded_and_a_jump_too() -> None:
    author, _, reader = talk(0)
    near = SenderKeyRecord((_walked(author, MAX_KEPT_KEYS + 500),))
    _, ciphertext = seal_for_group(near, b"near", entropy=entropy_of("near"))
    after, _ = open_for_group(reader, ciphertext)
    assert count(after.current.kept) == MAX_KEPT_KEYS
    far = SenderKeyRecord((near.current._replace(iteration=MAX_JUMP + 1),))
    _, ciphertext = seal_for_group(far, b"far", entropy=entropy_of("far"))
    with pytest.raises(TooFarAhead):
        open_for_group(reader, ciphertext)


def test_what_is_stored_wrongly_is_a_bad_record() -> None:
    _, _, reader = talk(0)
    stored = reader.encode()
    for broken in (b"", b"\x02" + stored[1:], stored[:-3], b"\x01", stored[:20]):
        with pytest.raises(BadRecord):
            SenderKeyRecord.decode(broken)


def test_a_key_handed_out_must_be_whole() -> None:
    author, _, _ = talk(0)
    key = author.current
    whole = Distribution(key.id, 0, key.chain, key.public)
    assert decode_distribution(encode_distribution(whole)) == whole
    for broken in (whole._replace(chain_key=b"short"), whole._replace(signing_key=b"x" * 20)):
        with pytest.raises(MalformedEnvelope):
            decode_distribution(encode_distribution(broken))


def test_no_repr_shows_a_key() -> None:
    author, _, reader = talk(1)
    shown = repr(author) + repr(reader) + repr(decode_distribution(distribution(author)))
    assert author.current.chain.hex() not in shown
    assert "b'" not in shown


def _walked(author: SenderKeyRecord, steps: int) -> Any:
    key = author.current
    chain = key.chain
    for _ in range(steps):
        _, chain = step(chain)
    return key._replace(chain=chain, iteration=steps)
