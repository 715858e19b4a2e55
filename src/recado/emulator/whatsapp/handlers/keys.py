"""
The key server: devices publish prekeys and fetch each other's; a one-time key is handed out once.

    <iq xmlns="encrypt" type="get"><count/></iq>                        → <count value=/>
    <iq xmlns="encrypt" type="set"><registration/><type/><identity/><list><key><id/><value/></key>…</list><skey/></iq>
    <iq xmlns="encrypt" type="set"><rotate><skey/></rotate></iq>
    <iq xmlns="encrypt" type="get"><key><user jid= reason?/>…</key></iq> → <list><user jid= t=>bundle</user>…</list>
    <iq xmlns="encrypt" type="get"><digest/></iq>                       → <digest>…<list><id/>…</list><hash/></digest>

When a fetch leaves a device few one-time keys it is told: <notification type="encrypt"><count value=/></notification>.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.delivery import SERVER, post
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.errors import StanzaError
from recado.jid import JID
from recado.protocol.bundle import bundle_nodes, read_bundle, read_prekey
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def on_get(world: World, device: Device, node: Node) -> Answer:
    """Count, fetch or digest."""
    if node.child("count"):
        return Answer([Node("count", {"value": str(len(device.keys.one_time))})])
    wanted = node.child("key")
    if wanted is not None:
        return _fetch(world, wanted)
    if node.child("digest"):
        return Answer([_digest(device.keys)])
    raise Refused(400, "bad-request")


def on_set(world: World, device: Device, node: Node) -> Answer:
    """Publish one-time keys and a signed one, or rotate the signed one."""
    keys, rotated = device.keys, node.child("rotate", "skey")
    if rotated is not None:
        keys.signed_prekey = _published(rotated, "skey")
        return Answer()
    listed = node.child("list")
    try:
        published = read_bundle(node)
    except StanzaError as error:
        raise Refused(400, "bad-request") from error
    if listed is None:
        raise Refused(400, "bad-request")
    if published.identity != keys.identity:
        raise Refused(406, "not-acceptable")
    one_time = [_published(key, "key") for key in listed.all("key")]
    keys.registration_id = published.registration_id
    keys.signed_prekey = PublishedKey(published.signed_prekey_id, published.signed_prekey, published.signature)
    keys.one_time.update((key.id, key.public) for key in one_time)
    keys.told_at = None
    return Answer()


def _fetch(world: World, wanted: Node) -> Answer:
    users: list[Node] = []
    moves: list[Outgoing] = []
    for user in wanted.all("user"):
        jid = user.attrs.get("jid", "")
        owner = _device(world, jid)
        if owner is None:
            users.append(_failed(jid, 404, "item-not-found"))
            continue
        failure = world.faults.take(Fault.KEY_ERROR, owner)
        if failure is not None:
            users.append(_failed(jid, failure.code, "internal-server-error"))
            continue
        without = world.faults.take(Fault.NO_PREKEY, owner)
        prekey = None if without else owner.keys.take_prekey()
        users.append(Node("user", {"jid": jid, "t": str(world.seconds())}, bundle_nodes(owner.keys.bundle(prekey))))
        moves += _tell_low(world, owner)
    return Answer([Node("list", None, users)], moves)


def _tell_low(world: World, owner: Device) -> list[Outgoing]:
    if not owner.keys.must_tell():
        return []
    owner.mailbox.withdraw("notification", "encrypt")
    left = Node("count", {"value": str(len(owner.keys.one_time))})
    return post(world, owner, world.notification("encrypt", SERVER, [left]))


def _failed(jid: str, code: int, text: str) -> Node:
    return Node("user", {"jid": jid}, [Node("error", {"code": str(code), "text": text})])


def _device(world: World, text: str) -> Device | None:
    try:
        return world.directory.addressed(JID.parse(text))
    except ValueError:
        return None


def _digest(keys: KeyBundle) -> Node:
    signed = keys.signed_prekey
    digest = hashlib.sha1(keys.identity + signed.public + signed.signature, usedforsecurity=False)
    for public in keys.one_time.values():
        digest.update(public)
    return Node(
        "digest",
        None,
        [
            *bundle_nodes(keys.bundle()),
            Node("list", None, [Node("id", None, id.to_bytes(3, "big")) for id in keys.one_time]),
            Node("hash", None, digest.digest()),
        ],
    )


def _published(node: Node, name: str) -> PublishedKey:
    missing: list[str] = []
    id, public, signature = read_prekey(node, missing, name)
    if missing:
        raise Refused(400, "bad-request")
    return PublishedKey(id, public, signature)
