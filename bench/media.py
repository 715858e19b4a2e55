"""
How fast files are encrypted and opened, and what a large one costs of memory.

"encrypt" is the whole work a file costs before it is uploaded: AES-CBC, HMAC, the hashes of both forms, from a file
into another. Baileys' half is its `encryptedStream`, which does the same. "in memory" leaves the disk out; "open"
checks MAC and both hashes, Baileys checks neither. The memory is of a process with a client and the emulated servers
in it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.peers import Peer, node, python
from bench.table import Effort, Result, Row, Say
from recado.client.media.sealed_file import sealed_file
from recado.protocol.media.cipher import MediaKeys, Opener, Sealer
from recado.protocol.media.kinds import FileKind

MIB = 1024 * 1024
PIECE = 64 * 1024
AIM = "300"


def run(effort: Effort, say: Say) -> Result:
    """Megabytes a second, and megabytes of memory."""
    size = effort.of(64, 8) * MIB
    with node("media.mjs") as baileys, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain"
        path.write_bytes(os.urandom(size))
        say("media: encrypting and opening")
        rows = _speeds(path, size, effort.of(7, 2), baileys)
    say("media: a large file up and down")
    with python("carrier") as carrier:
        small, large = carrier.ask(size=MIB)["peak"], carrier.ask(size=64 * MIB)
    remark = (
        f"A file of 64 MiB up and down: peak memory {large['peak'] / 1024:,.0f} MiB, after one of 1 MiB "
        f"{small / 1024:,.0f} MiB ({(large['peak'] - small) / 1024:,.1f} MiB more), "
        f"{large['up']:,.0f} MiB/s up and {large['down']:,.0f} MiB/s down over TLS in one process."
    )
    return Result(tuple(rows), remark)


def _speeds(path: Path, size: int, rounds: int, baileys: Peer | None) -> list[Row]:
    ours: dict[str, list[float]] = {"encrypt MB/s": [], "encrypt in memory MB/s": [], "open MB/s": []}
    theirs: list[float] = []
    keys, data = MediaKeys.derive(bytes(32), FileKind.DOCUMENT), path.read_bytes()
    pieces = [data[start : start + PIECE] for start in range(0, size, PIECE)]
    sealer = Sealer(keys)
    sealed = [sealer.update(piece) for piece in pieces]
    last, fingerprint = sealer.finish()
    sealed.append(last)

    def open_all() -> None:
        opener = Opener(keys, sha256=fingerprint.sha256, enc_sha256=fingerprint.enc_sha256)
        for piece in sealed:
            opener.update(piece)
        opener.finish()

    def seal_all() -> None:
        sealer = Sealer(keys)
        for piece in pieces:
            sealer.update(piece)
        sealer.finish()

    for _ in range(rounds + 1):
        ours["encrypt MB/s"].append(_rate(size, lambda: asyncio.run(_to_disk(path))))
        ours["encrypt in memory MB/s"].append(_rate(size, seal_all))
        ours["open MB/s"].append(_rate(size, open_all))
        if baileys is not None:
            theirs.append(size / 1e6 / baileys.ask(path=str(path))["seconds"])
    # The first round warms the peer's compiler up.
    return [
        Row(name, tuple(rates[1:]), tuple(theirs[1:]) if name == "encrypt MB/s" else (), aim=AIM)
        for name, rates in ours.items()
    ]


async def _to_disk(path: Path) -> None:
    async with sealed_file(path, FileKind.DOCUMENT, most=1 << 40, entropy=os.urandom):
        pass


def _rate(size: int, work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return size / 1e6 / (time.perf_counter() - started)
