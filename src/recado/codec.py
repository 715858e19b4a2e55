"""
Frozen dataclasses ⇄ JSON, driven by their type hints; the converters of a class are made once.

Facts and records both go through here. A JID is its text, a time is ISO 8601, bytes are base64, an enum is its value, a
union of dataclasses carries a "type". A field that is missing takes its default and a field that is unknown is left
out, so adding a field with a default is compatible both ways; one marked `sparse` is not even written while it has its
default. Knows nothing of versions or of what the classes mean.
"""

from __future__ import annotations

import math
import re
import types
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Any, Generic, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from recado.jid import JID

T = TypeVar("T")

Convert = Callable[[Any], Any]

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class _Converter(NamedTuple):
    """Both ways of one type; no `encode` means the value is JSON already. `decode` raises ValueError."""

    encode: Convert | None
    decode: Convert


class Shape(Generic[T]):
    """How one dataclass looks as JSON."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        hints = get_type_hints(kind)
        declared = [field for field in fields(kind) if field.init]  # type: ignore[arg-type]
        converters = [(field, _converter(hints[field.name])) for field in declared]
        self._names = tuple(field.name for field in declared)
        self._encoders = tuple(converter.encode for _, converter in converters)
        self._decoders = {field.name: converter.decode for field, converter in converters}
        self._required = frozenset(
            field.name for field in declared if field.default is MISSING and field.default_factory is MISSING
        )
        self._sparse = tuple((field.name, field.default) for field in declared if field.metadata.get("sparse"))
        # attrgetter gives a bare value for one name and a tuple for more.
        self._values: Convert = attrgetter(*self._names) if len(declared) > 1 else _single(self._names[0])

    def to_json(self, value: T) -> dict[str, Any]:
        """The value's fields as JSON types."""
        body = {
            name: item if encode is None or item is None else encode(item)
            for name, encode, item in zip(self._names, self._encoders, self._values(value), strict=True)
        }
        for name, default in self._sparse:
            if getattr(value, name) == default:
                del body[name]
        return body

    def from_json(self, body: object) -> T:
        """The value again. Raises ValueError, TypeError or KeyError for what is not its JSON."""
        if not isinstance(body, Mapping):
            raise TypeError("not an object")
        decoders = self._decoders
        found = {name: decoders[name](item) for name, item in body.items() if name in decoders}
        if not self._required <= found.keys():
            raise KeyError("a field is missing")
        return self._kind(**found)


_SHAPES: dict[type, Shape[Any]] = {}


def shape(kind: type[T]) -> Shape[T]:
    """The shape of a dataclass, made once."""
    made = _SHAPES.get(kind)
    if made is None:
        made = _SHAPES[kind] = Shape(kind)
    return made


def converter(hint: Any) -> tuple[Convert, Convert]:
    """To JSON and back, for a union or any other type. The second raises ValueError, TypeError or KeyError."""
    made = _converter(hint)
    return made.encode or (lambda item: item), made.decode


def _single(name: str) -> Convert:
    get = attrgetter(name)
    return lambda value: (get(value),)


def _converter(hint: Any) -> _Converter:
    if isinstance(hint, NewType):
        return _converter(hint.__supertype__)
    if get_origin(hint) in (Union, types.UnionType):
        return _union(list(get_args(hint)))
    if get_origin(hint) is tuple:
        item, rest = get_args(hint)
        if rest is not Ellipsis:
            raise TypeError(f"a tuple of any length is meant, not {hint}")
        return _sequence(_converter(item))
    if hint in _PLAIN:
        return _PLAIN[hint]
    if issubclass(hint, Enum):
        return _Converter(attrgetter("value"), hint)
    if is_dataclass(hint):
        kind: Any = hint
        inner: Shape[Any] = shape(kind)
        return _Converter(inner.to_json, inner.from_json)
    raise TypeError(f"no JSON form is known for {hint}")


def _union(choices: list[Any]) -> _Converter:
    present = [choice for choice in choices if choice is not type(None)]
    converter = _converter(present[0]) if len(present) == 1 else _tagged(present)
    if len(present) == len(choices):
        return converter
    return _Converter(converter.encode, lambda item: None if item is None else converter.decode(item))


def _tagged(kinds: list[Any]) -> _Converter:
    """A union of dataclasses: the class's name in small letters, `option_list`, goes along as "type"."""
    tags = {kind: _WORDS.sub("_", kind.__name__).lower() for kind in kinds}
    shapes: dict[str, Shape[Any]] = {tag: shape(kind) for kind, tag in tags.items()}

    def encode(item: Any) -> dict[str, Any]:
        tag = tags[type(item)]
        return {"type": tag, **shapes[tag].to_json(item)}

    return _Converter(encode, lambda item: shapes[item["type"]].from_json(item))


def _sequence(inner: _Converter) -> _Converter:
    encode = inner.encode

    def decode(items: Any) -> tuple[Any, ...]:
        if not isinstance(items, list):
            raise TypeError("not a list")
        return tuple([inner.decode(item) for item in items])

    if encode is None:
        return _Converter(list, decode)
    return _Converter(lambda items: [encode(item) for item in items], decode)


def _exactly(kind: type) -> _Converter:
    def decode(item: Any) -> Any:
        if type(item) is not kind:  # isinstance would take True for an int
            raise TypeError(f"not of type {kind.__name__}")
        return item

    return _Converter(None, decode)


def _number(item: Any) -> float:
    # Python reads NaN and Infinity, which are no JSON: databases refuse them, and nothing that was written has them.
    if type(item) not in (float, int) or not math.isfinite(item):
        raise TypeError("not a number")
    return float(item)


def _text(item: Any) -> str:
    if type(item) is not str:
        raise TypeError("not a text")
    return item


def _time(item: Any) -> datetime:
    at = datetime.fromisoformat(_text(item))
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


_PLAIN: dict[Any, _Converter] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _Converter(None, _number),
    bytes: _Converter(lambda item: b64encode(item).decode(), lambda item: b64decode(_text(item), validate=True)),
    JID: _Converter(str, lambda item: JID.parse(_text(item))),
    datetime: _Converter(datetime.isoformat, _time),
}
