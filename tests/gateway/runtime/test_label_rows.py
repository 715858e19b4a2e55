"""Labels of a business account as rows: the last word on each counts, whatever was told together or twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from recado.events import Fact, LabelChanged, LabelPlaced
from recado.gateway.chats.repository import list_labels
from recado.gateway.contacts import service as contacts
from recado.gateway.conversations import repository
from recado.gateway.db.pool import Database
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME = JID.phone("550000000009")
BIA, BIA_LID = JID.phone("550000000001"), JID("200000000000001", "lid")


def label(id: str, name: str = "", *, is_deleted: bool = False) -> LabelChanged:
    return LabelChanged(account=ME, at=NOW, label=id, name=name, color=1, is_deleted=is_deleted)


def placed(id: str, chat: JID = BIA, *, is_placed: bool = True, alt: JID | None = None) -> LabelPlaced:
    return LabelPlaced(account=ME, at=NOW, label=id, chat=chat, chat_alt=alt, is_placed=is_placed)


async def tell(database: Database, principal: Principal, *facts: Fact) -> None:
    async with database.unit(principal) as unit:
        await record(unit, "baileys", list(facts))


async def carried(database: Database, principal: Principal) -> list[list[str]]:
    """The labels' names of each conversation."""
    async with database.unit(principal) as unit:
        found = await repository.list_conversations(unit)
    return sorted([each["name"] for each in row.labels] for row in found)


async def names(database: Database, principal: Principal) -> list[str]:
    async with database.unit(principal) as unit:
        return [each["name"] for each in await list_labels(unit)]


@pytest.mark.parametrize("together", [True, False])
async def test_the_last_word_on_each_counts_together_or_one_by_one_and_told_twice(
    database: Database, ana: Principal, *, together: bool
) -> None:
    facts = [
        placed("2"), label("1", "New"), label("2", "Old"), placed("1", alt=BIA_LID),
        placed("1", BIA_LID, is_placed=False), placed("1", BIA_LID), label("1", "Newer"),
        placed("2", BIA_LID, is_placed=False),
    ]  # fmt: skip
    for batch in 2 * ([facts] if together else [[each] for each in facts]):
        await tell(database, ana, *batch)
    assert await names(database, ana) == ["Newer", "Old"]
    assert await carried(database, ana) == [["Newer"]]


async def test_a_label_that_is_deleted_is_carried_no_more_and_comes_back_bare(
    database: Database, ana: Principal
) -> None:
    await tell(database, ana, label("1", "New"), label("2", "Kept"), placed("1"), placed("2"))
    await tell(database, ana, label("1", is_deleted=True))
    assert (await names(database, ana), await carried(database, ana)) == (["Kept"], [["Kept"]])
    await tell(database, ana, placed("3"), label("3", is_deleted=True), label("1", "Again"))
    assert (await names(database, ana), await carried(database, ana)) == (["Again", "Kept"], [["Kept"]])


async def test_two_contacts_that_are_one_carry_the_labels_of_both(database: Database, ana: Principal) -> None:
    await tell(database, ana, label("1", "A"), label("2", "B"), placed("1"), placed("2", BIA_LID))
    assert await carried(database, ana) == [["A"], ["B"]]
    async with database.unit(ana) as unit:
        found = {row.phone or row.lid: row.contact_id for row in await repository.list_conversations(unit)}
        await contacts.merge(unit, found[BIA.user], found[BIA_LID.user])
    assert await carried(database, ana) == [["A", "B"]]


async def test_labels_are_their_mentorados(database: Database, ana: Principal, bia: Principal) -> None:
    await tell(database, ana, label("1", "A"), placed("1"))
    await tell(database, bia, label("1", "Hers"), label("2", is_deleted=True))
    assert (await names(database, ana), await names(database, bia)) == (["A"], ["Hers"])
    found: Any = await carried(database, ana)
    assert found == [["A"]]
