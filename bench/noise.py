"""
How fast a link encrypts, decrypts and shakes hands, ours beside Baileys' on the same keys and bytes.

Both must produce the same ciphertexts. A handshake is the client's whole part: hello, the server's answer with its
certificates checked, finish.
"""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta

from bench.peers import Peer, node
from bench.table import Effort, Result, Row, Say
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.crypto.keys import hkdf
from recado.protocol.noise.cipher import FrameCipher
from recado.protocol.noise.handshake import PATTERN, Initiator, Responder
from recado.protocol.noise.trust import CertificateAuthority
from recado.protocol.wire.framing import frame

SIZES = {"200 B": (200, 2000), "1 KB": (1024, 2000), "64 KB": (65536, 60)}
HANDSHAKES = 20
SECRET = bytes(range(32))

Times = dict[str, list[float]]


def run(effort: Effort, say: Say) -> Result:
    """Frames of each size both ways, and handshakes, a second."""
    rounds = effort.of(9, 2)
    with node("noise.mjs") as baileys:
        rows = []
        for size in SIZES:
            say(f"noise: frames of {size}")
            rows += _compare_frames(size, rounds, baileys)
        say("noise: handshakes")
        return Result((*rows, _compare_handshakes(rounds, baileys)))


def _compare_frames(name: str, rounds: int, baileys: Peer | None) -> list[Row]:
    size, count = SIZES[name]
    from_client, from_server = _transport_keys()
    ours: Times = {"encrypt": [], "decrypt": []}
    theirs: Times = {"encrypt": [], "decrypt": []}
    for _ in range(rounds + 1):
        plaintext = os.urandom(size)
        digest = _time_sealing(plaintext, count, from_client, ours)
        sealed = _seal_many(plaintext, count, from_server)
        _time_opening(sealed, from_server, ours)
        if baileys is None:
            continue
        answer = baileys.ask(secret=SECRET.hex(), plaintext=plaintext.hex(), ciphertexts=[one.hex() for one in sealed])
        if answer["digest"] != digest:
            raise SystemExit(f"{name}: the two ciphers differ")
        for verb in theirs:
            theirs[verb].append(answer[verb])
    return [Row(f"{verb} frames of {name}", _rates(ours[verb], count), _rates(theirs[verb], count)) for verb in ours]


def _rates(seconds: list[float], count: int) -> tuple[float, ...]:
    """Without the first round, in which the peer's compiler warms up."""
    return tuple(count / each for each in seconds[1:])


def _transport_keys() -> tuple[bytes, bytes]:
    """What both ends derive when one known secret is mixed in and the state is split."""
    split = hkdf(b"", 64, salt=hkdf(SECRET, 64, salt=PATTERN)[:32])
    return split[:32], split[32:]


def _time_sealing(plaintext: bytes, count: int, key: bytes, seconds: Times) -> str:
    cipher = FrameCipher(key, counter=1)  # the peer spent the first on its intro
    started = time.perf_counter()
    out = [frame(cipher.seal(plaintext)) for _ in range(count)]
    seconds["encrypt"].append(time.perf_counter() - started)
    return hashlib.sha256(b"".join(out)).hexdigest()


def _seal_many(plaintext: bytes, count: int, key: bytes) -> list[bytes]:
    cipher = FrameCipher(key)
    return [cipher.seal(plaintext) for _ in range(count)]


def _time_opening(sealed: list[bytes], key: bytes, seconds: Times) -> None:
    cipher = FrameCipher(key)
    started = time.perf_counter()
    for one in sealed:
        cipher.open(one)
    seconds["decrypt"].append(time.perf_counter() - started)


def _compare_handshakes(rounds: int, baileys: Peer | None) -> Row:
    ours, theirs = [], []
    for _ in range(rounds + 1):
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
        if baileys is not None:
            done = baileys.ask(
                root=authority.root.hex(),
                ephemeral=[ephemeral.private.hex(), ephemeral.public.hex()],
                identity=[identity.private.hex(), identity.public.hex()],
                answer=answer.hex(),
                payload=payload.hex(),
                count=HANDSHAKES,
            )
            theirs.append(done["seconds"])
    return Row("client handshakes", _rates(ours, HANDSHAKES), _rates(theirs, HANDSHAKES))
