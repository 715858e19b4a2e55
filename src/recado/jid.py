"""
Who: WhatsApp addresses, their devices, and the address spaces a person has (phone number, LID, and BSUID: the id by
which the official API names a person whose number it does not tell).

An address on the wire and in attributes is a plain string; everything above the stanzas uses `JID`. Facts: a user is
`user@server`, a linked device is `user:device@server`, device 0 is the phone itself and is never written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

PHONE = "s.whatsapp.net"
LID = "lid"
GROUP = "g.us"
BROADCAST = "broadcast"
NEWSLETTER = "newsletter"
HOSTED = "hosted"
HOSTED_LID = "hosted.lid"
BSUID = "bsuid"
BOT = "bot"

_BOT_NUMBERS = re.compile(r"1313555\d{4}|131655500\d{2}")


@dataclass(frozen=True, slots=True, order=True)
class JID:
    """One address: `user`, `server` and the linked `device` (0 is the phone)."""

    user: str
    server: str
    device: int = 0

    @staticmethod
    def parse(text: str) -> JID:
        """Read `user[:device]@server`; a text without "@" is a bare server. Raises ValueError."""
        return _parse(text)

    @classmethod
    def phone(cls, number: str, device: int = 0) -> JID:
        """The address of a phone number, digits only (a leading "+" and spaces are dropped)."""
        digits = "".join(character for character in number if character.isdigit())
        if not digits:
            raise ValueError("a phone number needs digits")
        return cls(digits, PHONE, device)

    @property
    def bare(self) -> JID:
        """The person or chat, without the device."""
        return self if self.device == 0 else _shared(self.user, self.server, 0)

    def with_device(self, device: int) -> JID:
        """The same person's device number `device`."""
        return self if self.device == device else _shared(self.user, self.server, device)

    @property
    def is_lid(self) -> bool:
        """Is this in the LID address space?"""
        return self.server in (LID, HOSTED_LID)

    @property
    def is_phone(self) -> bool:
        """Is this in the phone number address space?"""
        return self.server in (PHONE, HOSTED)

    @property
    def is_bsuid(self) -> bool:
        """Is this an id of the official API's (`BR.1502…`)? WhatsApp Web knows no such address."""
        return self.server == BSUID

    @property
    def is_person(self) -> bool:
        """Is this a person (in any address space), not a group, a broadcast or a channel?"""
        return self.is_lid or self.is_phone or self.is_bsuid

    @property
    def is_bot(self) -> bool:
        """Is this a machine one can write to: in the space of bots, or one of the numbers kept for them?"""
        return self.server == BOT or (
            self.server == PHONE and self.device == 0 and _BOT_NUMBERS.fullmatch(self.user) is not None
        )

    @property
    def is_direct(self) -> bool:
        """Is a chat with this one between two: with a person or with a machine?"""
        return self.is_person or self.server == BOT

    @property
    def is_group(self) -> bool:
        """Is this a group?"""
        return self.server == GROUP

    def __repr__(self) -> str:
        """For logs and tracebacks: which kind of address, and not whose. `str` is the address."""
        device = f":{self.device}" if self.device else ""
        return f"JID(…{self.user[-2:] if len(self.user) > 6 else ''}{device}@{self.server})"

    def __str__(self) -> str:
        if self.device:
            return f"{self.user}:{self.device}@{self.server}"
        return f"{self.user}@{self.server}"


STATUS = JID("status", BROADCAST)
"""Where status posts go, and come from."""


@lru_cache(maxsize=4096)
def _shared(user: str, server: str, device: int) -> JID:
    # The few addresses in use are asked for over and over; looking one up costs a tenth of making it.
    return JID(user, server, device)


@lru_cache(maxsize=4096)
def _parse(text: str) -> JID:
    user, at, server = text.partition("@")
    if not at:
        return JID("", text)
    name, colon, device = user.partition(":")
    # "user_agent:device" was written by old clients; the agent is not part of who somebody is.
    name = name.partition("_")[0] if colon and "_" in name else name
    if colon and not (device.isascii() and device.isdigit() and int(device) < 65536):
        raise ValueError("a device number is a small decimal")
    return JID(name, server, int(device) if colon else 0)


SERVER = JID("", PHONE)
"""WhatsApp itself: an address with an empty user."""
