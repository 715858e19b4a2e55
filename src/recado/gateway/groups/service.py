"""
Groups as rows: a group is a conversation with rules and members, as WhatsApp last told them whole (`keep_group`) and as
facts changed them since (runtime/group_rows.py). What is done with a group is asked of WhatsApp (requests/).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from recado.gateway.connections.repository import find_connection
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.unit import Unit
from recado.gateway.groups import repository
from recado.gateway.groups.repository import MemberRow, ReceiptRow
from recado.jid import JID, LID, PHONE

RULES = (
    "description", "is_announcement", "is_locked", "admins_add_only", "needs_approval", "expires_in", "is_community",
    "parent",
)  # fmt: skip


async def keep_group(unit: Unit, provider: str, group: dict[str, Any]) -> UUID:
    """Keep what was told of a group whole; its conversation. Raises Collided."""
    directory, chat, mine = Directory(), JID.parse(group["chat"]), await own_addresses(unit, provider)
    directory.chat(chat)
    own_role, others = None, []
    for member in group["members"]:
        who, alt = JID.parse(member["who"]), JID.parse(member["alt"]) if member["alt"] else None
        if who in mine or alt in mine:
            own_role = member["role"]
        elif who.is_person:
            directory.person(who, alt)
            others.append((who, member["role"]))
    await directory.settle(unit)
    id = directory.conversation_id(chat)
    if group["subject"]:
        await repository.save_title(unit, id, group["subject"])
    await repository.save_rules(unit, id, {name: group[name] for name in RULES} | {"own_role": own_role})
    await repository.save_members(unit, id, [(directory.contact_id(who), role) for who, role in others])
    return id


async def conversation_of(unit: Unit, group: dict[str, Any]) -> UUID:
    """The conversation of a group, with nothing else of what was told of it. Raises Collided."""
    directory, chat = Directory(), JID.parse(group["chat"])
    directory.chat(chat)
    await directory.settle(unit)
    return directory.conversation_id(chat)


async def list_changed(unit: Unit, provider: str, since: datetime) -> set[str]:
    """The chats of the groups that changed since then: what was told of them whole before is older than their rows."""
    return await repository.list_changed(unit, provider, since)


async def own_addresses(unit: Unit, provider: str) -> set[JID]:
    """The account itself: it is no contact of its own."""
    connection = await find_connection(unit, provider)
    if connection is None:
        return set()
    known = ((connection.account_phone, PHONE), (connection.account_lid, LID))
    return {JID(user, server) for user, server in known if user}


async def find_rules(unit: Unit, group: UUID) -> dict[str, Any] | None:
    """The rules of a group as far as they are known."""
    return await repository.find_rules(unit, group)


async def list_members(unit: Unit, group: UUID) -> list[MemberRow]:
    """Who is in a group beside the account."""
    return await repository.list_members(unit, group)


async def list_receipts(unit: Unit, message: int) -> list[ReceiptRow]:
    """How far each is with a message."""
    return await repository.list_receipts(unit, message)
