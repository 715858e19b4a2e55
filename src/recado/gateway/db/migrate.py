"""
Bring a database to this version: alembic runs our plain SQL, under a lock, so that several processes may start at once.
Run in a thread: alembic is synchronous, and paid for only here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from recado.errors import StoreUnavailable

_LOCK = 0x7265636164_6F  # "recado"


def migrate(dsn: str) -> None:
    """Apply every migration that is missing, as the owner of the tables. Raises StoreUnavailable."""
    try:
        guard = psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError:
        raise StoreUnavailable("the database cannot be reached") from None
    with guard:
        guard.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
        try:
            with engine.begin() as connection:
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        finally:
            engine.dispose()


@lru_cache(maxsize=1)
def newest_version() -> str:
    """The version of the schema this process knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
