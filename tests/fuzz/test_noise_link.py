"""A link under hostile bytes at every stage: it fails once, in words, with the peer's fault, and never raises."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from recado.errors import PeerError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import Link, LinkFailed, NodeReceived
from recado.protocol.node import Node
from recado.protocol.noise.trust import CertificateAuthority
from recado.protocol.proto.handshake_pb2 import HandshakeMessage

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PING = Node("iq", {"id": "1", "xmlns": "w:p"}, [Node("ping")])


def seeded(label: str) -> Callable[[int], bytes]:
    count = itertools.count()
    return lambda size: hashlib.shake_256(f"{label} {next(count)}".encode()).digest(size)


AUTHORITY = CertificateAuthority.create(seeded("authority"), now=NOW, valid_for=timedelta(days=30))
SERVER = KeyPair.generate(seeded("server"))
CHAIN = AUTHORITY.issue(SERVER.public, now=NOW)
CLIENT = KeyPair.generate(seeded("client"))
CLIENT_EPHEMERAL, SERVER_EPHEMERAL = (KeyPair.generate(seeded(f"{end} ephemeral")) for end in ("c", "s"))


def ends() -> tuple[Link, Link]:
    client = Link.client(identity=CLIENT, payload=b"payload", root=AUTHORITY.root, ephemeral=CLIENT_EPHEMERAL, now=NOW)
    return client, Link.server(static=SERVER, chain=CHAIN, ephemeral=SERVER_EPHEMERAL)


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + body


def check(link: Link) -> None:
    """Whatever came in: at most one failure, the peer's fault, last, and without bytes in its words."""
    events = list(link.events())
    failures = [event for event in events if isinstance(event, LinkFailed)]
    assert len(failures) == link.is_closed
    if failures:
        assert events[-1] is failures[0]
        assert isinstance(failures[0].error, PeerError)
        assert str(failures[0].error).isascii()


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """`original` with a few bytes changed, dropped, doubled or put in."""
    data = bytearray(original)
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        at = draw(st.integers(min_value=0, max_value=max(len(data) - 1, 0)))
        match draw(st.sampled_from(["change", "drop", "put", "double"])):
            case "change" if data:
                data[at] = draw(st.integers(min_value=0, max_value=255))
            case "drop":
                del data[at : at + draw(st.integers(min_value=1, max_value=20))]
            case "put":
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                data[at:at] = data[at : at + 20]
    return bytes(data)


RECORDED: list[bytes] = []
_client, _server = ends()
for _sender, _receiver in ((_client, _server), (_server, _client), (_client, _server)):
    RECORDED.append(_sender.data_to_send())
    _receiver.receive(RECORDED[-1])
_client.send(PING)
RECORDED.append(_client.data_to_send())


def at_stage(stage: int) -> Link:
    """The link that is about to hear RECORDED[stage]."""
    client, server = ends()
    client.data_to_send()
    for number, said in enumerate(RECORDED[:stage]):
        (server, client)[number % 2].receive(said)
    return client if stage == 1 else server


STAGES = st.integers(min_value=0, max_value=3)


@given(STAGES, st.lists(st.binary(max_size=200), max_size=5))
def test_garbage_at_any_stage_fails_the_link_at_most_once(stage: int, pieces: list[bytes]) -> None:
    link = at_stage(stage)
    for piece in pieces:
        link.receive(piece)
    check(link)


@given(STAGES, st.binary(max_size=200))
def test_a_framed_message_of_garbage_always_fails_the_link(stage: int, body: bytes) -> None:
    link = at_stage(stage)
    link.receive((b"WA\x06\x03" if stage == 0 else b"") + frame(body))
    assert link.is_closed
    check(link)


@settings(max_examples=200)
@given(STAGES.flatmap(lambda stage: st.tuples(st.just(stage), mutated(RECORDED[stage]))))
def test_a_mutated_message_never_raises_and_never_opens_a_link_it_should_not(case: tuple[int, bytes]) -> None:
    stage, data = case
    link = at_stage(stage)
    list(link.events())
    link.receive(data)
    if link.is_open and stage < 3:
        assert data.startswith(RECORDED[stage])  # only the true bytes open it; what follows may be cut short
    check(link)


@given(
    STAGES,
    st.binary(max_size=40),
    st.binary(max_size=70),
    st.binary(max_size=400),
    st.sampled_from(["client_hello", "server_hello", "client_finish"]),
)
def test_a_well_formed_message_with_invented_parts_fails_the_link_or_waits(
    stage: int, ephemeral: bytes, static: bytes, payload: bytes, which: str
) -> None:
    message = HandshakeMessage()
    part = getattr(message, which)
    for name, value in (("ephemeral", ephemeral), ("static", static), ("payload", payload)):
        if name in part.DESCRIPTOR.fields_by_name:
            setattr(part, name, value)
    link = at_stage(stage)
    link.receive((b"WA\x06\x03" if stage == 0 else b"") + frame(message.SerializeToString()))
    # An ephemeral key of 32 bytes may be anyone's: a client's hello of such a key is answered.
    assert link.is_closed or (stage == 0 and which == "client_hello" and len(ephemeral) == 32)
    check(link)


@given(st.integers(min_value=0))
def test_a_replayed_handshake_message_is_refused(where: int) -> None:
    stage = where % 3
    link = at_stage(stage)
    link.receive(RECORDED[stage])
    again = RECORDED[stage].removeprefix(b"WA\x06\x03")
    link.receive(again)
    assert link.is_closed
    check(link)


def test_the_recording_is_a_link_that_works() -> None:
    link = at_stage(3)
    link.receive(RECORDED[3])
    assert [event.node for event in link.events() if isinstance(event, NodeReceived)] == [PING]
