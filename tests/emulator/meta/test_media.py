"""Files: uploaded, fetched by an address that lives five minutes, deleted, too old, wrong."""

from __future__ import annotations

import base64
import hashlib

import aiohttp
import pytest

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.people import File

PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)
DAY = 24 * 3600


async def fetch(graph, url: str, *, token: str | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token or graph.token}"}
    async with graph.http.get(url, headers=headers) as answer:
        return answer.status, await answer.read()


async def test_an_upload_comes_back_as_it_went(cloud: MetaCloud, graph) -> None:
    status, said = await graph.upload(PNG)
    assert status == 200
    status, described = await graph.get(said["id"], phone_number_id=graph.number.id)
    assert status == 200
    url = described.pop("url")
    assert described == {
        "messaging_product": "whatsapp",
        "mime_type": "image/png",
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "file_size": len(PNG),
        "id": said["id"],
    }
    assert await fetch(graph, url) == (200, PNG)


async def test_the_address_needs_the_token_and_dies_after_five_minutes(graph, clock: ManualClock) -> None:
    _, said = await graph.upload(PNG)
    _, described = await graph.get(said["id"])
    assert (await fetch(graph, described["url"], token="wrong"))[0] == 401
    async with graph.http.get(described["url"]) as answer:
        assert answer.status == 401
    await clock.advance(299)
    assert (await fetch(graph, described["url"]))[0] == 200
    await clock.advance(1)
    assert (await fetch(graph, described["url"]))[0] == 404
    _, again = await graph.get(said["id"])
    assert (await fetch(graph, again["url"]))[0] == 200


async def test_an_upload_lives_thirty_days_and_a_persons_file_seven(cloud, graph, receiver, clock) -> None:
    _, uploaded = await graph.upload(PNG)
    shown = cloud.person("Ana").send_media("image", File(PNG, "image/png"))
    theirs = shown.content["id"]
    await clock.advance(7 * DAY - 1)
    assert (await graph.get(theirs))[0] == 200
    await clock.advance(1)
    assert (await graph.get(theirs))[1]["error"]["error_subcode"] == 33
    await clock.advance(23 * DAY - 1)
    assert (await graph.get(uploaded["id"]))[0] == 200
    await clock.advance(1)
    assert (await graph.get(uploaded["id"]))[0] == 400


async def test_a_persons_file_is_told_with_its_hash_and_can_be_fetched(cloud: MetaCloud, graph, receiver) -> None:
    cloud.person("Ana").send_media("audio", File(b"ogg", "audio/ogg; codecs=opus", is_voice=True))
    await cloud.settled()
    (message,) = receiver.messages
    digest = base64.b64encode(hashlib.sha256(b"ogg").digest()).decode()
    audio = message["audio"]
    assert (message["type"], audio["voice"], audio["sha256"]) == ("audio", True, digest)
    _, described = await graph.get(audio["id"])
    assert await fetch(graph, described["url"]) == (200, b"ogg")


async def test_deleted_is_gone(graph) -> None:
    _, said = await graph.upload(PNG)
    _, described = await graph.get(said["id"])
    assert await graph.ask("DELETE", said["id"]) == (200, {"success": True})
    assert (await fetch(graph, described["url"]))[0] == 404
    assert (await graph.get(said["id"]))[0] == 400
    assert (await graph.ask("DELETE", said["id"]))[0] == 400


async def test_anothers_file_does_not_exist(cloud: MetaCloud, graph) -> None:
    _, said = await graph.upload(PNG)
    other = cloud.add_number()
    assert (await graph.get(said["id"], phone_number_id=other.id))[0] == 400
    graph.token = cloud.world.add_token(wabas={other.waba.id}).value
    assert (await graph.get(said["id"]))[1]["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    "data, mime_type, code",
    [(PNG, "image/gif", 100), (b"", "image/png", 100), (bytes(5 * 1024 * 1024 + 1), "image/png", 131053)],
)
async def test_what_cannot_be_uploaded(graph, data: bytes, mime_type: str, code: int) -> None:
    status, said = await graph.upload(data, mime_type)
    assert (status, said["error"]["code"]) == (400, code)


async def test_an_upload_without_its_product_or_file(graph) -> None:
    form = aiohttp.FormData({"messaging_product": "whatsapp"}, default_to_multipart=True)
    assert (await graph.ask("POST", f"{graph.number.id}/media", data=form))[0] == 400
    assert (await graph.post(f"{graph.number.id}/media", messaging_product="whatsapp"))[0] == 400


async def test_media_by_id_and_by_link_show(cloud: MetaCloud, graph) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    _, said = await graph.upload(PNG)
    assert (await graph.send(ana.phone, "image", image={"id": said["id"], "caption": "veja"}))[0] == 200
    link = {"link": "https://example.com/a.pdf", "filename": "a.pdf"}
    assert (await graph.send(ana.phone, "document", document=link))[0] == 200
    assert [(each.kind, each.text) for each in ana.messages[1:]] == [("image", "veja"), ("document", "")]


@pytest.mark.parametrize("id, code", [("123", 131009), ("uploaded", 131053)])
async def test_media_that_does_not_fit_the_message(cloud: MetaCloud, graph, id: str, code: int) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    _, said = await graph.upload(PNG)
    status, refused = await graph.send(ana.phone, "audio", audio={"id": said["id"] if id == "uploaded" else id})
    assert (status, refused["error"]["code"]) == (400, code)


async def test_downloads_go_wrong(cloud: MetaCloud, graph) -> None:
    _, said = await graph.upload(PNG)
    _, described = await graph.get(said["id"])
    url = described["url"]
    cloud.faults.plan(Fault.EXPIRED_URL)
    assert (await fetch(graph, url))[0] == 404
    cloud.faults.plan(Fault.WRONG_BYTES)
    status, wrong = await fetch(graph, url)
    assert status == 200 and wrong != PNG and len(wrong) == len(PNG)
    cloud.faults.plan(Fault.CUT_MEDIA)
    with pytest.raises(aiohttp.ClientPayloadError):
        await fetch(graph, url)
    cloud.faults.plan(Fault.HTML_ERROR, about="download", code=503)
    status, page = await fetch(graph, url)
    assert status == 503 and page.startswith(b"<!DOCTYPE html>")
    assert await fetch(graph, url) == (200, PNG)
