"""
How the account's own devices show chats and messages, over HTTP. Nobody else sees any of it. Each route asks WhatsApp
and answers with a request; what changed comes back as events and in the conversation. A chat that is emptied or
deleted on WhatsApp keeps every message here. A road that shares no state is a 409.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from recado.gateway.callers import Caller, Manager, Reader, Sender, documented, identifier
from recado.gateway.chats import repository
from recado.gateway.chats.schemas import ChatForm, ClearForm, LabelForm, LabelList, PlacementForm, StarForm
from recado.gateway.conversations.repository import Message, get_conversation, get_message
from recado.gateway.conversations.schemas import LabelTold
from recado.gateway.providers.roads import Road
from recado.gateway.refusals import NotFound
from recado.gateway.requests.asking import Ask
from recado.gateway.requests.schemas import RequestTold
from recado.gateway.security import SEND
from recado.jid import JID, LID, PHONE

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["chats"], dependencies=[documented])
_CHAT = "/conversations/{conversation_id}"
LabelId = Annotated[str, Path(pattern=r"^[0-9A-Za-z._:-]{1,64}$")]


def _shares_state(road: Road) -> bool:
    return road.shares_state


@router.patch(_CHAT, status_code=202)
async def change_chat(caller: Sender, asking: Ask, conversation_id: str, form: ChatForm) -> RequestTold:
    """Put a chat away, keep it on top, silence it, or mark it as unread, on all of the account's devices."""
    chat, body = await _chat(caller, conversation_id), form.model_dump(mode="json", exclude_unset=True)
    return await asking.ask(caller, "chat.change", able=_shares_state, scope=SEND, chat=chat, body=body)


@router.post(f"{_CHAT}/clear", status_code=202)
async def clear_chat(caller: Manager, asking: Ask, conversation_id: str, form: ClearForm | None = None) -> RequestTold:
    """Empty a chat on the account's devices. Here nothing is deleted."""
    body = (form or ClearForm()).model_dump()
    chat = await _chat(caller, conversation_id)
    return await asking.ask(caller, "chat.clear", able=_shares_state, chat=chat, body=body)


@router.post(f"{_CHAT}/delete", status_code=202)
async def delete_chat(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Delete a chat from the account's devices. Here nothing is deleted."""
    chat = await _chat(caller, conversation_id)
    return await asking.ask(caller, "chat.delete", able=_shares_state, chat=chat)


@router.put("/messages/{message_id}/star", status_code=202)
async def star_message(caller: Sender, asking: Ask, message_id: str, form: StarForm) -> RequestTold:
    """Put a star on a message, or take it off."""
    chat, body = await _message(caller, message_id)
    body |= form.model_dump()
    return await asking.ask(caller, "message.star", able=_shares_state, scope=SEND, chat=chat, body=body)


@router.post("/messages/{message_id}/hide", status_code=202)
async def hide_message(caller: Manager, asking: Ask, message_id: str) -> RequestTold:
    """Delete a message from the account's own devices alone; `message.hidden` tells. Here it is kept."""
    chat, body = await _message(caller, message_id)
    return await asking.ask(caller, "message.hide", able=_shares_state, chat=chat, body=body)


@router.get("/labels")
async def list_labels(caller: Reader) -> LabelList:
    """The labels of the account, by name."""
    async with caller.unit() as unit:
        return LabelList(items=[LabelTold(**each) for each in await repository.list_labels(unit)])


@router.put("/labels/{label_id}", status_code=202)
async def edit_label(caller: Sender, asking: Ask, label_id: LabelId, form: LabelForm) -> RequestTold:
    """Make a label (a business account's), rename or recolour it; `label.changed` tells."""
    body = {"label": label_id} | form.model_dump()
    return await asking.ask(caller, "label.edit", able=_shares_state, scope=SEND, body=body)


@router.delete("/labels/{label_id}", status_code=202)
async def delete_label(caller: Sender, asking: Ask, label_id: LabelId) -> RequestTold:
    """Delete a label."""
    body = {"label": label_id, "name": None, "color": 0}
    return await asking.ask(caller, "label.edit", able=_shares_state, scope=SEND, body=body)


@router.put(f"{_CHAT}/labels", status_code=202)
async def place_label(caller: Sender, asking: Ask, conversation_id: str, form: PlacementForm) -> RequestTold:
    """Put a label on a conversation or message, or take it off; `label.placed` tells."""
    chat = await _chat(caller, conversation_id)
    body: dict[str, Any] = {"label": form.label, "labeled": form.labeled}
    if form.message_id is not None:
        there, said = await _message(caller, form.message_id)
        if there != chat:
            raise NotFound("that message is not in this conversation")
        body |= said
    return await asking.ask(caller, "label.place", able=_shares_state, scope=SEND, chat=chat, body=body)


async def _chat(caller: Caller, conversation_id: str) -> JID:
    async with caller.unit() as unit:
        return (await get_conversation(unit, identifier(conversation_id))).address


async def _message(caller: Caller, message_id: str) -> tuple[JID, dict[str, Any]]:
    """The chat of a message, and how the account's devices name it."""
    async with caller.unit() as unit:
        message = await get_message(unit, message_id)
        conversation = await get_conversation(unit, message.conversation_id)
    from_me = message.direction == "out"
    author = None if from_me or conversation.kind == "person" else _author(message)
    named = {"id": message_id, "from_me": from_me, "author": author, "sent_at": message.sent_at.isoformat()}
    return conversation.address, {"message": named}


def _author(message: Message) -> str | None:
    if message.sender_lid:
        return str(JID(message.sender_lid, LID))
    return str(JID(message.sender_phone, PHONE)) if message.sender_phone else None
