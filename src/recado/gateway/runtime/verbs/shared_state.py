"""
How the account's own devices show chats and messages, its labels, profile, settings and linked devices, as verbs.
What changes comes back as facts of the account, so rows are the projector's business, and nothing is recorded here.
"""

from __future__ import annotations

import base64
from datetime import datetime

from recado.errors import UsageError
from recado.events import MessageId
from recado.gateway.providers.provider import Provider
from recado.gateway.providers.shared_state import ChatVerbs, NamedMessage, SupportsChats, SupportsProfile
from recado.gateway.runtime.verbs.verb import Answer, Body, Verb
from recado.jid import JID


def _chats(provider: Provider) -> ChatVerbs:
    if not isinstance(provider, SupportsChats):
        raise UsageError("this connection shares no state with other devices")
    return provider.chats


def _own(provider: Provider) -> SupportsProfile:
    if not isinstance(provider, SupportsProfile):
        raise UsageError("this connection has no profile")
    return provider


def _in(chat: JID | None) -> JID:
    if chat is None:
        raise UsageError("say in which chat")
    return chat


def _named(chat: JID | None, body: Body) -> NamedMessage:
    said = body["message"]
    author = JID.parse(said["author"]) if said["author"] is not None else None
    sent_at = datetime.fromisoformat(said["sent_at"])
    return NamedMessage(_in(chat), MessageId(said["id"]), bool(said["from_me"]), sent_at, author)


async def _change_chat(provider: Provider, chat: JID | None, body: Body) -> Answer:
    """Each thing that is said of it, one after the other; said twice, nothing is different."""
    verbs, where = _chats(provider), _in(chat)
    if (archived := body.get("archived")) is not None:
        await verbs.archive(where, is_archived=archived)
    if (pinned := body.get("pinned")) is not None:
        await verbs.pin(where, is_pinned=pinned)
    if "muted_until" in body:
        match body["muted_until"]:
            case None:
                await verbs.unmute(where)
            case "forever":
                await verbs.mute(where, None)
            case until:
                await verbs.mute(where, datetime.fromisoformat(until))
    if (unread := body.get("unread")) is not None:
        await verbs.mark(where, is_read=not unread)
    return {}


async def _clear_chat(provider: Provider, chat: JID | None, body: Body) -> Answer:
    await _chats(provider).clear(_in(chat), keep_starred=bool(body["keep_starred"]))
    return {}


async def _delete_chat(provider: Provider, chat: JID | None, body: Body) -> Answer:
    await _chats(provider).delete(_in(chat))
    return {}


async def _star(provider: Provider, chat: JID | None, body: Body) -> Answer:
    await _chats(provider).star(_named(chat, body), is_starred=bool(body["starred"]))
    return {}


async def _hide(provider: Provider, chat: JID | None, body: Body) -> Answer:
    await _chats(provider).hide(_named(chat, body))
    return {}


async def _edit_label(provider: Provider, chat: JID | None, body: Body) -> Answer:
    if body["name"] is None:
        await _chats(provider).delete_label(body["label"])
    else:
        await _chats(provider).edit_label(body["label"], body["name"], color=int(body["color"]))
    return {}


async def _place_label(provider: Provider, chat: JID | None, body: Body) -> Answer:
    on = _named(chat, body) if "message" in body else _in(chat)
    await _chats(provider).label(body["label"], on, is_labeled=bool(body["labeled"]))
    return {}


async def _read_profile(provider: Provider, chat: JID | None, body: Body) -> Answer:
    told = await _own(provider).profile.read()
    return {
        "name": told.name,
        "about": told.about,
        "has_picture": told.has_picture,
        "privacy": dict(told.privacy),
        "default_timer": told.default_timer,
        "blocked": [str(each) for each in told.blocked],
    }


async def _change_profile(provider: Provider, chat: JID | None, body: Body) -> Answer:
    verbs = _own(provider).profile
    if (name := body.get("name")) is not None:
        await verbs.set_name(name)
    if (about := body.get("about")) is not None:
        await verbs.set_about(about)
    if (seconds := body.get("default_timer")) is not None:
        await verbs.set_default_timer(int(seconds))
    for setting, value in (body.get("privacy") or {}).items():
        await verbs.set_privacy(setting, value)
    return {}


async def _set_picture(provider: Provider, chat: JID | None, body: Body) -> Answer:
    jpeg = base64.b64decode(body["jpeg"]) if body["jpeg"] is not None else None
    await _own(provider).profile.set_picture(jpeg)
    return {}


async def _read_business(provider: Provider, chat: JID | None, body: Body) -> Answer:
    return {"business": await _own(provider).profile.business(_in(chat))}


async def _list_devices(provider: Provider, chat: JID | None, body: Body) -> Answer:
    told = await _own(provider).devices.list()
    return {
        "devices": [
            {
                "number": each.number,
                "is_phone": each.number == 0,
                "is_this": each.is_this,
                "is_hosted": each.is_hosted,
                "is_vouched": each.is_vouched,
            }
            for each in told
        ]
    }


async def _remove_device(provider: Provider, chat: JID | None, body: Body) -> Answer:
    await _own(provider).devices.remove(int(body["number"]))
    return {}


STATE_VERBS = {
    "chat.change": Verb(_change_chat),
    "chat.clear": Verb(_clear_chat, once=True),
    "chat.delete": Verb(_delete_chat, once=True),
    "message.star": Verb(_star),
    "message.hide": Verb(_hide),
    "label.edit": Verb(_edit_label),
    "label.place": Verb(_place_label),
    "profile.read": Verb(_read_profile),
    "profile.change": Verb(_change_profile),
    "profile.picture": Verb(_set_picture),
    "business.read": Verb(_read_business),
    "devices.list": Verb(_list_devices),
    "devices.remove": Verb(_remove_device),
}
