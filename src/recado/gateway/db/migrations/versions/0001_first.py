"""The first schema."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    run_beside(__file__)


def downgrade() -> None:
    """There is nothing before the first."""
    raise RuntimeError("the first schema cannot be taken back: drop the database")
