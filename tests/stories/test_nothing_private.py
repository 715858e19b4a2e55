"""
A whole run of `recado serve` at its most talkative, with everything that can go wrong on the way: what it printed, and
what it answered to wrong requests, holds no text, name, number, key or code.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from tests.stories.serving import Api, Serving, serve

from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World

WORDS = "meet me under the bridge at noon"
ADMIN_KEY = "rk_0123456789ab_an-administrators-key-nobody-may-read"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as world:
        yield world


class Run:
    """One gateway at work, what it answered, and the secrets it was told or gave."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.admin = Api(http, ADMIN_KEY)
        self.refusals: list[str] = []
        self.secrets: list[str] = [ADMIN_KEY]
        self.root = ""

    async def refused(self, method: str, path: str, *, key: str = ADMIN_KEY, **options: Any) -> None:
        """A request that comes to nothing; its answer is kept."""
        headers = {"authorization": f"Bearer {key}"} | options.pop("headers", {})
        answer = await self.http.request(method, path, headers=headers, **options)
        assert answer.status_code >= 400, (method, path, answer.status_code)
        self.refusals.append(answer.text + str(dict(answer.headers)))


async def live(run: Run, world: World, clara: Phone, bia: Phone) -> None:
    """Hired, linked, written with; a webhook nobody answers; a session in a browser."""
    made = await run.admin.post("/v1/mentorados", {"name": "Clara Clemente"})
    run.root = f"/v1/mentorados/{made['id']}"
    run.secrets.append(made["api_key"]["token"])
    hook = await run.admin.post(f"{run.root}/webhooks", {"url": "http://127.0.0.1:9999/secret-path-of-theirs"})
    run.secrets += [hook["secret"], "secret-path-of-theirs"]
    await run.admin.post(f"{run.root}/connections/baileys/connect")
    status = f"{run.root}/connections/baileys"
    code = await run.admin.until(status, lambda now: now["step"] and now["step"]["text"])
    run.secrets += [code[:60], code[-40:]]
    await clara.scan(code)
    await run.admin.until(status, lambda now: now["state"] == "connected")
    await bia.say(clara, WORDS)
    await run.admin.until(f"{run.root}/conversations", lambda now: now["items"])
    await run.admin.post(f"{run.root}/messages", {"text": WORDS + ", I answer", "to": bia.number})
    await bia.expect(WORDS + ", I answer")
    signed_in = await run.http.post("/sign-in", data={"key": ADMIN_KEY})
    run.secrets.append(signed_in.headers["set-cookie"].partition(";")[0].partition("=")[2])


async def go_wrong(run: Run, world: World, clara: Phone, bia: Phone, database_url: str) -> None:
    """Damage, refusals, lost lines, and a database that fails in the middle."""
    world.faults.corrupt_next()
    await bia.say(clara, WORDS + ", damaged")
    world.faults.refuse_message(463, clara.jid)
    await run.admin.post(f"{run.root}/messages", {"text": WORDS, "to": bia.number})
    bia.reinstall()
    await bia.say(clara, WORDS + ", from a new phone")
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE leads RENAME TO misled")
        await run.refused("POST", f"{run.root}/leads", json={"name": "Bia Beatriz", "phone": bia.number})
        owner.execute("ALTER TABLE misled RENAME TO leads")
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recado'")
    await bia.say(clara, "the last word")

    def has_last(now: Any) -> bool:
        return any("the last word" in str(each) for each in now["items"])

    await run.admin.until(f"{run.root}/conversations", has_last)


async def ask_wrongly(run: Run, bia: Phone) -> None:
    """Requests nobody should make, with something private in each."""
    number = bia.number
    for body in (
        {"text": WORDS, "to": f"{number}x"},
        {"text": WORDS, "to": number, "surprise": WORDS},
        {"text": [WORDS], "to": number},
        {"text": WORDS + "\x00", "to": number},
        {"text": WORDS, "to": number, "conversation_id": number},
    ):
        await run.refused("POST", f"{run.root}/messages", json=body)
    await run.refused("POST", f"{run.root}/messages", content=f'{{"text": "{WORDS}', headers={"content-type": "x"})
    await run.refused("GET", f"{run.root}/contacts/{number}")
    await run.refused("GET", f"{run.root}/messages/{WORDS}")
    await run.refused("GET", f"{run.root}/conversations", params={"before": number})
    await run.refused("GET", f"{run.root}/events", params={"after": number + "x"})
    await run.refused("GET", run.root, key=run.secrets[1] + "x")
    await run.refused("GET", f"/v1/mentorados/{number}")
    await run.refused("POST", f"{run.root}/webhooks", json={"url": f"ftp://{number}"})


def private(run: Run, *phones: Phone) -> list[str]:
    people = [word for phone in phones for word in (phone.number, phone.lid.user, phone.name)]
    return [*people, *run.secrets, WORDS, "bridge", "the last word", "Clara Clemente", "@s.whatsapp.net", "@lid"]


@pytest.mark.timeout(240)
async def test_a_run_in_which_everything_goes_wrong_prints_and_answers_nothing_private(
    world: World, tmp_path: Path, database_url: str
) -> None:
    clara, bia = world.phone("Claudia Cardoso"), world.phone("Bia Beatriz")
    environment = {
        "BAILEYS_ENABLE_LOGGING": "true",
        "RECADO_LOG_LEVEL": "debug",
        "RECADO_DATABASE_URL": database_url,
        "RECADO_ADMIN_KEY": ADMIN_KEY,
        "RECADO_EGRESS_ALLOW": '["127.0.0.0/8"]',
    }
    serving: Serving
    async with serve(tmp_path / "data", world.server, **environment) as serving:
        async with httpx2.AsyncClient(base_url=serving.address, timeout=60) as http:
            run = Run(http)
            await live(run, world, clara, bia)
            await go_wrong(run, world, clara, bia, database_url)
            await ask_wrongly(run, bia)
        assert await serving.stop() == 0
    printed = serving.text
    assert "<message" in printed and len(printed.splitlines()) > 40, printed[-2000:]
    words = private(run, clara, bia)
    assert {word for word in words if word in printed} == set()
    answered = "\n".join(run.refusals)
    assert len(run.refusals) > 12 and "traceback" not in answered.lower()
    assert {word for word in words if word in answered} == set()
    assert re.findall(r"\b5500\d{6,}", printed + answered) == []
