"""An operator's place: the runtime's desk, world and workers, and hands that damage keys on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.gateway.runtime.conftest import desk, desk_of, new_worker, settings, world

from recado.clock import SystemClock
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.operations.backup_file import Scrypting
from recado.gateway.operations.in_hand import Operator
from recado.gateway.security import SCOPES, Principal
from recado.gateway.settings import Settings

__all__ = ["desk", "desk_of", "new_worker", "settings", "world"]

CHEAP = Scrypting(n=1 << 12)
PASSPHRASE = "an invented passphrase"


@pytest.fixture
def operator_of(database: Database, vault: Vault, settings: Settings) -> Callable[[Principal], Operator]:
    """A person at the command line, for one mentorado."""

    def make(principal: Principal, database: Database = database, vault: Vault = vault, **more: Any) -> Operator:
        who = Principal("cli:operator", principal.mentorado_id, frozenset(SCOPES))
        return Operator(database, vault, settings, SystemClock(), who, **{"patience": 15.0} | more)

    return make


@pytest.fixture
def operator(operator_of: Callable[[Principal], Operator], ana: Principal) -> Operator:
    return operator_of(ana)


class Rows:
    """The rows as the owner of the tables sees and damages them."""

    def __init__(self, dsn: str, vault: Vault, database: Database) -> None:
        self._dsn = dsn
        self._vault = vault
        self._database = database

    def keys(self, prefix: str = "", of: UUID | None = None) -> list[str]:
        with psycopg.connect(self._dsn) as owner:
            found = owner.execute(
                "SELECT key FROM baileys_sessions WHERE starts_with(key, %s)"
                " AND (%s::uuid IS NULL OR mentorado_id = %s) ORDER BY key",
                [prefix, of, of],
            ).fetchall()
        return [key for (key,) in found]

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as owner:
            cursor = owner.execute(statement, values)
            return cursor.fetchall() if cursor.description is not None else []

    def delete(self, prefix: str) -> None:
        """As no road of ours does: past the backup."""
        self.run("ALTER TABLE baileys_sessions DISABLE TRIGGER backed_up_first")
        self.run("DELETE FROM baileys_sessions WHERE starts_with(key, %s)", prefix)
        self.run("ALTER TABLE baileys_sessions ENABLE TRIGGER backed_up_first")

    async def open(self, principal: Principal, key: str) -> bytes:
        async with self._database.unit(principal) as unit:
            keys = await self._vault.keys(unit)
            ((envelope,),) = self.run("SELECT value FROM baileys_sessions WHERE key = %s", key)
            return keys.open(key, envelope)

    async def put(self, principal: Principal, key: str, value: bytes) -> None:
        """A value under that key, properly sealed."""
        async with self._database.unit(principal) as unit:
            keys = await self._vault.keys(unit)
        self.put_sealed(principal, key, keys.seal(key, value), keys.current)

    def put_sealed(self, principal: Principal, key: str, envelope: bytes, key_id: int = 1) -> None:
        self.run(
            "INSERT INTO baileys_sessions (mentorado_id, key, value, key_id) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (mentorado_id, key) DO UPDATE SET value = excluded.value",
            principal.mentorado_id,
            key,
            envelope,
            key_id,
        )

    def history(self) -> list[tuple[Any, ...]]:
        """A checksum of what must never change: messages, conversations, contacts, leads."""
        return [
            self.run(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")[0]
            for table in ("whatsapp_messages", "whatsapp_contacts", "leads")
        ]


@pytest.fixture
def rows(database_url: str, vault: Vault, database: Database) -> Rows:
    return Rows(database_url, vault, database)
