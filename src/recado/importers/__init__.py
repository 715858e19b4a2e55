"""
Sessions of other libraries, taken over without a new link: read one (`read_baileys`, `read_whatsmeow`), and write it
into a store that has no account yet (`take_over`). The old program must not run any more: two ratchets with one device
would each miss the other's messages. docs/howto/import-a-session.md
"""

from recado.importers.baileys import read_baileys
from recado.importers.session import ImportedSession, ImportRefused, take_over
from recado.importers.whatsmeow import read_whatsmeow, read_whatsmeow_postgres

__all__ = [
    "ImportRefused",
    "ImportedSession",
    "read_baileys",
    "read_whatsmeow",
    "read_whatsmeow_postgres",
    "take_over",
]
