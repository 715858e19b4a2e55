"""
Groups, as verbs: what the API asks is asked of the provider's `groups`, and what it says becomes JSON. What was learnt
of a group (its name, rules and members) is kept as rows in the transaction of the answer.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from recado.errors import UsageError
from recado.gateway.db.unit import Unit
from recado.gateway.groups import service
from recado.gateway.providers.groups import GroupVerbs, Outcome, SupportsGroups
from recado.gateway.providers.provider import Provider
from recado.gateway.requests.repository import Asked
from recado.gateway.runtime.group_asking import ask_again
from recado.gateway.runtime.verbs.verb import Answer, Body, Record, Verb
from recado.groups import Group
from recado.jid import JID

_Do = Callable[[GroupVerbs, JID, Body], Awaitable[Answer]]
_Many = Callable[[GroupVerbs], Callable[[JID, Sequence[JID]], Awaitable[Sequence[Outcome]]]]
NOT_ADDED = {
    403: "their settings let only people they know add them: send them the invitation",
    404: "there is nobody with that number",
    408: "they left a short while ago, and cannot be added yet",
    409: "it is so already",
    419: "the group is full",
}


def _verbs(provider: Provider) -> GroupVerbs:
    if not isinstance(provider, SupportsGroups):
        raise UsageError("this connection has no groups")
    return provider.groups


def _in_group(do: _Do, *, once: bool = False, record: Record | None = None) -> Verb:
    """A verb about one group."""

    async def run(provider: Provider, chat: JID | None, body: Body) -> Answer:
        if chat is None:
            raise UsageError("say in which group")
        return await do(_verbs(provider), chat, body)

    return Verb(run, once=once, record=record)


async def _keep(unit: Unit, asked: Asked, answer: Answer) -> None:
    """The groups that were told whole, as rows; the answer names their conversations."""
    whole = [answer["group"]] if "group" in answer else answer.get("groups", [])
    for group in whole:
        group["conversation_id"] = str(await service.keep_group(unit, asked.provider, group))


async def _keep_unless_older(unit: Unit, asked: Asked, answer: Answer) -> None:
    """
    The same of groups nothing changed in since this was asked. Of the others a change may be committed that the answer
    does not know: they are asked about once more, and their rows stay.
    """
    whole = [answer["group"]] if "group" in answer else answer.get("groups", [])
    changed = await service.list_changed(unit, asked.provider, asked.asked_at)
    for place, group in enumerate(whole):
        if group["chat"] in changed:
            await ask_again(unit, asked, group["chat"], place=place)
            group["conversation_id"] = str(await service.conversation_of(unit, group))
        else:
            group["conversation_id"] = str(await service.keep_group(unit, asked.provider, group))


async def _create(provider: Provider, chat: JID | None, body: Body) -> Answer:
    expires_in, parent = body.get("expires_in"), body.get("parent")
    made = await _verbs(provider).create(
        body["subject"],
        _people(body),
        expires_in=timedelta(seconds=expires_in) if expires_in else None,
        is_announcement=bool(body.get("is_announcement")),
        is_locked=bool(body.get("is_locked")),
        needs_approval=bool(body.get("needs_approval")),
        parent=JID.parse(parent) if parent else None,
        is_community=bool(body.get("is_community")),
    )
    return {"group": group_to_json(made)}


async def _all(provider: Provider, chat: JID | None, body: Body) -> Answer:
    return {"groups": [group_to_json(group) for group in await _verbs(provider).all()]}


async def _join(provider: Provider, chat: JID | None, body: Body) -> Answer:
    verbs = _verbs(provider)
    joined = await verbs.join(body["code"])
    if joined.is_waiting:
        return {"chat": str(joined.group), "is_waiting": True}
    return {"chat": str(joined.group), "is_waiting": False, "group": group_to_json(await verbs.get(joined.group))}


async def _look(provider: Provider, chat: JID | None, body: Body) -> Answer:
    return {"found": group_to_json(await _verbs(provider).invited_to(body["code"]))}


async def _get(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    return {"group": group_to_json(await verbs.get(group, anew=True))}


def _with_people(choose: _Many) -> _Do:
    async def do(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
        return {"people": [_outcome(each) for each in await choose(verbs)(group, _people(body))]}

    return do


async def _leave(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    await verbs.leave(group)
    return {}


async def _set_profile(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    if "subject" in body:
        await verbs.rename(group, body["subject"])
    if "description" in body:
        await verbs.describe(group, body["description"])
    return {"group": group_to_json(await verbs.get(group, anew=True))}


async def _set_photo(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    jpeg = body.get("jpeg")
    await verbs.set_photo(group, base64.b64decode(jpeg) if jpeg else None)
    return {}


async def _set_rules(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    for name, set_to in (
        ("is_announcement", verbs.set_announcement),
        ("is_locked", verbs.set_locked),
        ("admins_add_only", verbs.set_admins_add_only),
        ("needs_approval", verbs.set_approval),
    ):
        if name in body:
            await set_to(group, body[name])
    if "expires_in" in body:
        await verbs.set_expiration(group, timedelta(seconds=body["expires_in"]) if body["expires_in"] else None)
    return {"group": group_to_json(await verbs.get(group, anew=True))}


async def _invite(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    return _code(await verbs.invite_code(group))


async def _revoke_invite(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    return _code(await verbs.invite_code(group, is_new=True))


async def _join_requests(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    waiting = await verbs.join_requests(group)
    return {
        "waiting": [
            {
                "who": str(each.person),
                "asked_at": each.asked_at.isoformat() if each.asked_at else None,
                "method": each.method,
            }
            for each in waiting
        ]
    }


async def _subgroups(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    return {
        "subgroups": [
            {"chat": str(each.jid), "subject": each.subject, "is_default": each.is_default}
            for each in await verbs.subgroups(group)
        ]
    }


async def _link(verbs: GroupVerbs, group: JID, body: Body) -> Answer:
    groups = [JID.parse(each) for each in body["chats"]]
    await (verbs.link(group, groups) if body["is_linked"] else verbs.unlink(group, groups))
    return {}


def _people(body: Body) -> list[JID]:
    return [JID.parse(each) for each in body["people"]]


def _code(code: str) -> Answer:
    return {"code": code, "link": f"https://chat.whatsapp.com/{code}"}


def _outcome(each: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"who": str(each.person), "done": each.error is None}
    if each.error is not None:
        told |= {"code": each.error, "problem": NOT_ADDED.get(each.error, f"WhatsApp refused ({each.error})")}
    if each.invite_code is not None:
        expires_at = each.invite_expires_at
        told["invite"] = {"code": each.invite_code, "expires_at": expires_at.isoformat() if expires_at else None}
    return told


def group_to_json(group: Group) -> dict[str, Any]:
    """A group as answers tell it."""
    return {
        "chat": str(group.jid),
        "subject": group.subject,
        "description": group.description,
        "is_announcement": group.is_announcement,
        "is_locked": group.is_locked,
        "admins_add_only": group.admins_add_only,
        "needs_approval": group.needs_approval,
        "expires_in": group.expires_in,
        "is_community": group.is_community,
        "parent": str(group.parent) if group.parent else None,
        "members": [
            {"who": str(each.jid), "alt": str(each.alt) if each.alt else None, "role": each.role.value}
            for each in group.members
        ],
    }


GROUP_VERBS: dict[str, Verb] = {
    "group.create": Verb(_create, once=True, record=_keep),
    "group.list": Verb(_all, record=_keep_unless_older),
    "group.join": Verb(_join, record=_keep),
    "group.look": Verb(_look),
    "group.get": _in_group(_get, record=_keep_unless_older),
    "group.profile": _in_group(_set_profile, record=_keep),
    "group.photo": _in_group(_set_photo),
    "group.rules": _in_group(_set_rules, record=_keep),
    "group.add": _in_group(_with_people(lambda verbs: verbs.add)),
    "group.remove": _in_group(_with_people(lambda verbs: verbs.remove)),
    "group.promote": _in_group(_with_people(lambda verbs: verbs.promote)),
    "group.demote": _in_group(_with_people(lambda verbs: verbs.demote)),
    "group.leave": _in_group(_leave),
    "group.invite": _in_group(_invite),
    "group.revoke_invite": _in_group(_revoke_invite, once=True),
    "group.join_requests": _in_group(_join_requests),
    "group.approve": _in_group(_with_people(lambda verbs: verbs.approve)),
    "group.reject": _in_group(_with_people(lambda verbs: verbs.reject)),
    "group.subgroups": _in_group(_subgroups),
    "group.link": _in_group(_link),
}
