"""
How stanzas reach a device: queued first, sent while its line takes them, sent again on every login until settled.

    <ib><offline_preview count= message= receipt= notification=/></ib>  →  <ib><offline_batch count=/></ib>
    the queue, each stanza with offline="n"                            →  <ib><offline count=/></ib>

Moves on the world's state: they change it and return what is to go out. Faults that happen to stanzas happen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.line import Cut, Deliver, Later, Line, Outgoing
from recado.emulator.whatsapp.mailbox import Letter
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

SERVER = "@s.whatsapp.net"

_BATCH_PATIENCE = 2.0  # seconds; clients of another make never ask for the batch and get it all the same
_HELD_SECONDS = 5.0  # how long a message waits for one it can change places with
_CLASSES = ("message", "receipt", "notification", "call")


def post(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Queue a stanza for `device`, and send it when its line takes stanzas."""
    if node.tag == "message":
        node = _spoil(world, device, node)
    letter = device.mailbox.post(node)
    if device.line is None or not device.is_reading:
        return []
    if node.tag == "message" and device.held is None and world.faults.take(Fault.REORDER, device):
        device.held = letter
        return [Later(device.line, _HELD_SECONDS, lambda: _let_go(world, device, letter))]
    held, device.held = device.held, None
    return _offer(world, device, letter) + (_offer(world, device, held) if held else [])


def announce(world: World, device: Device) -> list[Outgoing]:
    """The device took up work: tell it what waits, and give it once it asks (or does not ask for a while)."""
    line = device.line
    if line is None or device.is_reading:
        return []
    counts = device.mailbox.counts()
    attrs = {"count": str(len(device.mailbox)), "appdata": "0"}
    attrs.update((kind, str(counts[kind])) for kind in _CLASSES)
    preview = Deliver(line, Node("ib", {"from": SERVER}, [Node("offline_preview", attrs)]))
    told = [*(_dirty(line, what, since) for what, since in device.dirty.items()), preview]
    if not len(device.mailbox):
        return [*told, *release(world, device)]
    return [*told, Later(line, _BATCH_PATIENCE, lambda: release(world, device))]


def mark_dirty(world: World, device: Device, what: str) -> list[Outgoing]:
    """The device is to ask for that anew: it is told now or when it takes up work, until it says that it has."""
    since = device.dirty[what] = world.seconds()
    return [_dirty(device.line, what, since)] if device.line is not None and device.is_reading else []


def _dirty(line: Line, what: str, since: int) -> Outgoing:
    return Deliver(line, Node("ib", {"from": SERVER}, [Node("dirty", {"type": what, "timestamp": str(since)})]))


def release(world: World, device: Device) -> list[Outgoing]:
    """Send the queue in order and its end mark; from now on stanzas go out as they come."""
    line = device.line
    if line is None or device.is_reading:
        return []
    device.is_reading = True
    outgoing: list[Outgoing] = []
    letters = list(device.mailbox)
    for place, letter in enumerate(letters):
        outgoing += _offer(world, device, letter, offline=place)
    if not world.faults.take(Fault.HOLD_OFFLINE_END, device):
        end = Node("ib", {"from": SERVER}, [Node("offline", {"count": str(len(letters))})])
        outgoing.append(Deliver(line, end))
    return outgoing + _catch_up(world, device)


def pass_on(world: World, device: Device, key: str, node: Node, *, seconds: float | None = None) -> list[Outgoing]:
    """
    Tell a device how things stand now (`key` says of what), or once it is back: then only the last word counts, and
    one that is older than `seconds` no more.
    """
    if device.line is not None and device.is_reading:
        return [Deliver(device.line, node)]
    until = None if seconds is None else world.clock.monotonic() + seconds
    device.away[key] = (node, until)
    return []


def _catch_up(world: World, device: Device) -> list[Outgoing]:
    """What was said while the device was away, as far as it still counts."""
    waiting, device.away = device.away, {}
    now, line = world.clock.monotonic(), device.line
    return [] if line is None else [Deliver(line, node) for node, until in waiting.values() if not until or now < until]


def settle(world: World, device: Device, kind: str, ids: list[str], sender: str | None) -> list[Outgoing] | None:
    """
    The device acknowledged stanzas of that class. None when the connection dies before we heard of it: nothing is
    settled then, and what the caller would do with the acknowledgement must not happen.
    """
    concerns_message = kind == "message" and any(device.mailbox.holds(kind, id) for id in ids)
    if concerns_message and world.faults.take(Fault.CUT_BEFORE_ACK, device):
        return None
    for id in ids:
        device.mailbox.settle(kind, id, sender) or device.mailbox.settle(kind, id)
    if concerns_message and device.line and world.faults.take(Fault.CUT_AFTER_ACK, device):
        return [Cut(device.line)]
    return []


def _let_go(world: World, device: Device, letter: Letter) -> list[Outgoing]:
    """Nothing came to change places with: what was held back for that goes out by itself."""
    if device.held is not letter:
        return []
    device.held = None
    return _offer(world, device, letter)


def _offer(world: World, device: Device, letter: Letter, offline: int | None = None) -> list[Outgoing]:
    line = device.line
    if line is None:
        return []
    attrs = letter.node.attrs if offline is None else {**letter.node.attrs, "offline": str(offline)}
    node = Node(letter.node.tag, attrs, letter.node.content)
    times = 1
    if node.tag == "message" and world.faults.take(Fault.DUPLICATE, device):
        times = 2
    letter.offered += times
    if node.tag == "message":
        world.note_release(device, node, times)
    return [Deliver(line, node)] * times


def _spoil(world: World, device: Device, node: Node) -> Node:
    if world.faults.take(Fault.CORRUPT, device):
        node = Node(node.tag, node.attrs, [_flipped(child) for child in node.children])
    if not node.attrs.get("category") and world.faults.take(Fault.UNAVAILABLE, device):
        node = Node(node.tag, node.attrs, [Node("unavailable", {"type": "fanout"})])
    skew = world.faults.take(Fault.SKEW, device)
    if skew is not None:
        node = Node(node.tag, {**node.attrs, "t": str(world.seconds() + int(skew.seconds))}, node.content)
    return node


def _flipped(child: Node) -> Node:
    """An <enc> with one bit changed in its last block, which both kinds of envelope authenticate."""
    if child.tag != "enc" or len(child.blob) < 16:
        return child
    ciphertext = bytearray(child.blob)
    ciphertext[-12] ^= 1
    return Node(child.tag, child.attrs, bytes(ciphertext))
