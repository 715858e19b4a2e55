"""Conversations and messages over HTTP: reading a page at a time, and queueing what is to be sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from recado.gateway.callers import Reader, Sender, documented, identifier
from recado.gateway.conversations import repository, service
from recado.gateway.conversations.schemas import (
    ConversationPage,
    ConversationTold,
    MessageAccepted,
    MessagePage,
    MessageTold,
    NewMessage,
    conversation_cursor,
    cursor,
    message_cursor,
)
from recado.gateway.refusals import NotConnectable

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["conversations"], dependencies=[documented])
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/conversations")
async def list_conversations(caller: Reader, before: str | None = None, limit: Limit = 50) -> ConversationPage:
    """The most recently used first."""
    start = conversation_cursor(before)
    async with caller.unit() as unit:
        found = await repository.list_conversations(unit, before=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].active_at, page[-1].id) if len(found) > limit else None
    return ConversationPage(items=[ConversationTold.of(row) for row in page], next=end)


@router.get("/conversations/{conversation_id}")
async def get_conversation(caller: Reader, conversation_id: str) -> ConversationTold:
    """One conversation."""
    async with caller.unit() as unit:
        return ConversationTold.of(await repository.get_conversation(unit, identifier(conversation_id)))


@router.get("/conversations/{conversation_id}/messages")
async def list_messages(
    caller: Reader, conversation_id: str, before: str | None = None, limit: Limit = 50
) -> MessagePage:
    """The newest first."""
    start, wanted = message_cursor(before), identifier(conversation_id)
    async with caller.unit() as unit:
        await repository.get_conversation(unit, wanted)
        found = await repository.list_messages(unit, wanted, before=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].sent_at, page[-1].id) if len(found) > limit else None
    return MessagePage(items=[MessageTold.of(row) for row in page], next=end)


@router.post("/conversations/{conversation_id}/read", status_code=204)
async def mark_read(caller: Sender, conversation_id: str) -> Response:
    """Count nothing as unread here. The other side is not told."""
    async with caller.unit() as unit:
        await repository.get_conversation(unit, identifier(conversation_id))
        await repository.mark_read(unit, identifier(conversation_id))
    return Response(status_code=204)


@router.post("/messages", status_code=202)
async def send_message(
    request: Request,
    response: Response,
    caller: Sender,
    asked: NewMessage,
    idempotency_key: Annotated[str | None, Header(description="The same key and body: the same answer, once")] = None,
) -> MessageAccepted:
    """Queue a text. The answer comes at once; its way (sent, delivered, read) is told by the events."""
    now = request.app.state.gateway.clock.now()
    accepted = await caller.run(
        lambda unit: service.queue_message(
            unit,
            text=asked.text,
            now=now,
            to=asked.to,
            conversation_id=asked.conversation_id,
            quoting=asked.quoting,
            idempotency_key=idempotency_key,
        )
    )
    if accepted.is_repeat:
        response.headers["idempotency-replayed"] = "true"
    return MessageAccepted(id=accepted.queued.message_id, conversation_id=accepted.queued.conversation_id)


@router.get("/messages/{message_id}")
async def get_message(caller: Reader, message_id: str) -> MessageTold:
    """One message by its id, with how far it got."""
    async with caller.unit() as unit:
        return MessageTold.of(await repository.get_message(unit, message_id))


@router.delete("/messages/{message_id}", status_code=204)
async def cancel_message(caller: Sender, message_id: str) -> Response:
    """Call back a message that has not reached the wire."""
    async with caller.unit() as unit:
        await repository.get_message(unit, message_id)
        if not await repository.cancel_queued(unit, message_id):
            raise NotConnectable("this message is on its way already, or is not one to be sent")
    return Response(status_code=204)
