"""
How instances of the emulated Z-API and phones come together and apart: a QR code of twenty seconds, a code for a
number, logging out, being cut off, restoring. An instance that was cut off (Linked.LOST) hears later what was written
meanwhile; one that was logged out never does.
"""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

from recado.emulator.zapi import callbacks
from recado.emulator.zapi.instances import CODE_LIVES, Code, Hook, Instance, Linked
from recado.emulator.zapi.people import Phone
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.zapi.world import ZApi

ALREADY = "You are already connected."
NOT_CONNECTED = "You are not connected."
MUST_RESTORE = "You need to restore the session."

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"


def qr_code(world: ZApi, instance: Instance) -> Code:
    """The QR code the instance shows now; a new one every twenty seconds."""
    now = world.clock.now()
    if instance.qr is None or instance.qr.until <= now:
        text = f"2@{b64encode(world.dice.randbytes(48)).decode()},{instance.id},{world.new_id(8)}"
        instance.qr = Code(text, now + CODE_LIVES)
    return instance.qr


def phone_code(world: ZApi, instance: Instance, number: str) -> Code:
    """A code of eight characters that the phone of that number can enter."""
    text = "".join(world.dice.choice(_LETTERS) for _ in range(8))
    instance.phone_code = Code(text, world.clock.now() + CODE_LIVES * 9, number)
    return instance.phone_code


def picture(text: str) -> str:
    """A QR code as the data of a PNG image."""
    import segno  # of the extra `cli`: only who asks for the picture needs it

    drawn = BytesIO()
    segno.make(text, error="l").save(drawn, kind="png", scale=4)
    return f"data:image/png;base64,{b64encode(drawn.getvalue()).decode()}"


def scan(world: ZApi, phone: Phone, instance: Instance, text: str) -> None:
    """A phone scans a QR code's text. Raises UsageError."""
    code = instance.qr
    if instance.linked is not Linked.NO:
        raise UsageError("this instance is linked already")
    if code is None or code.text != text or code.until <= world.clock.now():
        raise UsageError("this QR code does not count, or not any more")
    _link(world, phone, instance)


def enter_code(world: ZApi, phone: Phone, instance: Instance, text: str) -> None:
    """A phone enters a code. Raises UsageError."""
    code = instance.phone_code
    if instance.linked is not Linked.NO:
        raise UsageError("this instance is linked already")
    if code is None or code.text != text or code.number != phone.number or code.until <= world.clock.now():
        raise UsageError("this code does not count, or not any more")
    _link(world, phone, instance)


def log_out(world: ZApi, instance: Instance) -> None:
    """The instance and its phone part: a new scan is needed."""
    if instance.linked is Linked.NO:
        return
    was_connected = instance.is_connected
    instance.linked, instance.phone = Linked.NO, None
    instance.missed.clear()
    if was_connected:
        world.courier.post(instance, Hook.DISCONNECTED, callbacks.disconnected(instance, world.clock.now()))
    world.activity.changed()


def lose(world: ZApi, instance: Instance) -> None:
    """The instance is cut off from WhatsApp; its session can be restored."""
    if instance.is_connected:
        instance.linked = Linked.LOST
        world.courier.post(instance, Hook.DISCONNECTED, callbacks.disconnected(instance, world.clock.now()))
        world.activity.changed()


def restore(world: ZApi, instance: Instance) -> bool:
    """Connect again with the session there is; False when there is none."""
    if instance.linked is Linked.NO:
        return False
    if instance.linked is Linked.LOST:
        _connect(world, instance)
    return True


def restart(world: ZApi, instance: Instance) -> None:
    """Start the instance anew: what was linked connects again, without a scan."""
    lose(world, instance)
    restore(world, instance)


def state(instance: Instance) -> dict[str, object]:
    """What `/status` answers."""
    error = {Linked.CONNECTED: ALREADY, Linked.LOST: MUST_RESTORE, Linked.NO: NOT_CONNECTED}[instance.linked]
    reachable = instance.is_connected and instance.phone is not None and instance.phone.is_online
    return {"connected": instance.is_connected, "error": error, "smartphoneConnected": reachable}


def _link(world: ZApi, phone: Phone, instance: Instance) -> None:
    instance.phone, instance.qr, instance.phone_code = phone, None, None
    instance.sessions += 1
    _connect(world, instance)


def _connect(world: ZApi, instance: Instance) -> None:
    """Connected: it says so, hears what it missed, and fires its queue."""
    instance.linked = Linked.CONNECTED
    world.courier.post(instance, Hook.CONNECTED, callbacks.connected(instance, world.clock.now()))
    missed, instance.missed = instance.missed, []
    for hook, body in missed:
        world.courier.post(instance, hook, body)
    world.sending.wake(instance)
    world.activity.changed()
