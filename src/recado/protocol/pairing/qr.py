"""
The text of the QR code a phone scans to link a device: a reference the server gave, three keys of the new device, and
what kind of browser it is.

    https://wa.me/settings/linked_devices#<ref>,<noise>,<identity>,<adv secret>,<platform>

Older clients left out the address in front, the oldest the platform too. The ADV secret makes the text itself a secret:
who reads it can link in the account holder's place. docs/protocol/pairing.md
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from recado.errors import DecodeError

PREFIX = "https://wa.me/settings/linked_devices#"
KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class QRCode:
    """
    What a QR code says: the server's `ref`, the device's public `noise` and `identity` keys and its `adv_secret` (32
    bytes each), and its browser as a small number (one hexadecimal digit on the wire).
    """

    ref: str
    noise: bytes
    identity: bytes
    adv_secret: bytes
    platform: int = 1

    def __repr__(self) -> str:
        return f"QRCode(platform={self.platform})"

    def text(self) -> str:
        """The text to draw."""
        keys = (base64.b64encode(key).decode() for key in (self.noise, self.identity, self.adv_secret))
        return PREFIX + ",".join([self.ref, *keys, f"{self.platform:x}"])

    @staticmethod
    def parse(text: str) -> QRCode:
        """What a scanned text says, in the present or an older form. Raises DecodeError."""
        fields = text.strip().removeprefix(PREFIX).split(",")
        is_old = len(fields) == 4 and not text.strip().startswith(PREFIX)
        if is_old:
            fields.append("0")
        if len(fields) != 5 or not fields[0]:
            raise DecodeError("a pairing code has five fields")
        noise, identity, adv_secret = (_key(field) for field in fields[1:4])
        return QRCode(fields[0], noise, identity, adv_secret, _platform(fields[4]))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_SIZE:
        raise DecodeError("a pairing code holds keys of 32 bytes, in base64")
    return key


def _platform(text: str) -> int:
    if len(text) != 1 or text not in "0123456789abcdef":
        raise DecodeError("a pairing code ends with the browser's number")
    return int(text, 16)
