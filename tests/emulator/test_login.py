"""Logging in, being replaced, being taken off the account, and presence that comes with being there."""

from __future__ import annotations

import pytest

from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.world import World
from recado.protocol.node import Node


def test_every_account_has_a_number_and_a_lid_and_a_name_is_one_account(world: World) -> None:
    ana = world.phone("Ana")
    assert ana.jid.server == "s.whatsapp.net" and ana.lid.server == "lid"
    assert world.phone("Ana") is ana
    assert world.phone("Beto", "+55 00 0000 0777").number == "550000000777"
    assert world.phone_at("550000000777") is world.phone_at("Beto") is world.phone_at(str(world.phone("Beto").lid))
    assert world.phone_at("nobody") is None
    with pytest.raises(ValueError):
        world.phone("Carla", "550000000777")


def test_a_known_device_with_its_key_is_let_in(companion) -> None:
    ana = companion("Ana")
    success = ana.login(active=False).taken()[0]
    assert success.tag == "success"
    assert success.attrs["lid"] == str(ana.device.lid)


def test_another_key_or_another_device_is_refused(companion) -> None:
    ana = companion("Ana")
    assert [node.attrs.get("reason") for node in ana.login(noise=b"x" * 32).nodes] == ["401"]
    assert ana.line.ends == ["hang up"]
    ana.device.number = 9
    assert [node.attrs.get("reason") for node in ana.login().nodes] == ["401"]
    assert ana.device.line is None


def test_nobody_logs_in_as_the_phone(companion) -> None:
    ana = companion("Ana")
    ana.device.number = 0
    assert [node.attrs.get("reason") for node in ana.login().nodes] == ["401"]
    assert ana.phone.is_online


def test_a_second_login_replaces_the_first_and_the_firsts_end_changes_nothing(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    beto.login()
    older = ana.login()
    newer = ana.login()
    conflict = older.nodes[-1]
    assert (conflict.tag, conflict.attrs["code"]) == ("stream:error", "440")
    assert conflict.children == [Node("conflict", {"type": "replaced"})]
    assert older.ends == ["hang up"]
    assert ana.world.leave(ana.device, older) == []
    beto.send(beto.message("M", ana.device))
    assert [node.attrs["id"] for node in newer.taken("message")] == ["M"]


def test_a_login_can_be_refused_on_purpose_once(companion) -> None:
    ana = companion("Ana")
    ana.world.faults.refuse_login(405, ana.phone.jid)
    assert [node.attrs.get("reason") for node in ana.login().nodes] == ["405"]
    assert ana.login().nodes[0].tag == "success"


def test_success_can_be_made_to_wait(companion) -> None:
    ana = companion("Ana")
    ana.world.pause_before_success = 0.3
    line = ana.login(active=False)
    assert line.nodes == []
    ((seconds, move),) = line.timers
    ana.world.transmit(move())
    assert seconds == 0.3
    assert line.nodes[0].tag == "success"


def test_a_device_taken_off_is_told_and_cannot_come_back(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(beto.message("M", ana.device))
    ana.send(Node("iq", {"id": "bye", "xmlns": "md", "type": "set", "to": "@s.whatsapp.net"}, [_removal(ana)]))
    answer, gone = [node for node in ana.line.taken() if node.tag in ("iq", "stream:error")][-2:]
    assert answer.attrs == {"from": "@s.whatsapp.net", "type": "result", "id": "bye"}
    assert (gone.tag, gone.attrs["code"], gone.children) == (
        "stream:error",
        "401",
        [Node("conflict", {"type": "device_removed"})],
    )
    assert ana.login().nodes[0].attrs == {"reason": "401", "location": "frc"}
    assert ana.world.pending(ana.device.phone) == ()


async def test_a_phone_unlinks_its_devices_and_contacts_learn_of_it(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(beto.message("M", ana.device))
    beto.line.taken()
    await ana.phone.unlink()
    assert ana.line.nodes[-1].attrs["code"] == "401"
    (told,) = beto.line.taken("notification")
    removed = told.child("remove", "device")
    assert (told.attrs["type"], told.attrs["from"], told.attrs["lid"]) == (
        "devices",
        str(ana.phone.jid),
        str(ana.phone.lid),
    )
    assert removed is not None and removed.attrs["jid"] == str(ana.device.phone)
    assert ana.phone.account.companions == []


def test_nobody_can_take_off_somebody_elses_device_or_a_phone(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    for jid in (ana.device.phone, beto.phone.jid, "1:x@s.whatsapp.net"):
        error = beto.ask("md", "set", Node("remove-companion-device", {"jid": str(jid)})).child("error")
        assert error is not None and error.attrs["code"] == "404"
    assert ana.device.line is not None


def test_the_end_of_the_queue_can_be_held_back(companion) -> None:
    ana = companion("Ana")
    ana.world.faults.plan(Fault.HOLD_OFFLINE_END)
    assert [node.children[0].tag for node in ana.login().taken("ib")] == ["edge_routing", "offline_preview"]


def test_who_subscribes_sees_somebody_come_and_go(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(Node("presence", {"type": "subscribe", "to": str(ana.phone.jid)}))
    ana.send(Node("presence"))
    ana.send(Node("presence", {"type": "available", "name": "Ana"}))
    ana.leave()
    seen = [(node.attrs["type"], node.attrs.get("last")) for node in beto.line.taken("presence")]
    assert seen == [("unavailable", "deny"), ("available", None), ("unavailable", "1793491200")]


async def test_typing_reaches_who_is_there_and_who_comes_while_it_is_fresh(companion, world) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    ana.send(Node("chatstate", {"to": str(beto.phone.lid)}, [Node("composing")]))
    await world.clock.advance(11)
    assert beto.login().taken("chatstate") == []
    beto.leave()
    for state in ("composing", "paused"):
        ana.send(Node("chatstate", {"to": str(beto.phone.lid)}, [Node(state)]))
    assert [node.children[0].tag for node in beto.login().taken("chatstate")] == ["paused"]
    ana.send(Node("chatstate", {"to": str(beto.phone.lid)}, [Node("composing")]))
    (seen,) = beto.line.taken("chatstate")
    assert (seen.attrs["from"], seen.children) == (str(ana.phone.lid), [Node("composing")])


def test_who_was_away_hears_the_last_word_of_each_and_then_nothing_until_it_asks_again(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(Node("presence", {"type": "subscribe", "to": str(ana.phone.jid)}))
    beto.leave()
    for kind in ("available", "unavailable", "available"):
        ana.send(Node("presence", {"type": kind, "name": "Ana"}))
    assert [node.attrs["type"] for node in beto.login().taken("presence")] == ["available"]
    ana.send(Node("presence", {"type": "unavailable", "name": "Ana"}))
    assert beto.line.taken("presence") == []


def _removal(companion) -> Node:
    return Node("remove-companion-device", {"jid": str(companion.device.phone), "reason": "user_initiated"})
