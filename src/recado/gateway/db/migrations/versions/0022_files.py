"""Files on WhatsApp's servers: where they are and what opens them, sealed."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
