"""Files that are uploaded here: streamed in and out, sealed, limited, and gone with whom they were sent to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.providers.meta.conftest import VERIFY, Desk, NewDesk
from tests.gateway.providers.zapi.house import opened

from recado.emulator.meta.cloud import MetaCloud
from recado.gateway.settings import Settings

PICTURE = b"\x89PNG\r\n\x1a\n" + os.urandom(200_000)


async def upload(api: Any, data: Any = PICTURE, kind: str = "image/png", **query: str) -> Any:
    return await api.client.post(
        f"{api.root}/media", content=data, params=query, headers={**api.headers, "content-type": kind}
    )


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_is_uploaded_comes_back_as_it_went_and_is_nobody_elses(desk: Desk, new_desk: NewDesk) -> None:
    answer = await upload(desk.api, file_name="olá.png")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["state"], told["size"]) == ("stored", len(PICTURE))
    assert told["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    back = await desk.api.get(f"{desk.api.root}/media/{told['id']}")
    assert back.content == PICTURE and "UTF-8''ol%C3%A1.png" in back.headers["content-disposition"]
    bia = await new_desk("Bia")
    assert (await bia.api.get(f"{bia.api.root}/media/{told['id']}")).status_code == 404
    refused = await bia.api.post(
        f"{bia.api.root}/messages",
        {
            "to": "5511955550101",
            "provider": "meta",
            "content": {"type": "media", "kind": "image", "reference": told["id"]},
        },
    )
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/bad-content")


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 131_072])
async def test_every_size_around_a_piece(desk: Desk, size: int) -> None:
    told = (await upload(desk.api, b"x" * size)).json()
    assert (await desk.api.get(f"{desk.api.root}/media/{told['id']}")).content == b"x" * size


async def test_what_is_empty_or_too_large_is_refused_and_leaves_nothing(desk: Desk, meta_settings: Settings) -> None:
    desk.gateway.files.most = 100_000

    async def unmeasured() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 50_000

    for data, status in ((b"", 400), (b"x" * 100_001, 413), (unmeasured(), 413)):
        assert (await upload(desk.api, data)).status_code == status
    assert left_in(meta_settings.files_dir) == []
    assert await desk.rows("SELECT count(*) FROM media WHERE state = 'stored'") == [(0,)]


async def test_a_file_that_was_changed_or_cut_is_not_handed_out(desk: Desk, meta_settings: Settings) -> None:
    told = (await upload(desk.api)).json()
    (path,) = left_in(meta_settings.files_dir)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    for kind in ("file-damaged", "file-missing"):
        answer = await desk.api.get(f"{desk.api.root}/media/{told['id']}")
        assert (answer.status_code, answer.json()["type"]) == (410, f"/problems/{kind}")
        path.unlink(missing_ok=True)


async def send(api: Any, to: str, reference: str, **more: Any) -> str:
    content = {"type": "media", "kind": "image", "reference": reference, "caption": "look"}
    answer = await api.post(f"{api.root}/messages", {"to": to, "content": content, **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def test_meta_is_given_a_file_once_for_many_messages(desk: Desk, cloud: MetaCloud) -> None:
    await cloud.subscribe(desk.url, verify_token=VERIFY)
    await desk.connect()
    ana = cloud.person("Ana")
    ana.say("oi", desk.number)
    await desk.until(lambda: desk.rows("SELECT 1 FROM whatsapp_messages"))
    told = (await upload(desk.api)).json()
    for _ in range(2):
        id = await send(desk.api, ana.phone, told["id"], provider="meta")
        await desk.status(id, "server_ack", "delivered", "read")
    shown = [each for each in ana.chat(desk.number) if each.kind == "image"]
    assert len(shown) == 2 and len({each.content["id"] for each in shown}) == 1
    assert cloud.media.get(shown[0].content["id"]).data == PICTURE


async def test_the_file_at_the_head_of_a_template_is_given_to_meta_too(desk: Desk, cloud: MetaCloud) -> None:
    await cloud.subscribe(desk.url, verify_token=VERIFY)
    header = {"type": "HEADER", "format": "IMAGE"}
    cloud.templates.add(cloud.number().waba, "aviso", "Olá {{1}}", components=[header])
    await desk.connect()
    told = (await upload(desk.api)).json()
    ana = cloud.person("Ana")
    content = {
        "type": "template",
        "name": "aviso",
        "language": "pt_BR",
        "body": ["Ana"],
        "header_media": {"kind": "image", "reference": told["id"], "mime_type": "image/png"},
    }
    asked = {"to": ana.phone, "content": content, "provider": "meta"}
    answer = await desk.api.client.post(f"{desk.api.root}/messages", json=asked, headers=desk.api.headers)
    assert answer.status_code == 202, answer.text
    await desk.status(answer.json()["id"], "server_ack", "delivered", "read")
    (shown,) = ana.chat(desk.number)
    (head,) = [each for each in shown.content["components"] if each["type"] == "header"]
    assert cloud.media.get(head["parameters"][0]["image"]["id"]).data == PICTURE


async def test_z_api_is_given_the_bytes(settings: Settings) -> None:
    async with opened(settings) as house:
        await house.link()
        told = (await upload(house.clara, b"\x89PNG a picture")).json()
        id = await send(house.clara, house.beto.number, told["id"])
        await house.until_status(id, "server_ack", "delivered", "read")
        (shown,) = [each for each in house.beto.received if each.kind == "image"]
        file = house.zapi.media.find(shown.message.content["image"]["imageUrl"].rpartition("/")[2])
        assert file is not None and (file.data, file.mime_type) == (b"\x89PNG a picture", "image/png")


Erase = Callable[[Any, str], Awaitable[None]]


async def test_with_a_person_go_their_files_and_what_was_sent_to_them_alone(
    desk: Desk, cloud: MetaCloud, meta_settings: Settings
) -> None:
    from recado.emulator.meta.people import File

    await cloud.subscribe(desk.url, verify_token=VERIFY)
    await desk.connect()
    ana, bia = cloud.person("Ana"), cloud.person("Bia")
    bia.say("oi", desk.number)
    ana.send_media("image", File(PICTURE, "image/png"), desk.number)
    await desk.until(lambda: desk.rows("SELECT 1 FROM media WHERE state = 'stored'"))
    await desk.until(lambda: desk.rows("SELECT 1 FROM whatsapp_messages HAVING count(*) = 2"))
    hers, shared = [(await upload(desk.api, data)).json()["id"] for data in (b"for Ana", b"for everybody")]
    for person, reference in ((ana, hers), (ana, shared), (bia, shared)):
        id = await send(desk.api, person.phone, reference, provider="meta")
        await desk.status(id, "server_ack", "delivered", "read", "failed")
    assert len(left_in(meta_settings.files_dir)) == 3
    (contact,) = await desk.rows("SELECT id FROM whatsapp_contacts WHERE phone = %(phone)s", phone=ana.phone)
    erased = await desk.api.post(f"{desk.api.root}/contacts/{contact[0]}/erase", {"reason": "asked for it"})
    assert erased.status_code == 200, erased.text
    assert sorted(await desk.rows("SELECT state, count(*)::int FROM media GROUP BY state")) == [
        ("erased", 2),
        ("stored", 1),
    ]
    assert await desk.rows("SELECT count(*) FROM media WHERE state = 'erased' AND num_nonnulls(key, sha256) > 0") == [
        (0,)
    ]
    await desk.until(lambda: _only_one_left(meta_settings.files_dir))
    assert (await desk.api.get(f"{desk.api.root}/media/{shared}")).content == b"for everybody"


async def _only_one_left(folder: Path) -> bool:
    return len(left_in(folder)) == 1
