"""
How fast sessions are: messages of 200 bytes within a chain, with a full turn of the ratchet each, and new sessions.

Each work is timed twice. "in memory": records stay values, the peer is libsignal for JavaScript with its records as
live objects. "stored": each step's record is encoded, as at a commit; the peer is Baileys' repository over a store
in memory. A session is both sides, a first message and a first answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from bench.peers import Peer, node
from bench.table import Effort, Result, Row, Say
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import make_prekeys, make_registration_id, make_signed_prekey
from recado.protocol.signal.session import (
    Envelope,
    OwnIdentity,
    PreKeyBundle,
    SessionRecord,
    initiate,
    open_envelope,
    seal,
)

COUNTS = {"encrypt": (2000, 400), "decrypt": (2000, 400), "ping-pong": (400, 60), "set-up": (60, 8)}
"""How many a round, in a full run and in a quick one."""
AIMS = {"encrypt": "40,000", "decrypt": "45,000", "ping-pong": "5,000", "set-up": "1,200"}
PEERS = {"in memory": "libsignal", "stored": "baileys"}
BODY = os.urandom(200)


class Device:
    """One side of a session; `stored`: every step's record is encoded."""

    def __init__(self, *, stored: bool) -> None:
        self.own = OwnIdentity(make_registration_id(os.urandom), KeyPair.generate(os.urandom))
        self.signed = make_signed_prekey(self.own.pair, 1, os.urandom)
        self.prekey = make_prekeys(1, 1, os.urandom)[0]
        self.stored = stored
        self.record: SessionRecord | None = None
        self.bundle = PreKeyBundle(
            self.own.registration_id,
            self.own.pair.public,
            1,
            self.signed.pair.public,
            self.signed.signature,
            1,
            self.prekey.pair.public,
        )

    def begin(self, theirs: PreKeyBundle) -> None:
        self._keep(initiate(theirs, own=self.own, entropy=os.urandom))

    def seal(self) -> Envelope:
        record, envelope = seal(self.record, BODY, own=self.own)
        self._keep(record)
        return envelope

    def open(self, envelope: Envelope) -> None:
        opened = open_envelope(
            self.record,
            envelope,
            own=self.own,
            entropy=os.urandom,
            prekey=self.prekey.pair,
            signed_prekey=self.signed.pair,
        )
        self._keep(opened.record)

    def _keep(self, record: SessionRecord) -> None:
        self.record = record
        if self.stored:
            record.encode()


def run(effort: Effort, say: Say) -> Result:
    """Messages and sessions a second: a row for each work and way of keeping."""
    rows = []
    with node("signal.mjs") as libsignal:
        for keeping in PEERS:
            for work in COUNTS:
                say(f"sessions: {work}, {keeping}")
                rows.append(_compare(work, keeping, effort, libsignal))
    return Result(tuple(rows))


def _compare(work: str, keeping: str, effort: Effort, libsignal: Peer | None) -> Row:
    count, ours, theirs = effort.of(*COUNTS[work]), [], []
    for _ in range(effort.of(6, 2)):
        ours.append(count / _time(work, count, stored=keeping == "stored"))
        if libsignal is not None:
            theirs.append(count / libsignal.ask(peer=PEERS[keeping], work=work, count=count)["seconds"])
    # The first round warms the peer's compiler up.
    return Row(f"{work}, {keeping}", tuple(ours[1:]), tuple(theirs[1:]), aim=AIMS[work])


def _time(work: str, count: int, *, stored: bool) -> float:
    ana, bia = Device(stored=stored), Device(stored=stored)
    _meet(ana, bia)
    sealed = [ana.seal() for _ in range(count)] if work == "decrypt" else []
    jobs: dict[str, Callable[[], None]] = {
        "encrypt": lambda: _encrypt(ana, count),
        "decrypt": lambda: _decrypt(bia, sealed),
        "ping-pong": lambda: _ping_pong(ana, bia, count),
        "set-up": lambda: _set_up(ana, bia, count),
    }
    started = time.perf_counter()
    jobs[work]()
    return time.perf_counter() - started


def _encrypt(ana: Device, count: int) -> None:
    for _ in range(count):
        ana.seal()


def _decrypt(bia: Device, sealed: list[Envelope]) -> None:
    for envelope in sealed:
        bia.open(envelope)


def _ping_pong(ana: Device, bia: Device, count: int) -> None:
    for _ in range(count // 2):
        bia.open(ana.seal())
        ana.open(bia.seal())


def _set_up(ana: Device, bia: Device, count: int) -> None:
    for _ in range(count):
        ana.record = bia.record = None
        _meet(ana, bia)


def _meet(ana: Device, bia: Device) -> None:
    ana.begin(bia.bundle)
    bia.open(ana.seal())
    ana.open(bia.seal())
