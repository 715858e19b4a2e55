"""
Files that everybody may see and nobody encrypts: pictures of products, a business's cover. They go to the same hosts as
others, named by the hash of what they are, and the server says under which path or id they are known from then on.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from enum import StrEnum
from urllib.parse import urlencode

from recado.client.media.hosts import FileHosts
from recado.client.media.transfer import PIECE, TransferFailed, TransferRefused, Transfers
from recado.errors import MediaTooLarge, MediaUnavailable

_TOO_LARGE = 413
_SERVED_FROM = "https://mmg.whatsapp.net"


class PublicFile(StrEnum):
    """What a public file is for, by the path it is uploaded under."""

    PRODUCT = "/product/image"
    COVER = "/pps/biz-cover-photo"


async def upload_public(transfers: Transfers, hosts: FileHosts, data: bytes, use: PublicFile) -> dict[str, str]:
    """Upload it; what the server says, as text. Raises MediaUnavailable, MediaTooLarge, and as `FileHosts.get`."""
    servers = await hosts.get()
    token = urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    for attempt in range(2):
        path = f"{use}/{token}?{urlencode({'auth': servers.auth, 'token': token})}"
        for host in servers.hosts:
            try:
                said = await transfers.put(host, path, _pieces(data), len(data))
            except TransferRefused as error:
                if error.status == _TOO_LARGE:
                    raise MediaTooLarge from None
            except TransferFailed:
                continue
            else:
                return {name: str(value) for name, value in said.items()}
        if attempt == 0:
            servers = await hosts.get(instead_of=servers)
    raise MediaUnavailable


def address_of(said: dict[str, str]) -> str:
    """Where a public file is served from, once it is uploaded. Raises MediaUnavailable when that was not said."""
    path = said.get("direct_path", "")
    if not path.startswith("/"):
        raise MediaUnavailable
    return f"{_SERVED_FROM}{path}"


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
