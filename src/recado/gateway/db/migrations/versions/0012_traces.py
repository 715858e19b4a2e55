"""What an erased person said, in what others answered; and what a webhook that was paused is owed, for a while."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
