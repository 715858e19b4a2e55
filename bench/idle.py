"""
Memory of one idle session: many clients over TLS in one process, linked and connected to an emulator in another, with
nothing to do. The first session is not counted, so that what all of them share is not either.

Ours with stores in memory and, as in a gateway, on PostgreSQL; the peer is Baileys with its keys in memory, in one
Node process, fewer of them.
"""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench import peers
from bench.certificate import make_certificate
from bench.table import Effort, Result, Row, Say
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate

KIB = 1024


def run(effort: Effort, say: Say) -> Result:
    """Kilobytes an idle session."""
    ours, theirs = effort.of(200, 12), effort.of(24, 3)
    with tempfile.TemporaryDirectory(prefix="recado-bench-") as folder, peers.python("world") as world:
        certificate = str(make_certificate(Path(folder)))
        address = {**world.ask(do="start", certificate=certificate), "certificate": certificate}
        say(f"idle: {theirs} sessions of Baileys")
        peer = _each(peers.node("crowd.mjs", "--expose-gc", NODE_EXTRA_CA_CERTS=certificate), theirs, address)
        say(f"idle: {ours} sessions in memory")
        memory = _each(peers.python("crowd"), ours, address, name="idle")
        say(f"idle: {ours} sessions on PostgreSQL")
        database = EmbeddedPostgres(Path(folder) / "pg")
        dsn = database.start_now()
        try:
            migrate(dsn)
            durable = _each(peers.python("crowd"), ours, address, name="durable", dsn=dsn)
        finally:
            database.stop_now()
        say("idle: what a session is made of")
        made_of = _made_of(effort.of(40, 4), address)
    stores = {"memory": memory, "PostgreSQL": durable}
    return Result(
        tuple(
            Row(f"KiB an idle session of {ours}: {store}", reached, peer, less_is_better=True)
            for store, reached in stores.items()
        ),
        f"Baileys' idle sessions were {theirs} in one process.\n{made_of}",
    )


def _made_of(count: int, address: dict[str, Any]) -> str:
    """Who holds the memory of an idle session in memory, in KiB; its own crowd, for being watched costs memory."""
    with peers.python("crowd") as peer:
        more = {**address, "name": "traced"}
        peer.ask(do="open", **more, **{"from": 0}, count=1)
        peer.ask(do="trace")
        held = peer.ask(do="memory")["bytes"]
        peer.ask(do="open", **more, **{"from": 1}, count=count)
        parts: dict[str, int] = peer.ask(do="traced")["parts"]
        whole = (peer.ask(do="memory")["bytes"] - held) / count / KIB
    lines = [f"What Python holds for an idle session, in KiB (of {count}, store in memory):"]
    for part, taken in sorted(parts.items(), key=lambda item: -item[1]):
        if taken / count >= KIB / 2:
            lines.append(f"  {part:34}{taken / count / KIB:7.1f}")
    traced = sum(parts.values()) / count / KIB
    lines.append(f"  {'all of it':34}{traced:7.1f}   (the process grew by {whole:.0f}, with what watching costs)")
    return "\n".join(lines)


def _each(
    crowd: AbstractContextManager[peers.Peer | None], count: int, address: dict[str, Any], **more: str
) -> tuple[float, ...]:
    """Kilobytes a session, beyond the first; nothing when there is no such peer."""
    with crowd as peer:
        if peer is None:
            return ()
        first = _settled(peer, 0, 1, address | more)
        return ((_settled(peer, 1, count, address | more) - first) / count / KIB,)


def _settled(peer: peers.Peer, start: int, count: int, address: dict[str, Any]) -> float:
    peer.ask(do="open", **address, **{"from": start}, count=count)
    return float(peer.ask(do="memory")["bytes"])
