"""
How fast nodes are written and read, ours beside Baileys' on the same nodes.

Every round has 1,000 nodes of its own, never seen before by either side: fresh ids, addresses and payloads, so that
nothing remembered from an earlier round helps. Both must produce the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.peers import Peer, node
from bench.table import Effort, Result, Row, Say
from recado.protocol.node import Node
from recado.protocol.wire.frame_body import pack, unpack

NODES = 1000
WARM_UP = 2
"""Rounds that are not counted: the peer's compiler warms up."""
AIMS = {"a mixture": "≥ 1×"}

Times = dict[str, list[float]]


def run(effort: Effort, say: Say) -> Result:
    """Nodes encoded and decoded a second, of each kind."""
    rows: list[Row] = []
    with node("codec.mjs") as baileys, tempfile.TemporaryDirectory() as folder:
        for kind, make in KINDS.items():
            say(f"nodes: {kind}")
            rows += _compare(kind, make, effort.of(11, 2), baileys, Path(folder) / "nodes.json")
    return Result(tuple(rows))


def _compare(
    kind: str, make: Callable[[random.Random], Node], rounds: int, baileys: Peer | None, path: Path
) -> list[Row]:
    ours: Times = {"encode": [], "decode": []}
    theirs: Times = {"encode": [], "decode": []}
    for number in range(rounds + WARM_UP):
        chance = random.Random(f"{kind} {number}")
        nodes = [make(chance) for _ in range(NODES)]
        digest = _time_ours(nodes, ours)
        if baileys is not None and digest != _time_theirs(nodes, theirs, baileys, path):
            raise SystemExit(f"{kind}: the two encoders differ")
    return [
        Row(f"{verb} {kind}", _rates(ours[verb]), _rates(theirs[verb]), aim=AIMS.get(kind, ""))
        for verb in ("encode", "decode")
    ]


def _rates(seconds: list[float]) -> tuple[float, ...]:
    return tuple(NODES / each for each in seconds[WARM_UP:])


def _time_ours(nodes: list[Node], seconds: Times) -> str:
    started = time.perf_counter()
    frames = [pack(node) for node in nodes]
    between = time.perf_counter()
    for frame in frames:
        unpack(frame)
    ended = time.perf_counter()
    seconds["encode"].append(between - started)
    seconds["decode"].append(ended - between)
    return hashlib.sha256(b"".join(frames)).hexdigest()


def _time_theirs(nodes: list[Node], seconds: Times, baileys: Peer, path: Path) -> str:
    path.write_text(json.dumps([_plain(node) for node in nodes]))
    answer = baileys.ask(path=str(path))
    seconds["encode"].append(answer["encode"])
    seconds["decode"].append(answer["decode"])
    return str(answer["digest"])


def _plain(node: Node) -> dict[str, object]:
    content: object = node.content
    if isinstance(node.content, bytes):
        content = {"base64": base64.b64encode(node.content).decode()}
    elif isinstance(node.content, list):
        content = [_plain(child) for child in node.content]
    return {"tag": node.tag, "attrs": node.attrs, "content": content}


def _number(chance: random.Random) -> str:
    return f"5500{chance.randrange(10**9):09}"


def _lid(chance: random.Random) -> str:
    return str(chance.randrange(10**14, 10**15))


def _message_id(chance: random.Random) -> str:
    return "3EB0" + chance.randbytes(9).hex().upper()


def _seconds(chance: random.Random) -> str:
    return str(chance.randrange(1_790_000_000, 1_800_000_000))


def _message(chance: random.Random) -> Node:
    """About 1 KB: one text for three devices, the device's identity and the reporting token."""
    to, own = _lid(chance), _lid(chance)
    devices = (f"{to}@lid", f"{to}:{chance.randrange(1, 99)}@lid", f"{own}:{chance.randrange(1, 99)}@lid")
    envelopes = [
        Node("to", {"jid": jid}, [Node("enc", {"v": "2", "type": "pkmsg"}, chance.randbytes(size))])
        for jid, size in zip(devices, (244, 244, 260), strict=True)
    ]
    return Node(
        "message",
        {"id": _message_id(chance), "to": f"{to}@lid", "type": "text"},
        [
            Node("participants", {}, envelopes),
            Node("device-identity", {}, chance.randbytes(152)),
            Node("reporting", {}, [Node("reporting_token", {"v": "2"}, chance.randbytes(16))]),
        ],
    )


def _received(chance: random.Random) -> Node:
    """A text as it arrives, the sender's other address beside it."""
    attrs = {
        "from": f"{_lid(chance)}:{chance.randrange(1, 99)}@lid",
        "type": "text",
        "id": _message_id(chance),
        "sender_pn": f"{_number(chance)}@s.whatsapp.net",
        "t": _seconds(chance),
        "notify": f"Ana {chance.randrange(10**6)}",
    }
    return Node("message", attrs, [Node("enc", {"v": "2", "type": "msg"}, chance.randbytes(210))])


def _receipt(chance: random.Random) -> Node:
    attrs = {
        "from": f"{_number(chance)}:{chance.randrange(1, 99)}@s.whatsapp.net",
        "id": _message_id(chance),
        "type": "read",
        "t": _seconds(chance),
    }
    ids = [Node("item", {"id": _message_id(chance)}) for _ in range(chance.choice((0, 0, 2)))]
    return Node("receipt", attrs, [Node("list", {}, ids)] if ids else None)


def _query(chance: random.Random) -> Node:
    """The devices of three people, as answered."""
    users = []
    for _ in range(3):
        devices = [Node("device", {"id": str(device), "key-index": str(device + 3)}) for device in (1, 17)]
        listed = Node("devices", {}, [Node("device-list", {}, [Node("device", {"id": "0"}), *devices])])
        users.append(Node("user", {"jid": f"{_number(chance)}@s.whatsapp.net"}, [listed]))
    attrs = {
        "from": "@s.whatsapp.net",
        "type": "result",
        "id": f"{chance.randrange(10**5)}.{chance.randrange(10**5)}-7",
    }
    usync = {
        "context": "message",
        "mode": "query",
        "sid": f"{chance.randrange(10**5)}.1-9",
        "last": "true",
        "index": "0",
    }
    return Node("iq", attrs, [Node("usync", usync, [Node("list", {}, users)])])


def _mixed(chance: random.Random) -> Node:
    make: Callable[[random.Random], Node] = chance.choice((_message, _message, _received, _receipt, _receipt, _query))
    return make(chance)


KINDS: dict[str, Callable[[random.Random], Node]] = {
    "messages of 1 KB": _message,
    "received messages": _received,
    "receipts": _receipt,
    "queries": _query,
    "a mixture": _mixed,
}
