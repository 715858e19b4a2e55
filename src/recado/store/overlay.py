"""
The inside of a transaction: its writes in layers, above what it has read, above the cache, above the backend.

    layer (savepoint) → layer (transaction) → read here → cache → backend.read

Values are decoded records (anything with `encode()`) or bytes; they are encoded once, at the commit. Nothing goes into
the cache before `settle`, which the store calls after the backend has committed. Knows keys and values, no records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from recado.errors import UsageError
from recado.events import Fact
from recado.store.backend import Backend, Changes
from recado.store.cache import ABSENT, Cache
from recado.store.keys import UNCACHED

V = TypeVar("V")


class Record(Protocol):
    """A value that knows its stored form."""

    def encode(self) -> bytes:
        """The bytes to store."""
        ...


class Layer:
    """The writes of a transaction, or of one savepoint in it."""

    __slots__ = ("below", "expires", "facts", "values")

    def __init__(self, below: Layer | None) -> None:
        self.below = below
        self.values: dict[str, Any] = {}
        self.expires: dict[str, datetime] = {}
        self.facts: list[Fact] = []

    def sink(self, above: Layer) -> None:
        """Take over the writes of the layer above."""
        if self.expires:
            for key in above.values:
                self.expires.pop(key, None)
        self.values.update(above.values)
        self.expires.update(above.expires)
        self.facts += above.facts


class Overlay:
    """One transaction's view of an account: reads its own writes, and leaves no trace until it is committed."""

    __slots__ = ("_backend", "_cache", "_raw", "_read", "_top", "is_open")

    def __init__(self, backend: Backend, cache: Cache) -> None:
        self._backend = backend
        self._cache = cache
        self._top = Layer(None)
        self._raw: dict[str, bytes | None] = {}  # fetched, not decoded yet
        self._read: dict[str, tuple[Any, int]] = {}  # decoded here, with the encoded size
        self.is_open = True

    async def get(self, key: str, decode: Callable[[bytes], V]) -> V | None:
        """The value under `key`, as this transaction sees it. Raises BadRecord when `decode` does."""
        self._check()
        layer: Layer | None = self._top
        while layer is not None:
            if key in layer.values:
                written: V | None = layer.values[key]
                return written
            layer = layer.below
        known = self._read.get(key)
        if known is not None:
            read: V | None = known[0]
            return read
        cached = self._cache.get(key)
        if cached is not ABSENT:
            found: V | None = cached
            return found
        if key not in self._raw:
            self._raw[key] = (await self._backend.read((key,))).get(key)
        raw = self._raw[key]
        value = None if raw is None else decode(raw)
        self._read[key] = (value, 0 if raw is None else len(raw))
        return value

    def put(self, key: str, value: Record | bytes | None, expires: datetime | None = None) -> None:
        """Write `value`, or delete with None. One that expires may be purged after that time."""
        self._check()
        layer = self._top
        layer.values[key] = value
        if expires is not None:
            layer.expires[key] = expires
        elif layer.expires:
            layer.expires.pop(key, None)

    def record(self, fact: Fact) -> None:
        """Add a fact, behind those recorded before."""
        self._check()
        self._top.facts.append(fact)

    async def prefetch(self, keys: Iterable[str]) -> None:
        """Read those keys that are not known yet, in one call of the backend."""
        self._check()
        missing = [key for key in dict.fromkeys(keys) if not self._knows(key)]
        if missing:
            found = await self._backend.read(missing)
            for key in missing:
                self._raw[key] = found.get(key)

    async def scan(self, *prefixes: str) -> list[str]:
        """The keys that start with one of `prefixes`, sorted, this transaction's writes included."""
        self._check()
        keys = set(await self._backend.scan(*prefixes))
        for layer in self._layers():
            for key, value in layer.values.items():
                if key.startswith(prefixes):
                    keys.discard(key) if value is None else keys.add(key)
        return sorted(keys)

    def push(self) -> Layer:
        """Begin a savepoint: writes go into a layer of their own."""
        self._check()
        self._top = Layer(self._top)
        return self._top

    def pop(self, layer: Layer, *, keep: bool) -> None:
        """End the savepoint that `layer` is: merge its writes into the layer below, or drop them."""
        self._check()
        if layer is not self._top or layer.below is None:
            raise UsageError("savepoints are left in the reverse order they were entered")
        self._top = layer.below
        if keep:
            self._top.sink(layer)

    def changes(self) -> Changes:
        """What is to be committed, encoded."""
        if self._top.below is not None:
            raise UsageError("a savepoint is still open")
        values = {
            key: value if value is None or type(value) is bytes else value.encode()
            for key, value in self._top.values.items()
        }
        return Changes(values, self._top.expires, self._top.facts)

    def settle(self, changes: Changes) -> None:
        """After the commit: what was read and what was written is now what the cache may remember."""
        put, forget = self._cache.put, self._cache.forget
        for key, (value, size) in self._read.items():
            if not key.startswith(UNCACHED):
                put(key, value, size)
        for key, encoded in changes.values.items():
            if key in changes.expires:
                forget(key)  # it may be purged behind the cache's back
            elif not key.startswith(UNCACHED):
                put(key, self._top.values[key], 0 if encoded is None else len(encoded))

    def _knows(self, key: str) -> bool:
        if key in self._raw or key in self._read or self._cache.get(key) is not ABSENT:
            return True
        layer: Layer | None = self._top
        while layer is not None:
            if key in layer.values:
                return True
            layer = layer.below
        return False

    def _layers(self) -> list[Layer]:
        """From the bottom up."""
        layers, layer = [self._top], self._top.below
        while layer is not None:
            layers.append(layer)
            layer = layer.below
        return layers[::-1]

    def _check(self) -> None:
        # A write that came after the commit would be lost in silence.
        if not self.is_open:
            raise UsageError("this transaction is over")
