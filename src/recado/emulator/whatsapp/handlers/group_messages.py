"""
Messages and receipts of groups: the envelope for all goes to every device of everybody in the group but the author's
own, the envelopes for single devices (sender keys, resends) to those alone; a receipt goes to whom it answers.

    <message to=GROUP><participants><to jid><enc/></to>…</participants><enc type="skmsg"/></message>
    → <message from=GROUP participant=AUTHOR participant_pn= addressing_mode=><enc/>?<enc type="skmsg"/></message>
    <receipt to=GROUP participant=AUTHOR type?/>  →  <receipt from=GROUP participant=READER/>  to the author

A status post is to whomever it has an envelope for, now or earlier: the server keeps that as the sender's audience.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.groups import GroupState
from recado.emulator.whatsapp.line import Outgoing
from recado.jid import JID, STATUS
from recado.protocol.messages.phash import participant_hash
from recado.protocol.messages.shape import REVOKE
from recado.protocol.node import Node
from recado.protocol.queries.statuses import SETTINGS

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

FORBIDDEN, NOT_FOUND, INVALID = 403, 404, 479

_KEPT_ATTRS = ("type", "edit", "expiration")
_KEPT_CHILDREN = ("meta", "reporting", "biz")
_NOT_RELAYED = ("sender", "peer_msg", "hist_sync")
_SEEN = ("read", "played", "read-self", "played-self")
_PRIVATE = ("read-self", "played-self")


def spread(world: World, author: Device, to: JID, node: Node) -> tuple[list[Outgoing], int | None, str | None]:
    """What goes out because of a message to a group; the code it is refused with; the hash of who should have it."""
    group = world.groups.find(to)
    if group is None and to != STATUS:
        return [], NOT_FOUND, None
    if group is not None and not group.may_write(author.account):
        return [], FORBIDDEN, None
    if to == STATUS and not _is_post_or_bare(node):
        return [], INVALID, None
    sealed = list(node.all("enc"))
    single = node.attrs.get("participant")
    if single is not None:
        receiver = world.directory.device(JID.parse(single))
        if receiver is None or (group is not None and not group.has(receiver.account)):
            return [], NOT_FOUND, None
        return post(world, receiver, _rewritten(world, author, to, node, sealed)), None, None
    given = _given(world, node)
    outgoing: list[Outgoing] = []
    for receiver in _audience(world, author, group, given):
        if receiver is not author:
            envelopes = [*given.get(receiver, []), *sealed]
            outgoing += post(world, receiver, _rewritten(world, author, to, node, envelopes))
    return outgoing, None, _phash(world, group, node)


def _is_post_or_bare(node: Node) -> bool:
    """Only a post says whom it is for, in one of three words; a reaction, or what takes a post back, does not."""
    meta = node.child("meta")
    setting = None if meta is None else meta.attrs.get("status_setting")
    is_post = node.attrs.get("type") != "reaction" and node.attrs.get("edit") != REVOKE
    return setting is None or (is_post and setting in SETTINGS)


def relay_receipt(world: World, device: Device, to: JID, node: Node) -> list[Outgoing]:
    """A receipt for messages in a group: to the author's devices, and what was read to the reader's own."""
    kind, outgoing = node.attrs.get("type"), []
    named = node.attrs.get("participant")
    author = world.directory.account(JID.parse(named)) if named else None
    if author is None or kind in _NOT_RELAYED:
        return []
    copy = Node("receipt", _receipt_attrs(world, device, to, node), node.content)
    if kind == "retry":
        receiver = author.devices.get(JID.parse(named or "").device)
        return post(world, receiver, copy) if receiver is not None else []
    if author is not device.account and kind not in _PRIVATE:
        for receiver in author.devices.values():
            outgoing += post(world, receiver, copy)
    if kind in _SEEN:
        for other in device.account.devices.values():
            outgoing += post(world, other, copy) if other is not device else []
    return outgoing


def _given(world: World, node: Node) -> dict[Device, list[Node]]:
    entries, found = node.child("participants"), {}
    for entry in entries.all("to") if entries is not None else ():
        receiver = world.directory.addressed(JID.parse(entry.attrs.get("jid", "")))
        if receiver is not None:
            found[receiver] = list(entry.all("enc"))
    return found


def _audience(world: World, author: Device, group: GroupState | None, given: dict[Device, list[Node]]) -> list[Device]:
    if group is not None:
        return group.devices
    watchers = world.audiences.setdefault(author.account.number, set())
    watchers.update(receiver.account.number for receiver in given)
    accounts = [account for account in world.directory if account.number in watchers]
    return [device for account in accounts for device in account.devices.values()]


def _rewritten(world: World, author: Device, to: JID, node: Node, envelopes: list[Node]) -> Node:
    attrs = {"id": node.attrs.get("id", ""), "t": str(world.seconds()), "notify": author.account.name, "from": str(to)}
    attrs.update(_named(world, author))
    attrs.update((name, node.attrs[name]) for name in _KEPT_ATTRS if name in node.attrs)
    children = [Node("enc", enc.attrs, enc.content) for enc in envelopes]
    identity = node.child("device-identity")
    if identity is not None and any(enc.attrs.get("type") == "pkmsg" for enc in envelopes):
        children.append(identity)
    children += [child for child in node.children if child.tag in _KEPT_CHILDREN]
    return Node("message", attrs, children)


def _named(world: World, device: Device) -> dict[str, str]:
    account: Account = device.account
    by_lid = world.addressing == "lid"
    beside = {"participant_pn": str(account.phone)} if by_lid else {"participant_lid": str(account.lid)}
    return {"participant": str(device.named(by_lid=by_lid)), **beside, "addressing_mode": world.addressing}


def _receipt_attrs(world: World, device: Device, to: JID, node: Node) -> dict[str, str]:
    attrs = {"from": str(to), "id": node.attrs.get("id", ""), "t": str(world.seconds()), **_named(world, device)}
    del attrs["addressing_mode"]
    if "type" in node.attrs:
        attrs["type"] = node.attrs["type"]
    return attrs


def _phash(world: World, group: GroupState | None, node: Node) -> str | None:
    """The hash of everybody's devices, when the client hashed others: what it believes of the group is wrong."""
    claimed = node.attrs.get("phash")
    if group is None or claimed is None:
        return None
    by_lid = node.attrs.get("addressing_mode") == "lid"
    right = participant_hash([device.lid if by_lid else device.phone for device in group.devices])
    return None if claimed == right else right
