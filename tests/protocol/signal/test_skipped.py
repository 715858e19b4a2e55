"""Keys passed over are kept in order, found, taken once, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recado.protocol.signal.chain import step
from recado.protocol.signal.skipped import advance, count, newest, take

KEY = bytes(range(32))


def seeds(size: int) -> list[bytes]:
    key, found = KEY, []
    for _ in range(size):
        seed, key = step(key)
        found.append(seed)
    return found


def test_advancing_keeps_each_key_it_passes() -> None:
    key, packed = advance(KEY, 0, 4, keep=10)
    assert count(packed) == 4
    assert step(key)[0] == seeds(5)[4]
    for index, seed in enumerate(seeds(4)):
        found = take(packed, index)
        assert found is not None
        assert found[0] == seed
        assert count(found[1]) == 3
        assert take(found[1], index) is None


def test_advancing_far_keeps_only_the_newest() -> None:
    _, packed = advance(KEY, 0, 100, keep=3)
    assert [take(packed, index) is not None for index in range(95, 101)] == [False, False, True, True, True, False]


def test_advancing_by_nothing_changes_nothing() -> None:
    assert advance(KEY, 7, 7, keep=10) == (KEY, b"")


def test_the_newest_are_those_with_the_highest_indexes() -> None:
    _, packed = advance(KEY, 0, 5, keep=10)
    assert take(newest(packed, 2), 2) is None
    assert take(newest(packed, 2), 3) is not None
    assert (newest(packed, 0), newest(packed, 9)) == (b"", packed)


@given(st.integers(0, 2**32 - 60), st.lists(st.integers(0, 50), max_size=60))
def test_keys_are_taken_as_from_a_dictionary(start: int, wanted: list[int]) -> None:
    _, packed = advance(KEY, start, start + 40, keep=40)
    model = {start + place: seed for place, seed in enumerate(seeds(40))}
    for offset in wanted:
        found = take(packed, start + offset)
        assert (found and found[0]) == model.pop(start + offset, None)
        packed = found[1] if found else packed
        assert count(packed) == len(model)
