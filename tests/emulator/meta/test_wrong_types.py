"""Whatever a body holds in whatever place, the answer is an acceptance or one of Graph's errors, never a 500 page."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.emulator.meta.test_limits import FITS

from recado.clock import ManualClock
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.errors import GraphError
from recado.emulator.meta.sending import send

JUNK = [None, "", "x", "{{1}}", "\ud800", 0, -1, 1.5, True, [], ["x"], [None], [[]], {}, {"type": "x"}, {"id": 1}]
FILLED = {
    "messaging_product": "whatsapp",
    "to": "5511955550101",
    "type": "template",
    "template": {
        "name": "aviso",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/i.png"}}]},
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "Ana"},
                    {"type": "currency", "currency": {"fallback_value": "1"}},
                ],
            },
            {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"payload": "yes"}]},
        ],
    },
}
READ = {
    "messaging_product": "whatsapp",
    "status": "read",
    "message_id": "wamid.x",
    "typing_indicator": {"type": "text"},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from places(each, (*path, key))


def replaced(body: dict[str, Any], path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    at: Any = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = junk
    return changed


BODIES = (*FITS, FILLED, READ)


def a_cloud() -> MetaCloud:
    cloud = MetaCloud(clock=ManualClock(), seed=7)
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sim"}]}
    more = [{"type": "HEADER", "format": "IMAGE"}, buttons]
    cloud.templates.add(cloud.number().waba, "aviso", "Oi {{1}}, são {{2}}", components=more)
    cloud.person("Ana", "5511955550101").say("oi")
    return cloud


def test_the_bodies_are_good_before_they_are_spoilt() -> None:
    cloud = a_cloud()
    assert send(cloud, cloud.number(), FILLED)["messages"]
    assert cloud.people["Ana"].messages[-1].text == "Oi Ana, são 1"


def test_junk_anywhere_is_refused_in_graphs_words() -> None:
    for body in BODIES:
        for path in places(body):
            for junk in JUNK:
                cloud = a_cloud()
                try:
                    send(cloud, cloud.number(), replaced(body, path, junk))
                except GraphError as error:
                    assert 400 <= error.status < 500


def test_junk_instead_of_a_template_is_refused_too() -> None:
    good = {"name": "a", "language": "pt_BR", "category": "UTILITY", "components": [{"type": "BODY", "text": "Oi"}]}
    for path in places(good):
        for junk in JUNK:
            cloud = a_cloud()
            try:
                cloud.templates.create(cloud.number().waba, replaced(good, path, junk))
            except GraphError as error:
                assert error.status == 400
