"""
The servers for files: what is uploaded lies on the disk, encrypted as it came, and is handed out over HTTPS.

    POST /mms/TYPE/HASH?auth=&token=      the body is the encrypted file, HASH its SHA-256   → {"url", "direct_path"}
    POST … &resume=1                      how far did it come?       → {"resume": bytes, or "complete" with both}
    POST … &file_offset=N                 the rest of it, from byte N on
    DELETE /mms/TYPE/HASH?auth=&token=&d_md=&e_handle=   d_md is the file's path             → 200, 401, 403, 404
    POST /newsletter/newsletter-TYPE/HASH?auth=&token=   not encrypted, HASH the file's own  → the same and "handle"
    GET  /v/…/NAME.enc?…                  with Range or without                              → 200, 206, 404, 410, 416
    GET  /v/pictures/ID.jpg               what somebody shows of themselves, as it is        → 200, 404

Leave to upload comes from `media_conn` and runs out by the world's clock. What goes wrong on purpose is planned with
`plan`, and `expire` takes files off the servers as time does; their phones can put them there again.
"""

from __future__ import annotations

import hashlib
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from recado.clock import Clock

TYPES = frozenset(
    {"image", "video", "audio", "document", "md-app-state", "md-msg-hist", "thumbnail-link", "biz-cover-photo"}
    | {"sticker-pack", "thumbnail-sticker-pack"}
)
POSTED = frozenset({"newsletter-image", "newsletter-video", "newsletter-audio", "newsletter-document"})
"""What is uploaded for channels, as it is: the hash is the file's own."""
TTL = timedelta(hours=1)


