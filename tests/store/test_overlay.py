"""The layers under a transaction, where its typed methods do not reach: expiry and the cache."""

from __future__ import annotations

import pytest

from recado.store.cache import ABSENT, Cache
from recado.store.contract import NOW
from recado.store.overlay import Overlay


@pytest.fixture
def cache() -> Cache:
    return Cache(entries=100, size=100_000)


def test_a_savepoint_that_writes_without_an_expiry_takes_the_expiry_away(watched, cache: Cache) -> None:
    overlay = Overlay(watched, cache)
    overlay.put("a", b"1", NOW)
    overlay.put("b", b"1", NOW)
    layer = overlay.push()
    overlay.put("a", b"2")
    overlay.pop(layer, keep=True)
    changes = overlay.changes()
    assert changes.values == {"a": b"2", "b": b"1"}
    assert changes.expires == {"b": NOW}


def test_a_write_without_an_expiry_takes_the_expiry_away(watched, cache: Cache) -> None:
    overlay = Overlay(watched, cache)
    overlay.put("a", b"1", NOW)
    overlay.put("a", b"2")
    assert overlay.changes().expires == {}


def test_a_cached_value_that_becomes_one_that_expires_is_forgotten(watched, cache: Cache) -> None:
    cache.put("a", b"old", 3)
    overlay = Overlay(watched, cache)
    overlay.put("a", b"new", NOW)
    overlay.settle(overlay.changes())
    assert cache.get("a") is ABSENT


async def test_a_scan_sees_what_the_layers_wrote_and_deleted(watched, cache: Cache) -> None:
    seed = Overlay(watched, cache)
    for key in ("a-1", "a-2", "a-3"):
        seed.put(key, b"1")
    await watched.commit(seed.changes())
    overlay = Overlay(watched, cache)
    overlay.put("a-1", None)
    overlay.put("a-2", None)
    overlay.put("a-4", b"1")
    layer = overlay.push()
    overlay.put("a-2", b"2")
    overlay.put("a-4", None)
    overlay.put("b-1", b"1")
    assert await overlay.scan("a-") == ["a-2", "a-3"]
    overlay.pop(layer, keep=False)
    assert await overlay.scan("a-") == ["a-3", "a-4"]
