"""No mentorado sees another's rows: what the catalogue says of every table, and attempts that must fail."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from recado.errors import StoreError, UsageError
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import repository as conversations
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.mentorados import repository as mentorados
from recado.gateway.mentorados import service
from recado.gateway.refusals import Forbidden, NotFound, Unauthenticated
from recado.gateway.security import READ, SEND, Principal

TENANT_TABLES = """
    SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
      AND (c.relname = 'mentorados' OR EXISTS (
          SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'mentorado_id' AND NOT a.attisdropped))
    ORDER BY 1
"""

UNREADABLE = {"erasure_keys", "erased_opt_outs"}
"""Tables that only functions of the owner look at."""


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def query(sql: str) -> Query:
    return Query("test", sql.encode())


def test_security_is_enabled_and_forced_on_every_table_of_a_mentorado(owner: psycopg.Connection[Any]) -> None:
    tables = owner.execute(TENANT_TABLES).fetchall()
    assert len(tables) >= 15
    assert [name for name, enabled, forced in tables if not (enabled and forced)] == []


def test_every_table_of_a_mentorado_has_the_policy_own(owner: psycopg.Connection[Any]) -> None:
    own = {name for (name,) in owner.execute("SELECT tablename FROM pg_policies WHERE policyname = 'own'")}
    assert {name for name, _, _ in owner.execute(TENANT_TABLES)} == own


def test_the_policies_beyond_own_are_these_and_no_others(owner: psycopg.Connection[Any]) -> None:
    others = owner.execute(
        "SELECT policyname, tablename, cmd FROM pg_policies WHERE policyname <> 'own' ORDER BY 1, 2"
    ).fetchall()
    assert others == [
        ("admin", "api_keys", "ALL"),
        ("admin", "audit_log", "ALL"),
        ("admin", "mentorados", "ALL"),
        ("admin", "move_people", "ALL"),
        ("admin", "moves", "ALL"),
        ("admin", "stream_heads", "INSERT"),
        ("admin_reads", "connections", "SELECT"),
        ("claims", "leases", "ALL"),
        ("counts", "outbox", "SELECT"),
        ("counts", "whatsapp_messages", "SELECT"),
        ("scans", "api_keys", "SELECT"),
        ("scans", "campaigns", "SELECT"),
        ("scans", "connections", "SELECT"),
        ("scans", "leases", "SELECT"),
        ("scans", "media", "SELECT"),
        ("scans", "move_people", "SELECT"),
        ("scans", "moves", "SELECT"),
        ("scans", "provider_credentials", "SELECT"),
        ("scans", "provider_hooks", "SELECT"),
        ("scans", "stream_heads", "SELECT"),
        ("scans", "webhook_endpoints", "SELECT"),
    ]


def test_the_application_s_role_owns_nothing_and_cannot_go_around(owner: psycopg.Connection[Any]) -> None:
    flags = owner.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin"
        " FROM pg_roles WHERE rolname = 'recado_app'"
    ).fetchone()
    assert flags == (False,) * 6
    owned = owner.execute("SELECT count(*) FROM pg_class WHERE relowner = 'recado_app'::regrole").fetchone()
    assert owned == (0,)
    member_of = owner.execute("SELECT count(*) FROM pg_auth_members WHERE member = 'recado_app'::regrole").fetchone()
    assert member_of == (0,)


def test_functions_that_see_everybody_are_these_and_pin_their_search_path(owner: psycopg.Connection[Any]) -> None:
    found = owner.execute(
        "SELECT proname, proconfig, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY 1"
    ).fetchall()
    path = ["search_path=pg_catalog, public, pg_temp"]
    assert found == [
        ("claim_accounts", path, False),
        ("count_backlog", path, False),
        ("count_troubled", path, False),
        ("count_words", path, False),
        ("empty_media", path, False),
        ("erase_asked", path, False),
        ("erase_contact", path, False),
        ("erase_media", path, False),
        ("erase_traces", path, False),
        ("find_api_key", path, False),
        ("find_hook", path, False),
        ("find_shared_accounts", path, False),
        ("find_shared_wabas", path, False),
        ("forget_backups", path, False),
        ("forget_events", path, False),
        ("forget_leftovers", path, False),
        ("forget_media", path, False),
        ("forget_payloads", path, False),
        ("forget_settled", path, False),
        ("forget_steps", path, False),
        ("hash_person", path, False),
        ("heed_erased", path, False),
        ("is_run", path, False),
        ("merge_contacts", path, False),
        ("next_media_at", path, False),
        ("next_webhook_at", path, False),
        ("scan_campaigns", path, False),
        ("scan_connections", path, False),
        ("scan_media", path, False),
        ("scan_moves", path, False),
        ("scan_outbox", path, False),
        ("scan_webhooks", path, False),
        ("schema_version", path, False),
        ("survey_workers", path, False),
        ("take_link_turn", path, False),
        ("worker_shares", path, False),
    ]


def test_history_cannot_be_deleted_by_the_application(owner: psycopg.Connection[Any]) -> None:
    kept = ["whatsapp_messages", "events", "conversations", "audit_log", "mentorados", "baileys_backups", "consents"]
    for table in kept:
        granted = owner.execute(
            "SELECT bool_or(has_table_privilege('recado_app', %s, p)) FROM unnest('{DELETE,TRUNCATE}'::text[]) p",
            [table],
        ).fetchone()
        assert granted == (False,), table
    cascades = owner.execute("SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'").fetchall()
    assert cascades == []


async def fill(database: Database, principal: Principal) -> None:
    """A row in every table a mentorado has one in by then."""
    async with database.unit(principal) as unit:
        await connections.save_desired(unit, "baileys", "connected", state="connecting")
        await unit.run(query("INSERT INTO baileys_sessions (key, value, key_id) VALUES ('creds', 'x', 1)"))
        await unit.run(
            query(
                "INSERT INTO baileys_backups (backup_id, key, value, key_id, reason)"
                " VALUES (gen_random_uuid(), 'creds', 'x', 1, 'test')"
            )
        )
        await unit.run(query("INSERT INTO data_keys (key_id, wrapped) VALUES (1, 'x')"))
        await unit.run(query("INSERT INTO leases (provider, epoch) VALUES ('baileys', 1)"))
        await unit.run(query("INSERT INTO whatsapp_contacts (phone) VALUES ('550000000002')"))
        await unit.run(query("INSERT INTO leads (name) VALUES ('lead')"))
        await unit.run(query("INSERT INTO conversations (kind, chat) VALUES ('group', '1@g.us')"))
        await unit.run(
            query(
                "INSERT INTO whatsapp_messages (conversation_id, provider, provider_message_id, direction,"
                " content_type, source, sent_at) SELECT id, 'baileys', 'A', 'in', 'text', 'live', now()"
                " FROM conversations"
            )
        )
        await unit.run(
            query(
                "INSERT INTO outbox (conversation_id, provider, chat, message_id, content)"
                " SELECT id, 'baileys', '1@g.us', 'B', '{}' FROM conversations"
            )
        )
        await unit.run(query("INSERT INTO message_steps (message_id, at, step) VALUES ('B', now(), 'queued')"))
        await unit.run(
            query(
                "INSERT INTO errands (provider, kind, conversation_id, chat, message_ids, due_at)"
                " SELECT 'baileys', 'read', id, '1@g.us', '{A}', now() FROM conversations"
            )
        )
        await unit.run(query("INSERT INTO whatsapp_contacts (lid) VALUES ('123456')"))
        await unit.run(query("INSERT INTO labels (label_id, name, color, changed_at) VALUES ('1', 'x', 0, now())"))
        await unit.run(query("INSERT INTO group_rules (group_id) SELECT id FROM conversations"))
        await unit.run(
            query(
                "INSERT INTO conversation_members (group_id, contact_id)"
                " SELECT c.id, p.id FROM conversations c, whatsapp_contacts p LIMIT 1"
            )
        )
        await unit.run(
            query(
                "INSERT INTO message_receipts (message_id, contact_id, delivered_at)"
                " SELECT m.id, p.id, now() FROM whatsapp_messages m, whatsapp_contacts p LIMIT 1"
            )
        )
        await unit.run(
            query(
                "INSERT INTO requests (provider, verb, scope, due_at, asked_by, asked_at)"
                " VALUES ('x', 'x', 'read', now(), 'x', now())"
            )
        )
        await unit.run(query("INSERT INTO events (seq, provider, kind, body, at) VALUES (1, 'x', 'x', '{}', now())"))
        await unit.run(query("INSERT INTO api_keys (prefix, hash, scopes) VALUES (gen_random_uuid(), 'x', '{read}')"))
        await unit.run(query("INSERT INTO audit_log (actor, action) VALUES ('test', 'test')"))
        await unit.run(query("INSERT INTO webhook_endpoints (url, secret, cursor_seq) VALUES ('x', 'x', 0)"))
        await unit.run(
            query(
                "INSERT INTO webhook_attempts (endpoint_id, attempt, at, milliseconds)"
                " SELECT id, 1, now(), 1 FROM webhook_endpoints"
            )
        )
        await unit.run(
            query(
                "INSERT INTO webhook_dead_letters (endpoint_id, seq, attempts, died_at)"
                " SELECT id, 1, 1, now() FROM webhook_endpoints"
            )
        )
        await unit.run(
            query(
                "INSERT INTO consents (contact_id, purpose, kind, at, source, actor)"
                " SELECT id, 'marketing', 'in', now(), 'api', 'test' FROM whatsapp_contacts"
            )
        )
        await unit.run(query("INSERT INTO consent_answers (message_id, answers, at) VALUES ('B', 'A', now())"))
        await unit.run(query("INSERT INTO pacing_settings (updated_by, updated_at) VALUES ('test', now())"))
        await unit.run(query("INSERT INTO pacing_links (provider, phone, linked_at) VALUES ('x', '1', now())"))
        await unit.run(query("INSERT INTO pacing_heads (provider) VALUES ('baileys')"))
        await unit.run(
            query(
                "INSERT INTO pacing_sends (message_id, provider, conversation_id, origin, is_new_chat, at)"
                " SELECT 'B', 'baileys', id, 'person', true, now() FROM conversations"
            )
        )
        await unit.run(
            query(
                "INSERT INTO pacing_takeovers (conversation_id, taken_by, taken_at)"
                " SELECT id, 'test', now() FROM conversations"
            )
        )
        await unit.run(
            query(
                "INSERT INTO pacing_restrictions (provider, code, scope, passes, learnt_at)"
                " VALUES ('baileys', 463, 'new_chats', false, now())"
            )
        )
        await unit.run(
            query(
                "INSERT INTO pacing_attention (conversation_id, kind, message_id, at)"
                " SELECT id, 'failed', 'B', now() FROM conversations"
            )
        )
        await unit.run(query("INSERT INTO browsers (provider, linked_as, says) VALUES ('baileys', 'x', 'x')"))
        await unit.run(
            query(
                "INSERT INTO operations_under_way (provider, kind, actor, generation)"
                " VALUES ('baileys', 'x', 'test', 1)"
            )
        )
        await unit.run(query("INSERT INTO consent_settings DEFAULT VALUES"))
        await unit.run(
            query("INSERT INTO campaigns (name, text, created_by, created_at) VALUES ('x', 'x', 'test', now())")
        )
        await unit.run(
            query(
                "INSERT INTO campaign_recipients (campaign_id, contact_id, address)"
                " SELECT c.id, p.id, 'x' FROM campaigns c, whatsapp_contacts p"
            )
        )
        await unit.run(
            query(
                "INSERT INTO campaign_dry_runs (campaign_id, revision, report, made_by, at)"
                " SELECT id, 1, '{}', 'test', now() FROM campaigns"
            )
        )


def fill_rest(owner: psycopg.Connection[Any], principal: Principal) -> None:
    """A row in every table that has none yet: of whatever, in a database of this test's own."""
    owner.execute("SET session_replication_role = replica")  # references may point nowhere
    values = {"uuid": "gen_random_uuid()", "timestamptz": "now()", "jsonb": "'{}'", "_text": "'{}'", "bool": "false"}
    for name, _, _ in owner.execute(TENANT_TABLES).fetchall():
        if name == "mentorados" or owner.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone() == (True,):
            continue
        for (check,) in owner.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [name]
        ).fetchall():
            owner.execute(f"ALTER TABLE {name} DROP CONSTRAINT {check}")
        needed = owner.execute(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
            [name],
        ).fetchall()
        columns = ", ".join(["mentorado_id", *(column for column, _ in needed)])
        given = ", ".join([f"'{principal.mentorado_id}'", *(values.get(kind, "'1'") for _, kind in needed)])
        owner.execute(f"INSERT INTO {name} ({columns}) VALUES ({given})")


