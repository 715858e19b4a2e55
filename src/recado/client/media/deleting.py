"""
Taking a file off WhatsApp's servers again: they are told its hash and where it lies, under the leave that uploads have.
A host that does not do it is followed by the next; what is there no more counts as taken away.
"""

from __future__ import annotations

import logging
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from recado.client.media.hosts import FileHosts
from recado.client.media.transfer import TransferFailed, TransferRefused, Transfers
from recado.content import EncryptedFile
from recado.errors import MediaUnavailable
from recado.protocol.media.kinds import FileKind

logger = logging.getLogger("recado.client")

_GONE = (404, 410)


async def delete_file(
    transfers: Transfers, hosts: FileHosts, remote: EncryptedFile, kind: FileKind, *, handle: str | None = None
) -> None:
    """
    The file is there no more. `handle` is told where whoever put it there gave one. Raises MediaUnavailable, and as
    `FileHosts.get`.
    """
    servers = await hosts.get()
    token = _plain(remote.enc_sha256)
    asked = {"token": token, "d_md": _plain(remote.direct_path.partition("?")[0].encode())}
    if handle is not None:
        asked["e_handle"] = handle
    for attempt in range(2):
        path = f"/mms/{kind.path}/{token}?{urlencode({'auth': servers.auth, **asked})}"
        for host in servers.hosts:
            try:
                await transfers.delete(host, path)
            except TransferRefused as error:
                if error.status in _GONE:
                    return
                logger.info("%s; trying the next", error)
            except TransferFailed as error:
                logger.info("%s; trying the next host", error)
            else:
                return
        if attempt == 0:
            servers = await hosts.get(instead_of=servers)
    raise MediaUnavailable


def _plain(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
