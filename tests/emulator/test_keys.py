"""The key server: a one-time key is handed out once, and who runs low is told."""

from __future__ import annotations

import hashlib

from recado.emulator.whatsapp.faults import Fault
from recado.protocol.bundle import bundle_nodes, prekey_node, read_bundle
from recado.protocol.node import Node


def wanted(*jids: object) -> Node:
    return Node("key", None, [Node("user", {"jid": str(jid)}) for jid in jids])


def fetched(answer: Node) -> list[Node]:
    listed = answer.child("list")
    assert listed is not None
    return listed.children


def test_a_one_time_key_is_handed_out_once(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    ids = [read_bundle(fetched(ana.ask("encrypt", "get", wanted(beto.device.lid)))[0]).prekey_id for _ in range(3)]
    assert ids == [1, 2, 3]
    assert beto.device.keys.one_time.keys() == set(range(4, 51))


def test_a_bundle_without_one_time_keys_still_serves(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.device.keys.one_time.clear()
    (user,) = fetched(ana.ask("encrypt", "get", wanted(beto.device.phone)))
    assert user.attrs["jid"] == str(beto.device.phone)
    assert user.child("key") is None
    assert read_bundle(user).identity == beto.device.keys.identity


def test_the_phone_has_a_bundle_and_a_stranger_an_error(companion) -> None:
    ana = companion("Ana")
    ana.login()
    phone, stranger = fetched(ana.ask("encrypt", "get", wanted(ana.phone.lid, "550000009999@s.whatsapp.net")))
    assert read_bundle(phone).is_authentic
    error = stranger.child("error")
    assert error is not None and error.attrs["code"] == "404"


def test_who_runs_low_is_told_once_and_again_when_nothing_is_left(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    told = []
    for _ in range(52):
        ana.ask("encrypt", "get", wanted(beto.device.lid))
        told += [count.attrs["value"] for node in beto.line.taken("notification") if (count := node.child("count"))]
    assert told == ["4", "0"]


def test_the_count_and_the_digest_say_what_the_server_holds(companion) -> None:
    ana = companion("Ana")
    ana.login(active=False)
    count = ana.ask("encrypt", "get", Node("count")).child("count")
    digest = ana.ask("encrypt", "get", Node("digest")).child("digest")
    keys = ana.device.keys
    assert count is not None and count.attrs["value"] == "50"
    assert digest is not None
    listed, sha1 = digest.child("list"), digest.child("hash")
    assert listed is not None and [int.from_bytes(id.blob, "big") for id in listed.children] == list(range(1, 51))
    signed = keys.signed_prekey
    assert (
        sha1 is not None
        and sha1.blob
        == hashlib.sha1(keys.identity + signed.public + signed.signature + b"".join(keys.one_time.values())).digest()
    )


def test_an_upload_adds_keys_and_changes_the_signed_one(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.device.keys.one_time.clear()
    new = ana.device.keys.bundle()
    listed = Node("list", None, [prekey_node(900, b"k" * 32), prekey_node(901, b"l" * 32)])
    answer = ana.ask("encrypt", "set", *bundle_nodes(new), listed)
    assert (answer.attrs["type"], answer.content) == ("result", None)
    assert ana.device.keys.one_time == {900: b"k" * 32, 901: b"l" * 32}
    rotated = Node(
        "rotate", None, [Node("skey", None, [*prekey_node(9, b"r" * 32).children, Node("signature", None, b"s" * 64)])]
    )
    ana.ask("encrypt", "set", rotated)
    assert (ana.device.keys.signed_prekey.id, ana.device.keys.signed_prekey.public) == (9, b"r" * 32)


def test_an_upload_of_another_identity_or_without_keys_is_refused_and_changes_nothing(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    before = dict(ana.device.keys.one_time)
    listed = Node("list", None, [prekey_node(900, b"k" * 32)])
    codes = []
    for children in ([*bundle_nodes(beto.device.keys.bundle()), listed], bundle_nodes(ana.device.keys.bundle()), []):
        error = ana.ask("encrypt", "set", *children).child("error")
        assert error is not None
        codes.append(error.attrs["code"])
    assert codes == ["406", "400", "400"]
    assert ana.device.keys.one_time == before


def test_faults_leave_out_the_one_time_key_or_the_bundle(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    ana.world.faults.plan(Fault.NO_PREKEY, beto.device.phone)
    ana.world.faults.plan(Fault.KEY_ERROR, beto.device.phone, code=500)
    first, second, third = (fetched(ana.ask("encrypt", "get", wanted(beto.device.lid)))[0] for _ in range(3))
    assert first.child("error") is not None
    assert second.child("error") is None and second.child("key") is None
    assert third.child("key") is not None
