"""Consent over HTTP, and a person who asks to stop: from their phone into the ledger and back to their phone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from recado.emulator.whatsapp.world import World
from recado.gateway.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Any) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr("rk_0123456789ab_an-administrators-key-of-these-tests"),
        pool_size=6,
        guardrails="relaxed",  # type: ignore[arg-type]
    )


async def test_who_writes_sair_is_out_and_told_so_and_a_program_cannot_write_to_them(
    clara: Any, world: World, link: Callable[..., Awaitable[None]]
) -> None:
    await link(clara)
    ana, phone = world.phone("Ana"), world.phone("Clara")
    async with clara.stream() as events:
        await ana.say(phone, "não quero parar")
        await ana.say(phone, "Sair.")
        changed = await events.until(lambda event: event.kind == "consent.changed")
        assert (changed.data["data"]["kind"], changed.data["data"]["source"]) == ("out", "keyword")
        await ana.expect(text="Pronto: você não vai mais receber nossas mensagens automáticas. "
                              "Para voltar a receber, responda VOLTAR.")  # fmt: skip
        standing = (await clara.get(f"{clara.root}/consents/standing", params={"to": ana.number})).json()
        assert standing["kind"] == "out"
        refused = await clara.post(f"{clara.root}/messages", {"text": "promo", "to": ana.number})
        assert (refused.status_code, refused.json()["rule"]) == (409, "opted-out")
        await ana.say(phone, "voltar")
        await events.until(lambda event: event.kind == "consent.changed" and event.data["data"]["kind"] == "back")
    assert (await clara.post(f"{clara.root}/messages", {"text": "oi", "to": ana.number})).status_code == 202
    listed = (await clara.get(f"{clara.root}/consents", params={"to": ana.number})).json()
    assert [entry["kind"] for entry in listed["items"]] == ["back", "out"]


async def test_entries_are_added_imported_and_read_a_page_at_a_time(clara: Any) -> None:
    added = await clara.post(
        f"{clara.root}/consents",
        {"to": "+55 (00) 0000-0002 ", "kind": "in", "text_shown": "Quero", "evidence": {"form": 1}, "source": "page"},
    )
    assert (added.status_code, added.json()["source"], added.json()["purpose"]) == (201, "page", "marketing")
    contact = added.json()["contact_id"]
    done = await clara.post(
        f"{clara.root}/consents/import",
        {
            "items": [
                {"to": "550000000002", "kind": "in", "at": "2026-01-01T12:00:00Z", "purpose": "service"},
                {"to": "550000000003", "kind": "perhaps", "at": "2026-01-01T12:00:00Z"},
                {"to": "550000000003", "kind": "in", "at": "2026-01-01T12:00:00Z", "secret": "x"},
                {"to": "550000000003", "kind": "in"},
                {"to": "550000000003", "kind": "in", "at": "2026-01-01T12:00:00"},
            ]
        },
    )
    assert done.json()["added"] == 1
    assert [(each["line"], each["problem"]) for each in done.json()["problems"]] == [
        (1, "malformed-body"), (2, "malformed-body"), (3, "bad-content"), (4, "bad-content"),
    ]  # fmt: skip
    assert "perhaps" not in done.text and "secret" not in done.text
    first = (await clara.get(f"{clara.root}/consents", params={"contact_id": contact, "limit": 1})).json()
    rest = (await clara.get(f"{clara.root}/consents", params={"contact_id": contact, "before": first["next"]})).json()
    assert [first["items"][0]["purpose"], rest["items"][0]["purpose"], rest["next"]] == ["service", "marketing", None]


async def test_nobody_in_particular_or_nobody_known_is_said_so(clara: Any) -> None:
    assert (await clara.get(f"{clara.root}/consents")).status_code == 400
    assert (await clara.get(f"{clara.root}/consents", params={"to": "550000000009"})).status_code == 404
    too_many = await clara.post(f"{clara.root}/consents/import", {"items": [{}] * 1001})
    assert too_many.status_code == 422


async def test_the_words_are_set_in_part_and_set_back(clara: Any) -> None:
    async def patch(body: Any) -> Any:
        return await clara.client.patch(f"{clara.root}/consents/words", json=body, headers=clara.headers)

    assert (await patch({"locale": "en", "stop_words": ["chega"]})).json()["stop_words"] == ["chega"]
    assert (await patch({"is_answering": False})).json()["locale"] == "en"
    assert (await patch({"stop_words": None})).json()["stop_words"] is None
    assert (await patch({"stop_words": []})).status_code == 400
    assert (await clara.get(f"{clara.root}/consents/words")).json()["is_answering"] is False