class FileFault(StrEnum):
    """What can go wrong with a transfer."""

    REFUSE = "refuse"  # answered with `code`
    CUT = "cut"  # the connection dies after `after` bytes
    CORRUPT = "corrupt"  # one bit of what is handed out flips
    SWALLOW = "swallow"  # what was uploaded is kept, and nobody hears of it


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault of transfers with that method, so often."""

    fault: FileFault
    method: str
    times: int = 1
    code: int = 503
    after: int = 0


@dataclass(slots=True)
class StoredFile:
    """A file on the disk; `is_gone` when it is not handed out any more. Who deletes it names its `handle`, if any."""

    path: Path
    size: int
    enc_sha256: bytes = field(repr=False)
    type: str
    is_gone: bool = False
    handle: str | None = None


class FileServer:
    """The files of a world. `hosts` is what `media_conn` names, the best first; `most` is what one may upload."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self.hosts: list[str] = []
        self.most = 2 * 1024 * 1024 * 1024
        self.requests: list[tuple[str, str, int]] = []
        """Every transfer asked for: method (as in `plan`), path, and from which byte on."""
        self.happened: list[PlannedFault] = []
        self._clock = clock
        self._entropy = entropy
        self._auths: dict[str, datetime] = {}
        self._files: dict[str, StoredFile] = {}
        self._parts: dict[bytes, Path] = {}
        self._planned: list[PlannedFault] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._handles: set[str] = set()
        self._pictures: dict[str, bytes] = {}

    # ---- what tests and phones do

    def plan(self, fault: FileFault, method: str, *, times: int = 1, code: int = 503, after: int = 0) -> None:
        """Let `fault` happen to the next `times` transfers with that method (GET, POST, DELETE, or RESUME)."""
        self._planned.append(PlannedFault(fault, method, times, code, after))

    def expire(self, direct_path: str | None = None) -> None:
        """Take that file (all of them) off the servers: 410 from now on."""
        for name, stored in self._files.items():
            if direct_path is None or name == _name(direct_path):
                stored.is_gone = True

    def expire_leave(self) -> None:
        """Nobody may upload any more before asking for leave anew."""
        self._auths.clear()

    def read(self, direct_path: str) -> bytes | None:
        """The encrypted bytes, as a phone fetches them; None when they are not there."""
        stored = self._files.get(_name(direct_path))
        return None if stored is None or stored.is_gone else stored.path.read_bytes()

    def add(self, type: str, data: bytes) -> tuple[str, str]:
        """Put a file there, as a phone does: its address and its path."""
        path = self.new_place()
        path.write_bytes(data)
        return self.keep(type, path, len(data), hashlib.sha256(data).digest())

    def guard(self, direct_path: str) -> str:
        """A handle for that file: from now on nobody deletes it who does not name it."""
        stored, handle = self._files[_name(direct_path)], self._entropy(12).hex()
        stored.handle = handle
        return handle

    def again(self, enc_sha256: bytes) -> str | None:
        """A phone uploads what it still has once more: the new path; None when it never was here."""
        for stored in self._files.values():
            if stored.enc_sha256 == enc_sha256:
                return self.keep(stored.type, stored.path, stored.size, enc_sha256)[1]
        return None

    # ---- what the server does

    def give_leave(self) -> str:
        """Leave to upload, for `TTL`."""
        auth = urlsafe_b64encode(self._entropy(24)).decode()
        self._auths[auth] = self._clock.now() + TTL
        return auth

    def may_upload(self, auth: str) -> bool:
        """Is that leave, and still good?"""
        until = self._auths.get(auth)
        return until is not None and self._clock.now() < until

    def take(self, method: str) -> PlannedFault | None:
        """The fault that happens now, if any; it is used up."""
        for place, planned in enumerate(self._planned):
            if planned.method == method:
                if planned.times > 1:
                    self._planned[place] = replace(planned, times=planned.times - 1)
                else:
                    del self._planned[place]
                self.happened.append(planned)
                return planned
        return None

    def find(self, path: str) -> StoredFile | None:
        """The file of that path, gone or not."""
        return self._files.get(_name(path))

    def new_place(self) -> Path:
        """Where the next file goes on the disk."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="recado-files-")
        return Path(self._folder.name) / self._entropy(12).hex()

    def how_much(self, enc_sha256: bytes) -> int:
        """So many bytes of that file came before it broke off."""
        part = self._parts.get(enc_sha256)
        return part.stat().st_size if part is not None else 0

    def take_part(self, enc_sha256: bytes) -> Path:
        """Where what came of it lies, for who goes on with it."""
        return self._parts.pop(enc_sha256)

    def keep_part(self, enc_sha256: bytes, path: Path) -> None:
        """It broke off: what came of it stays."""
        self._parts[enc_sha256] = path

    def uploaded(self, enc_sha256: bytes) -> tuple[str, str] | None:
        """The address and path of that file, if it is whole and here."""
        for stored in self._files.values():
            if stored.enc_sha256 == enc_sha256 and not stored.is_gone:
                return self.keep(stored.type, stored.path, stored.size, enc_sha256)
        return None

    def keep(self, type: str, path: Path, size: int, enc_sha256: bytes) -> tuple[str, str]:
        """A file is whole: its address and its path from now on."""
        id = self._entropy(10).hex()
        name = f"/m1/v/t24/{id}" if type in POSTED else f"/v/t62.7118-24/{id}.enc"
        self._files[name] = StoredFile(path, size, enc_sha256, type)
        direct_path = f"{name}?ccb=11-4&oh={self._entropy(8).hex()}&oe={int(self._clock.now().timestamp()):x}"
        return f"https://{self.hosts[0] if self.hosts else 'mmg.invalid'}{direct_path}", direct_path

    def show(self, id: str, jpeg: bytes) -> tuple[str, str]:
        """A picture everybody who is told of it may see: its address and its path."""
        path = f"/v/pictures/{id}.jpg"
        self._pictures[path] = jpeg
        return f"https://{self.hosts[0] if self.hosts else 'mmg.invalid'}{path}", path

    def shown(self, path: str) -> bytes | None:
        """The picture of that path."""
        return self._pictures.get(path)

    def handle_of(self, direct_path: str) -> str:
        """By what a post names that file."""
        handle = urlsafe_b64encode(hashlib.sha256(_name(direct_path).encode()).digest()).decode()
        self._handles.add(handle)
        return handle

    def knows(self, handle: str) -> bool:
        """Was a file given that handle?"""
        return handle in self._handles

    def close(self) -> None:
        """Delete everything."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        self._files.clear()


def token_of(enc_sha256: bytes) -> str:
    """What a file is called while it is uploaded."""
    return urlsafe_b64encode(enc_sha256).decode().rstrip("=")


def hash_of(token: str) -> bytes:
    """The hash that a file's token stands for; b"" when it is none."""
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""


def read_place(told: str) -> str:
    """The path that a deletion names; "" when it is none."""
    try:
        return urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode()
    except ValueError:
        return ""


def _name(direct_path: str) -> str:
    return urlsplit(direct_path).path
