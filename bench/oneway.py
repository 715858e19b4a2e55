"""
Texts one way through the emulator on loopback: how many a second, and how long one takes when nothing else is going on.

Sender, receiver and emulator are a process each; every pair of texters is linked at the start, and their rounds take
turns. A text goes to the other's phone and linked device and to the own phone, as in WhatsApp; it counts when the
linked device has it: Baileys as `messages.upsert`, ours as a committed fact. The sender keeps a window of sends that
have not returned; ours returns when the server has acknowledged, Baileys' when the text is on its way.

Baileys keeps its keys in memory, which is its best case. Ours: in memory; with the receiver on PostgreSQL, fsync on,
lease and projector as in the gateway; with both there.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import peers
from bench.processors import busy_seconds
from bench.table import Effort, Result, Row, Say
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate

WINDOW = 32
"""Sends under way at a time."""
COUNT = 2000
"""At most so many texts a round."""
WARM_UP = (3, 0)
"""Rounds that are not counted: Node's compiler takes thousands of texts to do its best."""


@dataclass(slots=True)
class Lane:
    """A sender and a receiver, linked, and what was measured of them."""

    name: str
    sender: peers.Peer
    receiver: peers.Peer
    to: str
    rates: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    costs: dict[str, list[float]] = field(default_factory=dict)
    rounds: int = 100

    def cool(self, rounds: int) -> None:
        """Forget the first rounds."""
        for figures in (self.rates, *self.costs.values()):
            del figures[:rounds]

    @property
    def processor(self) -> tuple[float, ...]:
        """Milliseconds of processor time a text, of all processes together, by round."""
        return tuple(map(sum, zip(*self.costs.values(), strict=True)))


@dataclass(frozen=True, slots=True)
class Stage:
    """The world all lanes share, and its database."""

    world: peers.Peer
    address: dict[str, Any]
    database: EmbeddedPostgres
    dsn: str


def run(effort: Effort, say: Say) -> Result:
    """Texts a second, delays, and where the time goes."""
    with stage(say) as built, ExitStack() as stack:
        lanes = [lane for name in LANES if (lane := _open(name, built, stack, say)) is not None]
        for number in range(-effort.of(*WARM_UP), effort.of(7, 2)):
            say(f"texts: round {number + 1}" if number >= 0 else "texts: warming up")
            for lane in lanes:
                _throughput(lane, built, seconds=effort.of(20, 4) / 10)
        for lane in lanes:
            lane.cool(effort.of(*WARM_UP))
        for number in range(effort.of(4, 1)):
            say(f"delays: round {number + 1}")
            for lane in lanes:
                _latency(lane, effort.of(100, 25))
        say("where the time goes")
        return Result(_rows(lanes), _report(lanes, effort))


@contextmanager
def stage(say: Say) -> Iterator[Stage]:
    """An emulator, and a migrated PostgreSQL that loses nothing."""
    with tempfile.TemporaryDirectory(prefix="recado-bench-") as folder, peers.python("world") as world:
        say("starting an emulator and a PostgreSQL")
        database = EmbeddedPostgres(Path(folder) / "pg")
        dsn = database.start_now()
        try:
            migrate(dsn)
            yield Stage(world, world.ask(do="start"), database, dsn)
        finally:
            database.stop_now()


LANES = ("Baileys", "memory", "PostgreSQL at the receiver", "PostgreSQL at both ends")


def _open(name: str, built: Stage, stack: ExitStack, say: Say) -> Lane | None:
    """Link both ends, and have everybody say something, so that every session is confirmed."""
    say(f"linking: {name}")
    ends = [stack.enter_context(_texter(name)) for _ in range(2)]
    phones = [f"{name} {end}" for end in ("A", "B")]
    durable = {"Baileys": (), "memory": (), LANES[2]: ("B",), LANES[3]: ("A", "B")}[name]
    for end, phone in zip(ends, phones, strict=True):
        if end is None:
            return None
        more = {"dsn": built.dsn} if phone[-1] in durable else {}
        end.ask(do="open", phone=phone, **built.address, **more)
    sender, receiver = (end for end in ends if end is not None)
    ours, theirs = (_control(built, "GET", f"phones/{phone}")["jid"] for phone in phones)
    for number in range(2):
        _hand_over(sender, receiver, theirs, 2 * number)
        _hand_over(receiver, sender, ours, 2 * number + 1)
        for phone, to in (phones, phones[::-1]):
            _control(built, "POST", f"phones/{phone}/say", to=to, text=f"{90 + number} from the phone")
    return Lane(name, sender, receiver, theirs)


