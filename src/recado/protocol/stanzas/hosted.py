"""
Devices that run on WhatsApp's own servers (of businesses): device 99 of a person, in a domain of its own.

    person:99@hosted        beside  person@s.whatsapp.net
    person:99@hosted.lid    beside  person@lid

Only stanzas know the domain. Sessions, chats and lists of devices know one person with a device 99.
"""

from __future__ import annotations

from recado.jid import HOSTED, HOSTED_LID, JID, LID, PHONE

HOSTED_DEVICE = 99
_OUT, _IN = {PHONE: HOSTED, LID: HOSTED_LID}, {HOSTED: PHONE, HOSTED_LID: LID}


def as_named(device: JID) -> JID:
    """How a stanza names the device."""
    server = _OUT.get(device.server) if device.device == HOSTED_DEVICE else None
    return device if server is None else JID(device.user, server, device.device)


def unhosted(device: JID) -> JID:
    """The same device among those of its person."""
    server = _IN.get(device.server)
    return device if server is None else JID(device.user, server, device.device)
