"""
Sessions and sender keys as the libsignal libraries serialise them (proto/libsignal.proto), as our records.

The keys of messages that were passed over are kept derived there, from which the seed we keep cannot be had: such a
message, if it still comes, is asked for again. Newer libraries keep the seed, and then it is taken.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError as ProtobufError

from recado.importers.libsignal_json import packed
from recado.importers.session import key_pair, public_key
from recado.protocol.proto import libsignal_pb2 as wire
from recado.protocol.signal.ratchet import MAX_CHAINS, Ratchet, ReceivingChain
from recado.protocol.signal.record import MAX_ARCHIVED, Offer, SessionRecord, State
from recado.protocol.signal.sender_key import SenderKey, SenderKeyRecord


def read_record(serialised: bytes) -> tuple[SessionRecord, int]:
    """A record, and how many keys of passed-over messages are not in it. Raises ValueError when it is not one."""
    try:
        told = wire.RecordStructure.FromString(serialised)
    except ProtobufError:
        raise ValueError("not a record") from None
    record, lost = SessionRecord(_state(told.current)), _lost(told.current)
    for structure in reversed(told.previous[:MAX_ARCHIVED]):
        try:
            state = _state(structure)
        except ValueError:
            continue  # one that never came to be
        if state.remote_identity == record.remote_identity:
            record = record.succeeded_by(state).promoted(0, record.current)
            lost += _lost(structure)
    return record, lost


def read_sender_key_record(serialised: bytes) -> SenderKeyRecord:
    """A member's keys in a group. Raises ValueError."""
    try:
        told = wire.SenderKeyRecord.FromString(serialised)
    except ProtobufError:
        raise ValueError("not a record") from None
    keys = tuple(
        SenderKey(
            id=state.id,
            iteration=state.chain_key.iteration,
            chain=_sized(state.chain_key.seed),
            public=public_key(state.signing_key.public),
            private=None,
            kept=packed({each.iteration: each.seed for each in state.message_keys}),
        )
        for state in told.states
    )
    if not keys:
        raise ValueError("no key")
    return SenderKeyRecord(keys)


def _state(told: wire.SessionStructure) -> State:
    sending, pending = told.sending, told.pending
    receiving = tuple(
        ReceivingChain(
            public_key(chain.ratchet_key),
            _sized(chain.chain_key.key),
            chain.chain_key.index,
            packed({key.index: key.seed for key in chain.message_keys if key.seed}),
        )
        for chain in reversed(told.receiving)
    )
    offer = None
    if told.HasField("pending"):
        offer = Offer(pending.prekey_id or None, pending.signed_prekey_id)
    return State(
        base_key=public_key(told.alice_base_key),
        remote_identity=public_key(told.remote_identity),
        remote_registration_id=told.remote_registration_id,
        offer=offer,
        ratchet=Ratchet(
            root=_sized(told.root_key),
            pair=key_pair(sending.ratchet_private, sending.ratchet_key),
            sending=_sized(sending.chain_key.key),
            sent=sending.chain_key.index,
            previous=told.previous_counter,
            receiving=receiving[:MAX_CHAINS],
        ),
    )


def _lost(told: wire.SessionStructure) -> int:
    return sum(1 for chain in told.receiving for key in chain.message_keys if not key.seed)


def _sized(key: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    return key