async def test_reading_across_finds_nothing_in_any_table(
    database: Database, owner: psycopg.Connection[Any], ana: Principal, bia: Principal
) -> None:
    await fill(database, ana)
    fill_rest(owner, ana)
    for name, _, _ in owner.execute(TENANT_TABLES).fetchall():
        column = "id" if name == "mentorados" else "mentorado_id"
        if name in UNREADABLE:
            assert owner.execute("SELECT has_table_privilege('recado_app', %s, 'SELECT')", [name]).fetchone() == (
                False,
            )
            continue
        counting = query(f"SELECT count(*) FROM {name} WHERE {column} = '{ana.mentorado_id}'")
        async with database.unit(ana) as unit:
            assert await unit.value(counting) > 0, name
        for stranger in (bia, Principal.worker()):
            async with database.unit(stranger) as unit:
                assert await unit.value(counting) == 0, name


async def test_an_administrator_s_own_unit_sees_no_conversation_and_no_key(
    database: Database, owner: psycopg.Connection[Any], ana: Principal
) -> None:
    await fill(database, ana)
    seen = set()
    fill_rest(owner, ana)
    for name, _, _ in owner.execute(TENANT_TABLES).fetchall():
        if name in UNREADABLE:
            continue
        async with database.unit(Principal.admin()) as unit:
            if await unit.value(query(f"SELECT count(*) FROM {name}")):
                seen.add(name)
    assert seen == {"mentorados", "api_keys", "audit_log", "connections", "move_people"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE baileys_sessions SET value = 'stolen' WHERE key = 'creds'",
        "DELETE FROM baileys_sessions",
        "UPDATE whatsapp_messages SET text = 'forged'",
        "UPDATE connections SET desired = 'disconnected'",
    ],
)
async def test_writing_across_changes_nothing(
    database: Database, owner: psycopg.Connection[Any], ana: Principal, bia: Principal, statement: str
) -> None:
    await fill(database, ana)
    table = next(word for word in statement.split() if "_" in word or word == "connections")
    before = owner.execute(f"SELECT * FROM {table}").fetchall()
    async with database.unit(bia) as unit:
        await unit.run(query(statement))
    assert owner.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO baileys_sessions (mentorado_id, key, value, key_id) VALUES ('{ana}', 'k', 'x', 1)",
        "INSERT INTO events (mentorado_id, seq, provider, kind, body, at) VALUES ('{ana}', 9, 'x', 'x', '{{}}', now())",
        "INSERT INTO api_keys (mentorado_id, prefix, hash, scopes) VALUES ('{ana}', 'p', 'x', '{{read}}')",
        "INSERT INTO api_keys (mentorado_id, prefix, hash, scopes) VALUES (NULL, 'p', 'x', '{{admin}}')",
        "INSERT INTO mentorados (name) VALUES ('mine')",
        "UPDATE conversations SET mentorado_id = '{ana}'",
        "DELETE FROM whatsapp_messages",
        "DELETE FROM events",
        "UPDATE events SET body = '{{}}'",
        "UPDATE audit_log SET action = 'nothing'",
        "UPDATE message_steps SET step = 'nothing'",
        "DELETE FROM message_steps",
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own ON events",
    ],
)
async def test_what_is_not_allowed_is_refused(
    database: Database, ana: Principal, bia: Principal, statement: str
) -> None:
    await fill(database, bia)
    with pytest.raises(StoreError):
        async with database.unit(bia) as unit:
            await unit.run(query(statement.format(ana=ana.mentorado_id)))


