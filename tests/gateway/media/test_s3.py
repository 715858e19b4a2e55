"""Files in a bucket, at a server that speaks S3 and is not ours (moto's)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr
from tests.gateway.api.conftest import Api, running

from recado.gateway.app import create_app
from recado.gateway.media.s3 import Bucket
from recado.gateway.media.storage import FileMissing, StorageFailed
from recado.gateway.settings import Settings

NAME = "files-of-people"
KEYS = {"access_key": "an-id", "secret_key": "a-secret"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    ).create_bucket(Bucket=NAME)
    yield address
    server.stop()


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def all_of(bucket: Bucket, key: str) -> bytes:
    return b"".join([piece async for piece in bucket.open(key)])


async def test_what_is_put_comes_back_until_it_is_deleted(endpoint: str) -> None:
    bucket = Bucket(NAME, endpoint=endpoint, **KEYS)
    data = [b"a" * 700_000, b"b" * 3]
    await bucket.put("m/aa/file", pieces(*data))
    assert await all_of(bucket, "m/aa/file") == b"".join(data)
    assert b"".join([piece async for piece in bucket.open("m/aa/file", start=699_999)]) == b"abbb"
    assert b"".join([piece async for piece in bucket.open("m/aa/file", start=700_003)]) == b""
    await bucket.put("m/aa/file", pieces(b"another"))
    assert await all_of(bucket, "m/aa/file") == b"another"
    for _ in range(2):
        await bucket.delete("m/aa/file")
    with pytest.raises(FileMissing):
        await all_of(bucket, "m/aa/file")


async def test_what_breaks_under_way_is_not_there(endpoint: str) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionAbortedError

    bucket = Bucket(NAME, endpoint=endpoint, **KEYS)
    with pytest.raises(StorageFailed):
        await bucket.put("m/aa/half", breaks())
    with pytest.raises(FileMissing):
        await all_of(bucket, "m/aa/half")


async def test_no_bucket_and_no_server_are_told_without_names(endpoint: str) -> None:
    for bucket in (
        Bucket("another-bucket", endpoint=endpoint, **KEYS),
        Bucket(NAME, endpoint="http://127.0.0.1:9", **KEYS),
    ):
        with pytest.raises(StorageFailed) as told:
            await bucket.put("m/aa/file", pieces(b"x"))
        assert "127.0.0.1" not in str(told.value) and "bucket" not in str(told.value)


async def test_a_gateway_keeps_its_files_there_and_finds_those_of_its_folder(endpoint: str, settings: Settings) -> None:
    async def upload(api: Any, data: bytes) -> str:
        answer = await api.client.post(f"{api.root}/media", content=data, headers=api.headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    made: Any = None
    references: list[str] = []
    s3 = {
        "media_s3_bucket": NAME,
        "media_s3_endpoint": endpoint,
        "media_s3_access_key": SecretStr(KEYS["access_key"]),
        "media_s3_secret_key": SecretStr(KEYS["secret_key"]),
    }
    import httpx2

    for changes in ({}, s3):
        async with (
            running(create_app(settings.model_copy(update=changes))) as address,
            httpx2.AsyncClient(base_url=address, timeout=20) as client,
        ):
            assert settings.admin_key is not None
            if made is None:
                admin = Api(client, settings.admin_key.get_secret_value())
                made = (await admin.post("/v1/mentorados", {"name": "Clara"})).json()
            clara = Api(client, made["api_key"]["token"], made["id"])
            references.append(await upload(clara, b"file %d" % len(references)))
            for number, reference in enumerate(references):
                back = await clara.get(f"{clara.root}/media/{reference}")
                assert back.content == b"file %d" % number
    assert len([path for path in settings.files_dir.rglob("*") if path.is_file()]) == 1
