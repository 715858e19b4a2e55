"""recado: WhatsApp for Python. The public names, loaded when they are first used, and nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recado.client.client import Client
    from recado.content import Text
    from recado.jid import JID
    from recado.pairing import NeedsPasskey, Paired, ShowCode, ShowQR
    from recado.server import WHATSAPP, Server
    from recado.store import MemoryStore, SQLiteStore

__all__ = [
    "JID",
    "WHATSAPP",
    "Client",
    "MemoryStore",
    "NeedsPasskey",
    "Paired",
    "SQLiteStore",
    "Server",
    "ShowCode",
    "ShowQR",
    "Text",
]

_HOMES = {
    "JID": "recado.jid",
    "WHATSAPP": "recado.server",
    "Client": "recado.client.client",
    "MemoryStore": "recado.store",
    "NeedsPasskey": "recado.pairing",
    "Paired": "recado.pairing",
    "SQLiteStore": "recado.store",
    "Server": "recado.server",
    "ShowCode": "recado.pairing",
    "ShowQR": "recado.pairing",
    "Text": "recado.content",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'recado' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