async def test_a_reference_cannot_cross(database: Database, ana: Principal, bia: Principal) -> None:
    await fill(database, ana)
    async with database.unit(ana) as unit:
        hers = (await conversations.list_conversations(unit))[0].id
    with pytest.raises(StoreError):
        async with database.unit(bia) as unit:
            await unit.run(
                query(
                    "INSERT INTO whatsapp_messages (conversation_id, provider, provider_message_id, direction,"
                    " content_type, source, sent_at) VALUES (%(id)s, 'x', 'x', 'in', 'text', 'live', now())"
                ),
                id=hers,
            )
    with pytest.raises(NotFound):
        async with database.unit(bia) as unit:
            await conversations.get_conversation(unit, hers)


async def test_a_connection_given_back_to_the_pool_remembers_nobody(database_url: str, ana: Principal) -> None:
    async with Database(database_url, size=2) as database:
        for _ in range(4):
            async with database.unit(ana) as unit:
                assert await unit.value(query("SELECT current_mentorado()")) == ana.mentorado_id
            async with database.unit(Principal.worker()) as unit:
                assert await unit.value(query("SELECT current_mentorado()")) is None
                assert await unit.value(query("SELECT is_admin()")) is False
        async with database.unit(ana):
            pass
        # Below a unit, which would say anew whose it is.
        async with database._pool.connection() as one, database._pool.connection() as other:
            for connection in (one, other):
                rows = await connection.execute("SELECT current_setting('recado.mentorado', true)")
                assert await rows.fetchone() in ((None,), ("",))


