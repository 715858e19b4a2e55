"""From facts to rows: what each kind changes, in any order, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from recado.content import Button, Buttons, Location, Text, Unsupported
from recado.errors import CloseReason, StoreRefused
from recado.events import (
    ConnectionChanged,
    ConnectionState,
    ContactChanged,
    DeviceUnlinked,
    EnvelopeUnreadable,
    Fact,
    MessageId,
    MessageReceived,
    MessageRejected,
    MessageSent,
    Quote,
    ReceiptKind,
    ReceiptReceived,
    Source,
    UnknownReceived,
)
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import repository, service
from recado.gateway.conversations.repository import Conversation, Message
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.stream import repository as stream
from recado.jid import BSUID, JID, LID
from recado.store.facts import content_to_json

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ME = JID.phone("550000000001")
BIA, BIA_LID = JID.phone("550000000002"), JID("77000000000002", LID)
GROUP = JID("120363000000000001", "g.us")


class Rows:
    """One mentorado's rows, and facts put into them."""

    def __init__(self, database: Database, principal: Principal) -> None:
        self.database = database
        self.principal = principal

    async def tell(self, *facts: Fact) -> None:
        while True:
            try:
                async with self.database.unit(self.principal) as unit:
                    await record(unit, "baileys", facts)
                return
            except Collided:
                continue

    async def conversations(self) -> list[Conversation]:
        async with self.database.unit(self.principal) as unit:
            return await repository.list_conversations(unit)

    async def messages(self, conversation: Conversation | None = None) -> list[Message]:
        """Oldest first."""
        async with self.database.unit(self.principal) as unit:
            (only,) = [conversation] if conversation else await repository.list_conversations(unit)
            return list(reversed(await repository.list_messages(unit, only.id)))

    async def count(self, table: str) -> int:
        async with self.database.unit(self.principal) as unit:
            return int(await unit.value(Query("count", f"SELECT count(*) FROM {table}".encode())))


@pytest.fixture
def rows(database: Database, ana: Principal) -> Rows:
    return Rows(database, ana)


def received(text: str = "oi", id: str = "3EB01", **changes: Any) -> MessageReceived:
    fact = MessageReceived(
        account=ME,
        at=NOW,
        id=MessageId(id),
        chat=BIA,
        sender=BIA,
        from_me=False,
        content=Text(text),
        sent_at=NOW,
    )
    return replace(fact, **changes)


def sent(text: str = "oi", id: str = "3EB0A", **changes: Any) -> MessageSent:
    fact = MessageSent(account=ME, at=NOW, id=MessageId(id), chat=BIA, content=Text(text), sent_at=NOW)
    return replace(fact, **changes)


def receipt(*ids: str, kind: ReceiptKind = ReceiptKind.READ, **changes: Any) -> ReceiptReceived:
    fact = ReceiptReceived(account=ME, at=NOW, ids=tuple(MessageId(id) for id in ids), chat=BIA, sender=BIA, kind=kind)
    return replace(fact, **changes)


def unreadable(id: str = "3EB01", **changes: Any) -> EnvelopeUnreadable:
    fact = EnvelopeUnreadable(
        account=ME, at=NOW, id=MessageId(id), chat=BIA, sender=BIA, reason="BadMac", sent_at=NOW, raw=b"\x00\xff"
    )
    return replace(fact, **changes)


async def test_a_message_makes_its_contact_its_conversation_and_its_row(rows: Rows) -> None:
    await rows.tell(received("oi", push_name="Bia", chat_alt=BIA_LID, quoted=Quote(MessageId("Q"), ME, "antes")))
    (conversation,) = await rows.conversations()
    assert (conversation.kind, conversation.title) == ("person", "Bia")
    assert (conversation.phone, conversation.lid) == (BIA.user, BIA_LID.user)
    assert (conversation.unread_count, conversation.last_text, conversation.active_at) == (1, "oi", NOW)
    (message,) = await rows.messages()
    assert (message.direction, message.content_type, message.text) == ("in", "text", "oi")
    assert (message.sender_id, message.sender_phone) == (conversation.contact_id, BIA.user)
    assert (message.quoted_message_id, message.quoted_text) == ("Q", "antes")
    assert (message.status, message.source, message.provider) == (None, "live", "baileys")


async def test_told_again_it_is_there_once_whoever_tells(rows: Rows) -> None:
    for source in (Source.LIVE, Source.RESEND, Source.HISTORY, Source.OFFLINE):
        await rows.tell(received(source=source))
    await rows.tell(received(chat=BIA_LID, sender=BIA_LID, chat_alt=BIA))
    assert len(await rows.messages()) == 1
    assert (await rows.conversations())[0].unread_count == 1
    assert await rows.count("events") == 5


