"""
Retry receipts, both ways. We could not open something: its author is asked for it again, at most five times, from the
second time on with keys for a fresh session. Somebody could not open something of ours: resending it needs questions
to the network, so it becomes work.
"""

from __future__ import annotations

from recado.client.arrival import Arrival
from recado.client.prekeys import draw_prekeys
from recado.client.turn import Turn
from recado.protocol.stanzas.receipt import RetryKeys, retry_receipt


async def ask_again(turn: Turn, arrival: Arrival) -> None:
    """Ask the author of a message to send it again, unless that was done often enough."""
    limits = turn.account.limits
    count = await turn.tx.retries(arrival.chat, arrival.stanza.id) + 1
    if count > limits.retry_requests:
        return
    await turn.tx.save_retries(arrival.chat, arrival.stanza.id, count, turn.now + limits.keep_seen)
    keys = await _fresh_keys(turn) if count > 1 else None
    own = turn.account.own
    turn.answer(retry_receipt(arrival.node, count=count, registration_id=own.registration_id, keys=keys))


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
