"""
A backend in one SQLite file: one account, one process. The file is made readable to its owner only (it holds keys)
and is locked while it is open, so that a second process on the same account is refused instead of using the same
ratchets.

All calls run in one worker thread, in the order they were made: the event loop never waits for the disk, and a commit
whose caller was cancelled still comes before the next read. Write-ahead log, synchronous FULL: a commit that returned
survives a crash of the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import TypeVar

from recado.errors import AlreadyOpen, BadRecord, StoreRefused, StoreUnavailable, UsageError
from recado.events import Fact
from recado.store.backend import Changes
from recado.store.facts import fact_from_json, fact_kind, fact_to_json

T = TypeVar("T")

_FORMAT = 1  # PRAGMA user_version
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE "values" (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER);
CREATE INDEX values_expiry ON "values" (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE facts (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL);
"""
_UPSERT = """
INSERT INTO "values" (key, value, expires_at) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_READ_ONE = 'SELECT key, value FROM "values" WHERE key = ?'
_READ_MANY = 'SELECT key, value FROM "values" WHERE key IN (SELECT value FROM json_each(?))'
# The end of the range is the highest code point: keys are compared by their UTF-8 bytes.
_SCAN = 'SELECT key FROM "values" WHERE key >= ? AND key < ?'
_FACTS = "SELECT seq, kind, body FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"
_LAST_FACT = "SELECT coalesce(max(seq), 0) FROM facts"


class SQLiteStore:
    """One account in the SQLite file at `path`, which is made when it is missing (its folder is not)."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = Path(path)
        self._database: sqlite3.Connection | None = None
        self._worker: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open or make the file. Raises AlreadyOpen when another has it open, StoreUnavailable, BadRecord."""
        if self._worker is not None:
            raise AlreadyOpen("this file is open already")
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="recado-sqlite")
        try:
            self._database = await self._run(lambda: _open(self._path))
        except BaseException:
            self._worker.shutdown(wait=False)
            self._worker = None
            raise

    async def close(self) -> None:
        """Finish what is under way and let go of the file; closing twice is fine."""
        worker, database = self._worker, self._database
        if worker is None or database is None:
            return
        self._worker = self._database = None
        try:
            await asyncio.get_running_loop().run_in_executor(worker, database.close)
        finally:
            worker.shutdown(wait=False)

    async def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreUnavailable."""
        return await self._run(lambda: _read(self._connection, keys))

    async def scan(self, *prefixes: str) -> list[str]:
        """The keys that start with one of `prefixes`, sorted, each once. Raises StoreUnavailable."""
        return await self._run(lambda: _scan(self._connection, prefixes))

    async def commit(self, changes: Changes) -> None:
        """All or nothing, on the disk on return. Raises StoreRefused (nothing was stored), StoreUnavailable."""
        await self._run(lambda: _commit(self._connection, changes))

    async def facts(self, *, after: int, limit: int) -> list[tuple[int, Fact]]:
        """Facts with a number greater than `after`, in order. Raises StoreUnavailable, BadRecord."""
        return await self._run(lambda: _facts(self._connection, after, limit))

    async def last_fact(self) -> int:
        """The newest fact's number, 0 when there is none. Raises StoreUnavailable."""
        return await self._run(lambda: int(self._connection.execute(_LAST_FACT).fetchone()[0]))

    async def purge(self, now: datetime) -> int:
        """Delete values whose expiry has come; how many. Raises StoreUnavailable."""
        statement = 'DELETE FROM "values" WHERE expires_at <= ?'
        return await self._run(lambda: self._connection.execute(statement, (_microseconds(now),)).rowcount)

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise UsageError("this file is not open")
        return self._database

    async def _run(self, call: Callable[[], T]) -> T:
        if self._worker is None:
            raise UsageError("this file is not open")
        return await asyncio.get_running_loop().run_in_executor(self._worker, _translated, call)


def _translated(call: Callable[[], T]) -> T:
    """Run in the worker thread, with SQLite's errors as the store's. Their texts name no value."""
    try:
        return call()
    except (sqlite3.DataError, OverflowError, UnicodeEncodeError):
        raise StoreRefused from None
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") in ("SQLITE_BUSY", "SQLITE_LOCKED"):
            raise AlreadyOpen("another process has this account's file open") from error
        raise StoreUnavailable from error
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable from error


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # BEGIN and COMMIT are written here; the module's own implicit transactions are off.
    database = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        with _transaction(database):
            _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables of a new file, or check that they are ours."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == 0:
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {_FORMAT}")
    elif version != _FORMAT:
        raise BadRecord(f"the file is of format {version}, this version reads {_FORMAT}")


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back on its own already.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _scan(database: sqlite3.Connection, prefixes: Sequence[str]) -> list[str]:
    found = {key for prefix in prefixes for (key,) in database.execute(_SCAN, (prefix, prefix + "\U0010ffff"))}
    return sorted(found)


def _read(database: sqlite3.Connection, keys: Sequence[str]) -> dict[str, bytes]:
    if len(keys) == 1:
        return dict(database.execute(_READ_ONE, (keys[0],)))
    return dict(database.execute(_READ_MANY, (json.dumps(list(keys)),)))


def _commit(database: sqlite3.Connection, changes: Changes) -> None:
    gone = [(key,) for key, value in changes.values.items() if value is None]
    expires = {key: _microseconds(at) for key, at in changes.expires.items()}
    kept = [(key, value, expires.get(key)) for key, value in changes.values.items() if value is not None]
    facts = [(fact_kind(fact), json.dumps(fact_to_json(fact), separators=(",", ":"))) for fact in changes.facts]
    with _transaction(database):
        if gone:
            database.executemany('DELETE FROM "values" WHERE key = ?', gone)
        if kept:
            database.executemany(_UPSERT, kept)
        if facts:
            database.executemany("INSERT INTO facts (kind, body) VALUES (?, ?)", facts)


def _facts(database: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, Fact]]:
    rows = database.execute(_FACTS, (after, limit)).fetchall()
    try:
        return [(seq, fact_from_json(kind, json.loads(body))) for seq, kind, body in rows]
    except ValueError:
        raise BadRecord("a recorded fact is not JSON") from None


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
