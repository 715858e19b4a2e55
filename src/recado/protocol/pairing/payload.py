"""
What a client says of itself in the last message of the handshake: who it is when it logs in, or its keys when it wants
to be linked. `Device` is the browser it presents itself as; it should never change for a linked account.

The server's side reads it back with `parse_payload`. docs/protocol/pairing.md
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.proto import payload_pb2 as wire
from recado.protocol.signal.keys import SignedPreKey

KEY_TYPE = b"\x05"
"""The type byte of a Curve25519 key."""

# 2026-11: the version WhatsApp Web runs; an old one is refused with 405.
VERSION = (2, 3000, 1043857760)

_BROWSERS = {
    "chrome": (wire.DeviceProps.CHROME, 1),
    "edge": (wire.DeviceProps.EDGE, 2),
    "firefox": (wire.DeviceProps.FIREFOX, 3),
    "ie": (wire.DeviceProps.IE, 4),
    "opera": (wire.DeviceProps.OPERA, 5),
    "safari": (wire.DeviceProps.SAFARI, 6),
    "desktop": (wire.DeviceProps.DESKTOP, 7),
}
_DESKTOPS = {"Mac OS": wire.WebInfo.DARWIN, "Windows": wire.WebInfo.WIN32}
_UWP = 8
_OTHER = 9


@dataclass(frozen=True, slots=True)
class Device:
    """
    The browser a client presents itself as. `os` and `browser` are what the phone's list of linked devices shows
    ("Mac OS"/"Windows" with "Desktop" are the desktop apps, which get the long history); `push_name` is the account's.
    """

    os: str = "Mac OS"
    browser: str = "Desktop"
    version: tuple[int, int, int] = VERSION
    push_name: str | None = None
    country: str = "US"
    language: str = "en"
    full_history: bool = True

    @property
    def platform(self) -> int:
        """The browser's number in a QR code."""
        if self.browser == "Desktop" and self.os == "Windows":
            return _UWP
        return _BROWSERS.get(self.browser.lower(), (0, _OTHER))[1]

    @property
    def type(self) -> wire.DeviceProps.PlatformType:
        """The browser's number in the device properties."""
        return _BROWSERS.get(self.browser.lower(), (wire.DeviceProps.CHROME, 0))[0]


@dataclass(frozen=True, slots=True)
class DevicePairing:
    """What a client that wants to be linked shows: its keys (public, 32 bytes), and how it wants to be listed."""

    registration_id: int
    identity: bytes = field(repr=False)
    signed_prekey_id: int
    signed_prekey: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    build_hash: bytes
    os: str
    platform_type: int
    full_history: bool


@dataclass(frozen=True, slots=True)
class ParsedPayload:
    """A client's payload: `username` and `device` when it logs in, `pairing` when it wants to be linked."""

    username: int | None
    device: int | None
    passive: bool
    push_name: str | None
    pairing: DevicePairing | None
    version: tuple[int, int, int]


def registration_payload(
    device: Device, *, registration_id: int, identity: bytes, signed_prekey: SignedPreKey
) -> bytes:
    """The payload of a client to be linked; `identity` is its 32-byte public key."""
    payload = _client(device)
    payload.passive = False
    payload.pull = False
    payload.device_pairing_data.CopyFrom(
        wire.DevicePairingData(
            build_hash=build_hash(device.version),
            device_props=_device_props(device).SerializeToString(),
            registration_id=registration_id.to_bytes(4, "big"),
            key_type=KEY_TYPE,
            identity=identity,
            signed_prekey_id=signed_prekey.id.to_bytes(3, "big"),
            signed_prekey=signed_prekey.pair.public,
            signed_prekey_signature=signed_prekey.signature,
        )
    )
    return payload.SerializeToString()


def login_payload(device: Device, account: JID) -> bytes:
    """The payload of a linked client; `account` is its own device address in the phone number space."""
    payload = _client(device)
    payload.passive = True
    payload.pull = True
    payload.username = int(account.user)
    payload.device = account.device
    payload.lid_db_migrated = False
    return payload.SerializeToString()


