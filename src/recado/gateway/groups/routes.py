"""
Groups over HTTP. A group is a conversation; each verb asks WhatsApp, and answers with a request: 200 with what came of
it when `Prefer: wait=N` waited long enough, 202 otherwise. A road without groups is a 409.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter

from recado.gateway.callers import Caller, Manager, Reader, documented, identifier
from recado.gateway.conversations.repository import get_conversation, get_message
from recado.gateway.conversations.service import parse_address
from recado.gateway.db.unit import Unit
from recado.gateway.groups import service
from recado.gateway.groups.schemas import (
    GroupForm,
    GroupRules,
    Invitation,
    JoinAnswers,
    Linked,
    MemberChange,
    MembersTold,
    MemberTold,
    NewGroup,
    Picture,
    ReceiptsTold,
    ReceiptTold,
    RulesForm,
)
from recado.gateway.providers.roads import Road
from recado.gateway.refusals import BadAddress
from recado.gateway.requests.asking import Ask, Asking
from recado.gateway.requests.schemas import RequestTold
from recado.jid import JID

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["groups"], dependencies=[documented])
_GROUP = "/conversations/{conversation_id}/group"


def _has_groups(road: Road) -> bool:
    return road.has_groups


@router.get("/conversations/{conversation_id}/members")
async def list_members(caller: Reader, conversation_id: str) -> MembersTold:
    """Who is in a group and its rules, as last told; `…/group/sync` asks for them anew."""
    async with caller.unit() as unit:
        conversation = await get_conversation(unit, identifier(conversation_id))
        rules = await service.find_rules(unit, conversation.id)
        items = [MemberTold.of(row) for row in await service.list_members(unit, conversation.id)]
    return MembersTold(rules=GroupRules.of(rules or {}), items=items)


@router.get("/messages/{message_id}/receipts")
async def list_receipts(caller: Reader, message_id: str) -> ReceiptsTold:
    """Who of a group has a message, read it and played it."""
    async with caller.unit() as unit:
        row = await get_message(unit, message_id)
        return ReceiptsTold(items=[ReceiptTold.of(each) for each in await service.list_receipts(unit, row.id)])


@router.post("/groups", status_code=202)
async def create_group(caller: Manager, asking: Ask, form: NewGroup) -> RequestTold:
    """Make a group; the answer has it whole, with its conversation. Never made twice for one request."""
    body: dict[str, Any] = form.model_dump(exclude={"people", "parent"}) | {"people": _people(form.people)}
    if form.parent is not None:
        async with caller.unit() as unit:
            body["parent"] = str(await _group(form.parent)(unit))
    return await asking.ask(caller, "group.create", able=_has_groups, body=body)


@router.post("/groups/sync", status_code=202)
async def list_groups(caller: Manager, asking: Ask) -> RequestTold:
    """Ask for every group the account is in, and keep them as conversations with their members."""
    return await asking.ask(caller, "group.list", able=_has_groups)


@router.post("/groups/join", status_code=202)
async def join_group(caller: Manager, asking: Ask, form: Invitation) -> RequestTold:
    """Join by a link; `is_waiting` when an admin must let the account in."""
    return await asking.ask(caller, "group.join", able=_has_groups, body=form.model_dump())


@router.post("/groups/look", status_code=202)
async def look_at_group(caller: Manager, asking: Ask, form: Invitation) -> RequestTold:
    """What a link leads to, without joining."""
    return await asking.ask(caller, "group.look", able=_has_groups, body=form.model_dump())


@router.post(f"{_GROUP}/sync", status_code=202)
async def sync_group(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Ask for a group anew: its name, rules and members."""
    return await _ask(caller, asking, "group.get", conversation_id)


@router.patch(_GROUP, status_code=202)
async def change_group(caller: Manager, asking: Ask, conversation_id: str, form: GroupForm) -> RequestTold:
    """Give a group another name or description."""
    said = {name: value or "" for name, value in form.model_dump(exclude_unset=True).items()}
    return await _ask(caller, asking, "group.profile", conversation_id, said)


