"""`recado serve` as a process: it says where and how, keeps everything over a restart, and logs nothing private."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from tests.stories.serving import Api, serve

from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as world:
        yield world


def private(*phones: Phone) -> list[str]:
    """What no log may show of these people."""
    return [word for phone in phones for word in (phone.number, phone.lid.user, phone.name)]


def lines_of(log: str, level: str, logger: str) -> list[str]:
    """The lines one logger wrote at one level."""
    return [line for line in log.splitlines() if re.search(rf"\[{level} *\]", line) and f"[{logger}]" in line]


@pytest.mark.timeout(180)
async def test_what_was_linked_and_written_is_there_after_a_restart_and_in_no_log(world: World, tmp_path: Path) -> None:
    ana, bia = world.phone("Ana Aparecida"), world.phone("Bia Beatriz")
    folder = tmp_path / "data"
    async with serve(folder, world.server, BAILEYS_ENABLE_LOGGING="true") as first:
        key = first.find(r"(rk_\S+)")
        assert key and "/sign-in" in first.text
        async with httpx2.AsyncClient(base_url=first.address) as http:
            api = Api(http, key)
            root = "/v1/mentorados/" + (await api.post("/v1/mentorados", {"name": "Clara Clemente"}))["id"]
            await api.post(f"{root}/connections/baileys/connect")
            status = f"{root}/connections/baileys"
            qr = await api.until(status, lambda now: now["step"] and now["step"]["text"])
            await ana.scan(qr)
            await api.until(status, lambda now: now["state"] == "connected")
            await bia.say(ana, "a secret from Bia")
            await api.until(f"{root}/conversations", lambda now: now["items"])
            await api.post(f"{root}/messages", {"text": "a secret to Bia", "to": f"+{bia.number}"})
            await bia.expect("a secret to Bia")
        assert await first.stop() == 0
    log = first.text.split("Ctrl-C stops it", 1)[1]
    assert any("<message" in line for line in lines_of(log, "debug", "recado.client"))  # it was on
    told = [*private(ana, bia), "a secret", qr[:60], "Clara", key, "@s.whatsapp.net", "@lid"]
    assert [word for word in told if word in log] == []

    async with serve(folder, world.server) as second:
        assert second.find(r"(rk_\S+)") is None  # the key was shown once
        async with httpx2.AsyncClient(base_url=second.address) as http:
            api = Api(http, key)
            now = await api.until(status, lambda now: now if now["state"] in ("connected", "qr", "failed") else None)
            assert (now["state"], now["account"]) == ("connected", ana.number)
            await bia.say(ana, "after the restart")
            (thread,) = (await api.get(f"{root}/conversations"))["items"]
            path = f"{root}/conversations/{thread['id']}/messages"
            texts = await api.until(path, lambda now: (t := [m["text"] for m in now["items"]]) and len(t) == 3 and t)
            assert set(texts) == {"a secret from Bia", "a secret to Bia", "after the restart"}
        assert await second.stop() == 0
    assert "debug" not in second.text.lower()  # off unless asked for
    assert bia.repeats == {}
