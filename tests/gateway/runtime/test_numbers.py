"""One person, several numbers: Brazil's ninth digit and a changed number end in one conversation, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.runtime.test_projector import ME, NOW, Rows, receipt, received, sent

from recado.events import ContactChanged, NumberChanged, ReceiptKind
from recado.gateway.contacts import repository as contacts
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.providers.meta.repository import find_last_inbound, is_spelt
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import JID, LID

DIALLED, REACHED = JID.phone("5500900000031"), JID.phone("550000000031")
OLD, NEW = JID.phone("550000000041"), JID.phone("550000000042")


@pytest.fixture
def rows(database: Database, ana: Principal) -> Rows:
    return Rows(database, ana)


def spelt(dialled: JID = DIALLED, reached: JID = REACHED) -> ContactChanged:
    return ContactChanged(account=ME, at=NOW, contact=dialled, also=reached)


def moved(old: JID = OLD, new: JID = NEW, **changes: Any) -> NumberChanged:
    return NumberChanged(account=ME, at=NOW, old=old, new=new, **changes)


async def numbers(rows: Rows) -> list[tuple[str, bool]]:
    query = Query("numbers", b"SELECT phone, is_former FROM contact_numbers ORDER BY phone")
    async with rows.database.unit(rows.principal) as unit:
        return list(await unit.tuples(query))


async def test_what_was_dialled_with_a_ninth_digit_and_answers_without_it_is_one_conversation(rows: Rows) -> None:
    await rows.tell(sent(chat=DIALLED), spelt())
    await rows.tell(received("oi", chat=REACHED, sender=REACHED))
    await rows.tell(received("e aí", "3EB02", chat=DIALLED, sender=DIALLED))
    assert [conversation.phone for conversation in await rows.conversations()] == [DIALLED.user]
    assert len(await rows.messages()) == 3
    assert await numbers(rows) == [(REACHED.user, False)]


async def test_without_being_told_two_numbers_stay_two_people(rows: Rows) -> None:
    await rows.tell(sent(chat=DIALLED))
    await rows.tell(received("oi", chat=REACHED, sender=REACHED))
    assert len(await rows.conversations()) == 2


@pytest.mark.parametrize("first", ["dialled", "reached"])
async def test_two_conversations_become_one_when_it_is_told_that_the_numbers_are_one(rows: Rows, first: str) -> None:
    there = [sent(chat=DIALLED), received("oi", chat=REACHED, sender=REACHED)]
    for fact in there if first == "dialled" else there[::-1]:
        await rows.tell(fact)
    await rows.tell(spelt())
    await rows.tell(spelt())
    (conversation,) = await rows.conversations()
    assert len(await rows.messages(conversation)) == 2
    assert conversation.unread_count == 1
    assert {conversation.phone, *(phone for phone, _ in await numbers(rows))} == {DIALLED.user, REACHED.user}


async def test_told_in_the_batch_of_the_message_itself_it_is_one_too(rows: Rows) -> None:
    await rows.tell(received("oi", chat=REACHED, sender=REACHED), sent(chat=DIALLED), spelt())
    assert len(await rows.messages()) == 2


async def test_a_receipt_by_the_other_number_counts(rows: Rows) -> None:
    await rows.tell(sent(chat=DIALLED, id="OUT"), spelt())
    await rows.tell(receipt("OUT", kind=ReceiptKind.READ, chat=REACHED, sender=REACHED))
    assert [message.status for message in await rows.messages()] == ["read"]


async def test_a_receipt_by_a_number_that_is_another_persons_counts_for_nothing(rows: Rows) -> None:
    await rows.tell(sent(chat=NEW, id="OUT"), sent(chat=DIALLED, id="OTHER"), spelt())
    await rows.tell(receipt("OUT", kind=ReceiptKind.READ, chat=REACHED, sender=REACHED))
    states = {message.provider_message_id: message.status for c in await rows.conversations()
              for message in await rows.messages(c)}  # fmt: skip
    assert states == {"OUT": "server_ack", "OTHER": "server_ack"}


async def test_metas_window_is_open_under_either_number(rows: Rows) -> None:
    await rows.tell(sent(chat=DIALLED), spelt())
    async with rows.database.unit(rows.principal) as unit:
        await record(unit, "meta", [received("oi", "wamid.IN", chat=REACHED, sender=REACHED)])
    async with rows.database.unit(rows.principal) as unit:
        since = NOW.replace(hour=0)
        assert await find_last_inbound(unit, DIALLED, since=since) == "wamid.IN"
        assert await find_last_inbound(unit, REACHED, since=since) == "wamid.IN"
        assert await find_last_inbound(unit, NEW, since=since) is None
        assert await is_spelt(unit, DIALLED, REACHED.user) and await is_spelt(unit, REACHED, DIALLED.user)
        assert not await is_spelt(unit, DIALLED, NEW.user)


async def test_who_changed_their_number_keeps_their_conversation(rows: Rows) -> None:
    await rows.tell(received("oi", chat=OLD, sender=OLD), sent(chat=OLD, id="OUT"))
    await rows.tell(moved())
    await rows.tell(received("sou eu", "3EB02", chat=NEW, sender=NEW))
    (conversation,) = await rows.conversations()
    assert conversation.phone == NEW.user
    assert await numbers(rows) == [(OLD.user, True)]
    await rows.tell(receipt("OUT", kind=ReceiptKind.DELIVERED, chat=OLD, sender=OLD))
    assert [m.status for m in await rows.messages() if m.direction == "out"] == ["delivered"]


async def test_who_wrote_under_the_new_number_before_it_was_told_is_merged(rows: Rows) -> None:
    await rows.tell(received("oi", chat=OLD, sender=OLD))
    await rows.tell(received("sou eu", "3EB02", chat=NEW, sender=NEW))
    await rows.tell(moved(lid=JID("77000000000041", LID)))
    (conversation,) = await rows.conversations()
    assert (conversation.phone, conversation.lid) == (NEW.user, "77000000000041")
    assert len(await rows.messages()) == 2


async def test_a_number_given_to_somebody_new_is_somebody_new_even_when_the_change_is_told_again(rows: Rows) -> None:
    await rows.tell(received("oi", chat=OLD, sender=OLD), moved())
    await rows.tell(received("quem é?", "3EB02", chat=OLD, sender=OLD, push_name="Somebody"))
    await rows.tell(moved())
    assert sorted(str(one.phone) for one in await rows.conversations()) == [OLD.user, NEW.user]


async def test_merging_takes_the_other_numbers_along(rows: Rows) -> None:
    lid = JID("77000000000031", LID)
    await rows.tell(sent(chat=DIALLED), spelt())
    await rows.tell(received("oi", "3EB07", chat=lid, sender=lid))
    await rows.tell(ContactChanged(account=ME, at=NOW, contact=lid, phone=REACHED, lid=lid))
    (conversation,) = await rows.conversations()
    assert (conversation.phone, conversation.lid) == (DIALLED.user, lid.user)
    assert await numbers(rows) == [(REACHED.user, False)]


async def test_an_erasure_finds_every_number(rows: Rows) -> None:
    await rows.tell(received("oi", chat=DIALLED, sender=DIALLED), spelt())
    await rows.tell(received("call 550000000031", "3EB09", chat=NEW, sender=NEW))
    person = next(one for one in await rows.conversations() if one.phone == DIALLED.user)
    assert person.contact_id is not None
    async with rows.database.unit(rows.principal) as unit:
        done = await contacts.erase_contact(unit, person.contact_id, reason="asked")
    assert done.remaining == 0
    assert await numbers(rows) == []
    texts = [m.text for c in await rows.conversations() for m in await rows.messages(c)]
    assert not any(REACHED.user in (text or "") for text in texts)


async def test_one_mentorados_numbers_say_nothing_of_anothers(rows: Rows, database: Database, bia: Principal) -> None:
    await rows.tell(sent(chat=DIALLED), spelt())
    other = Rows(database, bia)
    await other.tell(sent(chat=DIALLED), received("oi", chat=REACHED, sender=REACHED))
    assert len(await other.conversations()) == 2
    assert await numbers(other) == []
