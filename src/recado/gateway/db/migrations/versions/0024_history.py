"""How far the history is, and errands that ask for more of it."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
