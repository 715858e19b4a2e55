"""
Putting a file on WhatsApp's servers: encrypted first, then offered to one host after the other. A host that wants other
leave than we have is asked again with fresh leave, once. What comes back goes into a message as `Media.remote`.

A large file that broke off goes on at the same host from the byte it has, for as long as it has more each time. How it
is asked: `resume=1` with no body is answered with {"resume": "complete", "url", "direct_path"} or {"resume": "OFFSET"};
the rest goes with `file_offset=OFFSET` (seen in whatsapp-rust, src/upload.rs; no peer here asks so).
"""

from __future__ import annotations

import logging
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from recado.client.media.hosts import FileHosts
from recado.client.media.sealed_file import SealedFile
from recado.client.media.transfer import TransferFailed, TransferRefused, Transfers
from recado.content import EncryptedFile
from recado.errors import MediaTooLarge, MediaUnavailable
from recado.protocol.media.kinds import FileKind
from recado.protocol.queries.media import MediaServers

logger = logging.getLogger("recado.client")

RESUMABLE = 5 * 1024 * 1024
"""From so many bytes on a file that broke off is not sent from its start again."""
_NO_LEAVE = (401, 403)
_TOO_LARGE = 413


async def upload_file(
    transfers: Transfers, hosts: FileHosts, sealed: SealedFile, kind: FileKind, *, now: int
) -> EncryptedFile:
    """The file is there, and this says where. Raises MediaUnavailable, MediaTooLarge, and as `FileHosts.get`."""
    servers = await hosts.get()
    refused = False
    for attempt in range(2):
        for host in servers.hosts:
            try:
                said = await _offer(transfers, host, _path(servers, sealed, kind), sealed)
            except TransferRefused as error:
                if error.status == _TOO_LARGE:
                    raise MediaTooLarge from None
                refused = refused or error.status in _NO_LEAVE
                logger.info("%s; trying the next", error)
                continue
            except TransferFailed as error:
                logger.info("%s; trying the next host", error)
                continue
            found = _found(said, sealed, now)
            if found is not None:
                return found
        if attempt == 0:
            # All of them failed: their names or our leave may have run out.
            servers = await hosts.get(instead_of=servers)
    raise MediaUnavailable("the servers for files gave no leave to upload" if refused else None)


async def _offer(transfers: Transfers, host: str, path: str, sealed: SealedFile) -> dict[str, object]:
    """What one host says once it has the file. Raises TransferFailed, TransferRefused."""
    start, size = 0, sealed.fingerprint.enc_size
    while True:
        try:
            offset = {"file_offset": str(start)} if start else {}
            return await transfers.put(host, path, sealed.chunks(start), size - start, offset)
        except TransferFailed:
            if size < RESUMABLE:
                raise
            said = await transfers.put(host, path, sealed.chunks(size), 0, {"resume": "1"})
            if said.get("resume") == "complete":
                return said
            held = _offset(said.get("resume"))
            if not start < held < size:
                raise
            logger.info("an upload goes on from byte %d of %d", held, size)
            start = held


def _offset(told: object) -> int:
    return int(told) if isinstance(told, str) and told.isdecimal() and len(told) < 20 else 0


def _path(servers: MediaServers, sealed: SealedFile, kind: FileKind) -> str:
    token = urlsafe_b64encode(sealed.fingerprint.enc_sha256).decode().rstrip("=")
    return f"/mms/{kind.path}/{token}?{urlencode({'auth': servers.auth, 'token': token})}"


def _found(said: dict[str, object], sealed: SealedFile, now: int) -> EncryptedFile | None:
    url, direct_path = said.get("url"), said.get("direct_path")
    if not isinstance(direct_path, str) or not direct_path:
        return None
    return EncryptedFile(
        direct_path=direct_path,
        url=url if isinstance(url, str) else "",
        key=sealed.key,
        sha256=sealed.fingerprint.sha256,
        enc_sha256=sealed.fingerprint.enc_sha256,
        size=sealed.fingerprint.size,
        key_made_at=now,
    )
