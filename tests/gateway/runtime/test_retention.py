"""What is thrown away when its time is over, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from recado.clock import ManualClock
from recado.content import Text
from recado.events import MessageId, MessageReceived, Source
from recado.gateway.db.pool import Database
from recado.gateway.runtime import retention
from recado.gateway.runtime.recorder import record
from recado.gateway.runtime.retention import Retention
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.jid import JID

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME, FRIEND = JID.phone("550000000001"), JID.phone("550000000002")


def told(number: int, at: datetime) -> MessageReceived:
    return MessageReceived(
        account=ME, at=at, id=MessageId(f"M{number}"), chat=FRIEND, sender=FRIEND, from_me=False,
        content=Text(f"text {number}"), sent_at=at, source=Source.LIVE,
    )  # fmt: skip


async def recorded(database: Database, whose: Principal, days: list[int]) -> None:
    """A message for each of these numbers of days ago."""
    async with database.unit(whose) as unit:
        await record(unit, "baileys", [told(day, NOW - timedelta(days=day)) for day in days])


def counts(database_url: str) -> dict[str, int]:
    with psycopg.connect(database_url) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()[0]  # type: ignore[index]
            for table in ("events", "whatsapp_messages")
        }


@pytest.fixture
def keeper(database: Database) -> Retention:
    return Retention(database, Settings(retain_events_days=90), clock=ManualClock(NOW))


async def test_old_events_go_and_messages_stay(
    keeper: Retention, database: Database, database_url: str, ana: Principal, bia: Principal
) -> None:
    await recorded(database, ana, [200, 91, 89, 1])
    await recorded(database, bia, [100, 2])
    assert (await keeper.forget())["events"] == 3
    assert counts(database_url) == {"events": 3, "whatsapp_messages": 6}


async def test_it_takes_as_many_batches_as_it_needs(
    keeper: Retention, database: Database, database_url: str, ana: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    await recorded(database, ana, [200, 199, 198, 197, 196, 1])
    assert (await keeper.forget())["events"] == 5
    assert counts(database_url)["events"] == 1


async def test_what_an_active_webhook_has_not_had_stays(
    keeper: Retention, database: Database, database_url: str, ana: Principal
) -> None:
    await recorded(database, ana, [200, 199, 198])
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO webhook_endpoints (mentorado_id, url, secret, cursor_seq) VALUES (%s, 'https://x', '', 1)",
            [ana.mentorado_id],
        )
    assert (await keeper.forget())["events"] == 1
    assert (await keeper.forget())["events"] == 0


@pytest.mark.parametrize("state", ["paused", "disabled"])
async def test_what_a_paused_webhook_has_not_had_stays_as_long_again_and_not_for_ever(
    state: str, keeper: Retention, database: Database, database_url: str, ana: Principal, bia: Principal
) -> None:
    await recorded(database, ana, [181, 179, 91, 89])
    await recorded(database, bia, [179])
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO webhook_endpoints (mentorado_id, url, secret, cursor_seq, state)"
            " VALUES (%s, 'https://x', '', 0, %s)",
            [ana.mentorado_id, state],
        )
    assert (await keeper.forget())["events"] == 2  # the oldest, and the other mentorado's, who owes it to nobody
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT body ->> 'id' FROM events ORDER BY seq").fetchall()
        assert left == [("M179",), ("M91",), ("M89",)]
        connection.execute("UPDATE webhook_endpoints SET cursor_seq = 2")
    assert (await keeper.forget())["events"] == 1


async def test_zero_days_keep_for_ever(database: Database, database_url: str, ana: Principal) -> None:
    await recorded(database, ana, [2000])
    forever = Settings(retain_events_days=0, retain_payloads_days=0, retain_outbox_days=0, retain_backups_days=0)
    assert set((await Retention(database, forever, clock=ManualClock(NOW)).forget()).values()) == {0}
    assert counts(database_url)["events"] == 1


async def test_raw_bytes_go_before_the_events_do(
    keeper: Retention, database: Database, database_url: str, ana: Principal
) -> None:
    await recorded(database, ana, [40, 3])
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE whatsapp_messages SET raw = 'x', created_at = sent_at")
    assert (await keeper.forget())["payloads"] == 1
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT provider_message_id FROM whatsapp_messages WHERE raw IS NOT NULL").fetchall()
    assert left == [("M3",)]


async def test_a_placeholder_keeps_what_it_could_not_read(
    keeper: Retention, database: Database, database_url: str, ana: Principal
) -> None:
    await recorded(database, ana, [40])
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE whatsapp_messages SET raw = 'x', created_at = sent_at, is_placeholder = true")
    assert (await keeper.forget())["payloads"] == 0


async def test_the_newest_backup_stays_however_old(
    keeper: Retention, database: Database, database_url: str, ana: Principal
) -> None:
    with psycopg.connect(database_url) as connection:
        for days in (800, 500):
            connection.execute(
                "INSERT INTO baileys_backups (mentorado_id, backup_id, key, value, key_id, reason, made_at)"
                " SELECT %s, gen_random_uuid(), 'creds', '', 1, 'test', %s",
                [ana.mentorado_id, NOW - timedelta(days=days)],
            )
    assert (await keeper.forget())["backups"] == 1


async def test_what_was_of_use_for_a_while_goes_and_what_is_open_stays(
    keeper: Retention, database_url: str, ana: Principal
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("SET session_replication_role = replica")  # references may point nowhere
        for days in (31, 1):
            for statement in (
                "INSERT INTO errands (mentorado_id, provider, kind, conversation_id, chat, message_ids, due_at)"
                " VALUES (%(me)s, 'baileys', 'read', gen_random_uuid(), 'x', '{A}', %(at)s)",
                "INSERT INTO pacing_attention (mentorado_id, conversation_id, kind, message_id, at, resolved_at)"
                " VALUES (%(me)s, gen_random_uuid(), 'failed', 'A', %(at)s, %(at)s),"
                "        (%(me)s, gen_random_uuid(), 'failed', 'A', %(at)s, NULL)",
                "INSERT INTO campaign_dry_runs (mentorado_id, campaign_id, revision, report, made_by, at)"
                " VALUES (%(me)s, gen_random_uuid(), 1, '{}', 'x', %(at)s)",
                "INSERT INTO consent_answers (mentorado_id, message_id, answers, at)"
                " VALUES (%(me)s, 'went' || %(at)s, 'A', %(at)s), (%(me)s, 'waits' || %(at)s, 'A', %(at)s)",
                "INSERT INTO outbox (mentorado_id, conversation_id, provider, chat, message_id, content)"
                " VALUES (%(me)s, gen_random_uuid(), 'baileys', 'x', 'waits' || %(at)s, '{}')",
            ):
                connection.execute(statement, {"me": ana.mentorado_id, "at": NOW - timedelta(days=days)})
    assert (await keeper.forget())["leftovers"] == 4
    with psycopg.connect(database_url) as connection:
        left = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            for table in ("errands", "pacing_attention", "campaign_dry_runs", "consent_answers")
        ]
    assert left == [(1,), (3,), (1,), (3,)]


async def test_one_worker_of_many_does_the_round(database: Database, ana: Principal) -> None:
    clock = ManualClock(NOW)
    rounds = [Retention(database, Settings(), clock=clock) for _ in range(3)]
    assert [await each._is_ours() for each in rounds] == [True, False, False]
    await clock.advance(retention.EVERY.total_seconds())
    assert [await each._is_ours() for each in rounds] == [True, False, False]


def test_the_application_itself_may_not_delete_events(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        asked = "SELECT has_table_privilege('recado_app', %s, 'DELETE')"
        for table in ("events", "whatsapp_messages", "outbox", "message_steps", "baileys_backups", "audit_log"):
            assert connection.execute(asked, [table]).fetchone() == (False,), table
