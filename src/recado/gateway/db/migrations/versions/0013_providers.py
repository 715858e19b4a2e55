"""Credentials, the choice of a provider and the ids it gives."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
