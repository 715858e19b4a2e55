"""Memory and SQLite do what every backend must."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recado.content import Text
from recado.events import MessageReceived
from recado.jid import JID
from recado.store.backend import Backend, Changes
from recado.store.contract import CONTRACT, NOW, Check, opened


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in CONTRACT])
async def test_the_contract_is_kept(check: Check, factory: Callable[[str], Backend]) -> None:
    await check(factory)


async def test_any_text_is_taken(factory: Callable[[str], Backend]) -> None:
    ana = JID("77000000000001", "lid")
    texts = ["a\x00b", "\ud800 alone", "\U0001f44b", "'; DROP TABLE facts; --", ""]
    facts = [
        MessageReceived(
            account=ana, at=NOW, id="3EB0", chat=ana, sender=ana, from_me=False, content=Text(text), sent_at=NOW
        )
        for text in texts
    ]
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values={"a-1": b"\x00"}, facts=list(facts)))
        assert [fact for _, fact in await backend.facts(after=0, limit=10)] == facts
