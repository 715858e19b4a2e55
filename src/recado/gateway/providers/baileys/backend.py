"""
One account's store in PostgreSQL: keys in `baileys_sessions`, sealed one by one; facts in the mentorado's stream and,
through the projector, in the rows people look at. All of a commit is one transaction, and it begins with the lease: a
worker that lost the account writes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from recado.errors import AnotherBrowser, StoreUnavailable, UsageError, WrongAccount
from recado.events import Fact
from recado.gateway.connections import repository as connections
from recado.gateway.db.failures import Collided, StaleDataKey
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.media.service import note_encrypted
from recado.gateway.providers.baileys import archive
from recado.gateway.providers.baileys.browser import Browser, admit
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.recorder import record
from recado.gateway.security import MentoradoKeys, Principal
from recado.gateway.stream import repository as stream
from recado.store.backend import Changes
from recado.store.keys import CREDENTIALS
from recado.store.records import Credentials

_queries = load_queries(__file__)
_TRIES = 4
_PURGE_EVERY = 500

PROVIDER = "baileys"


class PostgresBackend:
    """The store's backend for the account of `lease`. Keys are kept apart by row security, not by this class."""

    def __init__(self, database: Database, vault: Vault, lease: Lease, *, browser: Browser | None = None) -> None:
        self._database = database
        self._vault = vault
        self._lease = lease
        self._browser = browser
        self._principal = Principal.runtime(lease.mentorado_id)
        self._keys: MentoradoKeys | None = None
        self._is_stale = False
        self._number: str | None = None
        self._commits = 0

    async def open(self) -> None:
        """
        Unwrap the mentorado's keys. Raises StoreUnavailable, LeaseLost, BadRecord (another master key), AnotherBrowser.
        """
        is_admitted = True
        async with self._unit() as unit:
            self._keys = await self._vault.keys(unit)
            if self._browser is not None:
                is_admitted = await admit(unit, self._keys, self._browser)
            connection = await connections.find_connection(unit, PROVIDER)
            self._number = connection.account_phone if connection is not None else None
        is_leaving = connection is not None and connection.desired == connections.UNLINKED
        if not is_admitted and not is_leaving:  # what it says is noted all the same, for the doctor
            raise AnotherBrowser

    async def close(self) -> None:
        """Nothing is held between calls."""
        self._keys = None

    def allow_any_number(self) -> None:
        """A person said that the mentorado's number changed: the next link may be another's."""
        self._number = None

    async def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreUnavailable, BadRecord."""
        sealed = self._sealing()
        async with self._database.unit(self._principal) as unit:
            rows = await unit.tuples(_queries.read_values, keys=list(keys))
            if not all(sealed.knows(envelope) for _, envelope in rows):
                self._keys = sealed = await self._vault.learn(unit)  # another process seals with a new one already
        return {key: sealed.open(key, envelope) for key, envelope in rows}

    async def scan(self, *prefixes: str) -> list[str]:
        """The keys that start with one of `prefixes`, sorted, each once. Raises StoreUnavailable."""
        async with self._database.unit(self._principal) as unit:
            return [key for (key,) in await unit.tuples(_queries.scan_keys, prefixes=list(prefixes))]

    async def commit(self, changes: Changes) -> None:
        """
        All of it or nothing. Raises StoreRefused, LeaseLost, StoreUnavailable; WrongAccount when the credentials are
        another number's than the one this history belongs to.
        """
        self._check_number(changes)
        for _ in range(_TRIES):
            try:
                async with self._unit() as unit:
                    await self._save(unit, changes)
                    if changes.facts:
                        await record(unit, PROVIDER, await note_encrypted(unit, self._vault, PROVIDER, changes.facts))
                return
            except StaleDataKey:
                self._is_stale = True
            except Collided:
                continue  # the API, or a webhook, wrote of the same person at this moment
        raise StoreUnavailable("the database is too busy with this account")

    async def facts(self, *, after: int, limit: int) -> list[tuple[int, Fact]]:
        """Recorded facts with a number greater than `after`, in order. Raises StoreUnavailable, BadRecord."""
        async with self._database.unit(self._principal) as unit:
            return await stream.list_facts(unit, PROVIDER, after=after, limit=limit)

    async def last_fact(self) -> int:
        """The number of the newest fact, 0 when there is none. Raises StoreUnavailable."""
        async with self._database.unit(self._principal) as unit:
            return await stream.last_fact(unit, PROVIDER)

    async def purge(self, now: datetime) -> int:
        """Delete values whose expiry has come; how many. Raises StoreUnavailable, LeaseLost."""
        async with self._unit() as unit:
            return int(await unit.value(_queries.purge_values, now=now))

    async def back_up(self, reason: str) -> UUID:
        """Copy every key, sealed as it is: done before any delete. The backup's id. Raises as `purge`."""
        async with self._unit() as unit:
            return await archive.back_up(unit, reason)

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        """A unit that holds the lease."""
        async with self._database.unit(self._principal) as unit:
            await self._lease.check(unit)
            yield unit

    async def _save(self, unit: Unit, changes: Changes) -> None:
        self._commits += 1
        if self._commits % _PURGE_EVERY == 0:  # an account that runs for months keeps itself clean
            await unit.run(_queries.purge_some)
        gone = [key for key, value in changes.values.items() if value is None]
        if CREDENTIALS in gone:
            await archive.back_up_unless_done(unit, "forgotten")
        if gone:
            await unit.run(_queries.delete_values, keys=gone)
        kept = [(key, value) for key, value in changes.values.items() if value is not None]
        if kept:
            sealing = self._sealing()
            if self._is_stale:
                self._keys = sealing = await self._vault.keys(unit)
                self._is_stale = False
            await unit.run(
                _queries.save_values,
                key_id=sealing.current,
                keys=[key for key, _ in kept],
                values=[sealing.seal(key, value) for key, value in kept],
                expires=[changes.expires.get(key) for key, _ in kept],
            )

    def _check_number(self, changes: Changes) -> None:
        """A mentorado with a history stays with its number until a person says otherwise."""
        value = changes.values.get(CREDENTIALS)
        if value is None or self._number is None:
            return
        account = Credentials.decode(value).account
        if account is not None and account.user != self._number:
            raise WrongAccount

    def _sealing(self) -> MentoradoKeys:
        if self._keys is None:
            raise UsageError("this backend is not open")
        return self._keys
