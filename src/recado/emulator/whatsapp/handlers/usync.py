"""
The user query: what the server knows of people, column by column.

    <iq xmlns="usync" type="get"><usync context= mode= sid= last= index=>
      <query><devices version="2"/><lid/><contact/><status/>…</query>
      <list><user jid=/>…<user><contact>+55…</contact></user></list></usync></iq>
    → <usync …><result>…</result><list><user jid=><devices><device-list><device id= key-index=/></device-list>
      <key-index-list ts=>signed</key-index-list></devices><lid val=/><contact type="in|out"/></user></list></usync>
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.jid import JID, PHONE
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


_ECHOED = ("context", "mode", "sid", "last", "index")


def on_usync(world: World, device: Device, node: Node) -> Answer:
    """Answer each asked column for each person, in the order asked."""
    question = node.child("usync")
    query, listed = node.child("usync", "query"), node.child("usync", "list")
    if question is None or query is None or listed is None:
        raise Refused(400, "bad-request")
    asked = [column.tag for column in query.children]
    users = [_user(world, user, asked) for user in listed.all("user")]
    attrs = {name: value for name, value in question.attrs.items() if name in _ECHOED}
    verdict = Node("result", None, [Node(name) for name in asked])
    return Answer([Node("usync", attrs, [verdict, Node("list", None, users)])])


def _user(world: World, user: Node, asked: list[str]) -> Node:
    jid = user.attrs.get("jid")
    if jid is None:
        typed = user.child("contact")
        digits = "".join(character for character in (typed.text if typed else "") if character.isdigit())
        jid = str(JID(digits, PHONE))
    account = _account(world, jid)
    columns = [column for name in asked if (column := _column(world, account, name)) is not None]
    return Node("user", {"jid": jid}, columns)


def _account(world: World, text: str) -> Account | None:
    try:
        return world.directory.account(JID.parse(text))
    except ValueError:
        return None


def _column(world: World, account: Account | None, name: str) -> Node | None:
    if name == "contact":
        return Node("contact", {"type": "out" if account is None else "in"})
    if account is None:
        return Node("devices", None, [Node("device-list", None, [])]) if name == "devices" else None
    column = _COLUMNS.get(name)
    return column(world, account) if column else None


def _devices(world: World, account: Account) -> Node:
    listed = [_device(device) for _, device in sorted(account.devices.items())]
    children = [Node("device-list", None, listed)]
    if account.key_index_list:
        children.append(Node("key-index-list", {"ts": str(account.listed_at)}, account.key_index_list))
    return Node("devices", None, children)


def _device(device: Device) -> Node:
    attrs = {"id": str(device.number)}
    if device.number:
        attrs["key-index"] = str(device.key_index)
    return Node("device", attrs)


def _status(world: World, account: Account) -> Node:
    return Node("status", {"t": str(world.seconds())}, account.about.encode() or None)


_COLUMNS: dict[str, Callable[[World, Account], Node]] = {
    "devices": _devices,
    "lid": lambda world, account: Node("lid", {"val": str(account.lid)}),
    "status": _status,
    "picture": lambda world, account: Node("picture", None, [Node("error", {"code": "404", "text": "item-not-found"})]),
    "disappearing_mode": lambda world, account: Node("disappearing_mode", {"duration": "0", "t": "0"}),
    "business": lambda world, account: Node("business"),
}
