"""What messages say of one another, and more numbers of one contact."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
