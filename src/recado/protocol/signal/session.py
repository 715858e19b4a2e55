"""
Sessions between two devices: begin one, seal and open what travels in it, and choose the right one among several.

Pure steps on values: (record, input) → (record', output). A step that raises has changed nothing. Prekeys are handed
in; `wanted_prekeys` says which. Told in docs/protocol/signal.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from recado.errors import (
    BadMac,
    DecodeError,
    EnvelopeError,
    MalformedEnvelope,
    NoSession,
    TooFarAhead,
    UnknownPreKey,
)
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.agreement import KEY_TYPE, PreKeyBundle, agree_as_initiator, agree_as_responder
from recado.protocol.signal.format import (
    PreKeyWhisperMessage,
    WhisperMessage,
    decode_message,
    decode_prekey_message,
    encode_prekey_message,
)
from recado.protocol.signal.ratchet import MAX_JUMP, MAX_KEPT_KEYS, Ratchet, begin, unseal
from recado.protocol.signal.ratchet import seal as seal_in
from recado.protocol.signal.record import Offer, SessionRecord, State, decode_state

__all__ = [
    "Envelope",
    "EnvelopeKind",
    "Opened",
    "OwnIdentity",
    "PreKeyBundle",
    "SessionRecord",
    "begins_session",
    "initiate",
    "open_envelope",
    "seal",
    "wanted_prekeys",
]

Entropy = Callable[[int], bytes]


class EnvelopeKind(StrEnum):
    """By its name on the wire: one that may begin a session, one within it, or one for a whole group."""

    PREKEY = "pkmsg"
    MESSAGE = "msg"
    GROUP = "skmsg"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed message."""

    kind: EnvelopeKind
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """Who we are to others: the number of our registration and our identity key."""

    registration_id: int
    pair: KeyPair


class Opened(NamedTuple):
    """
    What opening gave: the record to save, the plaintext, the one-time prekey it used up (None: no new session), and
    whose it was. `identity_changed`: the record knew another identity; its sessions are gone from the new record.
    """

    record: SessionRecord
    plaintext: bytes
    used_prekey: int | None
    identity: bytes
    identity_changed: bool

    def __repr__(self) -> str:
        return f"Opened(used_prekey={self.used_prekey}, identity_changed={self.identity_changed})"


def initiate(
    bundle: PreKeyBundle, *, own: OwnIdentity, entropy: Entropy, record: SessionRecord | None = None
) -> SessionRecord:
    """
    Begin a session with the device the bundle is of; those in `record` are archived.

    Raises BadMac when the signed prekey is not the identity's, DecodeError when a key is unusable.
    """
    if not bundle.is_authentic:
        raise BadMac("the signature of the prekey does not verify")
    base = KeyPair.generate(entropy)
    secrets = agree_as_initiator(own.pair, base, bundle)
    ratchet = begin(secrets.root, bundle.signed_prekey, entropy)
    offer = Offer(bundle.prekey_id, bundle.signed_prekey_id)
    state = State(base.public, bundle.identity, bundle.registration_id, offer, ratchet)
    return SessionRecord(state) if record is None else record.succeeded_by(state)


def seal(record: SessionRecord | None, plaintext: bytes, *, own: OwnIdentity) -> tuple[SessionRecord, Envelope]:
    """Encrypt in the current session; of kind PREKEY until the other side has answered. Raises NoSession."""
    if record is None:
        raise NoSession
    base_key, remote_identity, remote_registration_id, offer, ratchet = record.current
    associated = b"".join((KEY_TYPE, own.pair.public, KEY_TYPE, remote_identity))
    ratchet, ciphertext = seal_in(ratchet, plaintext, associated)
    state = State(base_key, remote_identity, remote_registration_id, offer, ratchet)
    kind = EnvelopeKind.MESSAGE
    if offer is not None:
        kind = EnvelopeKind.PREKEY
        ciphertext = encode_prekey_message(
            PreKeyWhisperMessage(
                offer.prekey_id,
                offer.signed_prekey_id,
                base_key,
                own.pair.public,
                own.registration_id,
                ciphertext,
            )
        )
    return SessionRecord(state, record.archived), Envelope(kind, ciphertext)


def wanted_prekeys(envelope: Envelope) -> tuple[int | None, int]:
    """The ids (one-time or None, signed) an envelope of kind PREKEY asks for. Raises MalformedEnvelope."""
    if envelope.kind is not EnvelopeKind.PREKEY:
        raise MalformedEnvelope
    offered = decode_prekey_message(envelope.ciphertext)
    return offered.prekey_id, offered.signed_prekey_id


def begins_session(record: SessionRecord | None, envelope: Envelope) -> bool:
    """
    Will opening it begin a session, for which the prekeys of `wanted_prekeys` are needed? Not one of kind PREKEY that
    repeats the offer of a session `record` holds. Raises MalformedEnvelope, BadRecord.
    """
    if envelope.kind is not EnvelopeKind.PREKEY:
        return False
    offered = decode_prekey_message(envelope.ciphertext)
    if record is None or record.remote_identity != offered.identity:
        return True
    wanted = offered.base_key
    return record.base_key != wanted and not any(
        wanted in encoded and decode_state(encoded).base_key == wanted for encoded in record.archived
    )


