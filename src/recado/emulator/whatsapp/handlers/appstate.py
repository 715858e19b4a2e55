"""
Fetching and changing the shared state. A patch is taken when it stands on top of the newest version; else the device is
told what it missed. The account's other devices hear of a change.

    <sync><collection name= version= return_snapshot=><patch>…</patch>?</collection>…</sync>
    → <sync><collection name= version= has_more_patches?><snapshot>?<patches>?</collection>…</sync>
    → <collection name= type="error"><error code="409" text="conflict"/><patches>…</patches></collection>
    <notification type="server_sync"><collection name= version=/></notification>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.content import EncryptedFile
from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.appstate import StoredCollection
from recado.emulator.whatsapp.delivery import SERVER, post
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.line import Outgoing
from recado.errors import DecodeError
from recado.protocol.appstate.blobs import write_reference
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.patches import Patch, read_patch, write_mutations
from recado.protocol.media.cipher import KEY_SIZE, MediaKeys, Sealer
from recado.protocol.media.kinds import FileKind
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

CONFLICT = 409


def on_app_state(world: World, device: Device, node: Node) -> Answer:
    """Answer for each collection that is asked for."""
    asked = node.child("sync")
    answers: list[Node] = []
    moves: list[Outgoing] = []
    for collection in asked.all("collection") if asked else ():
        name = Collection.named(collection.attrs.get("name", ""))
        version = collection.attrs.get("version", "0")
        if name is None or not version.isdigit():
            raise Refused(400, "bad-request")
        patch = collection.child("patch")
        if patch is None:
            wants_snapshot = collection.attrs.get("return_snapshot") == "true"
            answers.append(_read(world, device, name, int(version), wants_snapshot=wants_snapshot))
        else:
            answer, told = _write(world, device, name, int(version), patch.blob)
            answers.append(answer)
            moves += told
    return Answer([Node("sync", None, answers)], moves)


def _read(world: World, device: Device, name: Collection, version: int, *, wants_snapshot: bool) -> Node:
    state = device.account.app_state
    stored, children = state[name], list[Node]()
    if wants_snapshot and stored.version > state.inline:
        children.append(Node("snapshot", None, _snapshot(world, device, name)))
        version = stored.version
    some = stored.since(version)[: state.page]
    if some:
        sent = [_outgoing(world, device, stored, patch) for patch in some]
        children.append(Node("patches", None, [Node("patch", None, blob) for blob in sent]))
    attrs = {"name": name.value, "version": str(stored.version), "type": "none"}
    if version + len(some) < stored.version:
        attrs["has_more_patches"] = "true"
    return Node("collection", attrs, children or None)


def _write(world: World, device: Device, name: Collection, version: int, blob: bytes) -> tuple[Node, list[Outgoing]]:
    stored = device.account.app_state[name]
    if version != stored.version:
        missed = _read(world, device, name, version, wants_snapshot=False)
        error = Node("error", {"code": str(CONFLICT), "text": "conflict"})
        return Node("collection", {**missed.attrs, "type": "error"}, [error, *missed.children]), []
    try:
        stored.add(read_patch(blob))
    except DecodeError:
        raise Refused(400, "bad-request") from None
    attrs = {"name": name.value, "version": str(stored.version), "type": "none"}
    return Node("collection", attrs), tell_others(world, device, name)


def tell_others(world: World, device: Device, name: Collection) -> list[Outgoing]:
    """The account's other devices hear that a collection is further on."""
    version = str(device.account.app_state[name].version)
    outgoing: list[Outgoing] = []
    for other in device.account.devices.values():
        if other is not device and (other.was_active or not other.number):
            changed = [Node("collection", {"name": name.value, "version": version})]
            outgoing += post(world, other, world.notification("server_sync", SERVER, changed))
    return outgoing


def _outgoing(world: World, device: Device, stored: StoredCollection, patch: Patch) -> bytes:
    """A patch as it goes out; its entries on the file servers, when that is asked for."""
    sent = stored.sent(patch)
    if stored.lies_outside and device.number:  # the phone of this world fetches no files
        blob = write_mutations(sent.mutations)
        sent.ClearField("mutations")
        sent.external_mutations.MergeFromString(write_reference(_file(world, blob)))
    return sent.SerializeToString()


def _snapshot(world: World, device: Device, name: Collection) -> bytes:
    """A snapshot on the file servers, and what points to it."""
    stored = device.account.app_state[name]
    snapshot = stored.snapshot()
    if stored.spoils and snapshot.records:
        stored.spoils -= 1
        del snapshot.records[0]
    return write_reference(_file(world, snapshot.SerializeToString()))


def _file(world: World, data: bytes) -> EncryptedFile:
    """Where the bytes lie, sealed."""
    key = world.entropy(KEY_SIZE)
    sealer = Sealer(MediaKeys.derive(key, FileKind.APP_STATE))
    sealed = sealer.update(data)
    last, prints = sealer.finish()
    _, direct_path = world.files.add(FileKind.APP_STATE.path, sealed + last)
    return EncryptedFile(direct_path, "", key, prints.sha256, prints.enc_sha256, len(data))
