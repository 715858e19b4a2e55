"""
Sender keys: what one device says to a whole group, sealed once. A chain of message keys that everybody in the group was
given, and a signature that only its author can make.

Pure steps on values: (record, input) → (record', output); a step that raises has changed nothing. Who is in the group,
who was given the key and where records are kept are not this module's concern. Told in docs/protocol/signal.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import (
    BadMac,
    BadRecord,
    DecodeError,
    DuplicateMessage,
    MalformedEnvelope,
    TooFarAhead,
    UnknownSenderKey,
)
from recado.protocol.crypto.curve import KEY_SIZE, KeyPair, sign, verify
from recado.protocol.crypto.symmetric import cbc_open, cbc_seal
from recado.protocol.proto import signal_pb2
from recado.protocol.signal import skipped
from recado.protocol.signal.chain import step
from recado.protocol.signal.sender_key_format import (
    Distribution,
    SenderKeyMessage,
    decode_sender_key_message,
    encode_distribution,
    encode_sender_key_message,
)

MAX_STATES = 5
"""Keys of one author that are kept: messages under an older one may still be on their way."""

MAX_KEPT_KEYS = 2_000
MAX_JUMP = 25_000

_STORED_VERSION = b"\x01"
_INFO = b"WhisperGroup"
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_INNER_PAD, _OUTER_PAD = b"\x36" * 32, b"\x5c" * 32
_ZERO_INNER, _ZERO_OUTER = sha256(b"\x36" * 64), sha256(b"\x5c" * 64)

Entropy = Callable[[int], bytes]


class SenderKey(NamedTuple):
    """One key: its number, the chain key at `iteration`, the signing key (private: our own alone), and skipped keys."""

    id: int
    iteration: int
    chain: bytes
    public: bytes
    private: bytes | None = None
    kept: bytes = b""

    def __repr__(self) -> str:
        return f"SenderKey(iteration={self.iteration}, kept={skipped.count(self.kept)}, own={self.private is not None})"


@dataclass(frozen=True, slots=True, repr=False)
class SenderKeyRecord:
    """All we hold of one device's keys in one group, the newest first. A value: each step returns another."""

    keys: tuple[SenderKey, ...]

    def __repr__(self) -> str:
        return f"SenderKeyRecord({list(self.keys)!r})"

    @property
    def current(self) -> SenderKey:
        """The newest key."""
        return self.keys[0]

    def encode(self) -> bytes:
        """The bytes the store keeps."""
        stored = signal_pb2.StoredSenderKeys()
        for id, iteration, chain, public, private, kept in self.keys:
            stored.keys.add(
                id=id,
                iteration=iteration,
                chain_key=chain,
                signing_public=public,
                signing_private=private,
                skipped=kept,
            )
        return _STORED_VERSION + stored.SerializeToString()

    @classmethod
    def decode(cls, encoded: bytes) -> SenderKeyRecord:
        """The record of `encode`. Raises BadRecord."""
        if encoded[:1] != _STORED_VERSION:
            raise BadRecord
        try:
            stored = signal_pb2.StoredSenderKeys.FromString(encoded[1:])
        except ProtobufError as error:
            raise BadRecord from error
        keys = tuple(_stored_key(each) for each in stored.keys)
        if not 0 < len(keys) <= MAX_STATES:
            raise BadRecord
        return cls(keys)


def new_sender_key(entropy: Entropy) -> SenderKeyRecord:
    """A key of our own, which nobody has been given yet."""
    pair = KeyPair.generate(entropy)
    id = int.from_bytes(entropy(4), "big") & 0x7FFFFFFF
    return SenderKeyRecord((SenderKey(id, 0, entropy(32), pair.public, pair.private),))


def distribution(record: SenderKeyRecord) -> bytes:
    """What gives a device our key from here on: what was sealed before stays closed to it."""
    key = record.current
    return encode_distribution(Distribution(key.id, key.iteration, key.chain, key.public))


def learn(record: SenderKeyRecord | None, given: Distribution) -> SenderKeyRecord:
    """
    The record with a key its author gave us. One we know already is not set back, since what was skipped in it would be
    lost; under the same number with another signing key, it is replaced.
    """
    known = () if record is None else record.keys
    new = SenderKey(given.id, given.iteration, given.chain_key, given.signing_key)
    for key in known:
        if key.id == given.id and key.public == given.signing_key and given.iteration - key.iteration <= MAX_JUMP:
            new = key
    others = tuple(key for key in known if key.id != given.id)
    return SenderKeyRecord((new, *others)[:MAX_STATES])


