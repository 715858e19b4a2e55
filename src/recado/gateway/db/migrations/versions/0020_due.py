"""Who has something due to be sent, asked once for all accounts of a worker."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
