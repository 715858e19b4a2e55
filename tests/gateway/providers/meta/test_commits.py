"""Bodies on their way into the database: which of them go together, and who waits for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from recado.clock import SystemClock
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.meta import commits
from recado.gateway.providers.meta.commits import MOST_AT_ONCE, Commits
from recado.gateway.providers.meta.intake import Delivery
from recado.gateway.security import Principal


class Committing:
    """A database of which nothing is asked but transactions: they are counted, and last until they are let go."""

    def __init__(self) -> None:
        self.under_way: list[UUID] = []
        self.most = 0
        self.sizes: list[int] = []
        self.held: set[UUID] | None = None
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def unit(self, principal: Principal) -> AsyncIterator[Principal]:
        yield principal

    async def take(self, unit: Principal, vault: Any, deliveries: Sequence[Delivery], **more: Any) -> None:
        whose = cast(UUID, unit.mentorado_id)
        async with self._changed:
            self.sizes.append(len(deliveries))
            self.under_way.append(whose)
            self.most = max(self.most, len(self.under_way))
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self.held is not None and whose not in self.held)
            self.under_way.remove(whose)

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(seen)

    async def hold_only(self, *whose: UUID) -> None:
        async with self._changed:
            self.held = set(whose)
            self._changed.notify_all()


@pytest.fixture
def committing(monkeypatch: pytest.MonkeyPatch) -> Committing:
    found = Committing()
    monkeypatch.setattr(commits, "take", found.take)
    return found


def _lines(committing: Committing) -> Commits:
    return Commits(cast(Database, committing), cast(Vault, None), clock=SystemClock())


async def test_few_transactions_run_at_a_time_and_what_waits_for_one_shares_it(committing: Committing) -> None:
    people, each = [uuid4() for _ in range(20)], 3
    async with _lines(committing) as lines, asyncio.TaskGroup() as group:
        for n in range(each):
            for person in people:
                group.create_task(lines.take(person, Delivery(b"%d" % n, "", ())))
        await committing.until(lambda: len(committing.under_way) == MOST_AT_ONCE)
        await committing.hold_only()
    assert committing.most == MOST_AT_ONCE
    assert sum(committing.sizes) == len(people) * each
    assert committing.sizes.count(each) >= len(people) - MOST_AT_ONCE


async def test_one_that_takes_long_holds_up_nobody_else(committing: Committing) -> None:
    slow, others = uuid4(), [uuid4() for _ in range(20)]
    async with _lines(committing) as lines, asyncio.TaskGroup() as group:
        group.create_task(lines.take(slow, Delivery(b"", "", ())))
        await committing.until(lambda: committing.under_way == [slow])
        await committing.hold_only(slow)
        async with asyncio.timeout(10):
            for other in others:
                await lines.take(other, Delivery(b"", "", ()))
        assert committing.under_way == [slow]
        await committing.hold_only()
