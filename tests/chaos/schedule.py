"""
What goes wrong, and when: a schedule is a list of values made from a seed, so that a run that failed can be made again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What may happen to a worker, to PostgreSQL, or to the roads to PostgreSQL and to WhatsApp."""

    KILL = "kill"  # SIGKILL of a worker, started again at once
    HAND_OVER = "hand over"  # SIGTERM of a worker, started again when it has ended
    FREEZE = "freeze"  # SIGSTOP for longer than the lease, then SIGCONT
    KILL_POSTGRES = "kill postgres"  # SIGKILL of the postmaster and of every child of it
    FILL_DISK = "fill disk"  # not a byte left where PostgreSQL writes
    CUT_POSTGRES = "cut postgres"  # one worker's road: connections reset, new ones refused
    STALL_POSTGRES = "stall postgres"  # … nothing passes, and nobody is told
    SLOW_POSTGRES = "slow postgres"
    CUT_WHATSAPP = "cut whatsapp"
    STALL_WHATSAPP = "stall whatsapp"
    SLOW_WHATSAPP = "slow whatsapp"


OF_A_WORKER = {Kind.KILL, Kind.HAND_OVER, Kind.FREEZE}
OF_POSTGRES = {Kind.KILL_POSTGRES, Kind.FILL_DISK}
OF_A_ROAD = set(Kind) - OF_A_WORKER - OF_POSTGRES

Weights = Mapping[Kind, float]

KILLS: Weights = {Kind.KILL: 1.0}
"""A worker is killed every few seconds, and nothing else."""

EVERYTHING: Weights = {
    Kind.KILL: 8,
    Kind.HAND_OVER: 2,
    Kind.FREEZE: 1.5,
    Kind.KILL_POSTGRES: 1,
    Kind.FILL_DISK: 0.5,
    Kind.CUT_POSTGRES: 1,
    Kind.STALL_POSTGRES: 1,
    Kind.SLOW_POSTGRES: 1,
    Kind.CUT_WHATSAPP: 1,
    Kind.STALL_WHATSAPP: 1,
    Kind.SLOW_WHATSAPP: 1,
}


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing that goes wrong: `at` seconds after the start, to `worker` (a wish), for `lasts`."""

    at: float
    kind: Kind
    worker: int
    lasts: float

    def __str__(self) -> str:
        whom = "" if self.kind in OF_POSTGRES else f" {self.worker}"
        lasting = f" for {self.lasts:.1f}s" if self.lasts else ""
        return f"{self.at:6.1f}s {self.kind}{whom}{lasting}"


def plan(
    dice: random.Random, weights: Weights, *, seconds: float, every: float, workers: int, lease: float
) -> Iterator[Strike]:
    """Strikes for that many seconds, one about every `every`; no kind waits until its weight has had its turn."""
    at, deck = 0.0, list[Kind]()
    while True:
        at += every * dice.uniform(0.8, 1.2)
        if at >= seconds:
            return
        if not deck:
            deck = _deck(dice, weights)
        kind = deck.pop()
        yield Strike(at, kind, dice.randrange(workers), _lasting(dice, kind, lease))


def _deck(dice: random.Random, weights: Weights) -> list[Kind]:
    """Each kind as often as its weight says, shuffled: a short run has some of everything."""
    deck = [kind for kind, weight in weights.items() for _ in range(_rounded(dice, weight))]
    dice.shuffle(deck)
    return deck


def _rounded(dice: random.Random, weight: float) -> int:
    return int(weight) + (dice.random() < weight % 1)


def _lasting(dice: random.Random, kind: Kind, lease: float) -> float:
    match kind:
        case Kind.KILL | Kind.HAND_OVER:
            return 0.0
        case Kind.FREEZE:
            return lease * dice.uniform(1.2, 2.0)
        case Kind.KILL_POSTGRES:
            return dice.uniform(0.0, 1.0)
        case Kind.FILL_DISK:
            return dice.uniform(1.0, 3.0)
        case _:
            return dice.choice([0.3, 1.0, lease * 1.5])
