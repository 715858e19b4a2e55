"""
Files of channels: uploaded as they are, for everybody to read, to the same hosts as others but under a path of their
own. The server gives each a handle, by which the post names it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from recado.client.media.hosts import FileHosts
from recado.client.media.open_file import OpenFile
from recado.client.media.transfer import TransferFailed, TransferRefused, Transfers
from recado.content import EncryptedFile
from recado.errors import MediaTooLarge, MediaUnavailable
from recado.protocol.media.kinds import FileKind

_TOO_LARGE = 413


async def upload_for_channel(transfers: Transfers, hosts: FileHosts, file: OpenFile, kind: FileKind) -> EncryptedFile:
    """Where the file of a post is from then on. Raises MediaUnavailable, MediaTooLarge, and as `FileHosts.get`."""
    servers = await hosts.get()
    token = urlsafe_b64encode(file.sha256).decode().rstrip("=")
    for attempt in range(2):
        path = f"/newsletter/newsletter-{kind.path}/{token}?{urlencode({'auth': servers.auth, 'token': token})}"
        for host in servers.hosts:
            try:
                said = await transfers.put(host, path, file.chunks(), file.size)
            except TransferRefused as error:
                if error.status == _TOO_LARGE:
                    raise MediaTooLarge from None
            except TransferFailed:
                continue
            else:
                return _placed(said, file)
        if attempt == 0:
            # All of them failed: their names or our leave may have run out.
            servers = await hosts.get(instead_of=servers)
    raise MediaUnavailable


def _placed(said: dict[str, object], file: OpenFile) -> EncryptedFile:
    path, url, handle = (said.get(name) for name in ("direct_path", "url", "handle"))
    if not isinstance(path, str) or not path.startswith("/"):
        raise MediaUnavailable
    return EncryptedFile(
        direct_path=path,
        url=url if isinstance(url, str) else "",
        key=b"",
        sha256=file.sha256,
        enc_sha256=b"",
        size=file.size,
        handle=handle if isinstance(handle, str) else "",
    )
