"""
One link without I/O, in either role: the peer's bytes go in and events come out, nodes go in and bytes come out.

    shell                     Link                                       wire
    receive(bytes)   ──▶  intro · frames · handshake, then cipher · node codec
    events()         ◀──  Established, NodeReceived …, at last LinkFailed
    send(node)       ──▶  node codec · cipher · frame  ──▶  data_to_send()

Client and emulator run this same class, so a link is tested against itself. It owns no socket, no clock and no task:
the shell moves the bytes, tells the time and closes the socket after LinkFailed. It knows nodes and no stanza's
meaning; see docs/protocol/noise.md for the bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import CloseReason, ConnectionLost, HandshakeError, NotConnected, PeerError, RecadoError, TooLarge
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.node import Node
from recado.protocol.noise.cipher import TAG_SIZE, Transport
from recado.protocol.noise.handshake import Finished, Initiator, Responder
from recado.protocol.noise.intro import intro_size, write_intro
from recado.protocol.wire.frame_body import pack, unpack
from recado.protocol.wire.framing import FRAME_MAX, FrameReader, frame

KEEPALIVE = 40.0
"""Seconds of silence after which a client counts its server as dead: it asks every 30 and waits 10 more."""

MAX_HANDSHAKE = 1 << 16
"""Bytes a peer may say before the handshake is over; the largest real message has about one thousand."""


@dataclass(frozen=True, slots=True)
class Established:
    """
    The handshake is over and nodes may be sent. `remote_static` is the peer's proven key; `payload` is the
    ClientPayload on the server and empty on the client. A server that refuses the payload sends <failure> and closes.
    """

    remote_static: bytes = field(repr=False)
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class NodeReceived:
    """A node arrived, in the peer's order."""

    node: Node


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """The link is over, by the peer's fault or its silence; the last event, said once."""

    error: RecadoError


LinkEvent = Established | NodeReceived | LinkFailed


