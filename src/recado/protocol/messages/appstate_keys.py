"""What own devices write each other about the keys of the shared state: asking for some, and giving them."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError
from recado.protocol.messages.software import AppStateKey
from recado.protocol.proto.e2e_pb2 import (
    AppStateSyncKey,
    AppStateSyncKeyData,
    AppStateSyncKeyFingerprint,
    AppStateSyncKeyId,
    AppStateSyncKeyRequest,
    AppStateSyncKeyShare,
    Message,
    ProtocolMessage,
)


def encode_key_request(ids: Iterable[bytes]) -> bytes:
    """The message that asks for the keys with these ids."""
    request = AppStateSyncKeyRequest(key_ids=[AppStateSyncKeyId(key_id=id) for id in ids])
    said = ProtocolMessage(type=ProtocolMessage.APP_STATE_SYNC_KEY_REQUEST, app_state_sync_key_request=request)
    return Message(protocol_message=said).SerializeToString()


def encode_key_share(keys: Iterable[AppStateKey], lacking: Iterable[bytes] = ()) -> bytes:
    """The message that gives keys, and names those that were asked for and are not here. Raises DecodeError."""
    given = [AppStateSyncKey(key_id=AppStateSyncKeyId(key_id=key.id), key_data=_data(key)) for key in keys]
    given += [AppStateSyncKey(key_id=AppStateSyncKeyId(key_id=id)) for id in lacking]
    share = AppStateSyncKeyShare(keys=given)
    said = ProtocolMessage(type=ProtocolMessage.APP_STATE_SYNC_KEY_SHARE, app_state_sync_key_share=share)
    return Message(protocol_message=said).SerializeToString()


def _data(key: AppStateKey) -> AppStateSyncKeyData:
    try:
        fingerprint = AppStateSyncKeyFingerprint.FromString(key.fingerprint)
    except ProtobufError:
        raise DecodeError("a fingerprint of a key is not well-formed") from None
    return AppStateSyncKeyData(key_data=key.data, fingerprint=fingerprint, timestamp=key.made_at)