async def test_a_principal_acts_for_nobody_else(ana: Principal, bia: Principal) -> None:
    assert bia.mentorado_id is not None
    with pytest.raises(Forbidden):
        ana.acting_for(bia.mentorado_id)
    acting = Principal.admin().acting_for(bia.mentorado_id)
    assert acting.mentorado_id == bia.mentorado_id


async def test_an_administrator_inside_a_mentorado_is_that_mentorado_only(
    database: Database, ana: Principal, bia: Principal
) -> None:
    assert bia.mentorado_id is not None
    async with database.unit(Principal.admin().acting_for(bia.mentorado_id)) as unit:
        assert [found.id for found in await mentorados.list_mentorados(unit)] == [bia.mentorado_id]


async def test_a_unit_of_nobody_has_no_mentorado(database: Database) -> None:
    async with database.unit(Principal.worker()) as unit:
        with pytest.raises(UsageError):
            _ = unit.mentorado_id


async def test_a_key_opens_its_own_mentorado_until_it_is_revoked(database: Database, ana: Principal) -> None:
    async with database.unit(Principal.admin()) as unit:
        key, token = await service.create_api_key(unit, mentorado_id=ana.mentorado_id, name="n", scopes=[READ, SEND])
    principal = await service.authenticate(database, token)
    assert (principal.mentorado_id, principal.scopes) == (ana.mentorado_id, {READ, SEND})
    assert not principal.is_admin
    async with database.unit(Principal.admin()) as unit:
        await service.revoke_api_key(unit, key.id)
    with pytest.raises(Unauthenticated):
        await service.authenticate(database, token)


