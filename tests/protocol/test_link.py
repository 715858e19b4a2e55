"""A link against itself: both roles, in pieces of any size, and its end at every kind of fault."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.errors import (
    CloseReason,
    ConnectionLost,
    DecodeError,
    HandshakeError,
    NotConnected,
    PeerError,
    TooLarge,
    UntrustedServer,
)
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import MAX_HANDSHAKE, Established, Link, LinkEvent, LinkFailed, NodeReceived
from recado.protocol.node import Node
from recado.protocol.noise.cipher import COUNTER_END
from recado.protocol.noise.trust import CertificateAuthority

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PAYLOAD = b"a client payload"
PING = Node("iq", {"id": "1", "type": "get", "xmlns": "w:p"}, [Node("ping")])
MESSAGES = [Node("message", {"id": f"{n}"}, [Node("enc", {"v": "2"}, bytes(n * 40))]) for n in range(5)]


def seeded(label: str) -> Callable[[int], bytes]:
    count = itertools.count()
    return lambda size: hashlib.shake_256(f"{label} {next(count)}".encode()).digest(size)


def pair(label: str) -> KeyPair:
    return KeyPair.generate(seeded(label))


AUTHORITY = CertificateAuthority.create(seeded("authority"), now=NOW, valid_for=timedelta(days=30))
SERVER = pair("server")
CHAIN = AUTHORITY.issue(SERVER.public, now=NOW)


def client_link(
    *,
    routing: bytes | None = None,
    root: bytes = AUTHORITY.root,
    keepalive: float | None = 40.0,
    payload: bytes = PAYLOAD,
) -> Link:
    return Link.client(
        identity=pair("identity"),
        payload=payload,
        root=root,
        ephemeral=pair("client ephemeral"),
        now=NOW,
        routing=routing,
        keepalive=keepalive,
    )


def server_link(*, keepalive: float | None = None) -> Link:
    return Link.server(static=SERVER, chain=CHAIN, ephemeral=pair("server ephemeral"), keepalive=keepalive)


def feed(link: Link, data: bytes, pieces: Iterable[int] = ()) -> None:
    """Hand over `data` in pieces of the given sizes, repeated; whole when there are none."""
    sizes = itertools.cycle(pieces or (len(data) or 1,))
    while data:
        size = next(sizes)
        link.receive(data[:size])
        data = data[size:]


def shake_hands(client: Link, server: Link, pieces: Iterable[int] = ()) -> None:
    feed(server, client.data_to_send(), pieces)
    feed(client, server.data_to_send(), pieces)
    feed(server, client.data_to_send(), pieces)


def opened(*, pieces: Iterable[int] = ()) -> tuple[Link, Link]:
    client, server = client_link(), server_link()
    shake_hands(client, server, pieces)
    assert client.is_open
    assert server.is_open
    list(client.events())
    list(server.events())
    return client, server


def nodes(link: Link) -> list[Node]:
    return [event.node for event in link.events() if isinstance(event, NodeReceived)]


def failure(link: Link) -> Exception:
    """The one failure, which must be the last event, of a link that is closed by it."""
    events: list[LinkEvent] = list(link.events())
    assert isinstance(events[-1], LinkFailed)
    assert not any(isinstance(event, LinkFailed) for event in events[:-1])
    assert link.is_closed
    assert not link.is_open
    return events[-1].error


@pytest.mark.parametrize("routing", [None, b"\x08\x02\x08\x05"])
@pytest.mark.parametrize("pieces", [(), (1,), (2, 3, 7), (1000,)])
def test_two_links_shake_hands_and_talk_in_pieces_of_any_size(routing: bytes | None, pieces: tuple[int, ...]) -> None:
    client, server = client_link(routing=routing), server_link()
    shake_hands(client, server, pieces)
    assert list(server.events()) == [Established(pair("identity").public, PAYLOAD)]
    assert list(client.events()) == [Established(SERVER.public, b"")]
    for node in MESSAGES:
        client.send(node)
        server.send(node)
    feed(server, client.data_to_send(), pieces)
    feed(client, server.data_to_send(), pieces)
    assert nodes(server) == nodes(client) == MESSAGES


@given(st.lists(st.integers(min_value=1, max_value=300), max_size=12), st.booleans())
def test_splits_make_no_difference(pieces: list[int], routed: bool) -> None:
    client, server = client_link(routing=b"edge" if routed else None), server_link()
    shake_hands(client, server, pieces)
    for node in MESSAGES:
        client.send(node)
    feed(server, client.data_to_send(), pieces)
    assert nodes(server) == MESSAGES


def test_what_follows_the_finish_in_the_same_read_is_read() -> None:
    client, server = client_link(), server_link()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    client.send(PING)
    server.receive(client.data_to_send())
    assert list(server.events()) == [Established(pair("identity").public, PAYLOAD), NodeReceived(PING)]


def test_a_client_speaks_first_and_a_server_waits() -> None:
    assert client_link().data_to_send().startswith(b"WA\x06\x03")
    assert client_link(routing=b"x").data_to_send().startswith(b"ED\x00\x01\x00\x00\x01xWA\x06\x03")
    assert server_link().data_to_send() == b""


def test_bytes_to_send_and_events_are_handed_out_once() -> None:
    client, server = client_link(), server_link()
    shake_hands(client, server)
    assert client.data_to_send() == server.data_to_send() == b""
    assert len(list(client.events())) == 1
    assert list(client.events()) == []


def test_the_server_may_refuse_the_payload_with_a_node() -> None:
    client, server = client_link(), server_link()
    shake_hands(client, server)
    server.send(Node("failure", {"reason": "401"}))
    server.close()
    client.receive(server.data_to_send())
    assert nodes(client) == [Node("failure", {"reason": "401"})]
    assert server.is_closed
    assert not server.is_open


def test_nothing_is_sent_before_the_handshake_or_after_the_end() -> None:
    client, server = client_link(), server_link()
    for link in (client, server):
        with pytest.raises(NotConnected):
            link.send(PING)
    shake_hands(client, server)
    client.close()
    with pytest.raises(NotConnected):
        client.send(PING)


def test_an_untrusted_server_gets_no_finish() -> None:
    client, server = client_link(root=pair("another root").public), server_link()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    assert isinstance(failure(client), UntrustedServer)
    assert client.data_to_send() == b""


def test_another_dictionary_version_is_refused_in_plain_words() -> None:
    server = server_link()
    server.receive(b"WA\x06\x02")
    error = failure(server)
    assert isinstance(error, DecodeError)
    assert "token dictionary" in str(error)


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n", b"\x00" * 50, b"\xff" * 50, b"WA\x06\x03" + b"\0\0\1x"])
def test_a_stray_visitor_is_refused(garbage: bytes) -> None:
    server = server_link()
    server.receive(garbage)
    assert isinstance(failure(server), PeerError)


def test_the_nodes_before_a_fault_in_the_same_read_come_first() -> None:
    client, server = opened()
    client.send(PING)
    client.send(MESSAGES[1])
    good = client.data_to_send()
    client.send(PING)
    bad = bytearray(client.data_to_send())
    bad[-1] ^= 1
    client.send(PING)
    server.receive(good + bytes(bad) + client.data_to_send())
    events = list(server.events())
    assert events[:2] == [NodeReceived(PING), NodeReceived(MESSAGES[1])]
    assert len(events) == 3
    assert isinstance(events[2], LinkFailed)
    assert isinstance(events[2].error, DecodeError)


def test_a_failed_link_ignores_what_still_comes() -> None:
    client, server = opened()
    server.receive(b"\0\0\0")
    assert isinstance(failure(server), DecodeError)
    client.send(PING)
    server.receive(client.data_to_send())
    server.receive(b"\0\0\0")
    server.expire(1e9)
    assert list(server.events()) == []


def test_a_sealed_body_that_is_no_node_ends_the_link() -> None:
    client, server = opened()
    assert client._transport is not None
    for_server = client._transport.sending.seal(b"\x00\xff\xff\xff")
    server.receive(len(for_server).to_bytes(3, "big") + for_server)
    assert isinstance(failure(server), DecodeError)


def test_a_handshake_that_never_ends_is_cut() -> None:
    server, client = server_link(), client_link()
    server.receive(b"WA\x06\x03\xff\xff\xff")
    for _ in range(MAX_HANDSHAKE // 4096):
        assert not server.is_closed
        server.receive(bytes(4096))
    assert isinstance(failure(server), HandshakeError)
    client.receive(b"\xff\xff\xff" + bytes(MAX_HANDSHAKE))
    assert isinstance(failure(client), HandshakeError)


def test_a_whole_handshake_message_that_is_too_large_is_refused() -> None:
    client, server = client_link(payload=bytes(MAX_HANDSHAKE)), server_link()
    shake_hands(client, server)
    assert "too large" in str(failure(server))


def test_a_node_that_fits_no_frame_is_refused_and_the_link_goes_on() -> None:
    client, server = opened()
    with pytest.raises(TooLarge):
        client.send(Node("message", {}, bytes(1 << 24)))
    client.send(PING)
    server.receive(client.data_to_send())
    assert nodes(server) == [PING]


def test_a_link_ends_when_its_counter_is_used_up() -> None:
    client, server = opened()
    assert client._transport is not None
    assert server._transport is not None
    client._transport.sending._counter = server._transport.receiving._counter = COUNTER_END - 1
    client.send(PING)
    server.receive(client.data_to_send())
    assert nodes(server) == [PING]
    with pytest.raises(ConnectionLost):
        client.send(PING)
    assert isinstance(failure(client), ConnectionLost)
    server.receive(b"\0\0\x14" + bytes(20))
    assert isinstance(failure(server), ConnectionLost)


def test_silence_ends_the_link_at_its_deadline() -> None:
    link = client_link(keepalive=10.0)
    assert link.deadline() is None
    link.expire(1e9)
    link.touch(100.0)
    assert link.deadline() == 110.0
    link.expire(109.9)
    assert list(link.events()) == []
    link.touch(105.0)
    link.expire(110.0)
    assert list(link.events()) == []
    link.expire(115.0)
    error = failure(link)
    assert isinstance(error, ConnectionLost)
    assert error.reason is CloseReason.LOST
    assert link.deadline() is None


def test_the_deadline_is_suspended_while_we_stop_reading() -> None:
    link = client_link(keepalive=10.0)
    link.touch(0.0)
    link.suspend()
    assert link.suspended
    assert link.deadline() is None
    link.expire(1e9)
    assert not link.is_closed
    link.resume(500.0)
    assert not link.suspended
    assert link.deadline() == 510.0


def test_a_link_without_keepalive_waits_for_ever() -> None:
    link = server_link()
    link.touch(0.0)
    assert link.deadline() is None
    assert server_link(keepalive=5.0).deadline() is None


def test_events_show_neither_keys_nor_the_payload() -> None:
    assert repr(Established(b"k" * 32, b"secret")) == "Established()"
