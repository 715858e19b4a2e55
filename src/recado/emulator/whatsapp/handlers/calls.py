"""
Calls, without a voice: the offer reaches every device of who is called, and how it ends reaches everybody.

    → <call from=CALLER id= t=><offer call-id= call-creator= caller_pn=><audio/><video/>?</offer></call>
    <call to=CALLER id=><reject call-id= call-creator= count="0"/></call>  → <ack class="call" id= type="reject"/>
    → <call from=><terminate call-id= call-creator= reason=?/></call>
    <call to="@call" id=><link_create media=/></call>  → <ack class="call" id=><link_create token=/></ack>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.handlers.people import account_of
from recado.emulator.whatsapp.line import Deliver, Outgoing
from recado.emulator.whatsapp.profile import blocks
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def on_call(world: World, device: Device, node: Node) -> list[Outgoing]:
    """A client wants a link to a call, or refuses a call: the caller hears it, and the other devices stop ringing."""
    line, refusal = device.line, node.child("reject")
    if line is not None and node.child("link_create") is not None:
        made = Node("link_create", {"token": world.entropy(11).hex()})
        return [Deliver(line, Node("ack", {"class": "call", "id": node.attrs.get("id", ""), "from": "@call"}, [made]))]
    if line is None or refusal is None:
        return world.note_unknown(device, node)
    attrs = {"class": "call", "id": node.attrs.get("id", ""), "from": node.attrs.get("to", ""), "type": "reject"}
    outgoing: list[Outgoing] = [Deliver(line, Node("ack", attrs))]
    caller, id = account_of(world, node.attrs.get("to", "")), refusal.attrs.get("call-id", "")
    if caller is None:
        return outgoing
    phone = world.phones.get(caller.name)
    if phone is not None:
        phone.person.calls[id] = "rejected"
    outgoing += _step(world, device.account, caller, Node("reject", _about(device.account, id)))
    return outgoing + _step(world, caller, device.account, Node("terminate", _about(caller, id)), but=device)


def offer(world: World, caller: Account, called: Account, id: str, *, is_video: bool) -> list[Outgoing]:
    """Somebody calls; whom they are blocked by hears nothing."""
    if blocks(called, caller):
        return []
    media = [Node("audio", {"enc": "opus", "rate": "16000"}), *([Node("video")] if is_video else [])]
    return _step(world, caller, called, Node("offer", _about(caller, id), media))


def end(world: World, caller: Account, called: Account, id: str, reason: str | None) -> list[Outgoing]:
    """The caller hangs up, or nobody answered in time."""
    attrs = _about(caller, id) if reason is None else {**_about(caller, id), "reason": reason}
    return _step(world, caller, called, Node("terminate", attrs))


def _step(world: World, origin: Account, to: Account, step: Node, *, but: Device | None = None) -> list[Outgoing]:
    sender = origin.lid if world.addressing == "lid" else origin.phone
    outgoing: list[Outgoing] = []
    for device in to.devices.values():
        if device is not but:
            attrs = {"from": str(sender), "id": world.new_id(), "t": str(world.seconds())}
            outgoing += post(world, device, Node("call", attrs, [step]))
    return outgoing


def _about(creator: Account, id: str) -> dict[str, str]:
    return {"call-id": id, "call-creator": str(creator.lid), "caller_pn": str(creator.phone)}
