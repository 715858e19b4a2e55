"""What the API asks of WhatsApp, and what it is answered."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
