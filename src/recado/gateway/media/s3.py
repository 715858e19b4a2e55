"""
Files in a bucket of an S3-compatible storage, through boto3, whose calls wait for the network and so are made in
threads. A file is gathered in a temporary one first (sealed already, and without a name, so nothing of it stays): what
is sent then has a size, goes in one request, and leaves no half of itself behind.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recado.gateway.media.folder import translated
from recado.gateway.media.storage import FileMissing, StorageFailed, StorageFull

_PIECE = 256 * 1024
_MISSING = {"NoSuchKey", "404", "NotFound"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}


class Bucket:
    """Files in one bucket, which is there already."""

    def __init__(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        region: str = "us-east-1",
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        self._name = name
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "max_attempts": 3},
                s3={"addressing_style": "path" if endpoint else "auto"},
                # Storages of others than Amazon do not know its newer checksums; the bytes carry a proof of their own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write it whole. Raises StorageFull, StorageFailed."""
        with _translated(), translated(), tempfile.TemporaryFile() as gathered:
            async for chunk in chunks:
                gathered.write(chunk)  # into the system's memory of the disk, in small pieces
            gathered.seek(0)
            await asyncio.to_thread(self._client.put_object, Bucket=self._name, Key=key, Body=gathered)

    async def open(self, key: str, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` on. Raises FileMissing, StorageFailed."""
        part = {"Range": f"bytes={start}-"} if start else {}
        with _translated():
            try:
                answer = await asyncio.to_thread(self._client.get_object, Bucket=self._name, Key=key, **part)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "InvalidRange":
                    return  # it ends before
                raise
            body = answer["Body"]
            try:
                while piece := await asyncio.to_thread(body.read, _PIECE):
                    yield piece
            finally:
                body.close()

    async def delete(self, key: str) -> None:
        """Nothing of it is left. Raises StorageFailed."""
        with _translated():
            await asyncio.to_thread(self._client.delete_object, Bucket=self._name, Key=key)


@contextmanager
def _translated() -> Iterator[None]:
    """In words that name no host and no key."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise FileMissing("the file is not where it was put") from None
        if code in _FULL:
            raise StorageFull("there is no room left for files") from None
        raise StorageFailed(f"the storage for files refused ({code or '?'})") from None
    except BotoCoreError as error:
        raise StorageFailed(f"the storage for files cannot be reached ({type(error).__name__})") from None
