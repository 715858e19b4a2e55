"""Questions: devices, contacts, settings; and what nobody knows is said so and noted."""

from __future__ import annotations

from recado.emulator.whatsapp.faults import Fault
from recado.protocol.node import Node


def usync(companion, columns: list[str], *users: Node) -> dict[str, Node]:
    query = Node("query", None, [Node(column) for column in columns])
    head = {"context": "message", "mode": "query", "sid": "7", "last": "true", "index": "0"}
    answer = companion.ask("usync", "get", Node("usync", head, [query, Node("list", None, list(users))]))
    found, listed = answer.child("usync"), answer.child("usync", "list")
    assert found is not None and listed is not None
    assert found.attrs == head
    return {user.attrs["jid"]: user for user in listed.children}


def user(jid: object) -> Node:
    return Node("user", {"jid": str(jid)})


def test_devices_are_listed_with_their_key_indexes_under_the_address_that_was_asked_for(companion) -> None:
    ana, beto, other = companion("Ana"), companion("Beto"), companion("Beto")
    ana.login()
    users = usync(ana, ["devices", "lid"], user(beto.phone.jid), user(beto.phone.lid))
    assert list(users) == [str(beto.phone.jid), str(beto.phone.lid)]
    for found in users.values():
        devices, lid = found.child("devices", "device-list"), found.child("lid")
        assert devices is not None and [device.attrs for device in devices.children] == [
            {"id": "0"},
            {"id": "1", "key-index": "1"},
            {"id": "2", "key-index": "2"},
        ]
        assert lid is not None and lid.attrs["val"] == str(beto.phone.lid)
    assert other.device.number == 2


def test_a_number_is_found_or_not(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    asked = [Node("user", None, [Node("contact", None, text)]) for text in (f"+{beto.phone.number}", "+15550100")]
    users = usync(ana, ["contact"], *asked)
    found = {jid: contact.attrs["type"] for jid, each in users.items() if (contact := each.child("contact"))}
    assert found == {str(beto.phone.jid): "in", "15550100@s.whatsapp.net": "out"}


def test_somebody_unknown_has_no_devices(companion) -> None:
    ana = companion("Ana")
    ana.login()
    (found,) = usync(ana, ["devices", "lid"], user("550000009999@s.whatsapp.net")).values()
    devices = found.child("devices", "device-list")
    assert devices is not None and devices.children == []
    assert found.child("lid") is None


def test_the_small_questions_have_answers(companion) -> None:
    ana = companion("Ana")
    ana.login()
    for xmlns, type, child, answer in (
        ("w:p", "get", Node("ping"), None),
        ("urn:xmpp:ping", "get", Node("ping"), None),
        ("abt", "get", Node("props", {"protocol": "1"}), "props"),
        ("blocklist", "get", Node("list"), "list"),
        ("privacy", "get", Node("privacy"), "privacy"),
        ("privacy", "set", Node("tokens", None, [Node("token")]), None),
        ("w:g2", "get", Node("participating"), "groups"),
        ("urn:xmpp:whatsapp:dirty", "set", Node("clean", {"type": "groups"}), None),
        ("w:stats", "set", Node("add"), None),
    ):
        node = ana.ask(xmlns, type, child)
        assert node.attrs["type"] == "result", xmlns
        assert (node.content is None) if answer is None else (node.child(answer) is not None), xmlns


def test_what_is_changed_is_remembered(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.ask("privacy", "set", Node("privacy", None, [Node("category", {"name": "last", "value": "none"})]))
    ana.ask("blocklist", "set", Node("item", {"jid": "1@lid", "pn_jid": "1@s.whatsapp.net", "action": "block"}))
    ana.ask("status", "set", Node("status", None, b"busy"))
    settings, blocked = ana.ask("privacy", "get", Node("privacy")).child("privacy"), ana.ask("blocklist", "get")
    assert settings is not None
    assert {each.attrs["name"]: each.attrs["value"] for each in settings.children}["last"] == "none"
    listed = blocked.child("list")
    assert listed is not None and [item.attrs["jid"] for item in listed.children] == ["1@lid"]
    (found,) = usync(ana, ["status"], user(ana.phone.jid)).values()
    about = found.child("status")
    assert about is not None and about.blob == b"busy"
    listed = ana.ask("blocklist", "set", Node("item", {"jid": "1@lid", "action": "unblock"})).child("list")
    assert listed is not None and listed.children == []


def test_app_state_stands_at_version_zero(companion) -> None:
    ana = companion("Ana")
    ana.login()
    asked = [Node("collection", {"name": name, "version": "0"}) for name in ("critical_block", "regular")]
    answer = ana.ask("w:sync:app:state", "set", Node("sync", None, asked)).child("sync")
    assert answer is not None
    assert [each.attrs for each in answer.children] == [
        {"name": "critical_block", "version": "0", "type": "none"},
        {"name": "regular", "version": "0", "type": "none"},
    ]


def test_an_unknown_question_is_refused_and_noted(companion) -> None:
    ana = companion("Ana")
    ana.login()
    answer = ana.ask("w:unheard", "get", Node("of"))
    error = answer.child("error")
    assert answer.attrs["type"] == "error" and error is not None and error.attrs["code"] == "501"
    ana.send(Node("novelty", {"id": "1"}))
    assert [node.tag for node in ana.world.unknown] == ["iq", "novelty"]


def test_a_malformed_question_is_refused(companion) -> None:
    ana = companion("Ana")
    ana.login()
    for xmlns, type in (("usync", "get"), ("encrypt", "get"), ("encrypt", "set"), ("blocklist", "set")):
        error = ana.ask(xmlns, type).child("error")
        assert error is not None and error.attrs["code"] == "400", xmlns


def test_a_question_can_be_refused_on_purpose_by_its_subject(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.world.faults.refuse_query(429, ana.device.phone, about="usync")
    assert ana.ask("w:p", "get").attrs["type"] == "result"
    error = ana.ask("usync", "get").child("error")
    assert error is not None and error.attrs["code"] == "429"


def test_an_answer_can_be_late(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.line.taken()
    ana.world.faults.plan(Fault.SLOW_ANSWER, seconds=5)
    ana.send(Node("iq", {"id": "late", "xmlns": "w:p", "type": "get", "to": "@s.whatsapp.net"}))
    assert ana.line.nodes == []
    (seconds, move) = ana.line.timers[-1]
    ana.world.transmit(move())
    assert (seconds, [node.attrs["id"] for node in ana.line.nodes]) == (5, ["late"])


def test_the_server_asks_whether_a_client_is_there(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.line.taken()
    ana.world.ping(ana.device.phone)
    (ping,) = ana.line.taken("iq")
    assert (ping.attrs["xmlns"], ping.attrs["type"]) == ("urn:xmpp:ping", "get")
    ana.send(Node("iq", {"id": ping.attrs["id"], "type": "result", "to": "@s.whatsapp.net"}))
    assert [jid for jid, _ in ana.world.answers] == [ana.device.phone]