async def test_twice_in_one_batch_it_is_there_once(rows: Rows) -> None:
    await rows.tell(received(), received(), unreadable("3EB02"), received("lido", "3EB02"))
    assert [message.text for message in await rows.messages()] == ["oi", "lido"]


async def test_a_resend_fills_the_placeholder_and_nothing_empties_it_again(rows: Rows) -> None:
    await rows.tell(unreadable())
    (message,) = await rows.messages()
    assert (message.is_placeholder, message.content_type, message.text) == (True, "unreadable", None)
    await rows.tell(received("agora sim", source=Source.RESEND))
    await rows.tell(unreadable())
    (message,) = await rows.messages()
    assert (message.is_placeholder, message.content_type, message.text) == (False, "text", "agora sim")
    assert message.source == "resend"
    assert (await rows.conversations())[0].unread_count == 1


async def test_a_placeholder_keeps_what_came_raw(rows: Rows) -> None:
    await rows.tell(unreadable())
    async with rows.database.unit(rows.principal) as unit:
        assert await unit.value(Query("raw", b"SELECT raw FROM whatsapp_messages")) == b"\x00\xff"
        ((_, fact),) = await stream.list_facts(unit, "baileys", after=0, limit=10)
        (event,) = await stream.list_events(unit, after=0)
    assert fact == unreadable()
    assert "raw" not in event.body


async def test_a_kind_we_do_not_model_keeps_its_name_and_its_bytes(rows: Rows) -> None:
    await rows.tell(received(content=Unsupported("stickerMessage", b"\x00\x01")))
    (message,) = await rows.messages()
    assert (message.content_type, message.text) == ("stickerMessage", None)
    async with rows.database.unit(rows.principal) as unit:
        assert await unit.value(Query("raw", b"SELECT raw FROM whatsapp_messages")) == b"\x00\x01"


async def test_an_echo_is_the_mentorado_s_own_and_unread_by_nobody(rows: Rows) -> None:
    await rows.tell(received("do telefone", from_me=True, sender=ME, source=Source.ECHO, push_name="Eu"))
    (conversation,) = await rows.conversations()
    assert (conversation.unread_count, conversation.title) == (0, None)
    (message,) = await rows.messages()
    assert (message.direction, message.status, message.sender_id) == ("out", "server_ack", None)


@pytest.mark.parametrize("seed", range(8))
async def test_a_status_only_moves_forward_in_whatever_order_it_is_told(rows: Rows, seed: int) -> None:
    facts: list[Fact] = [
        sent(),
        receipt("3EB0A", kind=ReceiptKind.DELIVERED),
        receipt("3EB0A", kind=ReceiptKind.READ),
        receipt("3EB0A", kind=ReceiptKind.PLAYED),
        MessageRejected(account=ME, at=NOW, id=MessageId("3EB0A"), chat=BIA, code=479),
    ]
    rest = facts[1:]
    random.Random(seed).shuffle(rest)
    for fact in (facts[0], *rest):
        await rows.tell(fact)
    (message,) = await rows.messages()
    assert (message.status, message.failure) == ("played", None)


async def test_a_refusal_is_told_in_plain_words_and_a_receipt_outranks_it(rows: Rows) -> None:
    message_id = await queued(rows)
    await rows.tell(MessageRejected(account=ME, at=NOW, id=message_id, chat=BIA, code=479))
    (message,) = await rows.messages()
    assert (message.status, message.failure) == ("failed", "refused (479)")
    await rows.tell(receipt(message_id, kind=ReceiptKind.DELIVERED))
    (message,) = await rows.messages()
    assert (message.status, message.failure) == ("delivered", None)


async def queued(rows: Rows, text: str = "bom dia", **options: Any) -> MessageId:
    async with rows.database.unit(rows.principal) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
        await connections.save_account(unit, "baileys", phone=ME.user, lid=None)
        await connections.save_state(unit, "baileys", "connected")
        options.setdefault("to", BIA.user)
        accepted = await service.queue_message(unit, text=text, now=NOW, **options)
    return MessageId(accepted.queued.message_id)


