"""What WhatsApp certifies that a business is called is kept."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
