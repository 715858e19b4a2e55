"""A world put aside and taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.snapshot import load_world, save_world, world_from_json, world_to_json
from recado.emulator.whatsapp.world import World
from recado.errors import BadRecord


async def test_people_go_on_talking_where_they_stopped(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    before = World(seed=1)
    ana, bia = before.phone("Ana"), before.phone("Bia", "550000000077")
    await ana.say(bia, "oi")
    await bia.say(ana, "olá")
    bia.offline()
    waiting = await ana.say(bia, "wait for me")
    save_world(before, path)
    assert path.stat().st_mode & 0o777 == 0o600

    after = World(seed=2)
    assert load_world(after, path)
    ana, bia = after.phone("Ana"), after.phone("Bia")
    assert (bia.number, bia.is_online, ana.is_online) == ("550000000077", False, True)
    assert [shown.text for shown in ana.messages] == ["oi", "olá", "wait for me"]
    bia.online()
    assert [shown.text for shown in bia.messages] == ["oi", "olá", "wait for me"]
    assert next(shown for shown in ana.messages if shown.id == waiting.id).ticks is Ticks.DELIVERED
    await bia.say(ana, "here I am")
    assert ana.messages[-1].text == "here I am"
    assert ana.inbox.unreadable == bia.inbox.unreadable == []


async def test_what_was_saved_is_what_is_saved_again() -> None:
    first = World(seed=1)
    await first.phone("Ana").say(first.phone("Bia"), "oi")
    second = World(seed=2)
    world_from_json(second, json.loads(json.dumps(world_to_json(first))))
    assert world_to_json(second) == world_to_json(first)


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"version": 9}', '{"version": 1, "accounts": [{}]}'])
def test_a_damaged_file_is_refused(tmp_path: Path, damaged: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(damaged)
    with pytest.raises(BadRecord):
        load_world(World(), path)


def test_nothing_saved_is_no_fault(tmp_path: Path) -> None:
    assert not load_world(World(), tmp_path / "none.json")
