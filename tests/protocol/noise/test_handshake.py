"""The handshake: byte for byte what Baileys says and accepts, and every message that must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recado.errors import HandshakeError, UntrustedServer
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.noise.handshake import Initiator, Responder
from recado.protocol.noise.intro import intro_size
from recado.protocol.proto.handshake_pb2 import HandshakeMessage

LINKS = json.loads((Path(__file__).parent.parent / "vectors" / "noise.json").read_text())["links"]


def body(framed: str, *, intro: bool = False) -> bytes:
    """What is inside one recorded frame."""
    data = bytes.fromhex(framed)
    start = (intro_size(data) or 0) if intro else 0
    assert int.from_bytes(data[start : start + 3], "big") == len(data) - start - 3
    return data[start + 3 :]


def pair(link: dict[str, Any], name: str) -> KeyPair:
    return KeyPair.from_private(bytes.fromhex(link[name]))


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link["name"])
def test_our_client_says_what_baileys_says(link: dict[str, Any]) -> None:
    initiator = Initiator(static=pair(link, "client_static"), ephemeral=pair(link, "client_ephemeral"))
    assert initiator.hello() == body(link["client_hello"], intro=True)
    finished = initiator.finish(
        body(link["server_hello"]),
        bytes.fromhex(link["payload"]),
        root=bytes.fromhex(link["root"]),
        now=datetime(2026, 6, 1, tzinfo=UTC),
    )
    assert finished.message == body(link["client_finish"])
    assert finished.remote_static == pair(link, "server_static").public
    for said, heard in zip(link["from_client"], link["from_server"], strict=True):
        opened = finished.transport.receiving.open(body(heard))
        assert opened.startswith(b"\x00")
        assert len(finished.transport.sending.seal(opened)) == len(body(heard))
        assert len(body(said)) > 16


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link["name"])
def test_our_server_says_what_baileys_accepted_and_reads_what_it_said(link: dict[str, Any]) -> None:
    responder = Responder(
        static=pair(link, "server_static"),
        ephemeral=pair(link, "server_ephemeral"),
        chain=bytes.fromhex(link["chain"]),
    )
    assert responder.answer(body(link["client_hello"], intro=True)) == body(link["server_hello"])
    finished = responder.accept(body(link["client_finish"]))
    assert finished.payload == bytes.fromhex(link["payload"])
    assert finished.remote_static == pair(link, "client_static").public
    for said in link["from_client"]:
        assert finished.transport.receiving.open(body(said)).startswith(b"\x00")


class Pair:
    """Both ends, with each message open to tampering on its way."""

    def __init__(self, ground: Any) -> None:
        self.ground = ground
        self.client_static = ground.pair("client")
        self.client = Initiator(static=self.client_static, ephemeral=ground.pair("client ephemeral"))
        self.server = Responder(static=ground.server, ephemeral=ground.pair("server ephemeral"), chain=ground.chain)

    def finish(self, answer: bytes, *, root: bytes | None = None) -> bytes:
        finished = self.client.finish(answer, b"payload", root=root or self.ground.root, now=self.ground.now)
        return finished.message

    def answer(self) -> bytes:
        return self.server.answer(self.client.hello())


@pytest.fixture
def both(ground: Any) -> Pair:
    return Pair(ground)


def flips(message: bytes) -> list[bytes]:
    return [message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :] for at in range(len(message))]


def test_the_two_roles_understand_each_other(both: Pair) -> None:
    accepted = both.server.accept(both.finish(both.answer()))
    assert accepted.payload == b"payload"
    assert accepted.remote_static == both.client_static.public


def test_a_client_hello_cut_or_emptied_is_refused(ground: Any, both: Pair) -> None:
    hello = both.client.hello()
    for size in range(len(hello)):
        with pytest.raises(HandshakeError):
            Pair(ground).server.answer(hello[:size])


def test_a_server_hello_changed_anywhere_is_refused(ground: Any, both: Pair) -> None:
    answer = both.answer()
    for changed in flips(answer) + [answer[:size] for size in range(0, len(answer), 7)]:
        fresh = Pair(ground)
        fresh.client.hello()
        with pytest.raises(HandshakeError):
            fresh.finish(changed)


def test_a_client_finish_changed_anywhere_is_refused(ground: Any, both: Pair) -> None:
    finish = both.finish(both.answer())
    for changed in flips(finish) + [finish[:size] for size in range(len(finish))]:
        fresh = Pair(ground)
        fresh.server.answer(both_hello(ground))
        with pytest.raises(HandshakeError):
            fresh.server.accept(changed)


def both_hello(ground: Any) -> bytes:
    return Pair(ground).client.hello()


def test_a_client_says_nothing_to_an_untrusted_server(both: Pair, ground: Any) -> None:
    with pytest.raises(UntrustedServer):
        both.finish(both.answer(), root=ground.pair("another root").public)


def test_a_server_that_borrows_a_chain_is_untrusted(ground: Any) -> None:
    thief = Responder(static=ground.pair("thief"), ephemeral=ground.pair("e"), chain=ground.chain)
    client = Pair(ground)
    with pytest.raises(UntrustedServer, match="another key"):
        client.finish(thief.answer(client.client.hello()))


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_size_is_refused(both: Pair, key: bytes) -> None:
    hello = HandshakeMessage(client_hello=HandshakeMessage.ClientHello(ephemeral=key))
    with pytest.raises(HandshakeError, match="32 bytes"):
        both.server.answer(hello.SerializeToString())
    answer = HandshakeMessage.FromString(both.answer())
    answer.server_hello.ephemeral = key
    with pytest.raises(HandshakeError, match="32 bytes"):
        both.finish(answer.SerializeToString())


def test_a_key_that_cannot_agree_is_refused(both: Pair) -> None:
    hello = HandshakeMessage(client_hello=HandshakeMessage.ClientHello(ephemeral=bytes(32)))
    with pytest.raises(HandshakeError, match="no agreement"):
        both.server.answer(hello.SerializeToString())


@pytest.mark.parametrize("which", ["client_hello", "server_hello", "client_finish"])
def test_a_message_out_of_turn_is_refused(both: Pair, which: str) -> None:
    message = HandshakeMessage()
    getattr(message, which).SetInParent()
    turns: dict[str, Callable[[bytes], object]] = {
        "client_hello": both.server.answer,
        "server_hello": both.finish,
        "client_finish": both.server.accept,
    }
    for turn, take in turns.items():
        with pytest.raises(HandshakeError, match="missing" if turn != which else None):
            take(message.SerializeToString())


def test_the_routing_is_not_part_of_the_prologue() -> None:
    routed = next(link for link in LINKS if link["routing"])
    assert bytes.fromhex(routed["client_hello"]).startswith(b"ED\x00\x01")
