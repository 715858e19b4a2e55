"""
Record sessions between us and another library (signal.mjs) into tests/protocol/vectors/signal.json.

    python tests/interop/vectors/signal.py          (after `make dev`; needs Node)

Both directions are live: what we seal is opened by the library before it is written down, and the reverse. Our own
entropy is a hash of a counter, so that the tests can run our half again and compare every byte.
"""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import make_prekeys, make_registration_id, make_signed_prekey
from recado.protocol.signal.session import (
    Envelope,
    EnvelopeKind,
    OwnIdentity,
    PreKeyBundle,
    SessionRecord,
    initiate,
    open_envelope,
    seal,
)

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "protocol" / "vectors" / "signal.json"
MESSAGES = 50


def entropy_of(seed: str) -> Callable[[int], bytes]:
    """Reproducible bytes: SHA-256 of the seed and a counter, one call of at most 64 bytes after the other."""
    calls = 0

    def entropy(size: int) -> bytes:
        nonlocal calls
        calls += 1
        return b"".join(sha256(f"{seed}/{calls}/{part}".encode()).digest() for part in (0, 1))[:size]

    return entropy


class Library:
    """The other library in its process."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            ["node", HERE / "signal.mjs", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


class Us:
    """Our half of a session, its keys drawn from a seed."""

    def __init__(self, seed: str, *, prekey: bool) -> None:
        self.entropy = entropy_of(seed)
        self.own = OwnIdentity(make_registration_id(self.entropy), KeyPair.generate(self.entropy))
        self.signed = make_signed_prekey(self.own.pair, 3, self.entropy)
        self.prekey = make_prekeys(11, 1, self.entropy)[0] if prekey else None
        self.record: SessionRecord | None = None

    def bundle(self) -> dict[str, Any]:
        signed, prekey = self.signed, self.prekey
        return {
            "registration_id": self.own.registration_id,
            "identity": text(self.own.pair.public),
            "signed_prekey": {"id": signed.id, "public": text(signed.pair.public), "signature": text(signed.signature)},
            "prekey": {"id": prekey.id, "public": text(prekey.pair.public)} if prekey else None,
        }

    def begin(self, theirs: dict[str, Any]) -> None:
        signed, prekey = theirs["signed_prekey"], theirs["prekey"]
        bundle = PreKeyBundle(
            theirs["registration_id"],
            key(theirs["identity"]),
            signed["id"],
            key(signed["public"]),
            b64decode(signed["signature"]),
            prekey["id"] if prekey else None,
            key(prekey["public"]) if prekey else None,
        )
        self.record = initiate(bundle, own=self.own, entropy=self.entropy)

    def seal(self, plaintext: bytes) -> Envelope:
        self.record, envelope = seal(self.record, plaintext, own=self.own)
        return envelope

    def open(self, envelope: Envelope) -> bytes:
        opened = open_envelope(
            self.record,
            envelope,
            own=self.own,
            entropy=self.entropy,
            prekey=self.prekey.pair if self.prekey else None,
            signed_prekey=self.signed.pair,
        )
        self.record = opened.record
        return opened.plaintext


def record_session(library: str, *, we_begin: bool, prekey: bool) -> dict[str, Any]:
    """One session: bursts of one to four messages from either side, a third of them delivered late."""
    seed = f"{library}/{'we' if we_begin else 'they'}/{'one-time' if prekey else 'signed only'}"
    dice, us, them = random.Random(seed), Us(seed, prekey=prekey), Library(library)
    theirs = them("bundle", prekey=prekey)
    us.begin(theirs) if we_begin else them("begin", bundle=us.bundle())
    steps: list[dict[str, Any]] = []
    waiting: list[tuple[bool, bytes, Envelope]] = []
    ours, sent, met = we_begin, 0, False
    while sent < MESSAGES or waiting:
        for _ in range(dice.randint(1, 4) if sent < MESSAGES else 0):
            plaintext = f"message {sent}".encode()
            if ours:
                envelope = us.seal(plaintext)
                steps.append({"do": "seal", "plaintext": text(plaintext), **written(envelope)})
            else:
                answer = them("seal", plaintext=text(plaintext))
                envelope = Envelope(EnvelopeKind(answer["kind"]), b64decode(answer["ciphertext"]))
            waiting.append((ours, plaintext, envelope))
            sent += 1
        dice.shuffle(waiting)
        late = len(waiting) // 3 if met and sent < MESSAGES else 0
        for from_us, plaintext, envelope in waiting[late:]:
            if from_us:
                assert them("open", **written(envelope)) == {"plaintext": text(plaintext)}
            else:
                assert us.open(envelope) == plaintext
                steps.append({"do": "open", "plaintext": text(plaintext), **written(envelope)})
        waiting, ours, met = waiting[:late], not ours, True
    them.close()
    return {"library": library, "seed": seed, "prekey": prekey, "bundle": theirs if we_begin else None, "steps": steps}


def written(envelope: Envelope) -> dict[str, str]:
    return {"kind": str(envelope.kind), "ciphertext": text(envelope.ciphertext)}


def text(data: bytes) -> str:
    return b64encode(data).decode()


def key(typed: str) -> bytes:
    """A public key without the type byte some libraries keep in front."""
    return b64decode(typed)[-32:]


if __name__ == "__main__":
    sessions = [
        record_session(library, we_begin=we_begin, prekey=prekey)
        for library in ("libsignal", "whatsapp-rust-bridge")
        for we_begin in (True, False)
        for prekey in (True, False)
    ]
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(json.dumps(sessions, indent=1) + "\n")
    print(f"{len(sessions)} sessions, {sum(len(session['steps']) for session in sessions)} messages")
