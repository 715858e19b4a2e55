"""The roles of a real installation: tables owned by somebody who is no superuser, the gateway a third one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from recado.clock import SystemClock
from recado.errors import StoreError
from recado.gateway.connections import service as connections
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.migrate import migrate
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.mentorados import service
from recado.gateway.runtime.leases import Leases
from recado.gateway.security import Principal
from recado.jid import JID, LID


@pytest.fixture
def installation(postgres_server: str, migrated_template: str) -> Iterator[tuple[str, str]]:
    """The DSNs of the owner and of the gateway's own user, on a migrated database; neither is a superuser."""
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE ROLE installed_owner LOGIN")
        admin.execute("CREATE ROLE installed_gateway LOGIN NOINHERIT")
        admin.execute("GRANT recado_app TO installed_owner, installed_gateway")
        admin.execute("CREATE DATABASE installed OWNER installed_owner")
        owner = psycopg.conninfo.make_conninfo(postgres_server, dbname="installed", user="installed_owner")
        gateway = psycopg.conninfo.make_conninfo(postgres_server, dbname="installed", user="installed_gateway")
        migrate(owner)
        yield owner, gateway
        admin.execute("DROP DATABASE installed WITH (FORCE)")
        admin.execute("DROP ROLE installed_owner, installed_gateway")


async def test_everything_that_sees_across_works_for_an_owner_without_privileges(
    installation: tuple[str, str],
) -> None:
    async with Database(installation[1]) as database:
        async with database.unit(Principal.admin()) as unit:
            ana = Principal.runtime((await service.create_mentorado(unit, "Ana")).id)
            _, token = await service.create_api_key(unit, mentorado_id=ana.mentorado_id)
        assert (await service.authenticate(database, token)).mentorado_id == ana.mentorado_id
        async with database.unit(ana) as unit:
            await connections.request_connect(unit)
        leases = Leases(database, clock=SystemClock())
        await leases.renew()
        assert [(row.mentorado_id, row.is_free) for row in await leases.scan()] == [(ana.mentorado_id, True)]
        assert ana.mentorado_id is not None
        assert await leases.claim(ana.mentorado_id, "baileys") is not None
        assert [(row.is_mine, row.is_free) for row in await leases.scan()] == [(True, False)]
        await waiting_webhook(database, ana)
        await merged(database, ana)


async def waiting_webhook(database: Database, ana: Principal) -> None:
    async with database.unit(ana) as unit:
        await unit.run(Query("add", b"INSERT INTO webhook_endpoints (url, secret, cursor_seq) VALUES ('x', 'x', -1)"))
    async with database.unit(Principal.worker()) as unit:
        found = await unit.tuples(Query("scan", b"SELECT mentorado_id FROM scan_webhooks(now(), 9, 9)"))
    assert found == [(ana.mentorado_id,)]


async def merged(database: Database, ana: Principal) -> None:
    phone, lid = JID.phone("550000000002"), JID("77000000000002", LID)
    for jid in (phone, lid):
        async with database.unit(ana) as unit:
            directory = Directory()
            directory.chat(jid)
            await directory.settle(unit)
    async with database.unit(ana) as unit:
        directory = Directory()
        directory.chat(phone, lid)
        await directory.settle(unit)
    async with database.unit(ana) as unit:
        assert await unit.value(Query("count", b"SELECT count(*) FROM whatsapp_contacts")) == 1


async def test_the_owner_itself_sees_no_rows_and_the_gateway_none_outside_a_unit(
    installation: tuple[str, str],
) -> None:
    owner_dsn, gateway_dsn = installation
    async with Database(gateway_dsn) as database:
        async with database.unit(Principal.admin()) as unit:
            ana = Principal.runtime((await service.create_mentorado(unit, "Ana")).id)
        async with database.unit(ana) as unit:
            await unit.run(Query("add", b"INSERT INTO baileys_sessions (key, value, key_id) VALUES ('k', 'x', 1)"))
    with psycopg.connect(owner_dsn) as owner:
        assert owner.execute("SELECT count(*) FROM baileys_sessions").fetchone() == (0,)
    with psycopg.connect(gateway_dsn) as gateway, pytest.raises(psycopg.errors.InsufficientPrivilege):
        gateway.execute("SELECT count(*) FROM baileys_sessions")


async def test_the_gateway_s_user_cannot_become_the_owner(installation: tuple[str, str]) -> None:
    async with Database(installation[1]) as database:
        for statement in (b"SET ROLE installed_owner", b"ALTER TABLE events DISABLE ROW LEVEL SECURITY"):
            with pytest.raises(StoreError):
                async with database.unit(Principal.worker()) as unit:
                    await unit.run(Query("escape", statement))
