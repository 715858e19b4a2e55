"""
Putting a file on WhatsApp's servers: encrypted first, then offered to one host after the other. A host that wants other
leave than we have is asked again with fresh leave, once. What comes back goes into a message as `Media.remote`.
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
                said = await transfers.put(
                    host, _path(servers, sealed, kind), sealed.chunks(), sealed.fingerprint.enc_size
                )
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
