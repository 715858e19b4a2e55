"""What a webhook costs: a count of statements and of sealings is the same on every machine, so it may be held."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from psycopg import AsyncCursor
from starlette.routing import Match
from tests.gateway.providers.meta.bodies import contact, message
from tests.gateway.providers.meta.conftest import Desk
from tests.gateway.providers.meta.test_receiving import about

from recado.gateway.app import create_app
from recado.gateway.providers.meta.intake import Delivery, take
from recado.gateway.providers.meta.webhook import parse
from recado.gateway.security import MentoradoKeys
from recado.gateway.settings import Settings

MOST = 8
"""One each, however many bodies: what is new, the key, the bodies, who is who, the rows, what follows, the events."""


@pytest.fixture
async def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of this test's own task."""
    found: list[str] = []
    execute, task = AsyncCursor.execute, asyncio.current_task()

    async def counted(self: Any, query: Any, *more: Any, **options: Any) -> Any:
        if asyncio.current_task() is task:
            found.append(bytes(query).decode())
        return await execute(self, query, *more, **options)

    monkeypatch.setattr(AsyncCursor, "execute", counted)
    return found


def _deliveries(desk: Desk, first: int, count: int) -> list[Delivery]:
    bodies = [about(desk, messages=[message(f"wamid.C{n}")], contacts=[contact()]) for n in range(first, first + count)]
    parts = [(said, parse(said)) for said in bodies]
    return [Delivery(said, part.phone, part.items) for said, (part,) in parts]  # type: ignore[misc]


async def test_a_body_costs_a_handful_of_statements_and_many_together_cost_no_more(
    desk: Desk, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed: Counter[str] = Counter()
    seal = MentoradoKeys.seal

    def counted(self: MentoradoKeys, name: str, value: bytes) -> bytes:
        sealed[name.partition(" ")[0]] += 1
        return seal(self, name, value)

    monkeypatch.setattr(MentoradoKeys, "seal", counted)
    for first, count in ((0, 1), (1, 1), (2, 32)):
        sealed.clear()
        async with desk.gateway.database.unit(desk.principal) as unit:
            statements.clear()
            await take(unit, desk.gateway.vault, _deliveries(desk, first, count), now=desk.gateway.clock.now())
            own = list(statements)
        if first:  # the first one meets everybody
            assert len(own) <= MOST, own
            assert sealed == {"payload": count}


def test_a_webhook_finds_its_way_before_anything_else_is_looked_at(meta_settings: Settings) -> None:
    app = create_app(meta_settings)
    for path in ("/webhooks/meta", "/webhooks/meta/x"):
        scope = {"type": "http", "method": "POST", "path": path, "root_path": "", "headers": []}
        tried = [route.matches(scope)[0] for route in app.router.routes[:4]]
        assert Match.FULL in tried
