"""
A session as a value: the state in use and the ones it replaced, and how they are stored.

    version (1 byte) · StoredRecord{current, archived…}

Older states are kept because messages sent before a new one began may still arrive. They stay encoded: a record is
read, copied and saved for every message, an archived state almost never. migrate.py reads the older versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import BadRecord
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.proto import signal_pb2
from recado.protocol.signal import skipped
from recado.protocol.signal.migrate import CURRENT_VERSION, migrate
from recado.protocol.signal.ratchet import MAX_CHAINS, Ratchet, ReceivingChain, trimmed

MAX_ARCHIVED = 40
MAX_ARCHIVED_KEYS = 200
"""Skipped keys an archived state takes along; with them a record stays below half a megabyte."""

_VERSION = bytes((CURRENT_VERSION,))


class Offer(NamedTuple):
    """The prekeys our first messages name, until the other side has answered."""

    prekey_id: int | None
    signed_prekey_id: int


class State(NamedTuple):
    """One session: with whom, begun by which base key, and its ratchet. `offer` is None once it is confirmed."""

    base_key: bytes
    remote_identity: bytes
    remote_registration_id: int
    offer: Offer | None
    ratchet: Ratchet

    def __repr__(self) -> str:
        return f"State(confirmed={self.offer is None}, {self.ratchet!r})"


@dataclass(frozen=True, slots=True, repr=False)
class SessionRecord:
    """All we hold of the sessions with one device. A value: each step returns another."""

    current: State
    archived: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"SessionRecord({self.current!r}, archived={len(self.archived)})"

    @property
    def remote_identity(self) -> bytes:
        """The other device's identity key, 32 bytes."""
        return self.current.remote_identity

    @property
    def remote_registration_id(self) -> int:
        """The number of the other device's registration, as it was when the current session began."""
        return self.current.remote_registration_id

    @property
    def base_key(self) -> bytes:
        """The initiator's base key of the current session: which session this is."""
        return self.current.base_key

    @property
    def is_confirmed(self) -> bool:
        """Whether the other side is known to hold the current session."""
        return self.current.offer is None

    def advanced(self, state: State) -> SessionRecord:
        """The record with its current session a step further."""
        return SessionRecord(state, self.archived)

    def succeeded_by(self, state: State) -> SessionRecord:
        """The record with a new session in use. Under another identity the old ones are forgotten."""
        if state.remote_identity != self.remote_identity:
            return SessionRecord(state)
        return SessionRecord(state, (_archive(self.current), *self.archived)[:MAX_ARCHIVED])

    def promoted(self, place: int, state: State) -> SessionRecord:
        """The record with an archived session in use again, a step further."""
        others = self.archived[:place] + self.archived[place + 1 :]
        return SessionRecord(state, (_archive(self.current), *others))

    def encode(self) -> bytes:
        """The bytes the store keeps."""
        return (
            _VERSION
            + signal_pb2.StoredRecord(current=encode_state(self.current), archived=self.archived).SerializeToString()
        )

    @classmethod
    def decode(cls, stored: bytes) -> SessionRecord:
        """The record of `encode`, of this version or an older one. Raises BadRecord."""
        try:
            record = signal_pb2.StoredRecord.FromString(migrate(stored))
        except ProtobufError as error:
            raise BadRecord from error
        return cls(decode_state(record.current), tuple(record.archived))


def encode_state(state: State) -> bytes:
    """One state as StoredState."""
    base_key, remote_identity, remote_registration_id, offer, ratchet = state
    stored = signal_pb2.StoredState(
        base_key=base_key,
        remote_identity=remote_identity,
        remote_registration_id=remote_registration_id,
        root=ratchet.root,
        ratchet_private=ratchet.pair.private,
        ratchet_public=ratchet.pair.public,
        sending_key=ratchet.sending,
        sent=ratchet.sent,
        previous=ratchet.previous,
    )
    if offer is not None:
        stored.offer.signed_prekey_id = offer.signed_prekey_id
        if offer.prekey_id is not None:
            stored.offer.prekey_id = offer.prekey_id
    for ratchet_key, key, position, kept in ratchet.receiving:
        stored.receiving.add(ratchet=ratchet_key, key=key, position=position, skipped=kept)
    return stored.SerializeToString()


def decode_state(encoded: bytes) -> State:
    """The state of `encode_state`. Raises BadRecord."""
    try:
        stored = signal_pb2.StoredState.FromString(encoded)
        pair = KeyPair(stored.ratchet_private, stored.ratchet_public)
    except (ProtobufError, ValueError) as error:
        raise BadRecord from error
    receiving = tuple(ReceivingChain(c.ratchet, c.key, c.position, c.skipped) for c in stored.receiving)
    ratchet = Ratchet(stored.root, pair, stored.sending_key, stored.sent, stored.previous, receiving)
    keys = [stored.base_key, stored.remote_identity, ratchet.root, ratchet.sending]
    keys += [key for chain in receiving for key in chain[:2]]
    if any(len(key) != 32 for key in keys) or len(receiving) > MAX_CHAINS:
        raise BadRecord
    if any(len(chain.skipped) % skipped.ENTRY for chain in receiving):
        raise BadRecord
    offer = None
    if stored.HasField("offer"):
        prekey_id = stored.offer.prekey_id if stored.offer.HasField("prekey_id") else None
        offer = Offer(prekey_id, stored.offer.signed_prekey_id)
    return State(stored.base_key, stored.remote_identity, stored.remote_registration_id, offer, ratchet)


def _archive(state: State) -> bytes:
    return encode_state(state._replace(ratchet=trimmed(state.ratchet, MAX_ARCHIVED_KEYS)))
