"""
What a linked device asks of its own phone, and the phone's answer: older messages of a chat, all there is, a message it
could not open, a part of the history once more. Both travel as messages of software to software.

The answer to the last two comes as messages in itself; the past comes as parts of the history that name the question.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.jid import JID
from recado.protocol.messages.history import SYNC_TYPES, sync_type_name
from recado.protocol.proto import e2e_pb2 as wire

_KINDS = wire.PeerDataOperationRequestType


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAsked:
    """`count` messages of `chat` before one that is known. `before_at` in milliseconds."""

    chat: JID
    before: str
    before_from_me: bool
    before_at: int
    count: int
    account_lid: JID | None = None


@dataclass(frozen=True, slots=True)
class AllAsked:
    """The whole history, as far as the phone gives it."""

    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAsked:
    """A message that could not be opened here; `participant` is its author in a group."""

    chat: JID
    id: str
    from_me: bool
    participant: JID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAsked:
    """A part of the history that could not be had, once more: that of the message `id`."""

    kind: str
    chunk: int
    id: str


@dataclass(frozen=True, slots=True)
class CollectionAsked:
    """A collection of the shared state that does not authenticate here, in the open; `at` in seconds."""

    collection: str
    at: int


PhoneRequest = PastAsked | AllAsked | MessageAsked | PartAsked | CollectionAsked


@dataclass(frozen=True, slots=True)
class PhoneAnswer:
    """What the phone says to the request `request` (the id of its message): messages as WebMessageInfo bytes."""

    request: str
    messages: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class CollectionGiven:
    """A collection of the shared state in the open, as the phone answers `request`; empty: it has none."""

    request: str
    blob: bytes = field(repr=False)
    is_compressed: bool = False


def encode_phone_request(request: PhoneRequest) -> bytes:
    """The unpadded message that asks."""
    asked = wire.PeerDataOperationRequestMessage()
    match request:
        case PastAsked():
            asked.peer_data_operation_request_type = _KINDS.HISTORY_SYNC_ON_DEMAND
            asked.history_sync_on_demand_request.CopyFrom(
                wire.HistorySyncOnDemandRequest(
                    chat_jid=str(request.chat),
                    oldest_msg_id=request.before,
                    oldest_msg_from_me=request.before_from_me,
                    on_demand_msg_count=request.count,
                    oldest_msg_timestamp_ms=request.before_at,
                    account_lid=None if request.account_lid is None else str(request.account_lid),
                )
            )
        case AllAsked(id):
            asked.peer_data_operation_request_type = _KINDS.FULL_HISTORY_SYNC_ON_DEMAND
            asked.full_history_sync_on_demand_request.request_metadata.request_id = id
        case MessageAsked():
            asked.peer_data_operation_request_type = _KINDS.PLACEHOLDER_MESSAGE_RESEND
            key = asked.placeholder_message_resend_request.add().message_key
            key.remote_jid, key.from_me, key.id = str(request.chat), request.from_me, request.id
            if request.participant is not None:
                key.participant = str(request.participant)
        case PartAsked():
            asked.peer_data_operation_request_type = _KINDS.HISTORY_SYNC_CHUNK_RETRY
            again = asked.history_sync_chunk_retry_request
            again.sync_type, again.chunk_order = SYNC_TYPES.index(request.kind), request.chunk
            again.chunk_notification_id, again.regenerate_chunk = request.id, True
        case CollectionAsked(collection, at):
            asked.peer_data_operation_request_type = _KINDS.COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY
            fatal = asked.syncd_collection_fatal_recovery_request
            fatal.collection_name, fatal.timestamp = collection, at
    return wire.Message(
        protocol_message=wire.ProtocolMessage(
            type=wire.ProtocolMessage.PEER_DATA_OPERATION_REQUEST_MESSAGE,
            peer_data_operation_request_message=asked,
        )
    ).SerializeToString()


def encode_phone_answer(answer: PhoneAnswer | CollectionGiven) -> bytes:
    """The unpadded message with which a phone answers for a message, or a collection."""
    said = wire.PeerDataOperationRequestResponseMessage(stanza_id=answer.request)
    if isinstance(answer, PhoneAnswer):
        said.peer_data_operation_request_type = _KINDS.PLACEHOLDER_MESSAGE_RESEND
        for info in answer.messages:
            said.peer_data_operation_result.add().placeholder_message_resend_response.web_message_info_bytes = info
    else:
        said.peer_data_operation_request_type = _KINDS.COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY
        given = said.peer_data_operation_result.add().syncd_snapshot_fatal_recovery_response
        given.collection_snapshot, given.is_compressed = answer.blob, answer.is_compressed
    return wire.Message(
        protocol_message=wire.ProtocolMessage(
            type=wire.ProtocolMessage.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
            peer_data_operation_request_response_message=said,
        )
    ).SerializeToString()


def read_phone_request(protocol: wire.ProtocolMessage) -> PhoneRequest | None:
    """What a linked device asks; None for what has no use here."""
    asked = protocol.peer_data_operation_request_message
    match asked.peer_data_operation_request_type:
        case _KINDS.HISTORY_SYNC_ON_DEMAND:
            past = asked.history_sync_on_demand_request
            chat = _jid(past.chat_jid)
            return (
                None
                if chat is None
                else PastAsked(
                    chat=chat,
                    before=past.oldest_msg_id,
                    before_from_me=past.oldest_msg_from_me,
                    before_at=past.oldest_msg_timestamp_ms,
                    count=past.on_demand_msg_count,
                    account_lid=_jid(past.account_lid),
                )
            )
        case _KINDS.FULL_HISTORY_SYNC_ON_DEMAND:
            return AllAsked(asked.full_history_sync_on_demand_request.request_metadata.request_id)
        case _KINDS.PLACEHOLDER_MESSAGE_RESEND if asked.placeholder_message_resend_request:
            key = asked.placeholder_message_resend_request[0].message_key
            chat = _jid(key.remote_jid)
            return (
                None
                if chat is None
                else MessageAsked(chat=chat, id=key.id, from_me=key.from_me, participant=_jid(key.participant))
            )
        case _KINDS.HISTORY_SYNC_CHUNK_RETRY:
            again = asked.history_sync_chunk_retry_request
            return PartAsked(
                kind=sync_type_name(again.sync_type), chunk=again.chunk_order, id=again.chunk_notification_id
            )
        case _KINDS.COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY:
            fatal = asked.syncd_collection_fatal_recovery_request
            return CollectionAsked(fatal.collection_name, fatal.timestamp)
        case _:
            return None


def read_phone_answer(protocol: wire.ProtocolMessage) -> PhoneAnswer | CollectionGiven | None:
    """What the phone says to a request; None when it is about something else."""
    said = protocol.peer_data_operation_request_response_message
    if said.peer_data_operation_request_type == _KINDS.COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY:
        given = [each.syncd_snapshot_fatal_recovery_response for each in said.peer_data_operation_result]
        blob = given[0].collection_snapshot if given else b""
        return CollectionGiven(said.stanza_id, blob, bool(given) and given[0].is_compressed)
    results = [result.placeholder_message_resend_response for result in said.peer_data_operation_result]
    infos = tuple(result.web_message_info_bytes for result in results if result.web_message_info_bytes)
    if said.peer_data_operation_request_type != _KINDS.PLACEHOLDER_MESSAGE_RESEND and not infos:
        return None
    return PhoneAnswer(said.stanza_id, infos)


def _jid(text: str) -> JID | None:
    try:
        return JID.parse(text) if "@" in text else None
    except ValueError:
        return None
