"""The servers for files: leave, the name that is a hash, ranges, limits, and phones that upload again."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from recado.clock import ManualClock
from recado.content import MediaKind
from recado.emulator.whatsapp.files import TTL, FileFault, token_of
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError

DATA = os.urandom(600_000)
TOKEN = token_of(hashlib.sha256(DATA).digest())


@pytest.fixture
async def live() -> AsyncIterator[World]:
    async with World.start(clock=ManualClock(), seed=7) as world:
        yield world


@pytest.fixture
async def http(live: World) -> AsyncIterator[aiohttp.ClientSession]:
    trusted = ssl.create_default_context(cadata=live.server.files_ca)
    base = f"https://{live.server.files_host}"
    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(ssl=trusted)) as http:
        yield http


async def put(http: aiohttp.ClientSession, auth: str, *, token: str = TOKEN, type: str = "image") -> tuple[int, str]:
    async with http.post(f"/mms/{type}/{token}", params={"auth": auth, "token": token}, data=DATA) as answer:
        return answer.status, (await answer.json()).get("direct_path", "")


async def test_who_has_leave_may_upload_the_file_that_is_named(live: World, http: aiohttp.ClientSession) -> None:
    auth = live.files.give_leave()
    status, path = await put(http, auth)
    assert (status, live.files.read(path)) == (200, DATA)
    assert (await put(http, "somebody's"))[0] == 401
    assert (await put(http, auth, token=token_of(bytes(32))))[0] == 400
    assert (await put(http, auth, type="nonsense"))[0] == 404
    await live.clock.advance(TTL / timedelta(seconds=1))  # type: ignore[attr-defined]
    assert (await put(http, auth))[0] == 401
    live.files.most = 1000
    assert (await put(http, live.files.give_leave()))[0] == 413


async def test_ranges_are_given_and_what_is_gone_is_gone(live: World, http: aiohttp.ClientSession) -> None:
    url, path = live.files.add("image", DATA)
    assert url == f"https://{live.server.files_host}{path}"
    for wanted, status, given in (
        (None, 200, DATA),
        ("bytes=500000-", 206, DATA[500_000:]),
        ("bytes=10-19", 206, DATA[10:20]),
        ("bytes=600000-", 416, b""),
    ):
        async with http.get(path, headers={"Range": wanted} if wanted else {}) as answer:
            assert (answer.status, await answer.read()) == (status, given)
    live.files.expire(path)
    for where, status in ((path, 410), ("/v/t62.7118-24/never.enc", 404)):
        async with http.get(where) as answer:
            assert answer.status == status


async def test_transfers_go_wrong_as_planned(live: World, http: aiohttp.ClientSession) -> None:
    _, path = live.files.add("image", DATA)
    live.files.plan(FileFault.REFUSE, "GET", code=503)
    live.files.plan(FileFault.CORRUPT, "GET")
    live.files.plan(FileFault.CUT, "GET", after=1000)
    async with http.get(path) as answer:
        assert answer.status == 503
    async with http.get(path) as answer:
        read = await answer.read()
        assert read != DATA and read[1:] == DATA[1:]
    with pytest.raises(aiohttp.ClientError):
        async with http.get(path) as answer:
            await answer.read()
    async with http.get(path) as answer:
        assert await answer.read() == DATA


async def test_phones_send_files_to_each_other(live: World) -> None:
    ana, bia = live.phone("Ana"), live.phone("Bia")
    await ana.send_file(bia, MediaKind.AUDIO, DATA)
    shown = await bia.expect("[audio]")
    assert bia.files.open(shown.content) == DATA  # type: ignore[arg-type]
    live.files.expire()
    with pytest.raises(UsageError):
        bia.files.open(shown.content)  # type: ignore[arg-type]
