"""Receipts: whom they reach, and what they say there."""

from __future__ import annotations

from recado.protocol.node import Node


def test_a_delivery_is_told_to_all_devices_of_the_author(companion) -> None:
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    for each in (ana, other, beto):
        each.login()
    beto.send(Node("receipt", {"id": "M", "to": str(ana.device.lid)}))
    for author in (ana, other):
        (receipt,) = author.line.taken("receipt")
        assert receipt.attrs["from"] == str(beto.device.lid)
        assert receipt.attrs["sender_pn"] == str(beto.phone.jid)
        assert "type" not in receipt.attrs and receipt.attrs["id"] == "M" and "t" in receipt.attrs


def test_a_read_receipt_carries_all_its_messages_and_tells_the_own_devices(companion) -> None:
    ana, beto, other = companion("Ana"), companion("Beto"), companion("Beto")
    for each in (ana, beto, other):
        each.login()
    listed = Node("list", None, [Node("item", {"id": "M2"})])
    beto.send(Node("receipt", {"id": "M1", "to": str(ana.phone.lid), "type": "read", "t": "1"}, [listed]))
    (read,), (told,) = ana.line.taken("receipt"), other.line.taken("receipt")
    assert (read.attrs["type"], read.child("list")) == ("read", listed)
    assert (told.attrs["from"], told.attrs["recipient"]) == (str(beto.device.lid), str(ana.phone.lid))
    assert beto.line.taken("receipt") == []


def test_a_request_to_repeat_reaches_one_device_alone(companion) -> None:
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    for each in (ana, other, beto):
        each.login()
    retry = Node("retry", {"count": "1", "id": "M", "t": "1", "v": "1"})
    registration = Node("registration", None, b"\0\0\0\1")
    beto.send(Node("receipt", {"id": "M", "to": str(ana.device.lid), "type": "retry"}, [retry, registration]))
    (receipt,) = ana.line.taken("receipt")
    assert receipt.children == [retry, registration]
    assert receipt.attrs["from"] == str(beto.device.lid)
    assert other.line.taken("receipt") == []


def test_an_own_devices_request_to_repeat_keeps_the_chat(companion) -> None:
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    ana.login()
    other.login()
    head = {"id": "M", "to": str(ana.device.lid), "type": "retry", "recipient": str(beto.phone.lid)}
    other.send(Node("receipt", head, [Node("retry", {"count": "1", "id": "M", "t": "1", "v": "1"})]))
    (receipt,) = ana.line.taken("receipt")
    assert receipt.attrs["recipient"] == str(beto.phone.lid)


def test_a_private_read_receipt_stays_among_own_devices(companion) -> None:
    ana, beto, other = companion("Ana"), companion("Beto"), companion("Beto")
    for each in (ana, beto, other):
        each.login()
    beto.send(Node("receipt", {"id": "M", "to": str(ana.phone.lid), "type": "read-self", "t": "1"}))
    assert ana.line.taken("receipt") == []
    (told,) = other.line.taken("receipt")
    assert (told.attrs["type"], told.attrs["recipient"]) == ("read-self", str(ana.phone.lid))


def test_a_receipt_waits_for_the_peer_to_come_back(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    beto.login()
    beto.send(Node("receipt", {"id": "M", "to": str(ana.device.lid)}))
    (receipt,) = ana.login().taken("receipt")
    assert receipt.attrs["offline"] == "0"


def test_a_receipt_for_a_malformed_address_is_noted(companion) -> None:
    beto = companion("Beto")
    beto.login()
    beto.send(Node("receipt", {"id": "M", "to": "1:x@lid"}))
    assert [node.tag for node in beto.world.unknown] == ["receipt"]
