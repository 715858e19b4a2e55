"""
What an account's store remembers of what is committed: decoded records, so that a hot session is read and parsed once.

Bounded by number and by bytes, least recently used out first. It also remembers that something is absent, which is
true for as long as the account has one owner. Filled only by the store, and only after a commit.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

ABSENT: Final = object()
"""What `get` answers for a key the cache knows nothing of; None means "known not to exist"."""

_OVERHEAD = 256  # bytes: the key, the entry and the object around the value, roughly


class Cache:
    """Key → decoded value, at most `entries` of them and about `size` bytes."""

    __slots__ = ("_entries", "_items", "_size", "_used")

    def __init__(self, *, entries: int, size: int) -> None:
        self._entries = entries
        self._size = size
        self._used = 0
        self._items: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def used(self) -> int:
        """About how many bytes it holds."""
        return self._used

    def get(self, key: str) -> Any:
        """The value, None when it is known not to exist, or ABSENT."""
        item = self._items.get(key)
        if item is None:
            return ABSENT
        self._items.move_to_end(key)
        return item[0]

    def put(self, key: str, value: Any, size: int) -> None:
        """Remember a committed value whose encoded form has `size` bytes; None for "does not exist"."""
        self.forget(key)
        weight = size + _OVERHEAD
        if weight > self._size:
            return
        self._items[key] = (value, weight)
        self._used += weight
        while self._used > self._size or len(self._items) > self._entries:
            _, (_, dropped) = self._items.popitem(last=False)
            self._used -= dropped

    def forget(self, key: str) -> None:
        """Know nothing of `key` any more."""
        old = self._items.pop(key, None)
        if old is not None:
            self._used -= old[1]

    def clear(self) -> None:
        """Forget everything: the store's content is in doubt."""
        self._items.clear()
        self._used = 0
