"""Parts of a file over HTTP: what `Range` names and no more, of the file the asker has the beginning of."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from tests.gateway.media.test_files import left_in, upload
from tests.gateway.providers.meta.conftest import Desk, NewDesk

from recado.gateway.settings import Settings

SIZE = 200_000
FILE = os.urandom(SIZE)


async def part(desk: Desk, id: str, wanted: str, **more: str) -> Any:
    headers = {**desk.api.headers, "range": wanted, **more}
    return await desk.api.client.get(f"{desk.api.root}/media/{id}", headers=headers)


async def test_the_bytes_that_are_asked_for_come_and_no_others(desk: Desk) -> None:
    id = (await upload(desk.api, FILE)).json()["id"]
    for wanted, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=0-65535", 0, 65_535),
        ("bytes=65535-65536", 65_535, 65_536),
        ("bytes=65536-", 65_536, SIZE - 1),
        ("bytes=70000-199998", 70_000, SIZE - 2),
        ("bytes=199999-999999", SIZE - 1, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        ("bytes=-999999", 0, SIZE - 1),
    ):
        answer = await part(desk, id, wanted)
        assert answer.status_code == 206 and answer.content == FILE[first : last + 1], wanted
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
        assert answer.headers["content-length"] == str(last - first + 1)


async def test_a_part_of_another_file_is_answered_with_the_whole(desk: Desk) -> None:
    id = (await upload(desk.api, FILE)).json()["id"]
    etag = f'"{hashlib.sha256(FILE).hexdigest()}"'
    whole = await desk.api.get(f"{desk.api.root}/media/{id}")
    assert (whole.headers["accept-ranges"], whole.headers["etag"]) == ("bytes", etag)
    assert (await part(desk, id, "bytes=9-", **{"if-range": etag})).content == FILE[9:]
    for said in ('"another"', f"W/{etag}", "Mon, 23 Nov 2026 00:00:00 GMT"):
        answer = await part(desk, id, "bytes=9-", **{"if-range": said})
        assert answer.status_code == 200 and answer.content == FILE
    for wanted in ("bytes=-", "bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"):
        answer = await part(desk, id, wanted)
        assert answer.status_code == 200 and answer.content == FILE


@pytest.mark.parametrize("wanted", ["bytes=200000-", "bytes=-0"])
async def test_what_the_file_does_not_have_is_refused_with_its_size(desk: Desk, wanted: str) -> None:
    answer = await part(desk, (await upload(desk.api, FILE)).json()["id"], wanted)
    assert (answer.status_code, answer.json()["type"]) == (416, "/problems/range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


async def test_a_part_is_nobody_elses_and_a_changed_or_cut_one_is_not_handed_out(
    desk: Desk, new_desk: NewDesk, meta_settings: Settings
) -> None:
    id = (await upload(desk.api, FILE)).json()["id"]
    bia = await new_desk("Bia")
    for wanted in ("bytes=0-1", "bytes=200000-"):
        headers = {**bia.api.headers, "range": wanted}
        assert (await bia.api.client.get(f"{bia.api.root}/media/{id}", headers=headers)).status_code == 404
    (path,) = left_in(meta_settings.files_dir)
    whole = path.read_bytes()
    path.write_bytes(whole[:70_000] + bytes([whole[70_000] ^ 1]) + whole[70_001:140_000])
    for wanted in ("bytes=66000-66001", "bytes=140000-140001", "bytes=199000-"):
        assert (await part(desk, id, wanted)).status_code == 410
