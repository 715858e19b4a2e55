"""
Bring a database to this version: alembic runs our plain SQL, under a lock, so that several processes may start at once.
Run in a thread: alembic is synchronous. It is loaded only when there is something to apply, for loading it costs a
process more than everything else it does at a start.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import psycopg

from recado.errors import StoreUnavailable

_LOCK = 0x7265636164_6F  # "recado"
_MIGRATIONS = Path(__file__).with_name("migrations")
_VERSION = "SELECT version_num FROM alembic_version"


def migrate(dsn: str) -> None:
    """Apply every migration that is missing, as the owner of the tables. Raises StoreUnavailable."""
    try:
        guard = psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError:
        raise StoreUnavailable("the database cannot be reached") from None
    with guard:
        if _version(guard) == newest_version():
            return
        guard.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _upgrade(dsn)


@lru_cache(maxsize=1)
def newest_version() -> str:
    """The version of the schema this process knows: the number the last migration's file begins with."""
    return max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.sql"))


def _version(connection: psycopg.Connection) -> str | None:
    """What the database is at; None for an empty one."""
    try:
        row = connection.execute(_VERSION).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return str(row[0]) if row else None


def _upgrade(dsn: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
