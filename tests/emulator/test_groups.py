"""The emulator's groups: who may do what, what everybody is told, what a code leads to, and being put aside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recado.clock import ManualClock
from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.snapshot import world_from_json, world_to_json
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.node import Node


@pytest.fixture
def desk() -> World:
    return World(clock=ManualClock(), seed=5)


@pytest.fixture
def people(desk: World) -> Any:
    return [desk.phone(name) for name in ("Ana", "Bia", "Rui", "Leo")]


def order(phone: Any, to: str, said: Node, kind: str = "set") -> Node:
    attrs = {"id": phone.world.new_id(), "xmlns": "w:g2", "type": kind, "to": to}
    answer: Node = phone.world.ask(phone.device, Node("iq", attrs, [said]))
    return answer


def code_of(answer: Node) -> str | None:
    error = answer.child("error")
    return None if error is None else error.attrs["code"]


async def test_people_outside_any_client_write_to_each_other(people: Any) -> None:
    ana, bia, rui, leo = people
    group = await ana.groups.create("Family", bia, rui)
    shown = await ana.groups.say(group, "hello")
    await bia.expect(text="hello")
    await rui.expect(text="hello")
    await ana.expect(id=shown.id, ticks=Ticks.DELIVERED)
    await bia.groups.say(group, "hello yourself")
    assert [each.text for each in rui.messages] == ["hello", "hello yourself"]
    assert leo.messages == []
    with pytest.raises(UsageError):
        await leo.groups.say(group, "may I?")


async def test_who_is_put_out_reads_no_more_and_who_comes_in_nothing_from_before(people: Any) -> None:
    ana, bia, rui, leo = people
    group = await ana.groups.create("Family", bia, rui)
    await ana.groups.say(group, "for three")
    await ana.groups.remove(group, rui)
    await ana.groups.add(group, leo)
    await ana.groups.say(group, "without Rui")
    assert [each.text for each in rui.messages] == ["for three"]
    assert [each.text for each in leo.messages] == ["without Rui"]
    assert leo.inbox.unreadable == [] and bia.inbox.unreadable == []


async def test_only_admins_do_what_only_admins_may(desk: World, people: Any) -> None:
    ana, bia, rui, _leo = people
    group = str(await ana.groups.create("Family", bia, rui))
    named = [Node("participant", {"jid": str(rui.lid)})]
    for said in (Node("remove", None, named), Node("promote", None, named), Node("announcement"), Node("invite")):
        assert code_of(order(bia, group, said)) == "403"
    assert code_of(order(bia, group, Node("subject", None, b"ours"))) is None
    order(ana, group, Node("locked"))
    assert code_of(order(bia, group, Node("subject", None, b"mine"))) == "403"
    order(ana, group, Node("announcement"))
    shown = await bia.groups.say(JID.parse(group), "may I?")
    assert shown.ticks is Ticks.REFUSED
    order(ana, group, Node("promote", None, [Node("participant", {"jid": str(bia.lid)})]))
    assert (await bia.groups.say(JID.parse(group), "now I may")).ticks is not Ticks.REFUSED


async def test_who_does_not_let_anybody_add_them_is_sent_an_invitation(people: Any) -> None:
    ana, bia, rui, _leo = people
    group = str(await ana.groups.create("Family", bia))
    rui.account.privacy["groupadd"] = "none"
    answer = order(ana, group, Node("add", None, [Node("participant", {"jid": str(rui.lid)})]))
    (outcome,) = answer.child("add").all("participant")  # type: ignore[union-attr]
    request = outcome.child("add_request")
    assert outcome.attrs["error"] == "403" and request is not None
    accept = {"code": request.attrs["code"], "expiration": request.attrs["expiration"], "admin": str(ana.lid)}
    assert code_of(order(bia, group, Node("accept", accept))) == "410"
    assert code_of(order(rui, group, Node("accept", accept))) is None
    await ana.groups.say(JID.parse(group), "welcome")
    await rui.expect(text="welcome")


async def test_a_code_leads_in_at_once_or_past_an_admin(people: Any) -> None:
    ana, bia, rui, leo = people
    group = str(await ana.groups.create("Family", bia))
    code = order(ana, group, Node("invite"), "get").child("invite").attrs["code"]  # type: ignore[union-attr]
    assert order(rui, "@g.us", Node("invite", {"code": code}), "get").child("group") is not None
    assert order(rui, "@g.us", Node("invite", {"code": code})).child("group") is not None
    order(ana, group, Node("membership_approval_mode", None, [Node("group_join", {"state": "on"})]))
    waiting = order(leo, "@g.us", Node("invite", {"code": code}))
    assert waiting.child("membership_approval_request") is not None
    listed = order(ana, group, Node("membership_approval_requests"), "get").child("membership_approval_requests")
    assert [each.attrs["jid"] for each in listed.children] == [str(leo.lid)]  # type: ignore[union-attr]
    named = Node("approve", None, [Node("participant", {"jid": str(leo.lid)})])
    order(ana, group, Node("membership_requests_action", None, [named]))
    await ana.groups.say(JID.parse(group), "all here")
    await leo.expect(text="all here")
    new = order(ana, group, Node("invite"))
    assert new.child("invite").attrs["code"] != code  # type: ignore[union-attr]
    assert code_of(order(rui, "@g.us", Node("invite", {"code": code}), "get")) == "406"


async def test_a_description_names_the_one_it_replaces(people: Any) -> None:
    ana, bia, *_ = people
    group = str(await ana.groups.create("Family", bia))
    first = Node("description", {"id": "ONE"}, [Node("body", None, b"about us")])
    assert code_of(order(ana, group, first)) is None
    assert code_of(order(ana, group, Node("description", {"id": "TWO"}, [Node("body", None, b"?")]))) == "409"
    assert code_of(order(ana, group, Node("description", {"prev": "ONE", "delete": "true"}))) is None


async def test_a_group_and_its_keys_are_put_aside_and_taken_up(desk: World, people: Any) -> None:
    ana, bia, rui, _leo = people
    group = await ana.groups.create("Family", bia, rui)
    await ana.groups.say(group, "before")
    rui.offline()
    await bia.groups.say(group, "while Rui is away")
    again = World(clock=ManualClock(), seed=6)
    world_from_json(again, json.loads(json.dumps(world_to_json(desk))))
    again.phones["Rui"].online()
    await again.phones["Rui"].expect(text="while Rui is away")
    await again.phones["Ana"].groups.say(group, "and on")
    for name in ("Bia", "Rui"):
        await again.phones[name].expect(text="and on")
        assert again.phones[name].inbox.unreadable == []


async def test_what_is_written_to_no_group_is_refused(desk: World, people: Any) -> None:
    ana, *_ = people
    nowhere = "120360000000009999@g.us"
    assert code_of(order(ana, nowhere, Node("query"), "get")) == "404"
    assert code_of(order(ana, nowhere, Node("add"))) == "404"
    told: list[Node] = []
    ana._speech.groups.on_ack = told.append
    desk.receive(ana.device, Node("message", {"id": "X", "to": nowhere, "type": "text"}, [Node("enc", None, b"?")]))
    assert [node.attrs.get("error") for node in told] == ["404"]
