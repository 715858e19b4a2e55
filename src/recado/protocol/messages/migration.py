"""
When an account moves to LIDs, its phone tells every linked device which number is which LID, all at once: a message of
software to software whose payload is a protobuf of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError
from recado.jid import JID, LID, PHONE
from recado.protocol.proto.e2e_pb2 import LIDMigrationMappingSyncMessage, Message, ProtocolMessage
from recado.protocol.proto.migration_pb2 import LIDMigrationMapping, LIDMigrationMappingSyncPayload


@dataclass(frozen=True, slots=True)
class LidMappings:
    """Numbers and LIDs that are one person each."""

    pairs: tuple[tuple[JID, JID], ...] = field(repr=False)


def read_mappings(protocol: ProtocolMessage) -> LidMappings | None:
    """What the phone tells, the latest LID of each number. Raises DecodeError."""
    if not protocol.HasField("lid_migration_mapping_sync_message"):
        return None
    try:
        payload = LIDMigrationMappingSyncPayload.FromString(
            protocol.lid_migration_mapping_sync_message.encoded_mapping_payload
        )
    except ProtobufError:
        raise DecodeError("the mappings of numbers and LIDs cannot be read") from None
    return LidMappings(
        tuple(
            (JID(str(each.pn), PHONE), JID(str(each.latest_lid or each.assigned_lid), LID))
            for each in payload.pn_to_lid_mappings
            if each.pn and (each.latest_lid or each.assigned_lid)
        )
    )


def encode_mappings(pairs: tuple[tuple[JID, JID], ...]) -> bytes:
    """The message a phone tells them with."""
    listed = [LIDMigrationMapping(pn=int(phone.user), assigned_lid=int(lid.user)) for phone, lid in pairs]
    payload = LIDMigrationMappingSyncPayload(pn_to_lid_mappings=listed).SerializeToString()
    told = ProtocolMessage(
        type=ProtocolMessage.LID_MIGRATION_MAPPING_SYNC,
        lid_migration_mapping_sync_message=LIDMigrationMappingSyncMessage(encoded_mapping_payload=payload),
    )
    return Message(protocol_message=told).SerializeToString()
