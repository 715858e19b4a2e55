"""
Every column that holds envelopes, in one list: what a change of data keys seals again. A test reads the catalogue and
wants each column of bytes to be here, or to say why it is not.

A value is replaced only if it is still the one that was read (its key's number and its nonce say so), and rows that
somebody else is writing are passed over, so nobody waits for this and nobody's write is undone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recado.gateway.db.queries import Query
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.security import MentoradoKeys


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """
    A column of envelopes: the rest of its table's primary key with their types, and what a value is called when it is
    sealed, given those. `key_id` is the column that repeats the number of the data key, where there is one.
    """

    table: str
    column: str
    key: tuple[tuple[str, str], ...]
    name: Callable[..., str] = field(repr=False)
    key_id: str | None = None


SEALED = (
    SealedColumn("baileys_sessions", "value", (("key", "text"),), lambda key: key, "key_id"),
    SealedColumn("baileys_backups", "value", (("backup_id", "uuid"), ("key", "text")), lambda _, key: key, "key_id"),
    SealedColumn(
        "provider_credentials", "value", (("provider", "text"),), lambda name: f"credentials {name}", "key_id"
    ),
    SealedColumn("provider_hooks", "value", (("provider", "text"),), lambda name: f"hook {name}", "key_id"),
    SealedColumn("provider_payloads", "body", (("id", "uuid"),), lambda id: f"payload {id}", "key_id"),
    SealedColumn("media", "key", (("id", "uuid"),), lambda id: f"media {id}"),
    SealedColumn("media", "sealed_remote", (("id", "uuid"),), lambda id: f"media remote {id}"),
    SealedColumn("connections", "step", (("provider", "text"),), lambda provider: "connection step"),
    SealedColumn("connections", "step_answer", (("provider", "text"),), lambda provider: "connection answer"),
    SealedColumn("webhook_endpoints", "secret", (("id", "uuid"),), lambda id: f"webhook {id}"),
    SealedColumn("webhook_endpoints", "old_secret", (("id", "uuid"),), lambda id: f"webhook {id}"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a batch came to: how many were sealed again, and where the next one begins (None: this was the last)."""

    count: int
    next: tuple[Any, ...] | None


async def count_old(unit: Unit, column: SealedColumn, newest: int) -> int:
    """How many values of the unit's mentorado are sealed with an older key than `newest`."""
    return int(await unit.value(_query(column, _COUNT), newest=newest.to_bytes(4)))


async def seal_again(
    unit: Unit, vault: Vault, column: SealedColumn, keys: MentoradoKeys, *, after: tuple[Any, ...] | None, limit: int
) -> Page:
    """One batch of old values, sealed with the newest key. Raises BadRecord when one does not open."""
    rows = await unit.tuples(
        _query(column, _LIST if after is None else _LIST_AFTER),
        newest=keys.current.to_bytes(4),
        limit=limit,
        **({} if after is None else {name: value for (name, _), value in zip(column.key, after, strict=True)}),
    )
    if not rows:
        return Page(0, None)
    named = [(column.name(*row[:-1]), row[-1]) for row in rows]
    opened = await vault.open(unit, named)
    parameters: dict[str, Any] = {
        f"{name}s": [row[place] for row in rows] for place, (name, _) in enumerate(column.key)
    }
    count = await unit.value(
        _query(column, _SAVE if column.key_id is None else _SAVE_WITH_KEY_ID),
        heads=[envelope[:17] for _, envelope in named],
        envelopes=[keys.seal(name, value) for (name, _), value in zip(named, opened, strict=True)],
        key_id=keys.current,
        **parameters,
    )
    return Page(int(count), rows[-1][:-1] if len(rows) == limit else None)


# The number of the data key is in bytes 2 to 5 of an envelope, the nonce in 6 to 17: read without fetching the rest.
_COUNT = "SELECT count(*) FROM {table} WHERE substring({column} FROM 2 FOR 4) < %(newest)s"
_LIST = """
SELECT {keys}, {column} FROM {table} WHERE substring({column} FROM 2 FOR 4) < %(newest)s
ORDER BY {keys} LIMIT %(limit)s"""
_LIST_AFTER = """
SELECT {keys}, {column} FROM {table} WHERE substring({column} FROM 2 FOR 4) < %(newest)s AND ({keys}) > ({after})
ORDER BY {keys} LIMIT %(limit)s"""
_FREE = """
WITH free AS (
    SELECT {of_keys}, given.envelope
    FROM {table} t JOIN unnest({arrays}, %(heads)s::bytea[], %(envelopes)s::bytea[]) AS given ({keys}, head, envelope)
        ON ({of_keys}) = ({given_keys})
    WHERE substring(t.{column} FROM 1 FOR 17) = given.head
    FOR UPDATE OF t SKIP LOCKED
), saved AS (
    UPDATE {table} t SET {column} = free.envelope"""
_SAVED = """ FROM free WHERE ({of_keys}) = ({free_keys})
    RETURNING 1
)
SELECT count(*) FROM saved"""
_SAVE = _FREE + _SAVED
_SAVE_WITH_KEY_ID = _FREE + ", {key_id} = %(key_id)s" + _SAVED


def _query(column: SealedColumn, form: str) -> Query:
    """Names of tables and columns are ours, from the list above; values are parameters."""
    names = [name for name, _ in column.key]
    text = form.format(
        table=column.table,
        column=column.column,
        key_id=column.key_id,
        keys=", ".join(names),
        of_keys=", ".join(f"t.{name}" for name in names),
        given_keys=", ".join(f"given.{name}" for name in names),
        free_keys=", ".join(f"free.{name}" for name in names),
        after=", ".join(f"%({name})s::{kind}" for name, kind in column.key),
        arrays=", ".join(f"%({name}s)s::{kind}[]" for name, kind in column.key),
    )
    return Query(f"{column.table}.{column.column}", text.encode())