def _texter(name: str) -> Any:
    return peers.node("texter.mjs") if name == "Baileys" else peers.python("texter")


def _hand_over(sender: peers.Peer, receiver: peers.Peer, to: str, number: int) -> tuple[int, int]:
    """One text; when it was handed to the sender, and when the receiver had it."""
    sent = sender.ask(do="send", to=to, round=number, count=1, window=1, seconds=10)
    heard = receiver.ask(do="hear", round=number, count=1)
    return sent["started"], heard["at"]


def _throughput(lane: Lane, built: Stage, *, seconds: float) -> None:
    lane.rounds += 1
    before = _costs(lane, built)
    sent = lane.sender.ask(do="send", to=lane.to, round=lane.rounds, count=COUNT, window=WINDOW, seconds=seconds)
    heard = lane.receiver.ask(do="hear", round=lane.rounds, count=sent["count"])
    lane.rates.append(sent["count"] / (heard["at"] - sent["started"]) * 1e9)
    for name, after in _costs(lane, built).items():
        lane.costs.setdefault(name, []).append((after - before[name]) / sent["count"] * 1000)


def _costs(lane: Lane, built: Stage) -> dict[str, float]:
    """Seconds of processor time so far, by process."""
    postmaster = built.database.pid
    return {
        "sender": busy_seconds(lane.sender.pid),
        "receiver": busy_seconds(lane.receiver.pid),
        "emulator": busy_seconds(built.world.pid),
        "PostgreSQL": busy_seconds(postmaster, with_children=True) if postmaster is not None else 0.0,
    }


def _latency(lane: Lane, count: int) -> None:
    for _ in range(count):
        lane.rounds += 1
        started, at = _hand_over(lane.sender, lane.receiver, lane.to, lane.rounds)
        lane.delays.append((at - started) / 1e6)


def _rows(lanes: list[Lane]) -> tuple[Row, ...]:
    baileys = next((lane for lane in lanes if lane.name == "Baileys"), None)
    rates = tuple(baileys.rates) if baileys else ()
    ours = [lane for lane in lanes if lane is not baileys]
    rows = [Row(f"texts: {lane.name}", tuple(lane.rates), rates, aim="≥ 2×") for lane in ours]
    processor = baileys.processor if baileys else ()
    if all(all(lane.processor) for lane in lanes):  # zeros where the system does not tell
        rows += [Row(f"ms of processor: {lane.name}", lane.processor, processor, less_is_better=True) for lane in ours]
    for what, pick in (("median", statistics.median), ("p99", _p99)):
        theirs = (pick(baileys.delays),) if baileys else ()
        rows += [Row(f"ms, {what}: {lane.name}", (pick(lane.delays),), theirs, less_is_better=True) for lane in ours]
    return tuple(rows)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def _report(lanes: list[Lane], effort: Effort) -> str:
    """Processor time a text, by process; and, of our processes, by part of the system, from a profiled round."""
    lines = ["Processor time a text, in ms (median round):"]
    for lane in lanes:
        shares = "  ".join(f"{name} {statistics.median(each):5.2f}" for name, each in lane.costs.items())
        lines.append(f"  {lane.name:28}{shares}")
    for lane in (lane for lane in lanes if lane.name != "Baileys"):
        for end, peer in (("sender", lane.sender), ("receiver", lane.receiver)):
            lines += _profiled(lane, end, peer, seconds=effort.of(20, 5) / 10)
    return "\n".join(lines)


def _profiled(lane: Lane, end: str, peer: peers.Peer, *, seconds: float) -> list[str]:
    lane.rounds += 1
    peer.ask(do="profile")
    sent = lane.sender.ask(do="send", to=lane.to, round=lane.rounds, count=COUNT, window=WINDOW, seconds=seconds)
    lane.receiver.ask(do="hear", round=lane.rounds, count=sent["count"])
    stages = peer.ask(do="profile")["stages"]
    whole = sum(stages.values()) or 1.0
    lines = [f"{lane.name}: the {end}"]
    for part, spent in sorted(stages.items(), key=lambda item: -item[1]):
        if spent / whole >= 0.01:
            lines.append(f"  {part:34}{spent / whole:6.1%}")
    return lines


def _control(built: Stage, method: str, path: str, **body: Any) -> dict[str, Any]:
    url = f"{built.address['control']}/admin/{urllib.parse.quote(path)}"
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
        told: dict[str, Any] = json.load(answer)
        return told
