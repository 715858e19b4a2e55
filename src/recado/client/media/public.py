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

from yarl import URL

from recado.client.media.hosts import FileHosts
from recado.client.media.transfer import PIECE, TransferFailed, TransferRefused, Transfers
from recado.errors import MediaGone, MediaTooLarge, MediaUnavailable

_TOO_LARGE = 413
_GONE = (403, 404, 410)
_OWN_HOSTS = (".whatsapp.net", ".whatsapp.com")
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


async def fetch_public(transfers: Transfers, url: str, *, ours: str, most: int) -> bytes:
    """
    What everybody may see, whole, from WhatsApp's own hosts (or `ours`) and no others. Raises MediaGone, MediaTooLarge,
    MediaUnavailable.
    """
    try:
        address = URL(url)
    except ValueError:
        raise MediaUnavailable("the address of a picture is none") from None
    host = f"{address.host}:{address.port}" if address.explicit_port else address.host or ""
    if address.scheme != "https" or (host != ours and not host.endswith(_OWN_HOSTS)):
        raise MediaUnavailable("the address of a picture is not one of WhatsApp's")
    whole = bytearray()
    try:
        async with transfers.get(host, address.raw_path_qs) as incoming:
            async for chunk in incoming.chunks:
                whole += chunk
                if len(whole) > most:
                    raise MediaTooLarge
    except TransferRefused as error:
        if error.status in _GONE:
            raise MediaGone from None
        raise MediaUnavailable from None
    except TransferFailed:
        raise MediaUnavailable from None
    return bytes(whole)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
