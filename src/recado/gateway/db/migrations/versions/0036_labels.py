"""The labels of a business account are kept."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
