"""Conversations and messages over HTTP: reading a page at a time, and queueing what is to be sent."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Header, Query, Request, Response

from recado.gateway.callers import AnyReader, Caller, Reader, Sender, documented, identifier
from recado.gateway.conversations import abouts, passport, past, repository, service
from recado.gateway.conversations.abouts import list_marks
from recado.gateway.conversations.abouts_schemas import VersionsTold, VersionTold
from recado.gateway.conversations.content_schemas import read_content
from recado.gateway.conversations.contents import with_preview
from recado.gateway.conversations.passing import Passing
from recado.gateway.conversations.passport_schemas import PassportTold
from recado.gateway.conversations.schemas import (
    ConversationPage,
    ConversationTold,
    MessageAccepted,
    MessagePage,
    MessageTold,
    NewMessage,
    PastAccepted,
    PastForm,
    Reading,
    WaitingPage,
    WaitingTold,
)
from recado.gateway.cursors import cursor, number_cursor, uuid_cursor
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import NotFound
from recado.gateway.security import MANAGE
from recado.gateway.web.words import language_of, words_in

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["conversations"], dependencies=[documented])
own = APIRouter(prefix="/v1", tags=["conversations"], dependencies=[documented])
Language = Annotated[Literal["en", "pt-BR"] | None, Query(description="Of the sentences; left out: what is asked for")]
Abouts = Annotated[bool, Query(description="With those that only say something of another message")]
Limit = Annotated[int, Query(ge=1, le=200)]
LabelWanted = Annotated[str | None, Query(max_length=64, description="Only those that carry the label with this id")]


@router.get("/conversations")
async def list_conversations(
    caller: Reader, before: str | None = None, limit: Limit = 50, label: LabelWanted = None
) -> ConversationPage:
    """The most recently used first."""
    start = uuid_cursor(before)
    async with caller.unit() as unit:
        found = await repository.list_conversations(unit, before=start, limit=limit + 1, label=label)
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
    caller: Reader, conversation_id: str, before: str | None = None, limit: Limit = 50, with_abouts: Abouts = True
) -> MessagePage:
    """The newest first."""
    start, wanted = number_cursor(before), identifier(conversation_id)
    async with caller.unit() as unit:
        await repository.get_conversation(unit, wanted)
        found = await repository.list_messages(unit, wanted, before=start, limit=limit + 1, with_abouts=with_abouts)
        page = found[:limit]
        marks = await list_marks(unit, wanted, [row.provider_message_id for row in page])
    end = cursor(page[-1].sent_at, page[-1].id) if len(found) > limit else None
    return MessagePage(items=[MessageTold.of(row, marks) for row in page], next=end)


@router.post("/conversations/{conversation_id}/history", status_code=202)
async def request_history(
    request: Request, caller: Sender, conversation_id: str, asked: PastForm | None = None
) -> PastAccepted:
    """
    Ask the phone for messages older than the oldest one here. They come as `message.received` with the source history,
    and `history.received` names this request; 409 on a road that has no past.
    """
    now, count = request.app.state.gateway.clock.now(), (asked or PastForm()).count
    async with caller.unit() as unit:
        return PastAccepted(request=await past.request_past(unit, identifier(conversation_id), count=count, now=now))


@router.post("/conversations/{conversation_id}/read", status_code=204)
async def mark_read(
    request: Request, caller: Sender, conversation_id: str, asked: Annotated[Reading | None, Body()] = None
) -> Response:
    """Count nothing as unread here, and have the other side told so, unless `tell` is false."""
    now, tell = request.app.state.gateway.clock.now(), asked is None or asked.tell
    async with caller.unit() as unit:
        await service.mark_read(unit, identifier(conversation_id), tell=tell, now=now)
    return Response(status_code=204)


@router.post("/messages", status_code=202)
async def send_message(
    request: Request,
    response: Response,
    caller: Sender,
    asked: NewMessage,
    idempotency_key: Annotated[str | None, Header(description="The same key and body: the same answer, once")] = None,
) -> MessageAccepted:
    """
    Queue a text or another content. The answer comes at once; its way (sent, delivered, read) is told by the events. A
    guardrail may hold it back (`held` says until when; it goes by itself) or refuse it.
    """
    now = request.app.state.gateway.clock.now()
    text, content = asked.text, read_content(asked.content) if asked.content is not None else None
    if asked.preview:
        text, content = None, with_preview(text, content)
    accepted = await caller.run(
        lambda unit: service.queue_message(
            unit,
            text=text,
            content=content,
            now=now,
            to=asked.to,
            conversation_id=asked.conversation_id,
            quoting=asked.quoting,
            idempotency_key=idempotency_key,
            origin=Origin(asked.origin) if asked.origin is not None else None,
            send_at=asked.send_at,
            provider=asked.provider,
            passing=Passing(asked.forward, asked.expires_in),
        )
    )
    if accepted.is_repeat:
        response.headers["idempotency-replayed"] = "true"
    return MessageAccepted.of(accepted.queued)


@router.get("/outbox")
async def list_waiting(
    request: Request,
    caller: Reader,
    only: Literal["scheduled", "held"] | None = None,
    after: str | None = None,
    limit: Limit = 50,
) -> WaitingPage:
    """What was queued and has no fate yet, the next one to go first; `only` what is scheduled, or held back."""
    start, now = number_cursor(after), request.app.state.gateway.clock.now()
    async with caller.unit() as unit:
        found = await repository.list_waiting(unit, only=only, now=now, after=start, limit=limit + 1)
    page = found[:limit]
    end = cursor(page[-1].due_at, page[-1].id) if len(found) > limit else None
    return WaitingPage(items=[WaitingTold.of(row) for row in page], next=end)


@router.get("/messages/{message_id}")
async def get_message(caller: Reader, message_id: str) -> MessageTold:
    """One message by its id, with how far it got."""
    async with caller.unit() as unit:
        row = await repository.get_message(unit, message_id)
        return MessageTold.of(row, await list_marks(unit, row.conversation_id, [message_id]))


@router.get("/messages/{message_id}/versions")
async def list_versions(caller: Reader, message_id: str) -> VersionsTold:
    """What an edited message said before; of one that was deleted only with the scope `manage`."""
    async with caller.unit() as unit:
        row = await repository.get_message(unit, message_id)
        if row.revoked_at is not None:
            caller.principal.require(MANAGE)
        return VersionsTold(items=[VersionTold.of(each) for each in await abouts.list_versions(unit, row.id)])


@router.delete("/messages/{message_id}", status_code=204)
async def cancel_message(request: Request, caller: Sender, message_id: str) -> Response:
    """Call back a message that has not reached the wire: one that is scheduled, held, or waits for its turn."""
    now = request.app.state.gateway.clock.now()
    async with caller.unit() as unit:
        await service.cancel_message(unit, message_id, now=now)
    return Response(status_code=204)


@router.get("/messages/{message_id}/passport")
async def get_passport(request: Request, caller: Reader, message_id: str, language: Language = None) -> PassportTold:
    """Everything about one message: its steps, the events that told of it, how each webhook took them."""
    return await _passport(request, caller, message_id, language)


@own.get("/messages/{message_id}/passport")
async def get_own_passport(
    request: Request, caller: AnyReader, message_id: str, language: Language = None
) -> PassportTold:
    """The same, of a message of the mentorado whose key this is."""
    if caller.principal.mentorado_id is None:
        raise NotFound
    return await _passport(request, caller, message_id, language)


async def _passport(request: Request, caller: Caller, message_id: str, language: str | None) -> PassportTold:
    words = words_in(language or language_of(request))
    async with caller.unit() as unit:
        return PassportTold.of(await passport.get_passport(unit, message_id), words)
