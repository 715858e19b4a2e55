"""
Who wrote a stanza, and to which chat it belongs: the rules are the same for messages, receipts and typing.

    from="person[:device]"                                somebody wrote to us
    from="own[:device]" recipient="person"                another own device wrote to somebody
    from="group" participant="person[:device]"            somebody wrote in a group or a broadcast list

The other address space comes beside it: sender_pn | sender_lid, participant_pn | participant_lid,
peer_recipient_pn | peer_recipient_lid.
"""

from __future__ import annotations

from typing import NamedTuple

from recado.jid import BROADCAST, GROUP, JID, NEWSLETTER
from recado.protocol.node import Reader
from recado.protocol.stanzas.hosted import unhosted


class Source(NamedTuple):
    """`chat` without a device, `sender` with its device; `…_alt` are the same in the other address space, if known."""

    chat: JID
    sender: JID
    from_me: bool
    chat_alt: JID | None = None
    sender_alt: JID | None = None


def read_source(reader: Reader, *, own: JID, own_lid: JID | None, needs_participant: bool = True) -> Source:
    """Who and where, by the attributes; what is missing is remembered by the reader."""
    origin = unhosted(reader.jid("from"))
    if origin.server in (GROUP, BROADCAST):
        named = reader.jid("participant") if needs_participant else reader.opt_jid("participant")
        author = origin if named is None else unhosted(named)
        alt = _other_space(reader, author, "participant")
        return Source(origin, author, _is_own(author, own, own_lid), None, _on_device(alt, author))
    if origin.server == NEWSLETTER or not origin.is_person:
        return Source(origin.bare, origin, from_me=False)
    if _is_own(origin, own, own_lid):
        return _from_own(reader, origin, own, own_lid)
    alt = _other_space(reader, origin, "sender")
    return Source(origin.bare, origin, False, alt and alt.bare, _on_device(alt, origin))


def _from_own(reader: Reader, origin: JID, own: JID, own_lid: JID | None) -> Source:
    other_self = own if origin.is_lid else own_lid
    sender_alt = other_self and other_self.with_device(origin.device)
    recipient = reader.opt_jid("recipient")
    if recipient is None:
        return Source(origin.bare, origin, True, other_self and other_self.bare, sender_alt)
    chat = unhosted(recipient).bare
    alt = _other_space(reader, chat, "peer_recipient") or _other_space(reader, chat, "recipient")
    return Source(chat, origin, True, alt and alt.bare, sender_alt)


def _is_own(jid: JID, own: JID, own_lid: JID | None) -> bool:
    return jid.user == own.user if jid.is_phone else own_lid is not None and jid.is_lid and jid.user == own_lid.user


def _other_space(reader: Reader, jid: JID, name: str) -> JID | None:
    if jid.is_lid:
        alt = reader.opt_jid(f"{name}_pn")
        return alt if alt is not None and alt.is_phone else None
    alt = reader.opt_jid(f"{name}_lid")
    return alt if alt is not None and alt.is_lid else None


def _on_device(alt: JID | None, jid: JID) -> JID | None:
    return alt if alt is None or alt.device else alt.with_device(jid.device)
