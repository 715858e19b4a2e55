"""
Retry receipts, both ways. We could not open something: its author is asked for it again, at most five times, from the
second time on with keys for a fresh session. Somebody could not open something of ours: resending it needs questions
to the network, so it becomes work.
"""

from __future__ import annotations

from recado.client.arrival import Arrival
from recado.client.prekeys import draw_prekeys
from recado.client.tally import Resends
from recado.client.turn import Turn
from recado.errors import (
    BadMac,
    BadRecord,
    IdentityChanged,
    MalformedEnvelope,
    NoSession,
    RecadoError,
    TooFarAhead,
    UnknownPreKey,
)
from recado.protocol.stanzas.receipt import RetryKeys, retry_receipt

_REASONS: dict[type[RecadoError], int] = {
    NoSession: 1,
    IdentityChanged: 2,
    UnknownPreKey: 3,
    MalformedEnvelope: 4,
    TooFarAhead: 6,
    BadMac: 7,
    BadRecord: 8,
}
"""What WhatsApp's clients call the ways not to open a message; 0 is any other."""


async def ask_again(turn: Turn, arrival: Arrival, error: RecadoError | None = None) -> None:
    """Ask the author of a message to send it again, and say why, unless that was done often enough."""
    limits = turn.account.limits
    count = await turn.tx.retries(arrival.chat, arrival.stanza.id) + 1
    if count > limits.retry_requests:
        return
    await turn.tx.save_retries(arrival.chat, arrival.stanza.id, count, turn.now + limits.keep_seen)
    keys = await _fresh_keys(turn) if count > 1 else None
    own = turn.account.own
    reason = _REASONS.get(type(error), 0) if error is not None else 0
    turn.answer(retry_receipt(arrival.node, count=count, registration_id=own.registration_id, keys=keys, error=reason))
    turn.then(lambda: turn.account.resends.note(Resends.AUTHOR_ASKED))


async def _fresh_keys(turn: Turn) -> RetryKeys | None:
    (prekey,), credentials = await draw_prekeys(turn.tx, turn.account, 1)
    await turn.save_credentials(credentials)
    if credentials.signed_identity is None:
        return None
    return RetryKeys(
        identity=credentials.identity.public,
        prekey=prekey,
        signed_prekey=credentials.signed_prekey,
        device_identity=credentials.signed_identity,
    )
