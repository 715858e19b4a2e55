"""
A file on WhatsApp's servers as it is noted until it is here: where it lies, what opens it there, and whose message it
came with, for the phone to be asked for it again. In the database this is an envelope, and nothing of it is elsewhere.
A picture that somebody shows has no key: of it there is only whose it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import UUID

from recado.content import EncryptedFile, Media, MediaKind
from recado.errors import BadRecord
from recado.jid import JID

PICTURE = "picture:"
"""What a person or group shows of itself is asked for by this and its address (gateway/pictures)."""


@dataclass(frozen=True, slots=True)
class FileOnServers:
    """A file, and its message."""

    content: Media = field(repr=False)
    id: str
    chat: JID = field(repr=False)
    from_me: bool
    sender: JID | None = field(repr=False)


def encode_remote(file: FileOnServers) -> str:
    """As JSON."""
    remote = file.content.remote
    if remote is None:
        raise BadRecord("a file without a place is not noted")
    return json.dumps(
        {
            "kind": file.content.kind.value,
            "direct_path": remote.direct_path,
            "key": remote.key.hex(),
            "sha256": remote.sha256.hex(),
            "enc_sha256": remote.enc_sha256.hex(),
            "size": remote.size,
            "id": file.id,
            "chat": str(file.chat),
            "from_me": file.from_me,
            "sender": None if file.sender is None else str(file.sender),
        }
    )


def decode_remote(text: str) -> FileOnServers:
    """Read it again. Raises BadRecord."""
    try:
        said = json.loads(text)
        remote = EncryptedFile(
            direct_path=said["direct_path"],
            url="",
            key=bytes.fromhex(said["key"]),
            sha256=bytes.fromhex(said["sha256"]),
            enc_sha256=bytes.fromhex(said["enc_sha256"]),
            size=said["size"],
        )
        sender = None if said["sender"] is None else JID.parse(said["sender"])
        media = Media(MediaKind(said["kind"]), remote=remote)
        return FileOnServers(media, said["id"], JID.parse(said["chat"]), bool(said["from_me"]), sender)
    except (ValueError, TypeError, KeyError):
        raise BadRecord("what is noted of a file cannot be read") from None


def picture_of(remote: str) -> JID | None:
    """Whose picture is to be fetched, when that is what the row says. Raises BadRecord."""
    if not remote.startswith(PICTURE):
        return None
    try:
        return JID.parse(remote.removeprefix(PICTURE))
    except ValueError:
        raise BadRecord("what is noted of a picture cannot be read") from None


def sealed_remote_name(id: UUID) -> str:
    """What it is called when it is sealed."""
    return f"media remote {id}"
