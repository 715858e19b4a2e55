"""How the mentorado's own devices show chats: put away, on top, silent."""

from recado.gateway.db.migrations.plain import run_beside

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Forward only."""
    run_beside(__file__)


def downgrade() -> None:
    """Rows would be lost on the way back."""
    raise RuntimeError("this version is not taken back: restore a dump")