def seal_for_group(record: SenderKeyRecord, plaintext: bytes, *, entropy: Entropy) -> tuple[SenderKeyRecord, bytes]:
    """Encrypt once for everybody who was given our key, and sign. Raises UnknownSenderKey when the key is not ours."""
    key = record.current
    if key.private is None:
        raise UnknownSenderKey
    seed, following = step(key.chain)
    iv, cipher = group_message_keys(seed)
    message = encode_sender_key_message(key.id, key.iteration, cbc_seal(cipher, iv, plaintext))
    signature = sign(key.private, message, entropy=entropy)
    advanced = SenderKey(key.id, key.iteration + 1, following, key.public, key.private, key.kept)
    return SenderKeyRecord((advanced, *record.keys[1:])), message + signature


def open_for_group(record: SenderKeyRecord | None, ciphertext: bytes) -> tuple[SenderKeyRecord, bytes]:
    """
    Decrypt what the record's author said to the group.

    Raises UnknownSenderKey, BadMac when the author did not sign it, DuplicateMessage, TooFarAhead, MalformedEnvelope.
    """
    message = decode_sender_key_message(ciphertext)
    keys = () if record is None else record.keys
    place = next((place for place, key in enumerate(keys) if key.id == message.id), None)
    if place is None:
        raise UnknownSenderKey
    key = keys[place]
    # Before any step of the chain: nobody but the author may have us walk it.
    if not verify(key.public, message.signed, message.signature):
        raise BadMac("the signature of a message to a group does not verify")
    seed, key = _key_for(key, message.iteration)
    plaintext = _decrypt(seed, message)
    return SenderKeyRecord((*keys[:place], key, *keys[place + 1 :])), plaintext


def group_message_keys(seed: bytes) -> tuple[bytes, bytes]:
    """HKDF-SHA256 of a message's seed: no salt, info "WhisperGroup"; initialisation vector (16) and AES key (32)."""
    extract_inner, extract = _ZERO_INNER.copy(), _ZERO_OUTER.copy()
    extract_inner.update(seed)
    extract.update(extract_inner.digest())
    key = extract.digest()
    inner, outer = key.translate(_INNER) + _INNER_PAD, key.translate(_OUTER) + _OUTER_PAD
    first = sha256(outer + sha256(inner + _INFO + b"\x01").digest()).digest()
    second = sha256(outer + sha256(inner + first + _INFO + b"\x02").digest()).digest()
    return first[:16], first[16:] + second[:16]


def _key_for(key: SenderKey, iteration: int) -> tuple[bytes, SenderKey]:
    """The seed of that message's keys, and the key after it is used up."""
    id, position, chain, public, private, kept = key
    if iteration < position:
        found = skipped.take(kept, iteration)
        if found is None:
            raise DuplicateMessage
        return found[0], SenderKey(id, position, chain, public, private, found[1])
    if iteration - position > MAX_JUMP:
        raise TooFarAhead
    if iteration > position:
        chain, passed = skipped.advance(chain, position, iteration, keep=MAX_KEPT_KEYS)
        kept = skipped.newest(kept + passed, MAX_KEPT_KEYS)
    seed, following = step(chain)
    return seed, SenderKey(id, iteration + 1, following, public, private, kept)


def _decrypt(seed: bytes, message: SenderKeyMessage) -> bytes:
    iv, cipher = group_message_keys(seed)
    try:
        return cbc_open(cipher, iv, message.ciphertext)
    except DecodeError as error:
        raise MalformedEnvelope from error


def _stored_key(stored: signal_pb2.StoredSenderKey) -> SenderKey:
    private = stored.signing_private if stored.HasField("signing_private") else None
    sizes = {len(stored.chain_key), len(stored.signing_public), KEY_SIZE if private is None else len(private)}
    if sizes != {KEY_SIZE} or len(stored.skipped) % skipped.ENTRY:
        raise BadRecord
    return SenderKey(stored.id, stored.iteration, stored.chain_key, stored.signing_public, private, stored.skipped)
