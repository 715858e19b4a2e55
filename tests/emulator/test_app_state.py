"""The emulator's shared state: versions, pages, conflicts, snapshots, who hears of a change; put aside and taken up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from recado.emulator.whatsapp.snapshot import world_from_json, world_to_json
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.collections import Collection
from recado.protocol.node import Node
from recado.protocol.queries.appstate import CollectionRequest, SyncCollections

LOW = Collection.REGULAR_LOW
CHAT = JID("550000000077", "s.whatsapp.net")


def ask(device, *requests: CollectionRequest):
    query = SyncCollections(requests)
    node = query.build()
    answer = device.ask("w:sync:app:state", "set", *node.children)
    return query.parse(answer)


def patch(ana, version: int, blob: bytes = b"") -> CollectionRequest:
    return CollectionRequest(LOW, version, patch=blob or b"\x12\x00")


def test_a_patch_on_top_of_the_newest_version_is_taken_and_the_others_hear_of_it(companion: Callable) -> None:
    one, other = companion("Ana"), companion("Ana")
    one.login()
    other.login()
    other.line.taken()
    answer = ask(one, patch(one, 0))[LOW]
    assert (answer.error, answer.version) == (None, 1)
    (told,) = other.line.taken("notification")
    assert (told.attrs["type"], told.children[0].attrs) == ("server_sync", {"name": "regular_low", "version": "1"})
    assert [node for node in one.line.taken("notification") if node.attrs["type"] == "server_sync"] == []


def test_a_patch_on_top_of_an_older_version_is_refused_with_what_was_missed(companion: Callable) -> None:
    one, other = companion("Ana"), companion("Ana")
    one.login()
    other.login()
    ask(one, patch(one, 0))
    answer = ask(other, patch(other, 0))[LOW]
    assert (answer.error, len(answer.patches), answer.version) == (409, 1, 1)
    assert ask(other, patch(other, 1))[LOW].error is None


def test_what_is_new_comes_in_pages_and_a_beginner_gets_a_snapshot(companion: Callable) -> None:
    ana = companion("Ana")
    ana.login()
    state = ana.phone.account.app_state
    state.page, state.inline = 2, 4
    for _ in range(5):
        ana.phone.settings.pin(CHAT)
    first = ask(ana, CollectionRequest(LOW, 0))[LOW]
    assert (len(first.patches), first.has_more, first.version, first.snapshot) == (2, True, 5, None)
    last = ask(ana, CollectionRequest(LOW, 4))[LOW]
    assert (len(last.patches), last.has_more) == (1, False)
    whole = ask(ana, CollectionRequest(LOW, 0, wants_snapshot=True))[LOW]
    assert (whole.snapshot is not None, whole.patches, whole.has_more) == (True, (), False)
    assert len(state[LOW].snapshot().records) == 1


@pytest.mark.parametrize("attrs", [{"name": "unheard_of", "version": "0"}, {"name": "regular", "version": "-1"}])
def test_nonsense_is_refused(companion: Callable, attrs: dict[str, str]) -> None:
    ana = companion("Ana")
    ana.login()
    answer = ana.ask("w:sync:app:state", "set", Node("sync", None, [Node("collection", attrs)]))
    assert answer.attrs["type"] == "error"


def test_what_is_no_patch_is_refused(companion: Callable) -> None:
    ana = companion("Ana")
    ana.login()
    node = SyncCollections((patch(ana, 0, b"\xff\xff"),)).build()
    assert ana.ask("w:sync:app:state", "set", *node.children).attrs["type"] == "error"


def test_a_phone_that_is_off_writes_nothing(world: World) -> None:
    ana = world.phone("Ana")
    ana.offline()
    with pytest.raises(UsageError):
        ana.settings.pin(CHAT)


def test_the_server_sees_no_words(world: World) -> None:
    ana = world.phone("Ana")
    ana.settings.name_contact(CHAT, "Bia Souza")
    (kept,) = ana.account.app_state[Collection.CRITICAL_UNBLOCK_LOW].patches
    assert b"Souza" not in kept.SerializeToString()
    assert b"550000000077" not in kept.SerializeToString()


def test_it_is_put_aside_and_taken_up_and_goes_on(world: World) -> None:
    ana = world.phone("Ana")
    ana.settings.pin(CHAT)
    later = World(seed=2)
    world_from_json(later, json.loads(json.dumps(world_to_json(world))))
    ana = later.phone("Ana")
    assert ana.account.app_state[LOW].version == 1
    ana.settings.pin(CHAT, is_pinned=False)
    assert [action.is_pinned for action in ana.settings.read if isinstance(action, actions.PinChat)] == [True]
    assert ana.account.app_state[LOW].version == 2
    assert ana.settings.rejected == []