class Link:
    """
    One link, from its first byte to its end; it lives once. Make it with `Link.client` or `Link.server`.

    After each call, drain `events()` and write `data_to_send()`. The keepalive is the shell's clock, in seconds that
    never go back: call `touch(now)` when the socket opens and when a node arrives; wait until `deadline()` and call
    `expire(now)`. Whoever stops reading calls `suspend()`, for silence is then our own, and `resume(now)` afterwards.
    """

    def __init__(self, *, awaits_intro: bool, keepalive: float | None) -> None:
        self._frames = FrameReader()
        self._intro: bytearray | None = bytearray() if awaits_intro else None
        self._on_handshake: Callable[[bytes], None]
        self._unfinished = 0
        self._transport: Transport | None = None
        self._events: deque[LinkEvent] = deque()
        self._outgoing = bytearray()
        self._closed = False
        self._keepalive = keepalive
        self._heard_at: float | None = None
        self._suspended = False

    @classmethod
    def client(
        cls,
        *,
        identity: KeyPair,
        payload: bytes,
        root: bytes,
        ephemeral: KeyPair,
        now: datetime,
        routing: bytes | None = None,
        keepalive: float | None = KEEPALIVE,
    ) -> Link:
        """
        A client's end: its intro and hello wait in `data_to_send()` at once.

        `identity` is the account's Noise key pair, `payload` its ClientPayload, `root` the key the server's
        certificates must hang from at `now`; `ephemeral` must be fresh. `keepalive=None` waits for ever.
        """
        link = cls(awaits_intro=False, keepalive=keepalive)
        initiator = Initiator(static=identity, ephemeral=ephemeral)

        def on_answer(message: bytes) -> None:
            finished = initiator.finish(message, payload, root=root, now=now)
            link._outgoing += frame(finished.message)
            link._establish(finished)

        link._on_handshake = on_answer
        link._outgoing += write_intro(routing) + frame(initiator.hello())
        return link

    @classmethod
    def server(cls, *, static: KeyPair, chain: bytes, ephemeral: KeyPair, keepalive: float | None = None) -> Link:
        """
        A server's end, which waits for the client's intro. `chain` vouches for `static`
        (`CertificateAuthority.issue`); `ephemeral` must be fresh.
        """
        link = cls(awaits_intro=True, keepalive=keepalive)
        responder = Responder(static=static, ephemeral=ephemeral, chain=chain)

        def on_finish(message: bytes) -> None:
            link._establish(responder.accept(message))

        def on_hello(message: bytes) -> None:
            link._outgoing += frame(responder.answer(message))
            link._on_handshake = on_finish

        link._on_handshake = on_hello
        return link

    @property
    def is_open(self) -> bool:
        """Whether nodes may be sent."""
        return self._transport is not None and not self._closed

    @property
    def is_closed(self) -> bool:
        """Whether the link is over: nothing more will be read or sent."""
        return self._closed

    def receive(self, data: bytes) -> None:
        """
        Take what the peer sent, in pieces of any size. Never raises for the peer's fault: LinkFailed says it, after
        the nodes that came before it. Ignored once closed.
        """
        if self._closed:
            return
        try:
            self._take(data)
        except (PeerError, ConnectionLost) as error:
            self._fail(error)

    def events(self) -> Iterator[LinkEvent]:
        """What happened since the last call, each once, oldest first."""
        while self._events:
            yield self._events.popleft()

    def send(self, node: Node) -> None:
        """
        Seal a node for the peer into `data_to_send()`.

        Raises NotConnected before Established and once closed, TooLarge for more than a frame takes, and UsageError for
        what the codec cannot write.
        """
        if self._transport is None or self._closed:
            raise NotConnected
        plaintext = pack(node)
        if len(plaintext) + TAG_SIZE > FRAME_MAX:  # before sealing: a lost frame would put the counters out of step
            raise TooLarge("a stanza does not fit in one frame")
        try:
            ciphertext = self._transport.sending.seal(plaintext)
        except ConnectionLost as error:
            self._fail(error)
            raise
        self._outgoing += frame(ciphertext)

    def data_to_send(self) -> bytes:
        """The bytes to write to the socket now; each once."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def close(self) -> None:
        """End the link from our side: no event, and nothing more is read. What waits to be sent still does."""
        self._closed = True

    def touch(self, now: float) -> None:
        """The peer was heard (or the socket has just opened): the deadline starts anew."""
        self._heard_at = now

    def deadline(self) -> float | None:
        """When the peer counts as dead; None while suspended, before the first `touch` and once closed."""
        if self._closed or self._suspended or self._keepalive is None or self._heard_at is None:
            return None
        return self._heard_at + self._keepalive

    def expire(self, now: float) -> None:
        """Give the peer up if its deadline has passed: LinkFailed with ConnectionLost, reason LOST."""
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            self._fail(ConnectionLost(CloseReason.LOST))

    @property
    def suspended(self) -> bool:
        """Whether the deadline is suspended."""
        return self._suspended

    def suspend(self) -> None:
        """We stop reading, so silence proves nothing: no deadline until `resume`."""
        self._suspended = True

    def resume(self, now: float) -> None:
        """We read again: the peer has the whole interval from now."""
        self._suspended = False
        self._heard_at = now

    def _take(self, data: bytes) -> None:
        if self._intro is not None:
            self._intro += data
            size = intro_size(self._intro)
            if size is None:
                return
            data = bytes(self._intro[size:])
            self._intro = None
        for message in self._frames.feed(data):
            if self._transport is not None:
                self._events.append(NodeReceived(unpack(self._transport.receiving.open(message))))
            elif len(message) <= MAX_HANDSHAKE:
                self._on_handshake(message)
            else:
                raise HandshakeError("a handshake message is too large")
        if self._transport is None:
            self._unfinished += len(data)
            if self._unfinished > MAX_HANDSHAKE:
                raise HandshakeError("the handshake is too long")

    def _establish(self, finished: Finished) -> None:
        self._transport = finished.transport
        self._events.append(Established(finished.remote_static, finished.payload))

    def _fail(self, error: RecadoError) -> None:
        self._closed = True
        self._events.append(LinkFailed(error))
