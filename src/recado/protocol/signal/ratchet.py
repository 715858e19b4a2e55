"""
The double ratchet: plaintext in, ciphertext out, and back. Each step takes a value and returns a new one, so that a
message that does not authenticate leaves nothing behind. Told in docs/protocol/signal.md.

Whose keys these are, which session is the right one and where it is kept are not this module's concern.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import NamedTuple

from recado.errors import BadMac, DecodeError, DuplicateMessage, MalformedEnvelope, TooFarAhead
from recado.protocol.crypto.curve import KeyPair, agree
from recado.protocol.crypto.keys import hkdf
from recado.protocol.crypto.symmetric import cbc_open, cbc_seal
from recado.protocol.signal import skipped
from recado.protocol.signal.chain import authenticate, message_keys, step
from recado.protocol.signal.format import WhisperMessage, encode_message

MAX_CHAINS = 5
MAX_KEPT_KEYS = 2_000
MAX_JUMP = 25_000

_RATCHET = b"WhisperRatchet"


class ReceivingChain(NamedTuple):
    """One chain of the other side: its ratchet key, the chain key at `position`, and the keys passed over."""

    ratchet: bytes
    key: bytes
    position: int
    skipped: bytes = b""

    def __repr__(self) -> str:
        return f"ReceivingChain(position={self.position}, kept={skipped.count(self.skipped)})"


class Ratchet(NamedTuple):
    """
    Both directions of a session. `sent` counts the messages of our sending chain; `previous` is the last counter of
    the one before, which the other side may use to tidy up. Receiving chains stand newest first.
    """

    root: bytes
    pair: KeyPair
    sending: bytes
    sent: int = 0
    previous: int = 0
    receiving: tuple[ReceivingChain, ...] = ()

    def __repr__(self) -> str:
        return f"Ratchet(sent={self.sent}, receiving={list(self.receiving)})"

    def knows(self, ratchet: bytes) -> bool:
        """Whether a message under this ratchet key belongs to a chain we hold."""
        return any(chain.ratchet == ratchet for chain in self.receiving)


def begin(root: bytes, theirs: bytes, entropy: Callable[[int], bytes]) -> Ratchet:
    """The initiator's ratchet: the first step is made against the other side's signed prekey."""
    pair = KeyPair.generate(entropy)
    root, sending = _turn(root, pair, theirs)
    return Ratchet(root, pair, sending)


def seal(ratchet: Ratchet, plaintext: bytes, associated: bytes) -> tuple[Ratchet, bytes]:
    """Encrypt one message; `associated` is what the MAC covers in front of it."""
    root, pair, sending, sent, previous, receiving = ratchet
    seed, following = step(sending)
    keys = message_keys(seed)
    message = encode_message(pair.public, sent, previous, cbc_seal(keys.cipher, keys.iv, plaintext))
    mac = authenticate(keys.mac, associated + message)
    return Ratchet(root, pair, following, sent + 1, previous, receiving), message + mac


def unseal(
    ratchet: Ratchet,
    message: WhisperMessage,
    associated: bytes,
    entropy: Callable[[int], bytes],
    *,
    max_jump: int = MAX_JUMP,
) -> tuple[Ratchet, bytes]:
    """
    Decrypt one message; `entropy` is drawn once it authenticates, and only if the other side's ratchet key is new.

    Raises BadMac, DuplicateMessage, TooFarAhead or MalformedEnvelope.
    """
    root, pair, sending, sent, previous, receiving = ratchet
    for place, chain in enumerate(receiving):
        if chain.ratchet == message.ratchet:
            seed, chain = _key_for(chain, message.counter, max_jump)
            plaintext = _decrypt(seed, message, associated)
            receiving = _replaced(receiving, place, chain)
            return Ratchet(root, pair, sending, sent, previous, receiving), plaintext
    root, key = _turn(root, pair, message.ratchet)
    seed, chain = _key_for(ReceivingChain(message.ratchet, key, 0), message.counter, max_jump)
    plaintext = _decrypt(seed, message, associated)
    receiving = _bounded((chain, *receiving[: MAX_CHAINS - 1]))
    pair = KeyPair.generate(entropy)
    root, sending = _turn(root, pair, message.ratchet)
    return Ratchet(root, pair, sending, 0, max(sent - 1, 0), receiving), plaintext


def trimmed(ratchet: Ratchet, keep: int) -> Ratchet:
    """The same ratchet with at most `keep` skipped keys, the newest."""
    return ratchet._replace(receiving=_bounded(ratchet.receiving, keep))


def _turn(root: bytes, pair: KeyPair, theirs: bytes) -> tuple[bytes, bytes]:
    """One turn of the Diffie-Hellman ratchet: the next root key and a new chain key."""
    try:
        secret = agree(pair.private, theirs)
    except DecodeError as error:
        raise MalformedEnvelope from error
    derived = hkdf(secret, 64, salt=root, info=_RATCHET)
    return derived[:32], derived[32:]


def _key_for(chain: ReceivingChain, counter: int, max_jump: int) -> tuple[bytes, ReceivingChain]:
    """The seed of that message's keys, and the chain after it is used up."""
    ratchet, key, position, kept = chain
    if counter != position:
        if counter < position:
            found = skipped.take(kept, counter)
            if found is None:
                raise DuplicateMessage
            return found[0], ReceivingChain(ratchet, key, position, found[1])
        if counter - position > max_jump:
            raise TooFarAhead
        key, passed = skipped.advance(key, position, counter, keep=MAX_KEPT_KEYS)
        kept += passed
    seed, following = step(key)
    return seed, ReceivingChain(ratchet, following, counter + 1, kept)


def _decrypt(seed: bytes, message: WhisperMessage, associated: bytes) -> bytes:
    keys = message_keys(seed)
    if not compare_digest(authenticate(keys.mac, associated + message.signed), message.mac):
        raise BadMac
    try:
        return cbc_open(keys.cipher, keys.iv, message.ciphertext)
    except DecodeError as error:
        raise MalformedEnvelope from error


def _replaced(receiving: tuple[ReceivingChain, ...], place: int, chain: ReceivingChain) -> tuple[ReceivingChain, ...]:
    chains = (*receiving[:place], chain, *receiving[place + 1 :])
    return _bounded(chains) if len(chain.skipped) > len(receiving[place].skipped) else chains


def _bounded(receiving: tuple[ReceivingChain, ...], keep: int = MAX_KEPT_KEYS) -> tuple[ReceivingChain, ...]:
    """The chains with at most `keep` skipped keys between them: the newest chains keep theirs first."""
    chains = []
    for chain in receiving:
        kept = skipped.newest(chain.skipped, keep)
        keep -= skipped.count(kept)
        chains.append(chain if kept == chain.skipped else chain._replace(skipped=kept))
    return tuple(chains)