async def test_what_was_queued_becomes_sent_in_the_same_row(rows: Rows) -> None:
    message_id = await queued(rows)
    assert [(m.text, m.status) for m in await rows.messages()] == [("bom dia", "queued")]
    await rows.tell(sent("bom dia", message_id, chat=BIA_LID, chat_alt=BIA, sent_at=NOW + timedelta(seconds=3)))
    (message,) = await rows.messages()
    assert (message.status, message.sent_at) == ("server_ack", NOW + timedelta(seconds=3))
    async with rows.database.unit(rows.principal) as unit:
        found = await repository.find_queued(unit, message_id=message_id)
    assert found is not None
    assert found.state == "server_ack"


async def test_an_echo_proves_that_it_went_out_and_settles_the_outbox(rows: Rows) -> None:
    message_id = await queued(rows)
    await rows.tell(received("bom dia", message_id, from_me=True, sender=ME, source=Source.ECHO))
    async with rows.database.unit(rows.principal) as unit:
        settled = await unit.value(Query("s", b"SELECT settled_at IS NOT NULL FROM outbox"))
    assert settled is True
    assert len(await rows.messages()) == 1


async def test_two_addresses_of_one_person_become_one_contact_and_one_thread(rows: Rows) -> None:
    await rows.tell(received("pelo número", "A"), sent("resposta", "B"))
    await rows.tell(received("pelo LID", "C", chat=BIA_LID, sender=BIA_LID, push_name="Bia"))
    assert len(await rows.conversations()) == 2
    await rows.tell(ContactChanged(account=ME, at=NOW, contact=BIA_LID, phone=BIA, lid=BIA_LID))
    (conversation,) = await rows.conversations()
    assert (conversation.phone, conversation.lid, conversation.title) == (BIA.user, BIA_LID.user, "Bia")
    assert conversation.unread_count == 2
    assert {message.text for message in await rows.messages()} == {"pelo número", "resposta", "pelo LID"}
    assert {message.sender_id for message in await rows.messages()} == {conversation.contact_id, None}
    assert await rows.count("whatsapp_contacts") == 1
    await rows.tell(received("depois", "D", chat=BIA_LID, sender=BIA_LID))
    assert len(await rows.messages()) == 4


async def test_a_message_kept_under_both_addresses_is_one_after_the_merge_and_the_readable_one(rows: Rows) -> None:
    await rows.tell(unreadable("A"), received("B", "B"))
    await rows.tell(received("lido", "A", chat=BIA_LID, sender=BIA_LID))
    in_group = received("no grupo", "G", chat=GROUP, sender=BIA)
    await rows.tell(in_group, replace(in_group, sender=BIA_LID))
    await rows.tell(ContactChanged(account=ME, at=NOW, contact=BIA, lid=BIA_LID))
    person, group = sorted(await rows.conversations(), key=lambda found: found.kind != "person")
    assert {message.text for message in await rows.messages(person)} == {"lido", "B"}
    assert [message.text for message in await rows.messages(group)] == ["no grupo"]


async def test_a_lid_that_changes_hands_merges_nobody(rows: Rows) -> None:
    other = JID.phone("550000000003")
    await rows.tell(received("a", "A", chat_alt=BIA_LID), received("b", "B", chat=other, sender=other))
    await rows.tell(ContactChanged(account=ME, at=NOW, contact=other, lid=BIA_LID))
    found = {conversation.phone: conversation.lid for conversation in await rows.conversations()}
    assert found == {BIA.user: None, other.user: BIA_LID.user}


async def test_a_group_has_one_thread_and_many_authors(rows: Rows) -> None:
    carla = JID.phone("550000000004")
    await rows.tell(
        received("um", "A", chat=GROUP, push_name="Bia"),
        received("dois", "A", chat=GROUP, sender=carla, push_name="Carla"),
    )
    (conversation,) = await rows.conversations()
    assert (conversation.kind, conversation.chat, conversation.unread_count) == ("group", str(GROUP), 2)
    assert {message.sender_name for message in await rows.messages()} == {"Bia", "Carla"}


async def test_history_counts_as_nothing_unread_and_does_not_come_to_the_top(rows: Rows) -> None:
    await rows.tell(received("hoje", "A"))
    old = [received(f"h{n}", f"H{n}", source=Source.HISTORY, sent_at=NOW - timedelta(days=n)) for n in range(1, 50)]
    await rows.tell(*old)
    (conversation,) = await rows.conversations()
    assert (conversation.unread_count, conversation.last_text, conversation.active_at) == (1, "hoje", NOW)
    assert [message.text for message in await rows.messages()][-1] == "hoje"


