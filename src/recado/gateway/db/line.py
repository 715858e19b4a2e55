"""
A connection of its own for a thread that must not wait for the event loop. Synchronous, one statement a transaction,
opened when it is needed and again when it broke.
"""

from __future__ import annotations

from typing import Any

import psycopg

from recado.errors import StoreUnavailable
from recado.gateway.db.queries import Query

_SECONDS = 5


class Line:
    """A connection to `dsn` that asks nobody for a turn; for one thread."""

    def __init__(self, dsn: str, **options: Any) -> None:
        self._dsn = dsn
        self._options = options
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, query: Query, **parameters: Any) -> None:
        """Run a statement as recado_app, and commit. Raises StoreUnavailable."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._dsn, autocommit=True, connect_timeout=_SECONDS, **self._options
                )
                self._connection.execute(b"SET ROLE recado_app")
            self._connection.execute(query.sql, parameters)
        except psycopg.Error as error:
            self.close()
            code = error.sqlstate or type(error).__name__
            raise StoreUnavailable(f"the database cannot be reached ({code})") from None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
