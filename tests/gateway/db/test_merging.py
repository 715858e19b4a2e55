"""Merging two contacts takes everything of the one conversation to the other: nothing is lost, and nothing collides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from recado.gateway.security import Principal

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


class Book:
    """One mentorado's rows, written by hand: a person known by a number, and the same one known by a LID."""

    def __init__(self, owner: psycopg.Connection[Any], mentorado: UUID | None) -> None:
        self.owner = owner
        self.run("SELECT set_config('recado.mentorado', %s, false)", str(mentorado))
        self.winner, self.loser, self.kept, self.gone = uuid4(), uuid4(), uuid4(), uuid4()
        self.add("whatsapp_contacts", id=self.winner, phone="550000000031")
        self.add("whatsapp_contacts", id=self.loser, lid="777777777777777")
        self.add("conversations", id=self.kept, contact_id=self.winner, kind="person")
        self.add("conversations", id=self.gone, contact_id=self.loser, kind="person")

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = self.owner.execute(sql.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def add(self, table: str, **columns: object) -> None:
        places = ", ".join(["%s"] * len(columns))
        self.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", *columns.values())

    def attention(self, conversation: UUID, **columns: object) -> None:
        self.add("pacing_attention", **{"conversation_id": conversation, "kind": "blocked", "at": AT} | columns)

    def takeover(self, conversation: UUID, by: str, until: datetime | None) -> None:
        self.add("pacing_takeovers", conversation_id=conversation, taken_by=by, taken_at=AT, until=until)

    def fill(self, conversation: UUID, name: str) -> None:
        """A row in every table that belongs to a conversation."""
        self.add(
            "whatsapp_messages", conversation_id=conversation, provider="baileys", provider_message_id=name,
            direction="out", content_type="text", status="queued", source="live", sent_at=AT,
        )  # fmt: skip
        self.add(
            "outbox", conversation_id=conversation, provider="baileys", chat="x", message_id=name, content=Jsonb({})
        )
        self.add(
            "errands", provider="baileys", kind="read", conversation_id=conversation, chat="x", message_ids=[name],
            due_at=AT,
        )  # fmt: skip
        self.add(
            "pacing_sends", message_id=name, provider="baileys", conversation_id=conversation, origin="person",
            is_new_chat=False, at=AT,
        )  # fmt: skip
        self.takeover(conversation, name, None)
        self.attention(conversation, message_id=name)

    def merge(self) -> None:
        self.run("SELECT merge_contacts(%s, %s)", self.winner, self.loser)

    def tables(self) -> list[str]:
        """Those that belong to a conversation, as the catalogue has them."""
        rows = self.run(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'conversation_id' ORDER BY 1"
        )
        return [name for (name,) in rows]

    def count(self, table: str, conversation: UUID) -> int:
        ((count,),) = self.run(f"SELECT count(*) FROM {table} WHERE conversation_id = %s", conversation)
        return int(count)


@pytest.fixture
def book(database_url: str, ana: Principal) -> Iterator[Book]:
    with psycopg.connect(database_url, autocommit=True) as owner:
        yield Book(owner, ana.mentorado_id)


def test_every_table_that_belongs_to_a_conversation_follows_it(book: Book) -> None:
    book.fill(book.gone, "GONE")
    assert [table for table in book.tables() if not book.count(table, book.gone)] == []  # or this test knows too little
    book.merge()
    assert {table: book.count(table, book.gone) for table in book.tables()} == dict.fromkeys(book.tables(), 0)
    assert {table: book.count(table, book.kept) for table in book.tables()} == dict.fromkeys(book.tables(), 1)


def test_what_both_have_meets_without_a_collision(book: Book) -> None:
    book.fill(book.kept, "KEPT")
    book.fill(book.gone, "GONE")
    book.merge()
    one_of_both = {"pacing_takeovers", "pacing_attention"}
    for table in book.tables():
        assert book.count(table, book.kept) == (1 if table in one_of_both else 2), table
        assert book.count(table, book.gone) == 0, table


def test_an_open_matter_of_a_kind_is_one_with_the_latest_words_and_both_counts(book: Book) -> None:
    book.attention(book.kept, message_id="KEPT", times=2, code=463)
    book.attention(book.gone, message_id="GONE", times=3, rule="connection_rate", at=LATER)
    book.attention(book.gone, message_id="OTHER", kind="failed")
    book.attention(book.gone, message_id="OLD", resolved_at=AT, resolved_by="somebody")
    book.merge()
    found = book.run(
        "SELECT kind, message_id, times, code, rule, at, resolved_at IS NULL FROM pacing_attention"
        " WHERE conversation_id = %s ORDER BY message_id",
        book.kept,
    )
    assert found == [
        ("blocked", "GONE", 5, None, "connection_rate", LATER, True),
        ("blocked", "OLD", 1, None, None, AT, False),
        ("failed", "OTHER", 1, None, None, AT, True),
    ]


@pytest.mark.parametrize(
    ("kept", "gone", "until"), [(AT, LATER, LATER), (LATER, AT, LATER), (None, LATER, None), (AT, None, None)]
)
def test_a_conversation_two_people_took_over_is_theirs_who_has_it_longer(
    book: Book, kept: datetime | None, gone: datetime | None, until: datetime | None
) -> None:
    book.takeover(book.kept, "KEPT", kept)
    book.takeover(book.gone, "GONE", gone)
    book.merge()
    longer = "KEPT" if until == kept else "GONE"
    assert book.run("SELECT conversation_id, taken_by, until FROM pacing_takeovers") == [(book.kept, longer, until)]