@router.put(f"{_GROUP}/picture", status_code=202)
async def set_picture(caller: Manager, asking: Ask, conversation_id: str, form: Picture) -> RequestTold:
    """Give a group another picture, or none."""
    jpeg = base64.b64encode(form.jpeg).decode() if form.jpeg else None
    return await _ask(caller, asking, "group.photo", conversation_id, {"jpeg": jpeg})


@router.patch(f"{_GROUP}/rules", status_code=202)
async def set_rules(caller: Manager, asking: Ask, conversation_id: str, form: RulesForm) -> RequestTold:
    """Who may write, change the group and take people in, and after how long messages disappear."""
    return await _ask(caller, asking, "group.rules", conversation_id, form.model_dump(exclude_none=True))


@router.post(f"{_GROUP}/members", status_code=202)
async def change_members(caller: Manager, asking: Ask, conversation_id: str, form: MemberChange) -> RequestTold:
    """
    Take people in or put them out, or have them administer or no longer. The answer says of each what came of it; who
    lets nobody add them (403) comes with an `invite` to be sent to them.
    """
    return await _ask(caller, asking, f"group.{form.do}", conversation_id, {"people": _people(form.people)})


@router.post(f"{_GROUP}/leave", status_code=202)
async def leave_group(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Leave a group; its conversation stays."""
    return await _ask(caller, asking, "group.leave", conversation_id)


@router.post(f"{_GROUP}/invite", status_code=202)
async def get_invite(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """The link people join by."""
    return await _ask(caller, asking, "group.invite", conversation_id)


@router.post(f"{_GROUP}/invite/revoke", status_code=202)
async def revoke_invite(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Make the link worthless; the answer has the new one."""
    return await _ask(caller, asking, "group.revoke_invite", conversation_id)


@router.post(f"{_GROUP}/join-requests", status_code=202)
async def list_join_requests(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Who wants to be let in."""
    return await _ask(caller, asking, "group.join_requests", conversation_id)


@router.post(f"{_GROUP}/join-requests/answers", status_code=202)
async def answer_join_requests(caller: Manager, asking: Ask, conversation_id: str, form: JoinAnswers) -> RequestTold:
    """Let people in who asked, or not; the answer says of each what came of it."""
    return await _ask(caller, asking, f"group.{form.do}", conversation_id, {"people": _people(form.people)})


@router.post(f"{_GROUP}/subgroups", status_code=202)
async def list_subgroups(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """The groups of a community."""
    return await _ask(caller, asking, "group.subgroups", conversation_id)


@router.put(f"{_GROUP}/subgroups", status_code=202)
async def link_subgroups(caller: Manager, asking: Ask, conversation_id: str, form: Linked) -> RequestTold:
    """Take groups into a community, or out of it."""
    async with caller.unit() as unit:
        chats = [str(await _group(each)(unit)) for each in form.conversations]
    return await _ask(caller, asking, "group.link", conversation_id, {"chats": chats, "is_linked": form.is_linked})


async def _ask(
    caller: Caller, asking: Asking, verb: str, conversation_id: str, body: dict[str, Any] | None = None
) -> RequestTold:
    return await asking.ask(caller, verb, able=_has_groups, chat=_group(conversation_id), body=body)


def _group(conversation_id: str) -> Callable[[Unit], Awaitable[JID]]:
    """The address of a group's conversation. Raises NotFound, BadAddress when it is no group."""

    async def find(unit: Unit) -> JID:
        conversation = await get_conversation(unit, identifier(conversation_id))
        if conversation.kind != "group":
            raise BadAddress("that conversation is no group")
        return conversation.address

    return find


def _people(people: list[str]) -> list[str]:
    found = [parse_address(who).bare for who in people]
    if not all(each.is_person for each in found):
        raise BadAddress
    return list(dict.fromkeys(map(str, found)))
