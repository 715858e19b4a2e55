"""
Files over HTTP: taking them in as they come, and handing them out as they are read. What somebody sent is never shown
as a page of ours: it is an attachment, of a plain type, and nothing in it is run.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from recado.gateway.callers import Reader, Sender, documented
from recado.gateway.media import repository
from recado.gateway.media.files import Files
from recado.gateway.media.ranges import RangeNotSatisfiable, Span, span_of
from recado.gateway.media.repository import MediaRow
from recado.gateway.media.schemas import MediaTold
from recado.gateway.media.sealing import FileTooLarge
from recado.gateway.media.service import identified
from recado.gateway.problems import answer, problem_of
from recado.gateway.refusals import BadContent, NotFound

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}/media", tags=["media"], dependencies=[documented])

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?:; ?[a-z0-9-]+=[a-z0-9._-]+)*")
_PLAIN = "application/octet-stream"
_LONGEST_NAME = 240


class _Upload(BadContent):
    """The body ended before the file did."""

    kind = "cut-short"


class FileResponse(StreamingResponse):
    """A file that is let go however the answer ends."""

    def __init__(self, chunks: AsyncIterator[bytes], opened: AsyncExitStack, **options: object) -> None:
        super().__init__(chunks, **options)  # type: ignore[arg-type]
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opened:
            await super().__call__(scope, receive, send)


@router.post(
    "",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload_media(
    request: Request,
    caller: Sender,
    file_name: Annotated[str | None, Query(max_length=_LONGEST_NAME, description="What it is called there")] = None,
) -> MediaTold:
    """Keep a file: the body is the file, its `Content-Type` the file's. The answer's `id` names it in a message."""
    files: Files = request.app.state.gateway.files
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > files.most:
        raise FileTooLarge(f"a file has at most {files.most} bytes")
    if file_name is not None and ("\x00" in file_name or not file_name.isprintable()):
        raise BadContent("a file's name has plain characters")
    row = await files.take(
        caller.principal,
        _body(request),
        mime_type=_plain_type(request.headers.get("content-type")),
        file_name=file_name,
    )
    return MediaTold.of(row)


@router.get("/{media_id}/status")
async def get_media(caller: Reader, media_id: str) -> MediaTold:
    """Where a file stands."""
    async with caller.unit() as unit:
        return MediaTold.of(await repository.get_media(unit, _id(media_id)))


@router.get(
    "/{media_id}",
    response_class=StreamingResponse,
    responses={
        200: {"content": {_PLAIN: {"schema": {"type": "string", "format": "binary"}}}},
        206: {
            "description": "The part of the file that was asked for with `Range`",
            "content": {_PLAIN: {"schema": {"type": "string", "format": "binary"}}},
        },
        416: {"description": "The file has none of the bytes that were asked for"},
    },
)
async def download_media(
    request: Request,
    caller: Reader,
    media_id: str,
    range: Annotated[str | None, Header(description="One range of bytes, as `bytes=0-1023`")] = None,
    if_range: Annotated[str | None, Header(description="The file's `ETag`: another file is answered whole")] = None,
) -> Response:
    """The file, or the part of it that `Range` names. 409 while it is being fetched, 410 when it never came."""
    files: Files = request.app.state.gateway.files

    def wanted(row: MediaRow) -> Span | None:
        return span_of(range, if_range, etag=_etag(row), size=row.size or 0)

    async with AsyncExitStack() as stack:
        try:
            file = await stack.enter_async_context(files.open(caller.principal, _id(media_id), wanted))
        except RangeNotSatisfiable as error:
            refused = answer(problem_of(error), str(error))
            refused.headers["content-range"] = f"bytes */{error.size}"
            return refused
        return FileResponse(
            file.chunks,
            stack.pop_all(),
            status_code=200 if file.span is None else 206,
            media_type=_plain_type(file.row.mime_type),
            headers=_headers(file.row, file.span),
        )


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise _Upload("the body ended before the file did") from None


def _id(text: str) -> UUID:
    found = identified(text)
    if found is None:
        raise NotFound
    return found


def _plain_type(said: str | None) -> str:
    """The type, when it is written as one."""
    text = (said or "").strip().lower()
    return text if len(text) <= 255 and _TYPE.fullmatch(text) else _PLAIN


def _etag(row: MediaRow) -> str:
    return f'"{row.sha256}"'


def _headers(row: MediaRow, span: Span | None) -> dict[str, str]:
    size = row.size or 0
    told = {
        "content-disposition": _disposition(row),
        "content-length": str(size if span is None else span.length),
        "accept-ranges": "bytes",
        "etag": _etag(row),
    }
    if span is not None:
        told["content-range"] = f"bytes {span.start}-{span.start + span.length - 1}/{size}"
    return told


def _disposition(row: MediaRow) -> str:
    if not row.file_name:
        return "attachment"
    return f"attachment; filename*=UTF-8''{quote(row.file_name, safe='')}"
