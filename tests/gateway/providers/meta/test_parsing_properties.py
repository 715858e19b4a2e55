"""Any order, any batch, any duplication of a webhook's items is the same items; and nothing that is sent can raise."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.providers.meta.bodies import body, contact, message, status, value

from recado.gateway.providers.meta.items import Item, Malformed, Unknown
from recado.gateway.providers.meta.webhook import parse

people = st.integers(0, 3).map(lambda n: (f"551195555010{n}", f"BR.150257639465584{n}"))


@st.composite
def told(draw: st.DrawFn) -> dict[str, Any]:
    """The value of one change: a message or a status that is whole by itself."""
    phone, user_id = draw(people)
    names = draw(st.sampled_from(["both", "phone", "id"]))
    phone, user_id = (phone if names != "id" else None), (user_id if names != "phone" else None)  # type: ignore[assignment]
    at = draw(st.integers(1_790_000_000, 1_790_000_400))
    if draw(st.booleans()):
        id = f"wamid.M{draw(st.integers(0, 6))}"
        return value(
            messages=[message(id, phone=phone, user_id=user_id, at=at)],
            contacts=[contact(phone, user_id, f"Pessoa {user_id or phone}")],
        )
    word = draw(st.sampled_from(["sent", "delivered", "read", "played", "failed"]))
    return value(statuses=[status(f"wamid.S{draw(st.integers(0, 3))}", word, to=phone, at=at)])


def read(data: bytes) -> set[Item]:
    parts = parse(data)
    assert not isinstance(parts, Malformed)
    return {item for part in parts for item in part.items}


@settings(deadline=None, max_examples=80)
@given(st.lists(told(), min_size=1, max_size=12), st.randoms(use_true_random=False), st.booleans())
def test_how_items_are_put_into_bodies_changes_none_of_them(values: list[Any], dice: Any, by_entry: bool) -> None:
    one_by_one = {item for each in values for item in read(body(each))}
    again = [*values, *dice.choices(values, k=len(values))]
    dice.shuffle(again)
    cut = dice.randrange(len(again) + 1)
    batches = [batch for batch in (again[:cut], again[cut:]) if batch]
    assert {item for batch in batches for item in read(body(*batch, by_entry=by_entry))} == one_by_one


@settings(deadline=None, max_examples=80)
@given(st.lists(told(), min_size=1, max_size=8))
def test_what_is_told_twice_has_the_same_key(values: list[Any]) -> None:
    first = [item for each in values for item in read(body(each))]
    again = [item for each in values for item in read(body(each))]
    assert [item.key for item in first] == [item.key for item in again]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def broken(said: Any, path: list[int], put: Any) -> Any:
    """The same with one value somewhere in it replaced."""
    if not path or not isinstance(said, dict | list) or not said:
        return put
    keys = list(said) if isinstance(said, dict) else list(range(len(said)))
    key = keys[path[0] % len(keys)]
    copy = dict(said) if isinstance(said, dict) else list(said)
    copy[key] = broken(said[key], path[1:], put)
    return copy


_WHOLE = [
    json.loads(body(value(messages=[message(), message("wamid.B", "image", {"id": "7"})], contacts=[contact()]))),
    json.loads(body(value(statuses=[status(word="failed", errors=[{"code": 131026}])]))),
    json.loads(body(value(history=[{"threads": [{"id": "5511955550101", "messages": [message()]}]}]), field="history")),
    json.loads(body(value(user_preferences=[{"wa_id": "5511955550101", "value": "stop"}]), field="user_preferences")),
    json.loads(body(value(state_sync=[{"contact": {"phone_number": "1"}}]), field="smb_app_state_sync")),
    json.loads(body({"message_template_name": "a", "event": "PAUSED"}, field="message_template_status_update")),
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(_WHOLE), st.lists(st.integers(0, 9), max_size=12), anything)
def test_one_wrong_value_anywhere_never_raises_and_loses_nothing_in_silence(
    whole: dict[str, Any], path: list[int], put: Any
) -> None:
    said = broken(whole, path, put)
    parts = parse(json.dumps(said).encode())
    if isinstance(parts, Malformed):
        return
    changes = sum(
        len(e["changes"]) if isinstance(e, dict) and isinstance(e.get("changes"), list) else 1 for e in said["entry"]
    )
    assert len(parts) == changes
    for part in parts:
        for item in part.items:
            assert item.key
            if isinstance(item, Unknown):
                orjson.loads(item.raw)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | anything.map(lambda said: json.dumps(said).encode()))
def test_no_bytes_raise(data: bytes) -> None:
    parse(data)