async def test_read_on_another_device_leaves_what_came_later(rows: Rows) -> None:
    await rows.tell(*(received(str(n), f"A{n}", sent_at=NOW + timedelta(seconds=n)) for n in range(4)))
    await rows.tell(receipt("A0", "A1", from_me=True, sender=ME))
    assert (await rows.conversations())[0].unread_count == 2
    await rows.tell(receipt("A3", from_me=True, sender=ME, kind=ReceiptKind.DELIVERED))
    assert (await rows.conversations())[0].unread_count == 2


async def test_somebody_s_receipt_is_not_about_what_they_wrote(rows: Rows) -> None:
    await rows.tell(received("oi", "A"))
    await rows.tell(receipt("A"))
    (message,) = await rows.messages()
    assert message.status is None


async def test_the_connection_s_row_follows_its_facts(
    rows: Rows, new_lease: Callable[[Principal], Awaitable[Any]]
) -> None:
    await new_lease(rows.principal)
    async with rows.database.unit(rows.principal) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connecting")
        await connections.save_step(unit, "baileys", "qr", b"sealed", expires_at=NOW + timedelta(days=999))
    await rows.tell(ConnectionChanged(account=ME, at=NOW, state=ConnectionState.CONNECTED))
    found = await connection(rows)
    assert (found.state, found.account_phone, found.step_kind) == ("connected", ME.user, None)
    later = NOW + timedelta(seconds=9)
    lost = ConnectionChanged(
        account=ME, at=NOW, state=ConnectionState.RECONNECTING, reason=CloseReason.LOST, retry_at=later
    )
    await rows.tell(lost)
    found = await connection(rows)
    assert (found.state, found.reason, found.retry_at) == ("reconnecting", "lost", later)
    await rows.tell(DeviceUnlinked(account=ME, at=NOW, reason=CloseReason.LOGGED_OUT))
    found = await connection(rows)
    assert (found.state, found.reason, found.account_phone) == ("logged_out", "logged_out", ME.user)


async def connection(rows: Rows) -> connections.Connection:
    async with rows.database.unit(rows.principal) as unit:
        found = await connections.find_connection(unit, "baileys")
    assert found is not None
    return found


async def test_what_changes_no_row_is_told_all_the_same(rows: Rows) -> None:
    await rows.tell(UnknownReceived(account=ME, at=NOW, tag="new-thing", raw=b"\x00"))
    assert await rows.count("events") == 1
    assert await rows.count("conversations") == 0


async def test_numbers_are_in_the_order_of_commits_with_many_writers(rows: Rows) -> None:
    """A reader that takes what is new, again and again, meanwhile misses nothing."""
    done = asyncio.Event()
    seen: list[int] = []

    async def write(who: int) -> None:
        chat = JID.phone(f"55000001{who:04}")
        for n in range(8):
            await rows.tell(received(str(n), f"{who}-{n}", chat=chat, sender=chat), receipt(f"{who}-{n}"))

    async def read() -> None:
        while True:
            last = done.is_set()
            async with rows.database.unit(rows.principal) as unit:
                page = await stream.list_events(unit, after=seen[-1] if seen else 0, limit=7)
            seen.extend(event.seq for event in page)
            if last and not page:
                return

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        async with asyncio.TaskGroup() as writers:
            for who in range(5):
                writers.create_task(write(who))
        done.set()
    assert seen == list(range(1, 81))


