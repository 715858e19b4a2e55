"""The cache: least recently used out first, bounded by number and by bytes."""

from __future__ import annotations

from recado.store.cache import ABSENT, Cache


def test_what_is_absent_is_not_what_is_known_not_to_exist() -> None:
    cache = Cache(entries=10, size=10_000)
    assert cache.get("a") is ABSENT
    cache.put("a", None, 0)
    assert cache.get("a") is None
    cache.forget("a")
    cache.forget("never-there")
    assert cache.get("a") is ABSENT


def test_the_least_recently_used_goes_first() -> None:
    cache = Cache(entries=2, size=10_000)
    cache.put("a", 1, 1)
    cache.put("b", 2, 1)
    assert cache.get("a") == 1
    cache.put("c", 3, 1)
    assert cache.get("b") is ABSENT
    assert cache.get("a") == 1


def test_its_size_is_bounded_and_counted() -> None:
    cache = Cache(entries=1000, size=10_000)
    for number in range(100):
        cache.put(str(number % 20), number, 1000)
    assert 0 < cache.used <= 10_000
    assert len(cache) < 10
    cache.clear()
    assert (len(cache), cache.used) == (0, 0)


def test_what_is_larger_than_the_cache_is_not_kept_and_drops_nothing_else() -> None:
    cache = Cache(entries=10, size=10_000)
    cache.put("a", 1, 1)
    cache.put("b", 2, 1)
    cache.put("b", b"large", 20_000)
    assert cache.get("a") == 1
    assert cache.get("b") is ABSENT
