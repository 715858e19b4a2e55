"""What messages say of others: reactions, votes, edits, deletions. The rows come to the same in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from tests.gateway.runtime.test_projector import BIA, GROUP, ME, NOW, Rows, received, sent, unreadable

from recado.content import (
    Answer,
    Content,
    Edit,
    Event,
    EventAnswer,
    Media,
    MediaKind,
    Pin,
    Poll,
    PollVote,
    Reaction,
    Revoke,
    Text,
    Unsupported,
)
from recado.events import ChatRemembered, Fact, MessageId, MessageReceived, MessageStarred, Source
from recado.gateway.contacts import repository as contacts
from recado.gateway.conversations.abouts import Marks, list_marks, list_versions
from recado.gateway.conversations.repository import Conversation, Message
from recado.gateway.db.pool import Database
from recado.gateway.security import Principal
from recado.jid import JID

CAIO = JID.phone("550000000003")


@pytest.fixture
def rows(database: Database, ana: Principal) -> Rows:
    return Rows(database, ana)


def said(content: Content, id: str, minutes: int = 1, **changes: Any) -> MessageReceived:
    return replace(received(id=id, **changes), content=content, sent_at=NOW + timedelta(minutes=minutes))


async def only(rows: Rows) -> Conversation:
    (conversation,) = await rows.conversations()
    return conversation


async def shown(rows: Rows) -> list[Message]:
    return [message for message in await rows.messages(await only(rows)) if message.about_id is None]


async def marks(rows: Rows, id: str = "3EB01") -> Marks:
    async with rows.database.unit(rows.principal) as unit:
        return (await list_marks(unit, (await only(rows)).id, [id])).get(id, Marks())


async def versions(rows: Rows) -> list[str | None]:
    (message,) = await shown(rows)
    async with rows.database.unit(rows.principal) as unit:
        return [version.text for version in await list_versions(unit, message.id)]


async def test_a_reaction_is_on_its_message_and_is_neither_unread_nor_the_last_one(rows: Rows) -> None:
    await rows.tell(received("oi"))
    await rows.tell(said(Reaction("3EB01", "👍"), "R1"), said(Reaction("3EB01", "❤️"), "R2", 2))
    found = await marks(rows)
    assert [(one.content or {})["emoji"] for one in found.reactions] == ["❤️"]
    conversation = await only(rows)
    assert (conversation.unread_count, conversation.last_text) == (1, "oi")
    await rows.tell(said(Reaction("3EB01", ""), "R3", 3))
    assert (await marks(rows)).reactions == []


ORIGINAL, FIRST, SECOND = (
    received("oi", source=Source.HISTORY),
    said(Edit("3EB01", Text("oi!")), "E1", 1, source=Source.HISTORY),
    said(Edit("3EB01", Text("olá")), "E2", 2, source=Source.HISTORY),
)


@pytest.mark.parametrize("order", list(permutations((ORIGINAL, FIRST, SECOND))))
@pytest.mark.parametrize("at_once", [True, False])
async def test_an_edited_message_says_the_new_words_and_the_old_ones_are_kept(
    rows: Rows, order: tuple[Fact, ...], at_once: bool
) -> None:
    for facts in (order,) if at_once else ((fact,) for fact in order):
        await rows.tell(*facts)
    (message,) = await shown(rows)
    assert (message.text, message.edited_at) == ("olá", NOW + timedelta(minutes=2))
    assert await versions(rows) == ["oi", "oi!", "olá"]


async def test_the_answer_of_a_machine_grows_in_its_conversation(rows: Rows) -> None:
    machine = JID.parse("15550142@bot")
    where = {"chat": machine, "chat_alt": None, "sender": machine}
    await rows.tell(said(Text("Let me"), "3EB01", **where))
    await rows.tell(said(Edit("3EB01", Text("Let me think"), from_me=False), "E1", **where))
    await rows.tell(said(Edit("3EB01", Text("Let me think: 4"), from_me=False), "E2", 2, **where))
    (message,) = await shown(rows)
    assert message.text == "Let me think: 4"
    assert (await only(rows)).address == machine


async def test_nobody_edits_or_deletes_what_another_wrote(rows: Rows) -> None:
    in_group = {"chat": GROUP}
    await rows.tell(received("oi", chat=GROUP))
    await rows.tell(said(Edit("3EB01", Text("mal")), "E1", sender=CAIO, **in_group))
    await rows.tell(said(Revoke("3EB01"), "V1", sender=CAIO, **in_group))
    await rows.tell(said(Edit("3EB01", Text("mal")), "E2", from_me=True, sender=ME, **in_group))
    (message,) = await shown(rows)
    assert (message.text, message.edited_at, message.revoked_at) == ("oi", None, None)


async def test_a_deleted_message_is_shown_as_deleted_and_its_words_nowhere(rows: Rows) -> None:
    await rows.tell(received("segredo"))
    await rows.tell(said(Revoke("3EB01"), "V1"))
    (message,) = await shown(rows)
    assert (message.text, message.content, message.revoked_at) == (None, None, NOW + timedelta(minutes=1))
    conversation = await only(rows)
    assert (conversation.last_text, conversation.last_content_type) == (None, "revoked")
    assert await versions(rows) == ["segredo"]


async def test_what_was_deleted_before_it_could_be_read_stays_deleted(rows: Rows) -> None:
    await rows.tell(unreadable())
    await rows.tell(said(Revoke("3EB01"), "V1"))
    await rows.tell(received("segredo", source=Source.RESEND))
    (message,) = await shown(rows)
    assert message.revoked_at is not None and message.text is None


async def test_in_a_group_an_admin_deletes_what_others_wrote(rows: Rows) -> None:
    await rows.tell(received("oi", chat=GROUP))
    await rows.tell(said(Revoke("3EB01", from_me=False, author=str(BIA)), "V1", chat=GROUP, sender=CAIO))
    (message,) = await shown(rows)
    assert message.revoked_at is not None


async def test_in_a_conversation_of_two_nobody_is_an_admin(rows: Rows) -> None:
    await rows.tell(sent("oi", id="OURS"))
    await rows.tell(said(Revoke("OURS", from_me=False, author=str(ME)), "V1"))
    (message,) = await shown(rows)
    assert message.revoked_at is None


async def test_a_poll_is_tallied_by_the_last_vote_of_each(rows: Rows) -> None:
    poll = Poll("Quando?", ("seg", "ter"), 2)
    await rows.tell(said(poll, "3EB01", 0, chat=GROUP))
    await rows.tell(
        said(PollVote("3EB01", ("seg",)), "P1", 1, chat=GROUP, sender=CAIO),
        said(PollVote("3EB01", ("seg", "ter")), "P2", 2, chat=GROUP),
        said(PollVote("3EB01", ("ter", "nunca")), "P3", 3, chat=GROUP, sender=CAIO),
    )
    found = await marks(rows)
    assert [(option, len(votes)) for option, votes in found.tally(poll.options)] == [("seg", 1), ("ter", 2)]
    await rows.tell(said(PollVote("3EB01", ()), "P4", 4, chat=GROUP, sender=CAIO))
    assert [len(votes) for _, votes in (await marks(rows)).tally(poll.options)] == [1, 1]


async def test_answers_and_pins_are_the_messages_own(rows: Rows) -> None:
    await rows.tell(said(Event("Aula", NOW), "3EB01", 0))
    await rows.tell(said(EventAnswer("3EB01", Answer.GOING, 1), "A1"), said(Pin("3EB01", seconds=86400), "N1", 2))
    found = await marks(rows)
    assert [(one.content or {})["answer"] for one in found.answers] == ["going"]
    assert found.pinned_until == NOW + timedelta(minutes=2, days=1)
    await rows.tell(said(Pin("3EB01", is_pinned=False), "N2", 3))
    assert (await marks(rows)).pinned_until is None


async def test_an_edited_caption_leaves_the_file_where_it_is(rows: Rows) -> None:
    file = Media(MediaKind.IMAGE, "media:6f1c2f1e-0000-4000-8000-000000000001", "image/jpeg", caption="antes")
    await rows.tell(said(file, "3EB01", 0))
    await rows.tell(said(Edit("3EB01", replace(file, reference="", caption="depois")), "E1"))
    (message,) = await shown(rows)
    assert (message.text, message.content_type) == ("depois", "image")
    assert message.content is not None
    assert (message.content["reference"], message.content["caption"]) == (file.reference, "depois")


async def test_what_disappears_and_what_was_passed_on_say_so(rows: Rows) -> None:
    await rows.tell(received("oi", forwarded=3, expires_in=86400))
    (message,) = await shown(rows)
    assert (message.forwarded, message.expires_at) == (3, NOW + timedelta(days=1))


async def test_a_kind_that_is_not_known_keeps_its_words(rows: Rows) -> None:
    await rows.tell(said(Unsupported("orderMessage", b"\x0a", text="2 itens"), "3EB01", 0))
    (message,) = await shown(rows)
    assert (message.content_type, message.text) == ("orderMessage", "2 itens")


async def test_an_edit_of_ours_counts_once_the_server_has_it(rows: Rows) -> None:
    await rows.tell(sent("oi", id="OURS"))
    await rows.tell(replace(sent(id="E1"), content=Edit("OURS", Text("olá")), sent_at=NOW + timedelta(minutes=1)))
    (message,) = await shown(rows)
    assert message.text == "olá"


async def test_an_erasure_takes_the_old_words_too(rows: Rows) -> None:
    await rows.tell(received("segredo"), said(Edit("3EB01", Text("oi")), "E1"))
    person = await only(rows)
    assert person.contact_id is not None
    async with rows.database.unit(rows.principal) as unit:
        await contacts.erase_contact(unit, person.contact_id, reason="asked")
    assert set(await versions(rows)) == {None}
    await rows.tell(said(Edit("3EB01", Text("de volta")), "E2", 2))
    assert "de volta" not in [m.text for c in await rows.conversations() for m in await rows.messages(c)
                              if m.provider_message_id == "3EB01"]  # fmt: skip


async def test_a_star_is_on_its_message_until_it_is_taken_away(rows: Rows) -> None:
    await rows.tell(received("oi"), sent(id="3EB01"))  # others choose their ids: one of ours may be called the same

    def star(is_starred: bool, **changes: Any) -> MessageStarred:
        fact = MessageStarred(account=ME, at=NOW, id=MessageId("3EB01"), chat=BIA, from_me=False, is_starred=is_starred)
        return replace(fact, **changes)

    await rows.tell(star(True), star(False, chat=CAIO))
    assert {message.direction: message.is_starred for message in await shown(rows)} == {"in": True, "out": False}
    await rows.tell(star(True), star(False))
    assert not any(message.is_starred for message in await shown(rows))


async def test_a_group_of_the_past_has_its_name(rows: Rows) -> None:
    await rows.tell(ChatRemembered(account=ME, at=NOW, chat=GROUP, name="Turma"))
    assert ((await only(rows)).kind, (await only(rows)).title) == ("group", "Turma")
