"""
Where files go.

    <iq xmlns="w:m" type="set"><media_conn/></iq>
    → <media_conn auth= ttl= auth_ttl= max_buckets=><host hostname="host:port"/>…</media_conn>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.files import TTL
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def on_media_conn(world: World, device: Device, node: Node) -> Answer:
    """The servers for files, with leave to upload."""
    if node.child("media_conn") is None:
        raise Refused(501, "feature-not-implemented")
    if not world.files.hosts:
        raise Refused(503, "service-unavailable")
    seconds = str(int(TTL.total_seconds()))
    attrs = {"auth": world.files.give_leave(), "ttl": seconds, "auth_ttl": seconds, "max_buckets": "12"}
    hosts = [Node("host", {"hostname": host}) for host in world.files.hosts]
    return Answer([Node("media_conn", attrs, hosts)])
