"""
A world put aside and taken up again: accounts, devices, what waits for them, and each phone's keys and screen, as JSON.

    {"version": 1, "accounts": [{"name", "number", "devices": […], "phone": {…}}, …]}

It holds private keys of invented people; a file of it belongs to its owner only (0600). Faults, newcomers and who asked
for what how often are not kept: they belong to a run. The server's trust root is made anew at each start anyway.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recado.content_json import content_from_json, content_to_json
from recado.emulator.whatsapp.accounts import Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.appstate import SharedState
from recado.emulator.whatsapp.inbox import Shown, Ticks
from recado.emulator.whatsapp.keyring import Keyring
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.profile import Profile
from recado.emulator.whatsapp.speech import Spoken
from recado.errors import BadRecord, DecodeError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.messages.software import AppStateKey
from recado.protocol.signal.keys import SignedPreKey
from recado.protocol.signal.session import OwnIdentity, SessionRecord
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

_VERSION = 1


def save_world(world: World, path: Path) -> None:
    """Write the world's state to `path`, whole or not at all, readable by its owner only."""
    draft = path.with_name(f"{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(world_to_json(world), file)
    draft.replace(path)


def load_world(world: World, path: Path) -> bool:
    """Take up what was saved in a new world; False when nothing was. Raises BadRecord."""
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return False
    except ValueError:
        raise BadRecord("the saved world cannot be read") from None
    world_from_json(world, saved)
    return True


def world_to_json(world: World) -> dict[str, Any]:
    """The state of a world as JSON types."""
    accounts = [_account_to_json(world.phones[account.name]) for account in world.directory]
    groups = {"groups": world.groups.to_json(), "audiences": {k: sorted(v) for k, v in world.audiences.items()}}
    return {"version": _VERSION, **groups, "channels": world.channels.to_json(), "accounts": accounts}


def world_from_json(world: World, saved: Any) -> None:
    """Fill an empty world with a saved state. Raises BadRecord."""
    if not isinstance(saved, dict) or saved.get("version") != _VERSION or len(world.directory):
        raise BadRecord("the saved world is of another version, or this world is not empty")
    try:
        phones = [_account_from_json(world, each) for each in saved["accounts"]]
    except (KeyError, TypeError, ValueError, DecodeError):
        raise BadRecord("the saved world cannot be read") from None
    world.groups.restore(saved.get("groups", []), world.directory)
    try:
        world.channels.restore(saved.get("channels", []), world.directory)
    except (KeyError, TypeError, ValueError, DecodeError):
        raise BadRecord("the channels of the saved world cannot be read") from None
    world.audiences = {number: set(audience) for number, audience in saved.get("audiences", {}).items()}
    for phone, each in zip(phones, saved["accounts"], strict=True):
        phone._speech.additions.restore(each["phone"].get("secrets", []), world.directory)
        _speech_from_json(phone, each["phone"]["spoken"])  # names other accounts: all of them are there by now
    for phone, each in zip(phones, saved["accounts"], strict=True):
        if each["phone"]["is_online"]:
            phone.online()


def _account_to_json(phone: Phone) -> dict[str, Any]:
    account = phone.account
    return {
        "name": account.name,
        "number": account.number,
        "next_device": account.next_device,
        "key_index_list": _text(account.key_index_list),
        "listed_at": account.listed_at,
        "contacts": sorted(account.contacts),
        "app_state": account.app_state.to_json(),
        "privacy": account.privacy,
        "status_for": [account.status_for, *account.status_people],
        "blocked": sorted(account.blocked),
        "about": account.about,
        "profile": account.profile.to_json(),
        "devices": [_device_to_json(device) for device in account.devices.values()],
        "phone": _phone_to_json(phone),
    }


def _account_from_json(world: World, saved: dict[str, Any]) -> Phone:
    account = world.directory.add(saved["name"], saved["number"])
    phone = world.phones[account.name] = Phone(world, account)
    account.next_device = saved["next_device"]
    account.key_index_list = _bytes(saved["key_index_list"])
    account.listed_at = saved["listed_at"]
    account.contacts = set(saved["contacts"])
    account.app_state = SharedState.from_json(saved.get("app_state", {}))
    account.privacy = dict(saved["privacy"])
    account.status_for, *account.status_people = saved.get("status_for", ["contacts"])
    account.blocked = set(saved["blocked"])
    account.about = saved["about"]
    account.profile = Profile.from_json(saved["profile"]) if "profile" in saved else Profile()
    for each in saved["devices"]:
        _device_from_json(phone, each)
    _phone_from_json(phone, saved["phone"])
    return phone


def _device_to_json(device: Device) -> dict[str, Any]:
    keys = device.keys
    return {
        "number": device.number,
        "noise": None if device.noise is None else _text(device.noise),
        "key_index": device.key_index,
        "was_active": device.was_active,
        "registration_id": keys.registration_id,
        "identity": _text(keys.identity),
        "signed_prekey": [keys.signed_prekey.id, _text(keys.signed_prekey.public), _text(keys.signed_prekey.signature)],
        "one_time": [[id, _text(key)] for id, key in keys.one_time.items()],
        "told_at": keys.told_at,
        "mailbox": [_text(encode(letter.node)) for letter in device.mailbox],
        "dirty": device.dirty,
    }


def _device_from_json(phone: Phone, saved: dict[str, Any]) -> None:
    id, public, signature = saved["signed_prekey"]
    signed = PublishedKey(id, _bytes(public), _bytes(signature))
    one_time = {id: _bytes(key) for id, key in saved["one_time"]}
    keys = KeyBundle(saved["registration_id"], _bytes(saved["identity"]), signed, one_time, saved["told_at"])
    device = phone.device if saved["number"] == 0 else Device(phone.account, saved["number"], keys)
    device.keys = keys
    device.noise = None if saved["noise"] is None else _bytes(saved["noise"])
    device.key_index = saved["key_index"]
    device.was_active = saved["was_active"]
    device.dirty = dict(saved.get("dirty", {}))
    for letter in saved["mailbox"]:
        device.mailbox.post(decode(_bytes(letter)))
    phone.account.devices[device.number] = device


def _phone_to_json(phone: Phone) -> dict[str, Any]:
    ring, speech = phone.keyring, phone._speech
    return {
        "is_online": phone.is_online,
        "reads_at_once": phone.reads_at_once,
        "registration_id": ring.own.registration_id,
        "identity": _text(ring.own.pair.private),
        "signed_prekey": [
            ring.signed_prekey.id,
            _text(ring.signed_prekey.pair.private),
            _text(ring.signed_prekey.signature),
        ],
        "next_id": ring._next_id,
        "one_time": [[id, _text(pair.private)] for id, pair in ring._one_time.items()],
        "sessions": [[str(device), _text(record.encode())] for device, record in ring._sessions.items()],
        "spoken": [
            [id, _text(each.message), each.chat.number if each.chat else None]
            for id, each in speech._spoken.items()
            if each.chat is None or not each.chat.phone.is_bot  # a machine begins anew with every world
        ],
        "greeted": sorted(str(device) for device in speech._greeted),
        "in_groups": speech.groups.to_json(),
        "secrets": speech.additions.to_json(),
        "screen": [_shown_to_json(shown) for shown in phone.messages],
        "app_state_keys": [[_text(key.id), _text(key.data), key.made_at] for key in phone.settings.keys.values()],
    }


def _phone_from_json(phone: Phone, saved: dict[str, Any]) -> None:
    phone.reads_at_once = saved["reads_at_once"]
    own = OwnIdentity(saved["registration_id"], KeyPair.from_private(_bytes(saved["identity"])))
    id, private, signature = saved["signed_prekey"]
    ring = Keyring(phone.world.entropy)
    ring.own = own
    ring.signed_prekey = SignedPreKey(id, KeyPair.from_private(_bytes(private)), _bytes(signature))
    ring._next_id = saved["next_id"]
    ring._one_time = {id: KeyPair.from_private(_bytes(key)) for id, key in saved["one_time"]}
    ring._sessions = {JID.parse(device): SessionRecord.decode(_bytes(record)) for device, record in saved["sessions"]}
    phone.keyring = ring
    phone._speech._greeted = {JID.parse(device) for device in saved["greeted"]}
    phone._speech.groups.restore(saved.get("in_groups", {}))
    for each in saved["screen"]:
        phone.inbox.show(_shown_from_json(each))
    for id, data, made_at in saved.get("app_state_keys", []):
        phone.settings.keys[_bytes(id)] = AppStateKey(_bytes(id), _bytes(data), made_at)


def _speech_from_json(phone: Phone, saved: list[Any]) -> None:
    for id, message, number in saved:
        chat = phone.world.directory.account(JID.phone(number)) if number else None
        phone._speech._spoken[id] = Spoken(_bytes(message), chat)


def _shown_to_json(shown: Shown) -> dict[str, Any]:
    return {
        "id": shown.id,
        "chat": str(shown.chat),
        "sender": str(shown.sender),
        "from_me": shown.from_me,
        "text": shown.text,
        "at": shown.at.isoformat(),
        "ticks": shown.ticks.value,
        "times": shown.times,
        "is_read": shown.is_read,
        "quoted": shown.quoted,
        "push_name": shown.push_name,
        "content": None if shown.content is None else content_to_json(shown.content),
    }


def _shown_from_json(saved: dict[str, Any]) -> Shown:
    return Shown(
        id=MessageId(saved["id"]),
        chat=JID.parse(saved["chat"]),
        sender=JID.parse(saved["sender"]),
        from_me=saved["from_me"],
        text=saved["text"],
        at=datetime.fromisoformat(saved["at"]),
        ticks=Ticks(saved["ticks"]),
        times=saved["times"],
        is_read=saved["is_read"],
        quoted=saved["quoted"],
        push_name=saved["push_name"],
        content=content_from_json(saved["content"]) if saved.get("content") else None,
    )


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return b64decode(text, validate=True)
