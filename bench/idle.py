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
    stores = {"memory": memory, "PostgreSQL": durable}
    return Result(
        tuple(
            Row(f"KiB an idle session of {ours}: {store}", reached, peer, less_is_better=True)
            for store, reached in stores.items()
        ),
        f"Baileys' idle sessions were {theirs} in one process.",
    )


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
