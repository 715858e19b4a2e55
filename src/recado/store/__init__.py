"""An account's keys, records and facts, in one transaction: the store, and the two backends that come with it."""

from recado.store.memory import MemoryStore
from recado.store.sqlite import SQLiteStore
from recado.store.store import Store

__all__ = ["MemoryStore", "SQLiteStore", "Store"]
