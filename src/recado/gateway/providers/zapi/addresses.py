"""
How Z-API writes who somebody is, and back: a number in digits, `…@lid`, a group as `…-group` (or, of old, as two
numbers), a channel as `…@newsletter`. Pure; the callbacks' parser and the requests' builder share it.
"""

from __future__ import annotations

import re

from recado.jid import BROADCAST, GROUP, JID, LID, NEWSLETTER, PHONE

_PHONE = re.compile(r"[0-9]{7,15}")
_GROUP = re.compile(r"([0-9]{10,30}(?:-[0-9]{5,20})?)-group|([0-9]{7,15}-[0-9]{5,20})")
_SERVERS = {LID: LID, GROUP: GROUP, NEWSLETTER: NEWSLETTER, BROADCAST: BROADCAST, PHONE: PHONE, "c.us": PHONE}
_USER = re.compile(r"[0-9A-Za-z-]{1,40}")


def read_address(text: object) -> JID | None:
    """The address a callback names; None for anything that is none."""
    if not isinstance(text, str):
        return None
    user, at, server = text.partition("@")
    if at:
        return JID(user, _SERVERS[server]) if server in _SERVERS and _USER.fullmatch(user) else None
    if _PHONE.fullmatch(text):
        return JID(text, PHONE)
    group = _GROUP.fullmatch(text)
    return JID(group[1] or group[2], GROUP) if group else None


def read_lid(text: object) -> JID | None:
    """A LID, with or without its server."""
    found = read_address(f"{text}@{LID}" if isinstance(text, str) and text.isascii() and text.isdigit() else text)
    return found if found is not None and found.is_lid else None


def write_address(chat: JID) -> str:
    """What a request calls that chat. Raises ValueError for what Z-API has no name for."""
    if chat.is_phone:
        return chat.user
    if chat.is_lid:
        return f"{chat.user}@{LID}"
    if chat.is_group:
        return f"{chat.user}-group"
    raise ValueError("Z-API carries nothing to such an address")
