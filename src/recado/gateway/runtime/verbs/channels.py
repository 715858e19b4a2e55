"""
Channels, as verbs: what the API asks is asked of the provider's `channels`, and what it says becomes JSON. What was
learnt of a channel is kept as rows in the transaction of the answer.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from recado.content import Content, content_text
from recado.errors import UsageError
from recado.gateway.channels import service
from recado.gateway.db.unit import Unit
from recado.gateway.providers.channels import Channel, ChannelVerbs, Posted, SupportsChannels
from recado.gateway.providers.provider import Provider
from recado.gateway.requests.repository import Asked
from recado.gateway.runtime.verbs.verb import Answer, Body, Verb
from recado.jid import JID
from recado.store.facts import content_to_json

_Do = Callable[[ChannelVerbs, JID, Body], Awaitable[Answer]]


def _verbs(provider: Provider) -> ChannelVerbs:
    if not isinstance(provider, SupportsChannels):
        raise UsageError("this connection has no channels")
    return provider.channels


def _in_channel(do: _Do, *, once: bool = False, keeps: bool = False) -> Verb:
    """A verb about one channel."""

    async def run(provider: Provider, chat: JID | None, body: Body) -> Answer:
        if chat is None:
            raise UsageError("say in which channel")
        return await do(_verbs(provider), chat, body)

    return Verb(run, once=once, record=_keep if keeps else None)


async def _keep(unit: Unit, asked: Asked, answer: Answer) -> None:
    """The channels that were told, as rows; the answer names their conversations."""
    for channel in [answer["channel"]] if "channel" in answer else answer.get("channels", []):
        channel["conversation_id"] = str(await service.keep_channel(unit, channel))


async def _all(provider: Provider, chat: JID | None, body: Body) -> Answer:
    return {"channels": [channel_to_json(each) for each in await _verbs(provider).subscribed()]}


async def _look(provider: Provider, chat: JID | None, body: Body) -> Answer:
    return {"found": channel_to_json(await _verbs(provider).get(body["code"]))}


async def _create(provider: Provider, chat: JID | None, body: Body) -> Answer:
    return {"channel": channel_to_json(await _verbs(provider).create(body["name"], body["description"]))}


async def _follow(provider: Provider, chat: JID | None, body: Body) -> Answer:
    """By its link, or one whose conversation is here."""
    verbs = _verbs(provider)
    channel = chat or (await verbs.get(body["code"])).jid
    await verbs.follow(channel)
    return await _get(verbs, channel, body)


async def _get(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    return {"channel": channel_to_json(await verbs.get(channel))}


async def _unfollow(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    await verbs.unfollow(channel)
    return await _get(verbs, channel, body)


async def _change(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    picture = base64.b64decode(body["jpeg"] or "") if "jpeg" in body else None
    await verbs.update(channel, name=body.get("name"), description=body.get("description"), picture=picture)
    return await _get(verbs, channel, body)


async def _mute(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    await verbs.mute(channel, is_muted=bool(body["muted"]))
    return {}


async def _delete(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    await verbs.delete(channel)
    return {}


async def _posts(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    found = await verbs.posts(channel, count=int(body["count"]), before=body["before"])
    return {"posts": [_post(post, content) for post, content in found]}


async def _react(verbs: ChannelVerbs, channel: JID, body: Body) -> Answer:
    await verbs.react(channel, int(body["number"]), body["emoji"])
    return {}


def channel_to_json(channel: Channel) -> dict[str, Any]:
    """A channel as answers tell it."""
    return {
        "chat": str(channel.jid),
        "name": channel.name,
        "description": channel.description,
        "subscribers": channel.subscribers,
        "role": channel.role,
        "code": channel.invite,
        "link": f"https://whatsapp.com/channel/{channel.invite}" if channel.invite else None,
    }


def _post(post: Posted, content: Content | None) -> dict[str, Any]:
    return {
        "id": post.id,
        "number": post.server_id,
        "sent_at": post.sent_at.isoformat(),
        "views": post.views,
        "reactions": dict(post.reactions),
        "text": content_text(content) if content is not None else None,
        "content": content_to_json(content) if content is not None else None,
    }


CHANNEL_VERBS: dict[str, Verb] = {
    "channel.list": Verb(_all, record=_keep),
    "channel.look": Verb(_look),
    "channel.create": Verb(_create, once=True, record=_keep),
    "channel.follow": Verb(_follow, record=_keep),
    "channel.get": _in_channel(_get, keeps=True),
    "channel.unfollow": _in_channel(_unfollow, keeps=True),
    "channel.change": _in_channel(_change, keeps=True),
    "channel.mute": _in_channel(_mute),
    "channel.delete": _in_channel(_delete),
    "channel.posts": _in_channel(_posts),
    "channel.react": _in_channel(_react),
}
