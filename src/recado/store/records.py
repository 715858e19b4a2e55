"""
What the store keeps of an account besides sessions: frozen values, stored as JSON with a version and base64 for bytes.

None of them shows a key, a number or a text in its repr. What cannot be read is a BadRecord that names the kind of
record and nothing of its content. Older versions are read through migrate.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Self

from recado.codec import shape
from recado.errors import BadRecord
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import SignedPreKey, make_registration_id, make_signed_prekey
from recado.store.migrate import migrated


class JSONRecord:
    """A dataclass that is stored as JSON: its fields, and its version as "v"."""

    __slots__ = ()
    VERSION: ClassVar[int] = 1

    def encode(self) -> bytes:
        """The stored form, of the current version."""
        return json.dumps({"v": self.VERSION, **shape(type(self)).to_json(self)}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, stored: bytes) -> Self:
        """The record again, from this version or an older one. Raises BadRecord."""
        try:
            body = json.loads(stored)
            version = body.pop("v")
            if type(version) is not int:
                raise TypeError("a version is a number")
            body = migrated(cls.__name__, body, version=version, current=cls.VERSION)
            return shape(cls).from_json(body)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # Not chained: the cause would show a part of the content.
            raise BadRecord(f"a stored {cls.__name__} cannot be read") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials(JSONRecord):
    """Who this device is: its keys, and once it is linked (`account` is set) whose it is."""

    noise: KeyPair = field(repr=False)
    identity: KeyPair = field(repr=False)
    signed_prekey: SignedPreKey = field(repr=False)
    registration_id: int = field(repr=False)
    adv_secret: bytes = field(repr=False)  # 32 bytes, in the QR code: the phone proves with it that it scanned ours
    account: JID | None = field(default=None, repr=False)  # this device, in the space of phone numbers
    lid: JID | None = field(default=None, repr=False)  # this device, in the LID space
    signed_identity: bytes | None = field(default=None, repr=False)  # what the phone signed, in full
    push_name: str = field(default="", repr=False)
    platform: str = ""
    business_name: str | None = field(default=None, repr=False)
    routing: bytes | None = field(default=None, repr=False)  # where the server wants us to connect
    next_prekey_id: int = 1
    uploaded_up_to: int = 0  # the last one-time key the server has said it took
    server_time_offset: int = 0  # seconds the server's clock is ahead

    @classmethod
    def new(cls, entropy: Callable[[int], bytes]) -> Credentials:
        """The credentials of a device that is not linked yet."""
        identity = KeyPair.generate(entropy)
        return cls(
            noise=KeyPair.generate(entropy),
            identity=identity,
            signed_prekey=make_signed_prekey(identity, 1, entropy),
            registration_id=make_registration_id(entropy),
            adv_secret=entropy(32),
        )

    def with_secret(self, secret: bytes) -> Credentials:
        """The same device under another ADV secret."""
        return replace(self, adv_secret=secret)


@dataclass(frozen=True, slots=True)
class Due(JSONRecord):
    """When something is to be done."""

    at: datetime


@dataclass(frozen=True, slots=True)
class StoredPreKey(JSONRecord):
    """A one-time key of ours, under its id."""

    pair: KeyPair = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredSignedPreKey(JSONRecord):
    """A signed key of ours that was rotated out, and may still be named by a first message."""

    key: SignedPreKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherAddress(JSONRecord):
    """The same person in the other address space."""

    jid: JID = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceList(JSONRecord):
    """The devices of a person (0 is the phone) as the server told them `at` that time, with its hash if it gave one."""

    devices: tuple[int, ...]
    at: datetime
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class SentMessage(JSONRecord):
    """A message of ours as it was before sealing (`body`: protobuf, not padded), kept for resends."""

    id: MessageId
    chat: JID = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class WorkItem(JSONRecord):
    """Something to be asked of the network later, once: `kind` says what, `body` is the kind's own."""

    id: str
    kind: str
    body: bytes = field(default=b"", repr=False)
    due_at: datetime = field(kw_only=True)
    attempts: int = 0

    @classmethod
    def new(cls, kind: str, body: bytes = b"", *, due_at: datetime, entropy: Callable[[int], bytes]) -> WorkItem:
        """An item with an id of its own, which sorts by `due_at`. Give the constructor an id for work that is one."""
        return cls(f"{due_at.timestamp():017.6f}-{entropy(4).hex()}", kind, body, due_at=due_at)
