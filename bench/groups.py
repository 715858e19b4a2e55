"""
How fast groups are: messages of 200 bytes sealed for a group and opened, and a text to 256 people with 600 devices.

"encrypt" and "decrypt" store each step's record, as at a commit; the peer is Baileys' repository over a store in
memory, as in `signal`. The sends go through the emulator, whose phones are switched off, so that it only queues: the
first gives the sender key to every device (their lists and keys are asked for), the later ones to nobody. Ours returns
when the server has acknowledged, Baileys' when the text is on its way.
"""

from __future__ import annotations

import os
import time
from typing import Any

from bench import peers
from bench.peers import Peer, node
from bench.table import Effort, Result, Row, Say
from recado.protocol.signal.sender_key import (
    SenderKeyRecord,
    distribution,
    learn,
    new_sender_key,
    open_for_group,
    seal_for_group,
)
from recado.protocol.signal.sender_key_format import decode_distribution

COUNTS = {"encrypt": (1000, 200), "decrypt": (1000, 200)}
"""How many a round, in a full run and in a quick one."""
BODY = os.urandom(200)
PEOPLE, DEVICES = 256, 600
LATER = (40, 10)
"""Sends a round, once everybody has the key."""


def run(effort: Effort, say: Say) -> Result:
    """Messages a second, and sends to a large group."""
    rows = []
    with node("groups.mjs") as baileys:
        for work in COUNTS:
            say(f"groups: {work}")
            rows.append(_compare(work, effort, baileys))
    rows += _sends(effort, say)
    return Result(tuple(rows))


def _compare(work: str, effort: Effort, baileys: Peer | None) -> Row:
    count, ours, theirs = effort.of(*COUNTS[work]), [], []
    for _ in range(effort.of(6, 2)):
        ours.append(count / _time(work, count))
        if baileys is not None:
            theirs.append(effort.of(150, 40) / baileys.ask(work=work, count=effort.of(150, 40))["seconds"])
    return Row(f"{work} for a group, stored", tuple(ours[1:]), tuple(theirs[1:]), aim="≥ 80×")


def _time(work: str, count: int) -> float:
    author = new_sender_key(os.urandom)
    reader = learn(None, decode_distribution(distribution(author)))
    sealed = _seal(author, count) if work == "decrypt" else []
    started = time.perf_counter()
    if work == "encrypt":
        _seal(author, count)
    for ciphertext in sealed:
        reader, _ = open_for_group(reader, ciphertext)
        reader.encode()
    return time.perf_counter() - started


def _seal(author: SenderKeyRecord, count: int) -> list[bytes]:
    sealed = []
    for _ in range(count):
        author, ciphertext = seal_for_group(author, BODY, entropy=os.urandom)
        author.encode()
        sealed.append(ciphertext)
    return sealed


def _sends(effort: Effort, say: Say) -> list[Row]:
    say(f"groups: {PEOPLE} people with {DEVICES} devices")
    first: dict[str, list[float]] = {"recado": [], "Baileys": []}
    later: dict[str, list[float]] = {"recado": [], "Baileys": []}
    with peers.python("world") as world, peers.python("texter") as ours, node("texter.mjs") as theirs:
        address = world.ask(do="start")
        for name, texter in (("recado", ours), ("Baileys", theirs)):
            if texter is not None:
                texter.ask(do="open", phone=name, **address)
        for number in range(effort.of(4, 1)):
            for name, texter in (("recado", ours), ("Baileys", theirs)):
                if texter is None:
                    continue
                say(f"groups: {name} writes to a new one, round {number + 1}")
                people = [f"{name} {number} {person}" for person in range(PEOPLE - 1)]
                group = world.ask(do="group", owner=name, people=people, devices=DEVICES)["group"]
                first[name].append(_send(texter, group, 1) * 1000)
                count = effort.of(*LATER)
                later[name].append(count / _send(texter, group, count))
    return [
        Row("first text to 256 people, 600 devices: ms", tuple(first["recado"]), tuple(first["Baileys"]), True),
        Row("later texts there, one at a time: a second", tuple(later["recado"]), tuple(later["Baileys"])),
    ]


def _send(texter: Peer, group: str, count: int) -> float:
    """Seconds that so many texts took, one after the other."""
    answer: dict[str, Any] = texter.ask(do="send", to=group, round=0, count=count, window=1, seconds=100)
    return (time.monotonic_ns() - int(answer["started"])) / 1e9
