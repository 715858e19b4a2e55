"""
A unit of work: one transaction, one principal, and the only way repositories reach the database.

Statements are pipelined, from the BEGIN to the COMMIT: each is sent at once and its answer awaited only where rows are
asked for, so a unit of writes alone costs one round trip. An error may therefore show at a later statement, or at the
end; it undoes the unit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg import Error as PostgresError
from psycopg.errors import PipelineAborted
from psycopg.rows import class_row, tuple_row

from recado.errors import UsageError
from recado.gateway.db.failures import translated
from recado.gateway.db.queries import Query
from recado.gateway.pacing.rules import Rules
from recado.gateway.security import Principal

T = TypeVar("T")

_BEGIN = b"BEGIN"
_COMMIT = b"COMMIT"
# One statement sets the role, whose transaction this is, and whether an administrator looks; all end with it.
_ENTER = b"""
    SELECT set_config('role', 'recado_app', true),
           set_config('recado.mentorado', %(mentorado)s, true),
           set_config('recado.admin', %(admin)s, true)
"""


class Unit:
    """The open transaction of one principal; `guardrails` are the operator's."""

    def __init__(self, connection: AsyncConnection[Any], principal: Principal, guardrails: Rules) -> None:
        self._connection = connection
        self.principal = principal
        self.guardrails = guardrails
        self.hints: list[tuple[str, UUID]] = []
        self.worker_id: UUID | None = None
        """The worker whose lease this unit holds, for the record of who did what."""

    @property
    def mentorado_id(self) -> UUID:
        """Whose transaction this is. Raises UsageError in a unit of nobody in particular."""
        if self.principal.mentorado_id is None:
            raise UsageError("this unit belongs to no mentorado")
        return self.principal.mentorado_id

    def tell(self, topic: str) -> None:
        """Once committed, hint at `topic` to whoever watches this mentorado."""
        self.hints.append((topic, self.mentorado_id))

    async def run(self, query: Query, **parameters: Any) -> None:
        """Send a statement whose rows nobody needs; its errors show later in the unit."""
        with translated():
            await self._connection.execute(query.sql, parameters or None, prepare=True)

    async def drain(self) -> None:
        """Wait until the database took everything so far: for who writes much, and would hold it all in memory."""
        with translated():
            await (await self._connection.execute(b"SELECT 1")).fetchone()

    async def all(self, kind: type[T], query: Query, **parameters: Any) -> list[T]:
        """Every row, as `kind`: its fields are the columns."""
        with translated():
            async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
                await cursor.execute(query.sql, parameters or None, prepare=True)
                return await cursor.fetchall()

    async def one(self, kind: type[T], query: Query, **parameters: Any) -> T | None:
        """The first row, as `kind`, if there is one."""
        with translated():
            async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
                await cursor.execute(query.sql, parameters or None, prepare=True)
                return await cursor.fetchone()

    async def tuples(self, query: Query, **parameters: Any) -> list[tuple[Any, ...]]:
        """Every row, as a tuple."""
        with translated():
            async with self._connection.cursor(row_factory=tuple_row) as cursor:
                await cursor.execute(query.sql, parameters or None, prepare=True)
                return await cursor.fetchall()

    async def value(self, query: Query, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        rows = await self.tuples(query, **parameters)
        return rows[0][0] if rows else None


@asynccontextmanager
async def open_unit(connection: AsyncConnection[Any], principal: Principal, guardrails: Rules) -> AsyncIterator[Unit]:
    """
    The unit of `principal` on a connection that begins nothing by itself: committed when the block ends, undone when it
    raises (whoever owns the connection takes back what is begun and not committed).
    """
    with translated(), _first_said():
        # Not `connection.transaction()`, nor the driver's own BEGIN: each waits for the server where this goes on.
        async with connection.pipeline():
            await connection.execute(_BEGIN, prepare=False)
            mentorado = principal.mentorado_id
            admin = principal.is_admin and mentorado is None
            await connection.execute(
                _ENTER, {"mentorado": str(mentorado or ""), "admin": "on" if admin else "off"}, prepare=True
            )
            yield Unit(connection, principal, guardrails)
            # Not `connection.commit()` (2026-11, psycopg 3.3): it only waits to read, so with more in hand than the
            # socket takes, both ends would wait for ever. The end of a pipeline writes everything out.
            await connection.execute(_COMMIT, prepare=False)


@contextmanager
def _first_said() -> Iterator[None]:
    """The end of a pipeline reads in two goes: the second says "aborted" over what the first said was wrong."""
    try:
        yield
    except PipelineAborted as error:
        if isinstance(error.__context__, PostgresError):
            raise error.__context__ from None
        raise
