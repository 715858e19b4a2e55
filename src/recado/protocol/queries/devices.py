"""
Ask which devices people have, and their address in the LID space.

    <iq xmlns="usync" type="get"><usync context="message" mode="query" sid="…" last="true" index="0">
      <query><devices version="2"/><lid/></query><list><user jid="…"/>…</list></usync></iq>
    <usync …><list><user jid="…">
      <devices><device-list><device id="0"/><device id="7" key-index="1" is_hosted?/></device-list></devices>
      <lid val="…@lid"/></user>…</list></usync>
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from recado.errors import QueryError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, error_of, raise_for_error


@dataclass(frozen=True, slots=True)
class UserDevices:
    """
    One person's devices (0 is the phone) and LID, where the server knows it. `hosted` are those of them that run on
    WhatsApp's own servers; `error` says why the list is empty, if it does.
    """

    jid: JID
    lid: JID | None
    devices: tuple[int, ...]
    hosted: frozenset[int] = frozenset()
    error: QueryError | None = None


@dataclass(frozen=True, slots=True)
class DevicesOf:
    """The devices of `jids`. `sid` numbers the question; made from the addresses when it is not given."""

    jids: tuple[JID, ...]
    sid: str = ""

    def build(self) -> Node:
        """The question."""
        users = [Node("user", {"jid": str(jid.bare)}) for jid in self.jids]
        attrs = {
            "context": "message",
            "mode": "query",
            "sid": self.sid or _sid(self.jids),
            "last": "true",
            "index": "0",
        }
        query = Node("query", None, [Node("devices", {"version": "2"}), Node("lid")])
        return ask("usync", Node("usync", attrs, [query, Node("list", None, users)]))

    def parse(self, answer: Node) -> list[UserDevices]:
        """One entry for each person the server answers for."""
        raise_for_error(answer)
        reader = answer.read()
        usync = reader.child("usync")
        reader.done()
        inner = usync.read()
        listed = inner.child("list")
        inner.done()
        found = (_user(user) for user in listed.all("user"))
        return [user for user in found if user is not None]


def _user(user: Node) -> UserDevices | None:
    jid = user.read().opt_jid("jid")
    if jid is None:
        return None
    lid = user.child("lid")
    devices = user.child("devices")
    error = error_of(devices) if devices is not None and devices.child("error") is not None else None
    numbers, hosted = _numbers(user.child("devices", "device-list"))
    return UserDevices(jid, None if lid is None else _lid(lid), numbers, hosted, error)


def _numbers(listed: Node | None) -> tuple[tuple[int, ...], frozenset[int]]:
    numbers, hosted = [], []
    for device in listed.all("device") if listed is not None else ():
        number = device.read().opt_int("id")
        # A linked device without a key index cannot be written to: the server would refuse the message.
        if number is None or number > 0xFFFF or (number and not device.read().opt_int("key-index")):
            continue
        numbers.append(number)
        if device.attrs.get("is_hosted") == "true":
            hosted.append(number)
    return tuple(dict.fromkeys(numbers)), frozenset(hosted)


def _lid(node: Node) -> JID | None:
    lid = node.read().opt_jid("val")
    return lid.bare if lid is not None and lid.is_lid else None


def _sid(jids: tuple[JID, ...]) -> str:
    digest = hashlib.sha256(" ".join(map(str, jids)).encode()).digest()
    return f"{int.from_bytes(digest[:2], 'big')}.{int.from_bytes(digest[2:4], 'big')}-1"
