"""How stanzas reach a device: the queue, its announcement, and what settles it."""

from __future__ import annotations

from recado.protocol.node import Node


def texts(nodes: list[Node]) -> list[str]:
    return [node.attrs["id"] for node in nodes if node.tag == "message"]


def test_an_empty_queue_is_announced_and_ended(companion) -> None:
    ana = companion("Ana")
    tags = [node.children[0].tag for node in ana.login(batch=False).taken("ib")]
    assert tags == ["edge_routing", "offline_preview", "offline"]


def test_what_came_meanwhile_is_announced_asked_for_and_given_in_order(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    beto.login()
    for number in range(3):
        beto.send(beto.message(f"M{number}", ana.device))
    line = ana.login(batch=False)
    preview = line.taken("ib")[-1].child("offline_preview")
    assert preview is not None
    assert (preview.attrs["count"], preview.attrs["message"]) == ("3", "3")
    assert line.nodes == []
    ana.send(Node("ib", None, [Node("offline_batch", {"count": "100"})]))
    given = line.taken()
    assert texts(given) == ["M0", "M1", "M2"]
    assert [node.attrs["offline"] for node in given[:3]] == ["0", "1", "2"]
    end = given[3].child("offline")
    assert end is not None and end.attrs["count"] == "3"


def test_a_client_that_never_asks_gets_its_queue_after_a_while(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    beto.login()
    beto.send(beto.message("M", ana.device))
    line = ana.login(batch=False)
    (seconds, move) = line.timers[0]
    assert seconds > 0
    ana.world.transmit(move())
    assert texts(line.nodes) == ["M"]
    assert move() == []


def test_what_comes_during_the_announcement_stays_behind_the_queue(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    beto.login()
    beto.send(beto.message("M0", ana.device))
    line = ana.login(batch=False)
    beto.send(beto.message("M1", ana.device))
    assert texts(line.nodes) == []
    ana.send(Node("ib", None, [Node("offline_batch", {"count": "100"})]))
    assert texts(line.taken()) == ["M0", "M1"]
    beto.send(beto.message("M2", ana.device))
    (live,) = line.taken("message")
    assert "offline" not in live.attrs


def test_what_was_not_acknowledged_comes_again_on_every_login(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(beto.message("M", ana.device))
    assert texts(ana.line.taken()) == ["M"]
    ana.leave()
    assert texts(ana.login().taken()) == ["M"]
    ana.leave()
    (again,) = ana.login().taken("message")
    assert again.child("enc") == Node("enc", {"v": "2", "type": "msg"}, f"for {ana.device.lid}".encode() * 4)


def test_an_ack_settles_a_message(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(beto.message("M", ana.device))
    ana.send(Node("ack", {"class": "message", "id": "M", "to": str(beto.device.lid)}))
    assert ana.world.pending(ana.device.phone) == ()
    ana.leave()
    assert texts(ana.login().nodes) == []


def test_a_receipt_settles_a_message_too_and_a_request_to_repeat_it_does_not(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    beto.send(beto.message("M", ana.device))
    retry = Node("retry", {"count": "1", "id": "M", "t": "1", "v": "1"})
    registration = Node("registration", None, b"\0\0\0\1")
    ana.send(Node("receipt", {"id": "M", "to": str(beto.device.lid), "type": "retry"}, [retry, registration]))
    assert len(ana.world.pending(ana.device.phone)) == 1
    ana.send(Node("receipt", {"id": "M", "to": str(beto.device.lid)}))
    assert ana.world.pending(ana.device.phone) == ()


def test_a_message_that_has_not_gone_out_cannot_be_acknowledged(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    beto.login()
    ana.login(batch=False)
    ana.leave()
    beto.send(beto.message("M", ana.device))
    line = ana.login(batch=False)
    ana.send(Node("ack", {"class": "message", "id": "M", "to": str(beto.device.lid)}))
    assert len(ana.world.pending(ana.device.phone)) == 1
    assert texts(line.nodes) == []


def test_the_server_does_not_recognise_duplicates(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    for _ in range(2):
        beto.send(beto.message("M", ana.device))
    assert texts(ana.line.taken()) == ["M", "M"]
    assert [each.id for each in ana.world.released()] == ["M", "M"]
    ana.send(Node("ack", {"class": "message", "id": "M", "to": str(beto.device.lid)}))
    assert len(ana.world.pending(ana.device.phone)) == 1


def test_notifications_and_receipts_wait_for_their_ack_as_well(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.world.drain_prekeys(ana.device.phone)
    (told,) = ana.line.taken("notification")
    assert told.attrs["from"] == "@s.whatsapp.net"
    ana.leave()
    (again,) = ana.login().taken("notification")
    assert again.attrs["id"] == told.attrs["id"]
    ana.send(Node("ack", {"class": "notification", "id": told.attrs["id"], "to": "@s.whatsapp.net"}))
    assert ana.world.pending(ana.device.phone) == ()
