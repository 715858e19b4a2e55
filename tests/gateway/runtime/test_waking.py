"""A hint that is lost costs a moment: whoever has something due is woken by the look from time to time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from recado.emulator.whatsapp.world import World
from recado.gateway.conversations.service import queue_message
from recado.gateway.db.pool import Database
from recado.gateway.runtime.worker import Worker


async def test_a_message_whose_hint_was_lost_goes_all_the_same(
    desk: Any, world: World, new_worker: Callable[[], Worker], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with new_worker():
        await desk.connect()
        await world.phone("Ana").scan(await desk.qr())
        await desk.state("connected")
        bia = world.phone("Bia")
        monkeypatch.setattr(database.hints, "tell", lambda topic, mentorado_id: None)
        async with database.unit(desk.principal) as unit:
            await queue_message(unit, now=datetime.now(UTC), text="oi", to=bia.number)
        with suppress(TimeoutError):
            await desk.until(lambda: _shown(bia))
        assert await _shown(bia), "it is still waiting to be sent"


async def _shown(phone: Any) -> bool:
    return [message.text for message in phone.messages] == ["oi"]
