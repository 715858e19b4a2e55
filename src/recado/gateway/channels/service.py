"""
Channels as rows: a channel is a conversation with a name, and beside it what is known of it: what it is about, how many
follow it, its link, and what the account is there. As WhatsApp last told it whole, and as facts changed it since.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.gateway.conversations.directory import Directory
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import JID

_queries = load_queries(__file__)

KNOWN = ("description", "subscribers", "code", "link")
POSTS = ("owner", "admin")
"""Who may post."""


async def keep_channel(unit: Unit, channel: dict[str, Any]) -> UUID:
    """Keep what was told of a channel whole; its conversation. Raises Collided."""
    directory, chat = Directory(), JID.parse(channel["chat"])
    directory.chat(chat)
    await directory.settle(unit)
    id = directory.conversation_id(chat)
    known = {name: channel[name] for name in KNOWN} | {"own_role": channel["role"]}
    await change_channel(unit, id, known, name=channel["name"])
    return id


async def change_channel(unit: Unit, id: UUID, known: dict[str, Any], *, name: str = "") -> None:
    """These things are so now, and its name if given; others stay."""
    await unit.run(_queries.save_channel, id=id, name=name, known=Jsonb(known))


async def find_channel(unit: Unit, id: UUID) -> dict[str, Any] | None:
    """What is known of a channel; nothing before it was told whole."""
    found: dict[str, Any] | None = await unit.value(_queries.find_channel, id=id)
    return found
