"""
Ask which devices the own account has, with what the phone signed about them.

    the question is that of queries/devices.py, for the own number
    <user jid="own"><devices><device-list><device id="0"/><device id="7" key-index="1" is_hosted?/></device-list>
      <key-index-list ts="…">[ADVSignedKeyIndexList]</key-index-list></devices></user>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.devices import DevicesOf
from recado.protocol.queries.query import raise_for_error


@dataclass(frozen=True, slots=True)
class OwnDevices:
    """The numbers of the devices with their key indexes (0 for the phone), and the phone's signed list of indexes."""

    indexes: dict[int, int]
    hosted: frozenset[int]
    signed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DevicesOfOwn:
    """The devices of the own account, `me`."""

    me: JID

    def build(self) -> Node:
        """The question."""
        return DevicesOf((self.me,)).build()

    def parse(self, answer: Node) -> OwnDevices:
        """What the server tells of them."""
        raise_for_error(answer)
        reader = answer.read()
        usync = reader.child("usync")
        reader.done()
        inner = usync.read()
        listed = inner.child("list")
        inner.done()
        devices = listed.child("user", "devices") or Node("devices")
        indexes, hosted = {}, set()
        for device in (devices.child("device-list") or Node("")).all("device"):
            read = device.read()
            number = read.int("id")
            indexes[number] = read.opt_int("key-index") or 0
            read.done()
            if device.attrs.get("is_hosted") == "true":
                hosted.add(number)
        signed = devices.child("key-index-list")
        return OwnDevices(indexes, frozenset(hosted), signed.blob if signed is not None else b"")
