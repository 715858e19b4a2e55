"""The first schema."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    # Straight to psycopg: the file is many statements, and its % and : are not parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_bytes())


def downgrade() -> None:
    """There is nothing before the first."""
    raise RuntimeError("the first schema cannot be taken back: drop the database")
