"""A session of another library goes on in a mentorado: connected without a code, and refused where one is linked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.operations.conftest import Rows
from tests.gateway.operations.test_restore import no_code_was_shown, stopped, talk
from tests.importers.conftest import whatsmeow

from recado.emulator.whatsapp.world import World
from recado.gateway.connections import repository as connections
from recado.gateway.operations.importing import import_session
from recado.gateway.operations.in_hand import Operator
from recado.gateway.operations.repository import list_keys
from recado.gateway.operations.restore import AnotherNumbers, NewerLinkHere
from recado.gateway.runtime.worker import Worker
from recado.importers import read_whatsmeow

__all__ = ["whatsmeow"]
Made = Callable[..., Awaitable[Path]]


async def test_a_session_that_was_imported_connects_without_a_code_and_talks(
    desk: Any, world: World, new_worker: Callable[..., Worker], operator: Operator, whatsmeow: Made, rows: Rows
) -> None:
    imported = read_whatsmeow(await whatsmeow(rui="Ana"))
    async with new_worker() as worker:
        await import_session(operator, imported, origin="whatsmeow")
        await no_code_was_shown(desk)
        assert (await desk.state("connected")).account_phone == world.phone("Ana").number
        await talk(desk, world, "depois")
        await stopped(desk, worker)
        with pytest.raises(NewerLinkHere):
            await import_session(operator, imported, origin="whatsmeow")
    assert len(world.phone("Ana").account.companions) == 1


async def test_another_number_than_the_history_s_is_not_imported(
    world: World, operator: Operator, whatsmeow: Made, rows: Rows
) -> None:
    async with operator.unit() as unit:
        await connections.save_desired(unit, "baileys", "disconnected", state="disconnected")
        await connections.save_account(unit, "baileys", phone="550000009999", lid=None)
    with pytest.raises(AnotherNumbers):
        await import_session(operator, read_whatsmeow(await whatsmeow(rui="Ana")), origin="whatsmeow")
    async with operator.unit() as unit:
        assert await list_keys(unit) == []
