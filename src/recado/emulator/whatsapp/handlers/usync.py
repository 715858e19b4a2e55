"""
The user query: what the server knows of people, column by column.

    <iq xmlns="usync" type="get"><usync context= mode= sid= last= index=>
      <query><devices version="2"/><lid/><contact/><status/>…</query>
      <list><user jid=/>…<user><contact>+55…</contact></user></list></usync></iq>
    → <usync …><result>…</result><list><user jid=><devices><device-list><device id= key-index=/></device-list>
      <key-index-list ts=>signed</key-index-list></devices><lid val=/><contact type="in|out">+55…</contact>
      <status t=>[text]</status><picture id=/><disappearing_mode duration= t=/><business/></user></list></usync>

What a person does not show to who asks: <status code="401"/>, and a picture that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.handlers.discovery import bot_profile
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.profile import may_see
from recado.jid import JID, PHONE
from recado.protocol.node import Node
from recado.protocol.queries.business import make_verified_name

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


@dataclass(frozen=True, slots=True)
class _Sight:
    """Who looks, and with which token in hand."""

    world: World
    viewer: Account
    token: bytes

    def sees(self, account: Account, setting: str) -> bool:
        """Is that shown to them?"""
        return may_see(account, self.viewer, setting, self.token)


_ECHOED = ("context", "mode", "sid", "last", "index")


def on_usync(world: World, device: Device, node: Node) -> Answer:
    """Answer each asked column for each person, in the order asked."""
    question = node.child("usync")
    query, listed = node.child("usync", "query"), node.child("usync", "list")
    if question is None or query is None or listed is None:
        raise Refused(400, "bad-request")
    asked = [column.tag for column in query.children]
    users = [_user(world, device.account, user, asked) for user in listed.all("user")]
    attrs = {name: value for name, value in question.attrs.items() if name in _ECHOED}
    verdict = Node("result", None, [Node(name) for name in asked])
    return Answer([Node("usync", attrs, [verdict, Node("list", None, users)])])


def _user(world: World, viewer: Account, user: Node, asked: list[str]) -> Node:
    jid, typed = user.attrs.get("jid"), user.child("contact")
    if jid is None:
        digits = "".join(character for character in (typed.text if typed else "") if character.isdigit())
        jid = str(JID(digits, PHONE))
    if "bot" in asked and (profile := bot_profile(jid)) is not None:
        return Node("user", {"jid": jid}, [profile])
    account = _account(world, jid)
    if jid.endswith(f"@{PHONE}") and not world.lists_by_number and account is not viewer and "devices" in asked:
        unlisted = Node("devices", None, [Node("device-list", None, [])])
        return Node("user", {"jid": jid}, [unlisted, *([Node("lid", {"val": str(account.lid)})] if account else [])])
    token = user.child("tctoken")
    sight = _Sight(world, viewer, token.blob if token is not None else b"")
    columns = [column for name in asked if (column := _column(sight, account, name, typed)) is not None]
    return Node("user", {"jid": jid}, columns)


def _account(world: World, text: str) -> Account | None:
    try:
        return world.directory.account(JID.parse(text))
    except ValueError:
        return None


def _column(sight: _Sight, account: Account | None, name: str, typed: Node | None) -> Node | None:
    if name == "contact":
        return Node("contact", {"type": "out" if account is None else "in"}, typed.content if typed else None)
    if account is None:
        return Node("devices", None, [Node("device-list", None, [])]) if name == "devices" else None
    column = _COLUMNS.get(name)
    return column(sight, account) if column else None


def _devices(sight: _Sight, account: Account) -> Node:
    listed = [_device(device) for _, device in sorted(account.devices.items())]
    children = [Node("device-list", None, listed)]
    if account.key_index_list:
        children.append(Node("key-index-list", {"ts": str(account.listed_at)}, account.key_index_list))
    return Node("devices", None, children)


def _device(device: Device) -> Node:
    attrs = {"id": str(device.number)}
    if device.number:
        attrs["key-index"] = str(device.key_index)
    if device.is_hosted:
        attrs["is_hosted"] = "true"
    return Node("device", attrs)


def _status(sight: _Sight, account: Account) -> Node:
    if not sight.sees(account, "status"):
        return Node("status", {"code": "401", "t": "0"})
    return Node("status", {"t": str(account.profile.about_at)}, account.about.encode() or None)


def _picture(sight: _Sight, account: Account) -> Node | None:
    id = account.profile.picture_id
    if not id or not sight.sees(account, "profile"):
        return Node("picture", None, [Node("error", {"code": "404", "text": "item-not-found"})])
    return Node("picture", {"id": id})


def _timer(sight: _Sight, account: Account) -> Node:
    profile = account.profile
    return Node("disappearing_mode", {"duration": str(profile.timer), "t": str(profile.timer_at)})


def _business(sight: _Sight, account: Account) -> Node:
    name = account.profile.business
    certified = [Node("verified_name", {"v": "1"}, make_verified_name(name))] if name else None
    return Node("business", None, certified)


def _username(sight: _Sight, account: Account) -> Node | None:
    return Node("username", None, account.profile.username.encode()) if account.profile.username else None


_COLUMNS: dict[str, Callable[[_Sight, Account], Node | None]] = {
    "devices": _devices,
    "lid": lambda sight, account: Node("lid", {"val": str(account.lid)}),
    "status": _status,
    "picture": _picture,
    "disappearing_mode": _timer,
    "business": _business,
    "username": _username,
}
