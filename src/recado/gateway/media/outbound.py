"""
Files kept here on their way out. Meta is given a copy once and told its id from then on, for as long as it keeps it;
Z-API is given the bytes in the request itself, so nothing of ours has to be reachable from outside; WhatsApp Web has
them read piece by piece while they are encrypted.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from recado.errors import BadRecord, RateLimited, TooLarge, UsageError
from recado.gateway.egress import Egress, EgressFailed, EgressRefused
from recado.gateway.media import repository
from recado.gateway.media.files import Files, MediaIsLost, NotHereYet
from recado.gateway.media.repository import MediaRow
from recado.gateway.media.sealing import FileTooLarge, Measured
from recado.gateway.media.service import identified
from recado.gateway.media.storage import FileMissing, StorageFailed
from recado.gateway.providers.baileys.files import LoadFile as LoadWebFile
from recado.gateway.providers.baileys.files import OutgoingFile
from recado.gateway.providers.meta.adapter import File
from recado.gateway.providers.meta.adapter import LoadFile as LoadMetaFile
from recado.gateway.providers.zapi.adapter import LoadFile as LoadZapiFile
from recado.gateway.refusals import NotFound
from recado.gateway.runtime.leases import Lease
from recado.gateway.security import Principal

META_MOST = 100 * 1024 * 1024
ZAPI_MOST = 16 * 1024 * 1024
COPY_LASTS = timedelta(days=25)
"""How long a copy at Meta's is relied on: they keep it for 30 days."""
_AGAIN = timedelta(seconds=30)


def meta_files(files: Files) -> LoadMetaFile:
    """Files for Meta."""

    async def load(lease: Lease, reference: str, account: str) -> File | None:
        id, principal = identified(reference), Principal.runtime(lease.mentorado_id)
        if id is None:
            return None
        async with files.database.unit(principal) as unit:
            known = await repository.find_copy(unit, id, account=account, now=files.clock.now())
        if known is not None:
            return File(b"", "", "", uploaded=known)
        found = await _read(files, principal, id, most=META_MOST)
        if found is None:
            return None
        row, data = found

        async def note_uploaded(uploaded: str) -> None:
            until = files.clock.now() + COPY_LASTS
            async with files.database.unit(principal) as unit:
                await repository.save_copy(unit, row.id, account=account, uploaded_id=uploaded, until=until)

        return File(data, _bare_type(row), _name(row), note_uploaded=note_uploaded)

    return load


def zapi_files(files: Files) -> LoadZapiFile:
    """Files for Z-API, as data URIs."""

    async def load(lease: Lease, reference: str) -> str | None:
        id = identified(reference)
        if id is None:
            return None
        found = await _read(files, Principal.runtime(lease.mentorado_id), id, most=ZAPI_MOST)
        if found is None:
            return None
        row, data = found
        return f"data:{_bare_type(row)};base64,{base64.b64encode(data).decode()}"

    return load


def web_files(files: Files, egress: Egress) -> LoadWebFile:
    """Files for WhatsApp Web: from where they are kept, or from an address that requests may go to."""

    @asynccontextmanager
    async def load(lease: Lease, reference: str) -> AsyncIterator[OutgoingFile | None]:
        again, is_open = RateLimited(files.clock.now() + _AGAIN), False
        try:
            async with _opened(files, egress, Principal.runtime(lease.mentorado_id), reference) as found:
                is_open = True
                yield found
        except (NotFound, MediaIsLost, EgressRefused):
            if is_open:
                raise UsageError("the file cannot be read to its end") from None
            yield None
        except BadRecord:
            raise UsageError("the file does not open any more") from None
        except (NotHereYet, StorageFailed, EgressFailed):
            raise again from None
        except FileTooLarge:
            raise TooLarge from None

    return load


@asynccontextmanager
async def _opened(
    files: Files, egress: Egress, principal: Principal, reference: str
) -> AsyncIterator[OutgoingFile | None]:
    id = identified(reference)
    if id is not None:
        async with files.open(principal, id) as file:
            yield OutgoingFile(file.chunks, file.row.mime_type, file.row.file_name)
    elif reference.startswith("https://"):
        async with egress.stream("GET", reference, headers={"Accept": "*/*"}) as response:
            if response.status != 200:
                raise EgressFailed(f"http_{response.status}")
            measured = Measured(response.content.iter_any(), most=files.most)
            mime_type = response.headers.get("content-type", "").partition(";")[0]
            yield OutgoingFile(aiter(measured), mime_type, None)
    else:
        yield None


async def _read(files: Files, principal: Principal, id: UUID, *, most: int) -> tuple[MediaRow, bytes] | None:
    """None when it is not here. Raises TooLarge, RateLimited."""
    try:
        return await files.read(principal, id, most=most)
    except (NotFound, NotHereYet, MediaIsLost, FileMissing):
        return None
    except FileTooLarge:
        raise TooLarge from None
    except StorageFailed:
        raise RateLimited(files.clock.now() + _AGAIN) from None  # nothing left: it is tried again by itself


def _bare_type(row: MediaRow) -> str:
    return row.mime_type.partition(";")[0].strip() or "application/octet-stream"


def _name(row: MediaRow) -> str:
    return row.file_name or f"file{mimetypes.guess_extension(_bare_type(row)) or ''}"
