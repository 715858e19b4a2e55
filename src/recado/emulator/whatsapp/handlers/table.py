"""
One table routes every stanza of a logged-in device. What is in no table is noted as unknown, never dropped in silence:
an unknown question is answered 501.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.delivery import release
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.handlers import business, discovery, groups, keys, media, newsletters, people, settings
from recado.emulator.whatsapp.handlers.appstate import on_app_state
from recado.emulator.whatsapp.handlers.calls import on_call
from recado.emulator.whatsapp.handlers.messages import on_message
from recado.emulator.whatsapp.handlers.presence import on_chatstate, on_presence
from recado.emulator.whatsapp.handlers.query import Answer, Handler, Refused, answered
from recado.emulator.whatsapp.handlers.receipts import on_ack, on_receipt
from recado.emulator.whatsapp.handlers.usync import on_usync
from recado.emulator.whatsapp.line import Outgoing
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

QUERIES: dict[tuple[str, str], Handler] = {
    ("encrypt", "get"): keys.on_get,
    ("encrypt", "set"): keys.on_set,
    ("usync", "get"): on_usync,
    ("passive", "set"): settings.on_passive,
    ("w:p", "get"): settings.on_ping,
    ("urn:xmpp:ping", "get"): settings.on_ping,
    ("abt", "get"): settings.on_props,
    ("w", "get"): settings.on_props,
    ("blocklist", "get"): people.on_blocklist_get,
    ("blocklist", "set"): people.on_blocklist_set,
    ("privacy", "get"): people.on_privacy_get,
    ("privacy", "set"): people.on_privacy_set,
    ("status", "set"): people.on_about_set,
    ("status", "get"): settings.on_status_privacy,
    ("disappearing_mode", "set"): people.on_timer_set,
    ("urn:xmpp:whatsapp:dirty", "set"): settings.on_clean,
    ("w:stats", "set"): settings.on_accepted,
    ("w:stats", "get"): settings.on_accepted,
    ("w:sync:app:state", "set"): on_app_state,
    ("w:g2", "get"): people.on_group_get,
    ("w:g2", "set"): groups.on_set,
    ("w:profile:picture", "get"): people.on_picture_get,
    ("w:profile:picture", "set"): people.on_picture_set,
    ("w:biz", "get"): business.on_business,
    ("w:biz", "set"): business.on_business_set,
    ("w:biz:catalog", "get"): business.on_catalog,
    ("w:biz:catalog", "set"): business.on_catalog_set,
    ("fb:thrift_iq", "get"): business.on_order,
    ("w:qr", "get"): discovery.on_link,
    ("w:qr", "set"): discovery.on_own_link,
    ("bot", "get"): discovery.on_bots,
    ("spam", "set"): discovery.on_report,
    ("w:mex", "get"): people.on_time_lock,
    ("newsletter", "get"): newsletters.on_posts,
    ("newsletter", "set"): newsletters.on_watch,
    ("w:m", "set"): media.on_media_conn,
    ("md", "set"): settings.on_devices,
    ("urn:xmpp:whatsapp:push", "get"): settings.on_push,
    ("urn:xmpp:whatsapp:push", "set"): settings.on_push,
}
"""Which handler answers a question, by namespace and type."""


def on_query(world: World, device: Device, node: Node) -> list[Outgoing]:
    """Answer a question; an answer of the client's (to our ping) is noted."""
    kind, about, line = node.attrs.get("type", ""), node.attrs.get("xmlns", ""), device.line
    if line is None:
        return []
    if kind in ("result", "error"):
        world.note_answer(device, node)
        return []
    is_client = device.number > 0
    refused = world.faults.take(Fault.REFUSE_QUERY, device, about=about) if is_client else None
    late = world.faults.take(Fault.SLOW_ANSWER, device, about=about) if is_client else None
    handler = QUERIES.get((about, kind))

    def answer() -> Answer:
        if refused is not None:
            raise Refused(refused.code, "refused")
        if handler is None:
            world.note_unknown(device, node)
            raise Refused(501, "feature-not-implemented")
        return handler(world, device, node)

    return answered(line, node, answer, seconds=late.seconds if late else 0.0)


def on_inband(world: World, device: Device, node: Node) -> list[Outgoing]:
    """In-band news of the client: it is ready for its queue; the rest is statistics."""
    if node.child("offline_batch"):
        return release(world, device)
    if node.child("unified_session"):
        return []
    return world.note_unknown(device, node)


STANZAS: dict[str, Callable[[World, Device, Node], list[Outgoing]]] = {
    "iq": on_query,
    "message": on_message,
    "receipt": on_receipt,
    "ack": on_ack,
    "presence": on_presence,
    "chatstate": on_chatstate,
    "call": on_call,
    "ib": on_inband,
}
"""Which handler takes a stanza, by tag."""


def route(world: World, device: Device, node: Node) -> list[Outgoing]:
    """What goes out because `device` sent `node`."""
    handler = STANZAS.get(node.tag)
    return handler(world, device, node) if handler else world.note_unknown(device, node)