@pytest.mark.parametrize(
    "spoil", [lambda t: t + "x", lambda t: t[:-1], lambda t: "rk_000000000000_x", lambda t: "", lambda t: "x"]
)
async def test_another_token_opens_nothing(database: Database, ana: Principal, spoil: Any) -> None:
    async with database.unit(Principal.admin()) as unit:
        _, token = await service.create_api_key(unit, mentorado_id=ana.mentorado_id)
    with pytest.raises(Unauthenticated):
        await service.authenticate(database, spoil(token))


async def test_no_token_is_kept(database: Database, owner: psycopg.Connection[Any], ana: Principal) -> None:
    async with database.unit(Principal.admin()) as unit:
        _, token = await service.create_api_key(unit, mentorado_id=ana.mentorado_id)
    secret = token.rsplit("_", 1)[1]
    rows = owner.execute("SELECT row_to_json(k)::text FROM api_keys k").fetchall()
    rows += owner.execute("SELECT row_to_json(a)::text FROM audit_log a").fetchall()
    assert not any(shape in row for (row,) in rows for shape in (secret, secret.encode().hex()))


async def test_a_key_cannot_make_a_key_with_more_rights(database: Database, ana: Principal, bia: Principal) -> None:
    limited = Principal("key:x", ana.mentorado_id, frozenset(("manage",)))
    for mentorado_id, scopes in ((ana.mentorado_id, [SEND]), (bia.mentorado_id, ["manage"]), (None, ["manage"])):
        with pytest.raises(Forbidden):
            async with database.unit(limited) as unit:
                await service.create_api_key(unit, mentorado_id=mentorado_id, scopes=scopes)


async def test_workers_that_start_at_once_agree_on_the_administrator_s_key(database: Database) -> None:
    given = f"rk_{uuid.uuid4().hex[:12]}_secret"
    await asyncio.gather(*(service.ensure_admin_key(database, given) for _ in range(8)))
    assert (await service.authenticate(database, given)).is_admin


async def test_workers_that_start_at_once_make_one_first_key(database: Database) -> None:
    made = await asyncio.gather(*(service.ensure_admin_key(database) for _ in range(8)))
    assert len([token for token in made if token is not None]) == 1


async def test_the_first_administrator_s_key_is_made_once(database: Database) -> None:
    token = await service.ensure_admin_key(database)
    assert token is not None
    assert (await service.authenticate(database, token)).is_admin
    assert await service.ensure_admin_key(database) is None
    given = f"rk_{uuid.uuid4().hex[:12]}_secret"
    assert await service.ensure_admin_key(database, given) is None
    assert await service.ensure_admin_key(database, given) is None
    assert (await service.authenticate(database, given)).is_admin
