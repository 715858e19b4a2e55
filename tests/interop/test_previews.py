"""The large picture of a link's preview between recado and the unmodified Baileys, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interop.test_baileys_with_recado import Peers, first
from tests.interop.test_media import picture

from recado import Client, MemoryStore
from recado.content import LinkPreview, Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived

_URL = "https://example.invalid/a"
_TEXT = f"see {_URL}"


@pytest.mark.capability("link preview with a large picture", "both")
async def test_a_large_picture_goes_both_ways(world: World, baileys: Peers, tmp_path: Path) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        shown = await client.previews.illustrated(LinkPreview(_URL, "A page", "What it says"), picture((1200, 630)))
        sent = await client.send(world.phone("Rui").jid, Text(_TEXT, preview=shown))
        there = (await rui.expect("message", id=sent.id))["content"]["extendedTextMessage"]
        assert (there["thumbnailWidth"], there["thumbnailHeight"]) == (800, 420)
        assert (there["title"], there["matchedText"]) == ("A page", _URL)
        await rui.tell("download", id=sent.id, path=str(tmp_path / "there.jpg"))
        await rui.expect("file", id=sent.id)
        large = (tmp_path / "there.jpg").read_bytes()
        assert large == await client.linked_picture(shown) and len(large) > len(shown.thumbnail or b"")

        (tmp_path / "sent.jpg").write_bytes(picture((900, 500)))
        said = {"matched-text": _URL, "canonical-url": _URL, "title": "Their page", "description": "words"}
        told = {"picture": str(tmp_path / "sent.jpg"), "width": 900, "height": 500}
        await rui.tell("sayLink", to=str(world.phone("Ana").jid), text=_TEXT, preview=said, ref="link", **told)
        id = (await rui.expect("sent", ref="link"))["id"]
        message = await first(client, MessageReceived, lambda fact: fact.id == id)
        assert isinstance(message.content, Text) and message.content.preview is not None
        preview = message.content.preview
        assert (preview.title, preview.width, preview.height) == ("Their page", 900, 500)
        assert await client.linked_picture(message) == picture((900, 500))
