"""How the mentorado's own devices show chats and name people becomes rows, and is told over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from recado.events import ChatChanged, ContactChanged, Fact
from recado.gateway.conversations.schemas import ConversationTold
from recado.gateway.db.pool import Database
from recado.gateway.security import Principal
from recado.jid import JID

from .test_projector import BIA, BIA_LID, GROUP, ME, NOW, Rows, received

UNTIL = NOW + timedelta(days=7)


@pytest.fixture
def rows(database: Database, ana: Principal) -> Rows:
    return Rows(database, ana)


def changed(chat: JID = BIA_LID, alt: JID | None = BIA, **said: Any) -> Fact:
    return ChatChanged(account=ME, at=NOW, chat=chat, chat_alt=alt, **said)


def named(contact: JID, **said: Any) -> Fact:
    return ContactChanged(account=ME, at=NOW, contact=contact, **said)


async def test_a_chat_that_is_put_away_and_on_top_is_shown_so_by_either_address(rows: Rows) -> None:
    await rows.tell(received())
    await rows.tell(changed(is_archived=True), changed(BIA, BIA_LID, is_pinned=True))
    (conversation,) = await rows.conversations()
    assert (conversation.is_archived, conversation.is_pinned, conversation.is_muted) == (True, True, False)
    await rows.tell(changed(BIA, None, is_archived=False))
    (conversation,) = await rows.conversations()
    assert (conversation.is_archived, conversation.is_pinned) == (False, True)


async def test_a_mute_has_an_end_or_none(rows: Rows) -> None:
    await rows.tell(received(), changed(is_muted=True, muted_until=UNTIL))
    (conversation,) = await rows.conversations()
    assert (conversation.is_muted, conversation.muted_until) == (True, UNTIL)
    await rows.tell(changed(is_pinned=True))
    assert [each.muted_until for each in await rows.conversations()] == [UNTIL]
    await rows.tell(changed(is_muted=True))
    assert [(each.is_muted, each.muted_until) for each in await rows.conversations()] == [(True, None)]
    await rows.tell(changed(is_muted=True, muted_until=UNTIL), changed(is_muted=False))
    (conversation,) = await rows.conversations()
    assert (conversation.is_muted, conversation.muted_until) == (False, None)
    told = ConversationTold.of(conversation)
    assert (told.is_muted, told.muted_until, told.is_pinned) == (False, None, True)


async def test_what_is_put_away_before_anything_was_said_is_put_away_once_it_is(rows: Rows) -> None:
    await rows.tell(changed(GROUP, None, is_archived=True), changed(is_archived=True))
    await rows.tell(received())
    assert [each.is_archived for each in await rows.conversations()] == [True, True]


async def test_what_is_as_always_makes_no_conversation(rows: Rows) -> None:
    await rows.tell(changed(is_pinned=False), changed(is_read=True), changed(GROUP, None, is_muted=False))
    assert await rows.conversations() == []


async def test_a_chat_marked_as_read_has_nothing_to_read_and_one_marked_as_unread_has(rows: Rows) -> None:
    await rows.tell(received())
    assert [each.unread_count for each in await rows.conversations()] == [1]
    await rows.tell(changed(is_read=True))
    assert [each.unread_count for each in await rows.conversations()] == [0]
    await rows.tell(changed(is_read=False))
    assert [each.unread_count for each in await rows.conversations()] == [1]


async def test_names_of_the_address_book_reach_contacts(rows: Rows) -> None:
    await rows.tell(received(), named(BIA, lid=BIA_LID, full_name="Bia Souza", is_saved=True))
    assert [each.title for each in await rows.conversations()] == ["Bia Souza"]
    await rows.tell(named(BIA_LID, full_name="Bia S.", is_saved=True))
    assert [each.title for each in await rows.conversations()] == ["Bia S."]
    await rows.tell(named(BIA_LID, is_saved=False), named(BIA_LID, push_name="B"))
    assert [each.title for each in await rows.conversations()] == ["Bia S."]


async def test_states_stay_with_their_mentorado(rows: Rows, database: Database, new_mentorado: Any) -> None:
    other = Rows(database, await new_mentorado("Rui"))
    for each in (rows, other):
        await each.tell(received())
    await rows.tell(changed(is_archived=True))
    assert [each.is_archived for each in await other.conversations()] == [False]
