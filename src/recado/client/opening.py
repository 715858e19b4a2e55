"""
Opening one envelope inside a transaction: the session it belongs to, the one-time key it uses up, the identity it
shows. Everything is written back in the same transaction; nothing here touches the network.
"""

from __future__ import annotations

import logging

from recado.client.turn import Turn
from recado.errors import BadRecord
from recado.events import PeerIdentityChanged
from recado.jid import JID
from recado.protocol.signal.session import (
    Envelope,
    Opened,
    SessionRecord,
    begins_session,
    open_envelope,
    wanted_prekeys,
)

logger = logging.getLogger("recado.client")


async def open_sealed(turn: Turn, author: JID, envelope: Envelope) -> bytes:
    """The padded plaintext of an envelope from the device `author`. Raises EnvelopeError, BadRecord."""
    opened = await _open(turn, author, await _session(turn, author), envelope)
    if opened.used_prekey is not None:
        await turn.tx.spend_prekey(opened.used_prekey)
    await turn.tx.save_session(author, opened.record)
    await meet_identity(turn, author, opened.identity, is_new=opened.identity_changed)
    return opened.plaintext


async def meet_identity(turn: Turn, device: JID, identity: bytes, *, is_new: bool) -> None:
    """Remember a device's identity key, and record when it is another one than before."""
    if await turn.tx.identity(device) != identity:
        await turn.tx.save_identity(device, identity)
    if is_new:
        await turn.tx.groups.rotate_for(device, frozenset({device.device}))
        await turn.tx.record(PeerIdentityChanged(account=turn.me, at=turn.now, contact=device.bare))


async def _session(turn: Turn, author: JID) -> SessionRecord | None:
    try:
        return await turn.tx.session(author)
    except BadRecord:
        logger.warning("a stored session cannot be read; a new one will take its place")
        return None


async def _open(turn: Turn, author: JID, record: SessionRecord | None, envelope: Envelope) -> Opened:
    if not begins_session(record, envelope):
        return open_envelope(record, envelope, own=turn.account.own, entropy=turn.account.entropy)
    prekey_id, signed_id = wanted_prekeys(envelope)
    return open_envelope(
        record,
        envelope,
        own=turn.account.own,
        entropy=turn.account.entropy,
        prekey=None if prekey_id is None else await turn.tx.prekey(prekey_id),
        signed_prekey=await turn.tx.signed_prekey(signed_id),
    )
