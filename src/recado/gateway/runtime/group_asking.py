"""
Groups that are older than the link, and channels: their people and names are told to nobody, so the first time one is
written in, it is asked about, once, by a request like any other. Many at once (a past that arrives) are one question
for all of them, at most one a day. In the projector's transaction; what it knows is whether they were ever told whole.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from recado.gateway.conversations.directory import Directory
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import ROADS
from recado.gateway.requests.repository import Asked, add_request
from recado.gateway.security import MANAGE
from recado.jid import GROUP, JID, NEWSLETTER

_queries = load_queries(__file__, "group_asking.sql")
_FEW = 3
_PAUSE = timedelta(seconds=5)
"""Between one question and the next: a person who opens groups is not faster."""


async def ask_about_unknown(
    unit: Unit, provider: str, directory: Directory, chats: Collection[JID], *, now: datetime
) -> None:
    """Have WhatsApp asked about those groups and channels of `chats` that were never told whole."""
    road = ROADS[provider]
    by_id = {directory.conversation_id(chat): chat for chat in chats}
    unknown: list[UUID] = [id for (id,) in await unit.tuples(_queries.list_unknown, ids=list(by_id))]
    for family, server, can in (("group", GROUP, road.has_groups), ("channel", NEWSLETTER, road.has_channels)):
        found = [id for id in unknown if can and by_id[id].server == server]
        if len(found) > _FEW:
            await _ask(unit, provider, f"{family}.list", "", f"recado:{family}s:{now:%Y-%m-%d}", now + _PAUSE)
            continue
        for place, id in enumerate(found, start=1):
            await _ask(unit, provider, f"{family}.get", str(by_id[id]), f"recado:{family}:{id}", now + place * _PAUSE)


async def ask_again(unit: Unit, asked: Asked, group: str, *, place: int) -> None:
    """Have WhatsApp asked about a group that changed while `asked` was under way; the `place`-th of them."""
    due_at = asked.asked_at + (place + 1) * _PAUSE
    await _ask(unit, asked.provider, "group.get", group, f"recado:again:{asked.id}:{group}", due_at)


async def _ask(unit: Unit, provider: str, verb: str, chat: str, key: str, due_at: datetime) -> None:
    added = await add_request(
        unit,
        provider=provider,
        verb=verb,
        chat=chat,
        body={},
        scope=MANAGE,
        idempotency_key=key,
        request_hash=b"",
        now=due_at,
    )
    if added is not None:
        unit.tell(OUTBOX)