def parse_payload(serialised: bytes) -> ParsedPayload:
    """What a client says of itself. Raises DecodeError."""
    try:
        payload = wire.ClientPayload.FromString(serialised)
    except ProtobufError as error:
        raise DecodeError("a client payload is not well-formed") from error
    version = payload.user_agent.app_version
    return ParsedPayload(
        username=payload.username if payload.HasField("username") else None,
        device=payload.device if payload.HasField("device") else None,
        passive=payload.passive,
        push_name=payload.push_name or None,
        pairing=_pairing(payload.device_pairing_data) if payload.HasField("device_pairing_data") else None,
        version=(version.primary, version.secondary, version.tertiary),
    )


def build_hash(version: tuple[int, int, int]) -> bytes:
    """The hash of a version that goes with a request to be linked, 16 bytes."""
    return hashlib.md5(".".join(map(str, version)).encode(), usedforsecurity=False).digest()


def _client(device: Device) -> wire.ClientPayload:
    is_app = device.browser == "Desktop" and device.full_history
    return wire.ClientPayload(
        connect_type=wire.ClientPayload.WIFI_UNKNOWN,
        connect_reason=wire.ClientPayload.USER_ACTIVATED,
        push_name=device.push_name or None,
        web_info=wire.WebInfo(
            sub_platform=_DESKTOPS.get(device.os, wire.WebInfo.WEB_BROWSER) if is_app else wire.WebInfo.WEB_BROWSER
        ),
        user_agent=wire.UserAgent(
            platform=wire.UserAgent.WEB,
            app_version=_version(device.version),
            mcc="000",
            mnc="000",
            os_version="0.1",
            device="Desktop",
            os_build_number="0.1",
            release_channel=wire.UserAgent.RELEASE,
            locale_language=device.language,
            locale_country=device.country,
        ),
    )


def _device_props(device: Device) -> wire.DeviceProps:
    return wire.DeviceProps(
        os=device.os,
        version=_version((10, 15, 7)),
        platform_type=device.type,
        require_full_sync=device.full_history,
        history_sync_config=wire.DeviceProps.HistorySyncConfig(
            storage_quota_mb=10240,
            inline_initial_payload=True,
            support_call_log_history=False,
            support_bot_user_agent_chat_history=True,
            support_cag_reactions_and_polls=True,
            support_biz_hosted_msg=True,
            support_recent_sync_chunk_message_count_tuning=True,
            support_hosted_group_msg=True,
            support_fbid_bot_chat_history=True,
            support_message_association=True,
            support_group_history=False,
        ),
    )


def _version(numbers: tuple[int, int, int]) -> wire.AppVersion:
    primary, secondary, tertiary = numbers
    return wire.AppVersion(primary=primary, secondary=secondary, tertiary=tertiary)


def _pairing(pairing: wire.DevicePairingData) -> DevicePairing:
    sizes = (
        (pairing.registration_id, 4),
        (pairing.identity, 32),
        (pairing.signed_prekey_id, 3),
        (pairing.signed_prekey, 32),
        (pairing.signed_prekey_signature, 64),
    )
    if pairing.key_type != KEY_TYPE or any(len(value) != size for value, size in sizes):
        raise DecodeError("a request to be linked has a key of the wrong size")
    try:
        props = wire.DeviceProps.FromString(pairing.device_props)
    except ProtobufError as error:
        raise DecodeError("a request to be linked has malformed device properties") from error
    return DevicePairing(
        registration_id=int.from_bytes(pairing.registration_id, "big"),
        identity=pairing.identity,
        signed_prekey_id=int.from_bytes(pairing.signed_prekey_id, "big"),
        signed_prekey=pairing.signed_prekey,
        signature=pairing.signed_prekey_signature,
        build_hash=pairing.build_hash,
        os=props.os,
        platform_type=props.platform_type,
        full_history=props.require_full_sync,
    )
