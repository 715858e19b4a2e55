"""
What client software tells client software, inside envelopes: parts of the history, keys of the app state, answers of
the phone. One table from the protocol message's type to what it says; nothing here is for people, and nothing here is
believed unless an own device said it (the handlers check that).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from recado.protocol.messages.history import HistoryPush, read_push
from recado.protocol.messages.migration import LidMappings, read_mappings
from recado.protocol.messages.phone_requests import (
    CollectionGiven,
    PhoneAnswer,
    PhoneRequest,
    read_phone_answer,
    read_phone_request,
)
from recado.protocol.proto.e2e_pb2 import ProtocolMessage


@dataclass(frozen=True, slots=True)
class AppStateKey:
    """A key of the app state: its id, its 32 bytes, and when it was made (seconds)."""

    id: bytes
    data: bytes = field(repr=False)
    made_at: int
    fingerprint: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AppStateKeyShare:
    """Keys of the app state, from an own device; one without data says that it has none of that id."""

    keys: tuple[AppStateKey, ...]


@dataclass(frozen=True, slots=True)
class AppStateKeyRequest:
    """An own device lacks these keys of the app state."""

    ids: tuple[bytes, ...]


News = HistoryPush | AppStateKeyShare | PhoneRequest | PhoneAnswer | CollectionGiven | LidMappings | AppStateKeyRequest


def read_news(protocol: ProtocolMessage) -> News | None:
    """What it tells, None for what has no use here. Raises DecodeError."""
    read = _READERS.get(protocol.type) if protocol.HasField("type") else None
    return None if read is None else read(protocol)


def _history(protocol: ProtocolMessage) -> News | None:
    if not protocol.HasField("history_sync_notification"):
        return None
    return read_push(protocol.history_sync_notification)


def _key_share(protocol: ProtocolMessage) -> News | None:
    if not protocol.HasField("app_state_sync_key_share"):
        return None
    return AppStateKeyShare(
        tuple(
            AppStateKey(
                id=key.key_id.key_id,
                data=key.key_data.key_data,
                made_at=key.key_data.timestamp,
                fingerprint=key.key_data.fingerprint.SerializeToString(),
            )
            for key in protocol.app_state_sync_key_share.keys
        )
    )


def _key_request(protocol: ProtocolMessage) -> News | None:
    if not protocol.HasField("app_state_sync_key_request"):
        return None
    return AppStateKeyRequest(tuple(id.key_id for id in protocol.app_state_sync_key_request.key_ids))


_READERS: dict[int, Callable[[ProtocolMessage], News | None]] = {
    ProtocolMessage.HISTORY_SYNC_NOTIFICATION: _history,
    ProtocolMessage.PEER_DATA_OPERATION_REQUEST_MESSAGE: read_phone_request,
    ProtocolMessage.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE: read_phone_answer,
    ProtocolMessage.APP_STATE_SYNC_KEY_SHARE: _key_share,
    ProtocolMessage.APP_STATE_SYNC_KEY_REQUEST: _key_request,
    ProtocolMessage.LID_MIGRATION_MAPPING_SYNC: read_mappings,
}