def open_envelope(
    record: SessionRecord | None,
    envelope: Envelope,
    *,
    own: OwnIdentity,
    entropy: Entropy,
    prekey: KeyPair | None = None,
    signed_prekey: KeyPair | None = None,
) -> Opened:
    """
    Decrypt an envelope in the session it belongs to, which becomes the current one, or in the one it begins.

    The prekeys are those `wanted_prekeys` named; for a session already known they are not looked at. A new identity
    is taken on first use. Raises NoSession, UnknownPreKey, DuplicateMessage, BadMac, TooFarAhead, MalformedEnvelope,
    or BadRecord when an archived session cannot be read.
    """
    if envelope.kind is EnvelopeKind.PREKEY:
        offered = decode_prekey_message(envelope.ciphertext)
        opened = _open_known(record, offered, own, entropy)
        return opened or _open_first(record, offered, own, entropy, prekey, signed_prekey)
    message = decode_message(envelope.ciphertext)
    if record is None:
        raise NoSession
    try:
        state, plaintext = _open_in(record.current, message, own, entropy)
    except (BadMac, TooFarAhead) as refusal:
        if record.current.ratchet.knows(message.ratchet):
            raise
        return _open_archived(record, message, own, entropy, refusal)
    return Opened(record.advanced(state), plaintext, None, state.remote_identity, False)


def _open_known(
    record: SessionRecord | None, offered: PreKeyWhisperMessage, own: OwnIdentity, entropy: Entropy
) -> Opened | None:
    """Open what repeats the offer of a session we hold: the other side has not had our answer yet. None if unheld."""
    if record is None or record.remote_identity != offered.identity:
        return None
    if record.base_key == offered.base_key:
        state, plaintext = _open_in(record.current, decode_message(offered.message), own, entropy)
        return Opened(record.advanced(state), plaintext, None, offered.identity, False)
    for place, encoded in enumerate(record.archived):
        if offered.base_key in encoded and (state := decode_state(encoded)).base_key == offered.base_key:
            state, plaintext = _open_in(state, decode_message(offered.message), own, entropy)
            return Opened(record.promoted(place, state), plaintext, None, offered.identity, False)
    return None


def _open_first(
    record: SessionRecord | None,
    offered: PreKeyWhisperMessage,
    own: OwnIdentity,
    entropy: Entropy,
    prekey: KeyPair | None,
    signed_prekey: KeyPair | None,
) -> Opened:
    """Open the message that begins a session."""
    message = decode_message(offered.message)
    if offered.prekey_id is None:
        prekey = None
    elif prekey is None:
        raise UnknownPreKey
    if signed_prekey is None:
        raise UnknownPreKey
    identity = offered.identity
    try:
        secrets = agree_as_responder(
            own.pair, signed_prekey=signed_prekey, prekey=prekey, identity=identity, base=offered.base_key
        )
    except DecodeError as error:
        raise MalformedEnvelope from error
    ratchet = Ratchet(secrets.root, signed_prekey, secrets.chain)
    begun = State(offered.base_key, identity, offered.registration_id, None, ratchet)
    state, plaintext = _open_in(begun, message, own, entropy)
    if record is None:
        return Opened(SessionRecord(state), plaintext, offered.prekey_id, identity, False)
    changed = record.remote_identity != identity
    return Opened(record.succeeded_by(state), plaintext, offered.prekey_id, identity, changed)


def _open_archived(
    record: SessionRecord, message: WhisperMessage, own: OwnIdentity, entropy: Entropy, refusal: EnvelopeError
) -> Opened:
    """Open what the current session refused, under a ratchet key it does not know: in the archived one that can."""
    for place, encoded in enumerate(record.archived):
        try:
            # Each of forty states may be asked: a short jump bounds what one forged message costs.
            state, plaintext = _open_in(decode_state(encoded), message, own, entropy, max_jump=MAX_KEPT_KEYS)
        except (BadMac, TooFarAhead):
            continue
        return Opened(record.promoted(place, state), plaintext, None, state.remote_identity, False)
    raise refusal


def _open_in(
    state: State, message: WhisperMessage, own: OwnIdentity, entropy: Entropy, *, max_jump: int = MAX_JUMP
) -> tuple[State, bytes]:
    """Open in one session. The other side has it now, so what we send in it needs no offer any more."""
    base_key, remote_identity, remote_registration_id, _, ratchet = state
    associated = b"".join((KEY_TYPE, remote_identity, KEY_TYPE, own.pair.public))
    ratchet, plaintext = unseal(ratchet, message, associated, entropy, max_jump=max_jump)
    return State(base_key, remote_identity, remote_registration_id, None, ratchet), plaintext
