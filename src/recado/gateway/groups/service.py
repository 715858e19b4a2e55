"""
Groups as rows: a group is a conversation with rules and members, as WhatsApp last told them whole (`keep_group`) and as
facts changed them since (runtime/projector). What is done with a group is asked of WhatsApp (requests/).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recado.gateway.conversations.service import open_conversation
from recado.gateway.db.unit import Unit
from recado.jid import JID


async def keep_group(unit: Unit, group: dict[str, Any]) -> UUID:
    """Keep what was told of a group whole; its conversation. Raises Collided."""
    return await open_conversation(unit, JID.parse(group["chat"]))
