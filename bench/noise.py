"""
How fast a link encrypts, decrypts and shakes hands, ours beside Baileys' on the same keys and bytes, in turns.

    python bench/noise.py            the peer is looked for in RECADO_BAILEYS (a node_modules folder), by default
                                     tests/interop/node_modules; without it, or without node, only ours is timed

Both must produce the same ciphertexts. A handshake is the client's whole part: hello, the server's answer with its
certificates checked, finish. Figures are medians over rounds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from recado.protocol.crypto.curve import KeyPair
from recado.protocol.crypto.keys import hkdf
from recado.protocol.noise.cipher import FrameCipher
from recado.protocol.noise.handshake import PATTERN, Initiator, Responder
from recado.protocol.noise.trust import CertificateAuthority
from recado.protocol.wire.framing import frame

ROUNDS = 11
HERE = Path(__file__).resolve().parent
SIZES = {"200 B": (200, 2000), "1 KB": (1024, 2000), "64 KB": (65536, 60)}
HANDSHAKES = 20
SECRET = bytes(range(32))

Result = tuple[str, float, float | None]
Peer = subprocess.Popen[str]


def run(rounds: int = ROUNDS) -> list[Result]:
    """(name, ours per second, Baileys' per second or None): frames of each size both ways, and handshakes."""
    peer = _start_peer()
    try:
        results = [result for name in SIZES for result in _compare_frames(name, rounds, peer)]
        return [*results, _compare_handshakes(rounds, peer)]
    finally:
        if peer is not None:
            peer.communicate()


def _compare_frames(name: str, rounds: int, peer: Peer | None) -> list[Result]:
    size, count = SIZES[name]
    from_client, from_server = _transport_keys()
    ours: dict[str, list[float]] = {"encrypt": [], "decrypt": []}
    theirs: dict[str, list[float]] = {"encrypt": [], "decrypt": []}
    for _ in range(rounds):
        plaintext = os.urandom(size)
        digest = _time_sealing(plaintext, count, from_client, ours)
        sealed = _seal_many(plaintext, count, from_server)
        _time_opening(sealed, from_server, ours)
        if peer is None:
            continue
        job = {"secret": SECRET.hex(), "plaintext": plaintext.hex(), "ciphertexts": [one.hex() for one in sealed]}
        answer = _ask(peer, job)
        if answer["digest"] != digest:
            raise SystemExit(f"{name}: the two ciphers differ")
        for verb in theirs:
            theirs[verb].append(answer[verb])
    return [
        (
            f"{verb} frames of {name}",
            count / statistics.median(ours[verb]),
            count / statistics.median(theirs[verb]) if peer is not None else None,
        )
        for verb in ours
    ]


def _transport_keys() -> tuple[bytes, bytes]:
    """What both ends derive when one known secret is mixed in and the state is split."""
    split = hkdf(b"", 64, salt=hkdf(SECRET, 64, salt=PATTERN)[:32])
    return split[:32], split[32:]


def _time_sealing(plaintext: bytes, count: int, key: bytes, seconds: dict[str, list[float]]) -> str:
    cipher = FrameCipher(key, counter=1)  # the peer spent the first on its intro
    started = time.perf_counter()
    out = [frame(cipher.seal(plaintext)) for _ in range(count)]
    seconds["encrypt"].append(time.perf_counter() - started)
    return hashlib.sha256(b"".join(out)).hexdigest()


def _seal_many(plaintext: bytes, count: int, key: bytes) -> list[bytes]:
    cipher = FrameCipher(key)
    return [cipher.seal(plaintext) for _ in range(count)]


def _time_opening(sealed: list[bytes], key: bytes, seconds: dict[str, list[float]]) -> None:
    cipher = FrameCipher(key)
    started = time.perf_counter()
    for one in sealed:
        cipher.open(one)
    seconds["decrypt"].append(time.perf_counter() - started)


def _compare_handshakes(rounds: int, peer: Peer | None) -> Result:
    ours, theirs = [], []
    for _ in range(rounds):
        now = datetime.now(UTC)
        identity, ephemeral, server, server_ephemeral = (KeyPair.generate(os.urandom) for _ in range(4))
        authority = CertificateAuthority.create(os.urandom, now=now, valid_for=timedelta(days=1))
        responder = Responder(static=server, ephemeral=server_ephemeral, chain=authority.issue(server.public, now=now))
        answer = responder.answer(Initiator(static=identity, ephemeral=ephemeral).hello())
        payload = os.urandom(300)
        started = time.perf_counter()
        for _ in range(HANDSHAKES):
            initiator = Initiator(static=identity, ephemeral=ephemeral)
            initiator.hello()
            initiator.finish(answer, payload, root=authority.root, now=now)
        ours.append(time.perf_counter() - started)
        if peer is not None:
            job = {
                "root": authority.root.hex(),
                "ephemeral": [ephemeral.private.hex(), ephemeral.public.hex()],
                "identity": [identity.private.hex(), identity.public.hex()],
                "answer": answer.hex(),
                "payload": payload.hex(),
                "count": HANDSHAKES,
            }
            theirs.append(_ask(peer, job)["seconds"])
    return (
        "client handshakes",
        HANDSHAKES / statistics.median(ours),
        HANDSHAKES / statistics.median(theirs) if theirs else None,
    )


def _ask(peer: Peer, job: dict[str, Any]) -> dict[str, Any]:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write(json.dumps(job) + "\n")
    peer.stdin.flush()
    answer: dict[str, Any] = json.loads(peer.stdout.readline())
    return answer


def _start_peer() -> Peer | None:
    modules = Path(os.environ.get("RECADO_BAILEYS", HERE.parent / "tests/interop/node_modules"))
    node = shutil.which("node")
    if node is None or not (modules / "@whiskeysockets/baileys").is_dir():
        return None
    command = [node, str(HERE / "noise.mjs"), str(modules)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Print the table."""
    print(f"{'per second':28}{'recado':>12}{'Baileys':>12}{'ratio':>8}")
    for name, ours, theirs in run():
        beside = f"{theirs:12,.0f}{ours / theirs:8.2f}" if theirs else f"{'—':>12}{'—':>8}"
        print(f"{name:28}{ours:12,.0f}{beside}")


if __name__ == "__main__":
    main()
