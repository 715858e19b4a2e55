"""Files that people send, over both HTTP providers: fetched at once, proven, sealed, and shown to their own only."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.gateway.providers.meta.conftest import VERIFY, Desk, NewDesk
from tests.gateway.providers.zapi.house import opened

from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.people import File
from recado.gateway.settings import Settings

PICTURE = b"\x89PNG\r\n\x1a\n" + b"what the picture shows" * 10_000
ALLOWED = ["127.0.0.1/32"]

Until = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def message_with_a_file(api: Any, until: Until, state: str = "stored") -> tuple[Any, Any]:
    """The one message there is and its file, once that stands there."""

    async def look() -> Any:
        conversations = (await api.get(f"{api.root}/conversations")).json()["items"]
        if not conversations:
            return None
        (message,) = (await api.get(f"{api.root}/conversations/{conversations[0]['id']}/messages")).json()["items"]
        told = (await api.get(f"{api.root}/media/{message['content']['reference']}/status")).json()
        return (message, told) if told["state"] == state else None

    found: tuple[Any, Any] = await until(look)
    return found


def files_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_a_picture_at_meta_is_here_at_once_sealed_and_nobody_elses(
    desk: Desk, new_desk: NewDesk, cloud: MetaCloud, meta_settings: Settings
) -> None:
    await cloud.subscribe(desk.url, verify_token=VERIFY)
    cloud.person("Ana").send_media("image", File(PICTURE, "image/png", "look", None), desk.number)
    message, told = await message_with_a_file(desk.api, desk.until)
    assert message["content"]["reference"] == told["id"]
    assert told["sha256"] == hashlib.sha256(PICTURE).hexdigest() and told["size"] == len(PICTURE)

    answer = await desk.api.get(f"{desk.api.root}/media/{told['id']}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PICTURE, "image/png")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"

    bia = await new_desk("Bia")
    for path in ("", "/status"):
        own = f"/media/{told['media_id']}{path}"
        assert (await bia.api.get(bia.api.root + own)).status_code == 404
        assert (await bia.api.get(desk.api.root + own)).status_code == 404
    (kept,) = files_in(meta_settings.files_dir)
    assert len(kept) > len(PICTURE) and b"picture" not in kept and b"PNG" not in kept
    events = (await desk.api.get(f"{desk.api.root}/events")).json()["items"]
    (received,) = [each["data"] for each in events if each["kind"] == "message.received"]
    (stored,) = [each["data"] for each in events if each["kind"] == "media.stored"]
    assert received["content"]["reference"] == told["id"] and stored["id"] == received["id"]


async def test_a_picture_at_z_api_is_here_too(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"egress_allow": ALLOWED})) as house:
        await house.link()
        house.beto.send_file(house.phone, "image", PICTURE, "image/png")
        _, told = await message_with_a_file(house.clara, house.until)
        assert (await house.clara.get(f"{house.clara.root}/media/{told['id']}")).content == PICTURE


async def test_an_address_that_leads_inside_is_not_asked(settings: Settings) -> None:
    """The emulator is on this machine, and nothing allows that here."""
    async with opened(settings) as house:
        await house.link()
        house.beto.send_file(house.phone, "image", PICTURE, "image/png")
        _, told = await message_with_a_file(house.clara, house.until, "lost")
        assert told["reason"] == "address_refused"
        assert (await house.clara.get(f"{house.clara.root}/media/{told['id']}")).status_code == 410
