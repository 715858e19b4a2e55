"""
Channels over HTTP. A channel is a conversation; posting is sending a message into it. Each verb asks WhatsApp, and
answers with a request: 200 with what came of it when `Prefer: wait=N` waited long enough, 202 otherwise. A road without
channels is a 409.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter

from recado.gateway.callers import Caller, Manager, Reader, documented, identifier
from recado.gateway.channels import service
from recado.gateway.channels.schemas import (
    ChannelForm,
    ChannelLink,
    ChannelTold,
    Muting,
    NewChannel,
    PostReaction,
    PostsAsked,
)
from recado.gateway.conversations.repository import get_conversation
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import Road
from recado.gateway.refusals import BadAddress
from recado.gateway.requests.asking import Ask, Asking
from recado.gateway.requests.schemas import RequestTold
from recado.jid import JID, NEWSLETTER

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["channels"], dependencies=[documented])
_CHANNEL = "/conversations/{conversation_id}/channel"


def _has_channels(road: Road) -> bool:
    return road.has_channels


@router.post("/channels", status_code=202)
async def create_channel(caller: Manager, asking: Ask, form: NewChannel) -> RequestTold:
    """Make a channel; the answer has it with its conversation. Never made twice for one request."""
    return await asking.ask(caller, "channel.create", able=_has_channels, body=form.model_dump())


@router.post("/channels/sync", status_code=202)
async def list_channels(caller: Manager, asking: Ask) -> RequestTold:
    """Ask for every channel the account follows or has, and keep them as conversations."""
    return await asking.ask(caller, "channel.list", able=_has_channels)


@router.post("/channels/look", status_code=202)
async def look_at_channel(caller: Manager, asking: Ask, form: ChannelLink) -> RequestTold:
    """What a link leads to, without following it."""
    return await asking.ask(caller, "channel.look", able=_has_channels, body=form.model_dump())


@router.post("/channels/follow", status_code=202)
async def follow_by_link(caller: Manager, asking: Ask, form: ChannelLink) -> RequestTold:
    """Follow a channel by its link; its posts come as messages from then on."""
    return await asking.ask(caller, "channel.follow", able=_has_channels, body=form.model_dump())


@router.get(_CHANNEL)
async def get_channel(caller: Reader, conversation_id: str) -> ChannelTold:
    """A channel as last told; `…/channel/sync` asks for it anew."""
    async with caller.unit() as unit:
        await _channel(conversation_id)(unit)
        return ChannelTold.of(await service.find_channel(unit, identifier(conversation_id)) or {})


@router.patch(_CHANNEL, status_code=202)
async def change_channel(caller: Manager, asking: Ask, conversation_id: str, form: ChannelForm) -> RequestTold:
    """Give one's own channel another name, description or picture."""
    said = form.model_dump(exclude_unset=True)
    if "jpeg" in said:
        said["jpeg"] = base64.b64encode(form.jpeg).decode() if form.jpeg else None
    return await _ask(caller, asking, "channel.change", conversation_id, said)


@router.delete(_CHANNEL, status_code=202)
async def delete_channel(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Delete one's own channel for everybody; its conversation stays."""
    return await _ask(caller, asking, "channel.delete", conversation_id)


@router.post(f"{_CHANNEL}/sync", status_code=202)
async def sync_channel(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Ask for a channel anew."""
    return await _ask(caller, asking, "channel.get", conversation_id)


@router.post(f"{_CHANNEL}/follow", status_code=202)
async def follow_channel(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Follow a channel (again)."""
    return await _ask(caller, asking, "channel.follow", conversation_id)


@router.post(f"{_CHANNEL}/unfollow", status_code=202)
async def unfollow_channel(caller: Manager, asking: Ask, conversation_id: str) -> RequestTold:
    """Follow a channel no longer; its conversation stays."""
    return await _ask(caller, asking, "channel.unfollow", conversation_id)


@router.put(f"{_CHANNEL}/mute", status_code=202)
async def mute_channel(caller: Manager, asking: Ask, conversation_id: str, form: Muting) -> RequestTold:
    """Have a channel's posts make no sound, or make one again."""
    return await _ask(caller, asking, "channel.mute", conversation_id, form.model_dump())


@router.post(f"{_CHANNEL}/posts", status_code=202)
async def list_posts(caller: Manager, asking: Ask, conversation_id: str, form: PostsAsked) -> RequestTold:
    """The posts of a channel, with how often each was seen and the reactions to it; older than was followed, too."""
    return await _ask(caller, asking, "channel.posts", conversation_id, form.model_dump())


@router.post(f"{_CHANNEL}/reactions", status_code=202)
async def react(caller: Manager, asking: Ask, conversation_id: str, form: PostReaction) -> RequestTold:
    """React to a post, by its `number`."""
    return await _ask(caller, asking, "channel.react", conversation_id, form.model_dump())


async def _ask(
    caller: Caller, asking: Asking, verb: str, conversation_id: str, body: dict[str, Any] | None = None
) -> RequestTold:
    return await asking.ask(caller, verb, able=_has_channels, chat=_channel(conversation_id), body=body)


def _channel(conversation_id: str) -> Callable[[Unit], Awaitable[JID]]:
    """The address of a channel's conversation. Raises NotFound, BadAddress when it is no channel."""

    async def find(unit: Unit) -> JID:
        conversation = await get_conversation(unit, identifier(conversation_id))
        if conversation.address.server != NEWSLETTER:
            raise BadAddress("that conversation is no channel")
        return conversation.address

    return find
