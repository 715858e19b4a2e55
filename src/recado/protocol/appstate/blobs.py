"""
Parts of the shared state that lie on the servers for files: snapshots, and the entries of large patches; the stanza
only points to them. Also how a snapshot is put together from patches, which takes no key.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError as ProtobufError

from recado.content import EncryptedFile
from recado.errors import DecodeError
from recado.protocol.appstate.patches import Patch, Snapshot
from recado.protocol.proto import appstate_pb2 as wire


def read_reference(blob: bytes) -> EncryptedFile:
    """What a snapshot's stanza points to. Raises DecodeError."""
    try:
        return _file(wire.ExternalBlobReference.FromString(blob))
    except ProtobufError:
        raise DecodeError("a reference to a snapshot is not well-formed") from None


def write_reference(file: EncryptedFile) -> bytes:
    """The bytes that point to a file."""
    return wire.ExternalBlobReference(
        media_key=file.key,
        direct_path=file.direct_path,
        file_size_bytes=file.size,
        file_sha256=file.sha256,
        file_enc_sha256=file.enc_sha256,
    ).SerializeToString()


def entries_of(patch: Patch) -> EncryptedFile | None:
    """Where the entries of a patch lie, when they are not in it."""
    return _file(patch.external_mutations) if patch.HasField("external_mutations") else None


def snapshot_of(patches: Iterable[Patch]) -> Snapshot:
    """The collection to which these patches lead, in one piece; there is one at least."""
    records: dict[bytes, wire.SyncdRecord] = {}
    last = Patch()
    for last in patches:
        for mutation in last.mutations:
            if mutation.operation == wire.SyncdMutation.SET:
                records[mutation.record.index.blob] = mutation.record
            else:
                records.pop(mutation.record.index.blob, None)
    return Snapshot(version=last.version, records=list(records.values()), mac=last.snapshot_mac, key_id=last.key_id)


def _file(reference: wire.ExternalBlobReference) -> EncryptedFile:
    return EncryptedFile(
        direct_path=reference.direct_path,
        url="",
        key=reference.media_key,
        sha256=reference.file_sha256,
        enc_sha256=reference.file_enc_sha256,
        size=reference.file_size_bytes,
    )
