"""What is asked and told of people beside messages: look-ups, blocks, presence, the about, refused calls."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
