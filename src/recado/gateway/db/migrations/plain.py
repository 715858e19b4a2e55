"""Migrations are plain SQL: each version runs the file beside it."""

from __future__ import annotations

from pathlib import Path

from alembic import op


def run_beside(script: str) -> None:
    """Run the `.sql` file of a version's script, as it is."""
    # Straight to psycopg: the file is many statements, and its % and : are not parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(script).with_suffix(".sql").read_bytes())
