"""The store's contract over PostgreSQL, and what only this backend promises: leases, sealing, the right number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest

from recado.content import Text
from recado.errors import BadRecord, LeaseLost, StoreRefused, WrongAccount
from recado.events import Fact, MessageId, MessageReceived
from recado.gateway.connections import repository as connections
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.backend import PROVIDER, PostgresBackend
from recado.gateway.runtime.leases import Leases
from recado.gateway.security import Principal
from recado.jid import JID
from recado.store import Store
from recado.store.backend import Backend, Changes
from recado.store.contract import CONTRACT, NOW, Check, check_a_refused_commit_leaves_nothing
from recado.store.records import Credentials

ACCOUNT = JID.phone("550000000001")
PEER = JID.phone("550000000002")


def received(text: str, id: str = "3EB0AA") -> MessageReceived:
    return MessageReceived(
        account=ACCOUNT,
        at=NOW,
        id=MessageId(id),
        chat=PEER,
        sender=PEER,
        from_me=False,
        content=Text(text),
        sent_at=NOW,
    )


class Named:
    """A backend on the account of that name, whose mentorado and lease are made when it is opened."""

    def __init__(self, accounts: Accounts, name: str) -> None:
        self._accounts = accounts
        self._name = name
        self._inner: PostgresBackend | None = None

    @property
    def inner(self) -> PostgresBackend:
        assert self._inner is not None
        return self._inner

    async def open(self) -> None:
        self._inner = await self._accounts.backend(self._name)
        await self._inner.open()

    async def close(self) -> None:
        await self.inner.close()

    async def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        return await self.inner.read(keys)

    async def scan(self, *prefixes: str) -> list[str]:
        return await self.inner.scan(*prefixes)

    async def commit(self, changes: Changes) -> None:
        await self.inner.commit(changes)

    async def facts(self, *, after: int, limit: int) -> list[tuple[int, Fact]]:
        return await self.inner.facts(after=after, limit=limit)

    async def last_fact(self) -> int:
        return await self.inner.last_fact()

    async def purge(self, now: datetime) -> int:
        return await self.inner.purge(now)


class Accounts:
    """Mentorados by name, made on demand."""

    def __init__(self, database: Database, vault: Vault, new_mentorado: Any, new_lease: Any) -> None:
        self._database = database
        self._vault = vault
        self._new_mentorado = new_mentorado
        self._new_lease = new_lease
        self._principals: dict[str, Principal] = {}

    async def backend(self, name: str) -> PostgresBackend:
        if name not in self._principals:
            self._principals[name] = await self._new_mentorado(name)
        return PostgresBackend(self._database, self._vault, await self._new_lease(self._principals[name]))

    def __call__(self, name: str) -> Backend:
        return Named(self, name)


@pytest.fixture
def accounts(database: Database, vault: Vault, new_mentorado: Any, new_lease: Any) -> Accounts:
    return Accounts(database, vault, new_mentorado, new_lease)


@pytest.fixture
async def backend(accounts: Accounts) -> AsyncIterator[PostgresBackend]:
    made = await accounts.backend("Ana")
    await made.open()
    yield made
    await made.close()


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in CONTRACT])
async def test_the_contract_holds(accounts: Accounts, check: Check) -> None:
    await check(accounts)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_a_text_the_database_cannot_hold_is_refused_whole(accounts: Accounts, text: str) -> None:
    await check_a_refused_commit_leaves_nothing(accounts, Changes(facts=[received(text)]))


async def test_a_refusal_tells_nothing_of_the_value(backend: PostgresBackend) -> None:
    with pytest.raises(StoreRefused) as refused:
        await backend.commit(Changes(facts=[received("segredo\x00")]))
    assert "segredo" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_a_value_with_u0000_in_its_bytes_is_kept(backend: PostgresBackend) -> None:
    await backend.commit(Changes(values={"creds-like": b"\x00\x00"}))
    assert await backend.read(["creds-like"]) == {"creds-like": b"\x00\x00"}


async def test_a_stale_epoch_cannot_write(accounts: Accounts) -> None:
    old = await accounts.backend("Ana")
    await old.open()
    await old.commit(Changes(values={"session-1.0": b"old"}))
    new = await accounts.backend("Ana")
    await new.open()
    with pytest.raises(LeaseLost):
        await old.commit(Changes(values={"session-1.0": b"stale"}, facts=[received("stale")]))
    with pytest.raises(LeaseLost):
        await old.purge(NOW)
    assert await new.read(["session-1.0"]) == {"session-1.0": b"old"}
    assert await new.facts(after=0, limit=10) == []
    await new.commit(Changes(values={"session-1.0": b"new"}))


async def test_a_store_of_a_lost_lease_says_so(accounts: Accounts) -> None:
    store = Store(await accounts.backend("Ana"))
    await store.open()
    await accounts.backend("Ana")
    with pytest.raises(LeaseLost):
        async with store.transaction() as tx:
            await tx.record(received("late"))
    await store.close()


async def test_values_are_sealed_and_bound_to_their_row(
    accounts: Accounts, database: Database, vault: Vault, database_url: str
) -> None:
    ana, bia = await accounts.backend("Ana"), await accounts.backend("Bia")
    await ana.open()
    await bia.open()
    await ana.commit(Changes(values={"creds": b"the secret", "session-1.0": b"other"}))
    await bia.commit(Changes(values={"creds": b"hers"}))
    with psycopg.connect(database_url, autocommit=True) as owner:
        stored = owner.execute("SELECT value FROM baileys_sessions").fetchall()
        assert not any(b"secret" in value for (value,) in stored)
        # Another row's value, and another mentorado's, in the place of this one.
        owner.execute(
            "UPDATE baileys_sessions a SET value = b.value FROM baileys_sessions b"
            " WHERE a.key = 'session-1.0' AND b.key = 'creds' AND a.mentorado_id = b.mentorado_id"
        )
    with pytest.raises(BadRecord):
        await ana.read(["session-1.0"])
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "UPDATE baileys_sessions a SET value = b.value FROM baileys_sessions b"
            " WHERE a.key = 'creds' AND b.key = 'creds' AND a.mentorado_id <> b.mentorado_id"
        )
    with pytest.raises(BadRecord):
        await ana.read(["creds"])


async def test_another_master_key_opens_nothing(accounts: Accounts, database: Database, leases: Leases) -> None:
    ana = await accounts.backend("Ana")
    await ana.open()
    await ana.commit(Changes(values={"creds": b"x"}))
    stranger = PostgresBackend(database, Vault(bytes(32)), ana._lease)
    with pytest.raises(BadRecord):
        await stranger.open()


async def test_after_a_rotation_old_values_open_and_new_ones_carry_the_new_key(
    accounts: Accounts, database: Database, vault: Vault, database_url: str
) -> None:
    ana = await accounts.backend("Ana")
    await ana.open()
    await ana.commit(Changes(values={"a": b"1"}))
    async with database.unit(ana._principal) as unit:
        await vault.rotate(unit)
    await ana.close()
    await ana.open()
    await ana.commit(Changes(values={"b": b"2"}))
    assert await ana.read(["a", "b"]) == {"a": b"1", "b": b"2"}
    with psycopg.connect(database_url) as owner:
        assert owner.execute("SELECT key_id FROM baileys_sessions ORDER BY key").fetchall() == [(1,), (2,)]


async def test_another_number_than_the_history_s_is_not_written(accounts: Accounts, database: Database) -> None:
    ana = await accounts.backend("Ana")
    async with database.unit(ana._principal) as unit:
        await connections.save_desired(unit, PROVIDER, "connected", state="connecting")
        await connections.save_account(unit, PROVIDER, phone="550000000001", lid=None)
    await ana.open()
    fresh = Credentials.new(lambda size: bytes(range(size)))
    await ana.commit(Changes(values={"creds": fresh.encode()}))
    other = replace(fresh, account=JID("550000000099", "s.whatsapp.net", 3))
    with pytest.raises(WrongAccount):
        await ana.commit(Changes(values={"creds": other.encode(), "session-1.0": b"x"}, facts=[received("x")]))
    assert await ana.scan("") == ["creds"]
    assert await ana.facts(after=0, limit=10) == []
    same = replace(fresh, account=JID("550000000001", "s.whatsapp.net", 3))
    await ana.commit(Changes(values={"creds": same.encode()}))


async def test_a_hundred_messages_are_a_handful_of_statements(
    accounts: Accounts, database: Database, database_url: str
) -> None:
    ana = await accounts.backend("Ana")
    await ana.open()
    ran: list[str] = []
    from recado.gateway.db.unit import Unit

    class Counting(Unit):
        async def run(self, query: Any, **parameters: Any) -> None:
            ran.append(query.name)
            await super().run(query, **parameters)

        async def tuples(self, query: Any, **parameters: Any) -> list[tuple[Any, ...]]:
            ran.append(query.name)
            return await super().tuples(query, **parameters)

    values: dict[str, bytes | None] = {f"session-{n}.0": b"x" * 500 for n in range(100)}
    facts: list[Fact] = [
        replace(
            received(f"oi {n}", f"3EB0{n:04}"), chat=JID.phone(f"5500001{n:05}"), sender=JID.phone(f"5500001{n:05}")
        )
        for n in range(100)
    ]
    async with database.unit(ana._principal) as unit:
        counting = Counting(unit._connection, unit.principal, unit.guardrails)
        await ana._save(counting, Changes(values))
        from recado.gateway.runtime.recorder import record

        await record(counting, PROVIDER, facts)
    rows = ["find_known", "add_contacts", "add_conversations", "add_messages", "want", "add_events"]
    assert ran == ["save_values", *rows]