async def test_nobody_sees_a_later_number_while_an_earlier_one_is_not_committed(rows: Rows, database_url: str) -> None:
    """A reader who has seen the later one would never ask for the earlier."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    chat = JID.phone("550000010001")
    async with asyncio.TaskGroup() as group, rows.database.unit(rows.principal) as unit:
        await record(unit, "baileys", [received("first")])
        await unit.drain()
        second = group.create_task(rows.tell(received("second", "3EB02", chat=chat, sender=chat)))
        with psycopg.connect(database_url, autocommit=True) as line:
            async with asyncio.timeout(30):
                while not second.done() and not line.execute(blocked).fetchone()[0]:  # type: ignore[index]
                    await asyncio.to_thread(line.execute, b"SELECT 1")
        async with rows.database.unit(rows.principal) as looking:
            assert await stream.list_events(looking, after=0) == []
    async with rows.database.unit(rows.principal) as looking:
        assert [event.seq for event in await stream.list_events(looking, after=0)] == [1, 2]


async def test_many_writers_of_the_same_people_make_each_of_them_once(rows: Rows) -> None:
    people = [JID.phone(f"55000002{n:04}") for n in range(6)]

    async def write(who: int) -> None:
        order = people.copy()
        random.Random(who).shuffle(order)
        await rows.tell(*(received("oi", f"{who}-{p.user}", chat=p, sender=p) for p in order))

    async with asyncio.TaskGroup() as group:
        for who in range(6):
            group.create_task(write(who))
    assert await rows.count("whatsapp_contacts") == 6
    assert await rows.count("whatsapp_messages") == 36


async def test_a_batch_of_hundreds_is_kept_whole(rows: Rows) -> None:
    people = [JID.phone(f"55000003{n:04}") for n in range(40)]
    facts = [received(f"m{n}", f"M{n}", chat=people[n % 40], sender=people[n % 40]) for n in range(400)]
    await rows.tell(*facts)
    assert await rows.count("whatsapp_messages") == 400
    assert sum(found.unread_count for found in await rows.conversations()) == 400


async def test_an_answer_within_the_second_of_ours_is_the_last_message(rows: Rows) -> None:
    """Ours is queued by our clock, to the microsecond; what comes is told in whole seconds."""
    async with rows.database.unit(rows.principal) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connected")
        await connections.save_account(unit, "baileys", phone=ME.user, lid=None)
        await connections.save_state(unit, "baileys", "connected")
        await service.queue_message(unit, text="ours", now=NOW.replace(microsecond=800_000), to=BIA.user)
    await rows.tell(received("theirs", "3EB0THEIRS", chat=BIA_LID, chat_alt=BIA, sent_at=NOW.replace(microsecond=0)))
    async with rows.database.unit(rows.principal) as unit:
        (conversation,) = await repository.list_conversations(unit)
    assert conversation.last_text == "theirs"


async def test_what_a_message_says_beyond_a_text_is_kept_as_it_is_told(rows: Rows) -> None:
    place = Location(-23.55, -46.63, name="Praça da Sé")
    await rows.tell(received(content=place), sent(content=Buttons("Vem?", (Button("s", "Sim"),))))
    (came, went) = await rows.messages()
    assert (came.content_type, came.text, came.content) == ("location", "Praça da Sé", content_to_json(place))
    assert (went.content_type, went.text) == ("buttons", "Vem?")
    assert went.content is not None and went.content["buttons"] == [{"id": "s", "title": "Sim"}]
    await rows.tell(received("só texto", "3EB07"))
    assert [message.content for message in await rows.messages() if message.text == "só texto"] == [None]


async def test_a_person_of_whom_only_the_third_address_is_known_is_the_same_when_the_number_comes(rows: Rows) -> None:
    bsuid = JID("BR.15020000000001", BSUID)
    await rows.tell(received("oi", "wamid.1", chat=bsuid, sender=bsuid), sent("olá", "3EB0B"))
    assert len(await rows.conversations()) == 2
    await rows.tell(received("sou eu", "wamid.2", chat_alt=bsuid))
    (conversation,) = await rows.conversations()
    assert (conversation.phone, conversation.bsuid) == (BIA.user, bsuid.user)
    assert [message.text for message in await rows.messages()] == ["oi", "olá", "sou eu"]
    await rows.tell(receipt("3EB0B", chat=bsuid, sender=bsuid))
    assert [message.status for message in await rows.messages() if message.direction == "out"] == ["read"]


async def test_a_third_address_changes_hands_when_another_number_has_it(rows: Rows) -> None:
    bsuid, caio = JID("BR.15020000000001", BSUID), JID.phone("550000000003")
    await rows.tell(received("oi", "wamid.1", chat_alt=bsuid), received("oi", chat=caio, sender=caio))
    await rows.tell(received("oi", "wamid.2", chat=caio, sender=caio, chat_alt=bsuid))
    assert {c.phone: c.bsuid for c in await rows.conversations()} == {BIA.user: None, caio.user: bsuid.user}


async def test_two_addresses_of_one_contact_in_one_batch_make_one_conversation(rows: Rows) -> None:
    await rows.tell(ContactChanged(account=ME, at=NOW, contact=BIA, lid=BIA_LID))
    await rows.tell(received("um"), received("dois", "3EB02", chat=BIA_LID, sender=BIA_LID))
    assert [message.text for message in await rows.messages()] == ["um", "dois"]


async def test_half_a_character_is_refused_in_words_and_leaves_nothing(rows: Rows) -> None:
    half = UnknownReceived(account=ME, at=NOW, tag="message", raw=b"", problem="half of one: \ud83d")
    with pytest.raises(StoreRefused):
        await rows.tell(received(), half)
    assert await rows.count("events") == await rows.count("whatsapp_messages") == 0
