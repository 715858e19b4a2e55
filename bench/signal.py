"""
How fast sessions are: messages of 200 bytes within a chain, with a full turn of the ratchet each, and new sessions.

    python bench/signal.py           the peer is looked for in RECADO_BAILEYS (a node_modules folder), by default
                                     tests/interop/node_modules; without it, or without node, only ours is timed

Each work is timed twice. "in memory": records stay values, the peer is libsignal for JavaScript with its records as
live objects. "stored": each step's record is encoded, as at a commit; the peer is Baileys' repository over a store
in memory. A session is both sides, a first message and a first answer. Rounds take turns; figures are medians.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

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

ROUNDS = 7
HERE = Path(__file__).resolve().parent
WORKS = {"encrypt": 2000, "decrypt": 2000, "ping-pong": 400, "set-up": 60}
PEERS = {"in memory": "libsignal", "stored": "baileys"}
BODY = os.urandom(200)

Result = tuple[str, float, float | None]
Peer = subprocess.Popen[str]


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


def run(rounds: int = ROUNDS) -> list[Result]:
    """(name, ours per second, the peer's per second or None), one row a work and way of keeping."""
    peer = _start_peer()
    try:
        return [_compare(work, keeping, rounds, peer) for keeping in PEERS for work in WORKS]
    finally:
        if peer is not None:
            peer.communicate()


def _compare(work: str, keeping: str, rounds: int, peer: Peer | None) -> Result:
    count, ours, theirs = WORKS[work], [], []
    for _ in range(rounds):
        ours.append(_time(work, count, stored=keeping == "stored"))
        if peer is not None:
            theirs.append(_ask(peer, {"peer": PEERS[keeping], "work": work, "count": count}))
    name = f"{work}, {keeping}"
    return name, count / statistics.median(ours), count / statistics.median(theirs) if theirs else None


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


def _ask(peer: Peer, job: dict[str, object]) -> float:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write(json.dumps(job) + "\n")
    peer.stdin.flush()
    return float(json.loads(peer.stdout.readline())["seconds"])


def _start_peer() -> Peer | None:
    modules = Path(os.environ.get("RECADO_BAILEYS", HERE.parent / "tests/interop/node_modules"))
    node = shutil.which("node")
    if node is None or not (modules / "libsignal").is_dir():
        return None
    command = [node, str(HERE / "signal.mjs"), str(modules)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Print the table."""
    print(f"{'per second':28}{'recado':>12}{'peer':>12}{'ratio':>8}")
    for name, ours, theirs in run():
        beside = f"{theirs:12,.0f}{ours / theirs:8.2f}" if theirs else f"{'—':>12}{'—':>8}"
        print(f"{name:28}{ours:12,.0f}{beside}")


if __name__ == "__main__":
    main()
