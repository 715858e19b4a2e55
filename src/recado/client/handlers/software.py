"""
What own devices tell this one as software, by kind: one table (law 3). What has no row here is kept raw and visible.
Who speaks was checked before: only own devices get this far.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from recado.client.appstate.keys import on_key_request, on_key_share
from recado.client.appstate.recovering import on_collection
from recado.client.arrival import Arrival
from recado.client.contacts import learn_lids
from recado.client.history_offered import asking, fetch_work, hold_part, offered_part
from recado.client.placeholders import on_answer
from recado.client.turn import Turn
from recado.protocol.messages.history import HistoryPush
from recado.protocol.messages.migration import LidMappings
from recado.protocol.messages.phone_requests import CollectionGiven, PhoneAnswer
from recado.protocol.messages.software import AppStateKeyRequest, AppStateKeyShare, News

Take = Callable[[Turn, Arrival, Any, bytes], Awaitable[None]]


async def on_news(turn: Turn, arrival: Arrival, news: News | None, plaintext: bytes) -> None:
    """Take in what an own device's software says."""
    take = _TAKERS.get(type(news))
    if isinstance(news, _OF_THE_PHONE) and arrival.stanza.sender.device != 0:
        await turn.record_unknown(arrival.node, "for the phone to say, from another own device", raw=plaintext)
    elif take is None:
        await turn.record_unknown(arrival.node, "for software only", raw=plaintext)
    else:
        await take(turn, arrival, news, plaintext)


async def _on_history(turn: Turn, arrival: Arrival, push: HistoryPush, plaintext: bytes) -> None:
    """What is noted is safe; that the phone is told once all of it is recorded, which may need the media servers."""
    if push.original is not None:
        await turn.tx.finish_work(asking(push.original))  # the phone gave it: it need not make it anew
    part = offered_part(arrival.stanza.id, arrival.node.attrs["from"], push)
    if part.may_wait and not turn.account.limits.fetch_history and not (await turn.tx.past.progress(part.key)).is_done:
        await hold_part(turn, part)
    else:
        await turn.schedule(fetch_work(part, turn.now))


async def _on_mappings(turn: Turn, arrival: Arrival, told: LidMappings, plaintext: bytes) -> None:
    """The account moves to LIDs: sessions, tokens and threads of each number go to its LID."""
    await learn_lids(turn, told.pairs)


_OF_THE_PHONE = (HistoryPush, PhoneAnswer, CollectionGiven)
"""Only the phone knows the past, and is asked."""

_TAKERS: dict[type[object], Take] = {
    HistoryPush: _on_history,
    PhoneAnswer: on_answer,
    CollectionGiven: on_collection,
    AppStateKeyShare: on_key_share,
    AppStateKeyRequest: on_key_request,
    LidMappings: _on_mappings,
}
