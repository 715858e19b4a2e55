"""
Logging in: the device must exist and prove the key it was linked with; an older connection of it gives way.

    <success t= lid= …/>  <ib><edge_routing><routing_info/></edge_routing></ib>
    <failure reason="401"/>                                        not linked (any more), or another key
    <stream:error code="440"><conflict type="replaced"/></stream:error>   to the older connection
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.delivery import SERVER, announce
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.handlers.presence import forget_watching
from recado.emulator.whatsapp.line import Deliver, HangUp, Later, Line, Outgoing
from recado.jid import JID, PHONE
from recado.protocol.node import Node
from recado.protocol.pairing.payload import ParsedPayload

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

_ROUTING = bytes.fromhex("080d0803")


def login(world: World, line: Line, payload: ParsedPayload, noise: bytes) -> tuple[Device | None, list[Outgoing]]:
    """Let the client in as the device it names, or refuse it (None)."""
    account = world.directory.account(JID(str(payload.username), PHONE))
    device = account.devices.get(payload.device or 0) if account else None
    if device is None or device.noise is None or device.noise != noise:
        return None, _refused(line, 401)
    refusal = world.faults.take(Fault.REFUSE_LOGIN, device)
    if refusal is not None:
        return None, _refused(line, refusal.code)
    outgoing = _replaced(device)
    device.line, device.is_reading, device.held = line, False, None
    forget_watching(world, device)
    taken: Device = device

    def succeed() -> list[Outgoing]:
        return _success(world, taken, line, is_passive=payload.passive)

    pause = world.pause_before_success
    return device, outgoing + ([Later(line, pause, succeed)] if pause else succeed())


def _success(world: World, device: Device, line: Line, *, is_passive: bool) -> list[Outgoing]:
    attrs = {
        "t": str(world.seconds()),
        "lid": str(device.lid),
        "display_name": device.account.name,
        "creation": str(world.seconds()),
        "location": "frc",
        "props": "27",
        "abprops": "1",
    }
    routing = Node("edge_routing", None, [Node("routing_info", None, _ROUTING)])
    outgoing: list[Outgoing] = [
        Deliver(line, Node("success", attrs)),
        Deliver(line, Node("ib", {"from": SERVER}, [routing])),
    ]
    return outgoing if is_passive else outgoing + announce(world, device)


def _replaced(device: Device) -> list[Outgoing]:
    if device.line is None:
        return []
    conflict = Node("stream:error", {"code": "440"}, [Node("conflict", {"type": "replaced"})])
    return [Deliver(device.line, conflict), HangUp(device.line)]


def _refused(line: Line, reason: int) -> list[Outgoing]:
    return [Deliver(line, Node("failure", {"reason": str(reason), "location": "frc"})), HangUp(line)]
