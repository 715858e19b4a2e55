"""
The operator's side of the emulated Z-API over HTTP, beside its API. It only does what a person or an operator could.

    GET  /admin/zapi                            where it is, its tokens and its seed
    GET  /admin/zapi/instances                  POST {"name", "callbacks"?, "sent_by_me"?}
    POST /admin/zapi/instances/{instance}/scan  {"phone", "qr"?, "code"?}      …/lose  …/restore  …/unlink
    GET  /admin/zapi/phones                     POST {"name", "number"?, "known_by_lid"?}
    GET  /admin/zapi/phones/{phone}/messages?after=N&wait=SECONDS
    POST /admin/zapi/phones/{phone}/say         {"to", "text", "quoting"?, "waits"?}    …/send {"to", "kind", "content"}
    POST …/read {"chat"?}  …/play {"id"}  …/react {"id", "emoji"}  …/edit {"id", "text"}  …/revoke {"id"}
    POST …/reveal {"id"}  …/choose {"id", "choice"}  …/typing {"to", "status"?}  …/offline  …/online
    GET  /admin/zapi/groups                     POST {"name", "members", "newsletter"?}
    GET  /admin/zapi/callbacks?after=N          GET /admin/zapi/requests?after=N
    POST /admin/zapi/faults {"fault", "instance"?, …}   GET, DELETE

`{instance}` and `{phone}` are names, ids or numbers. Problems are answered {"detail"} with 4xx.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.zapi.courier import Callback
from recado.emulator.zapi.faults import Fault
from recado.emulator.zapi.instances import Hook, Instance
from recado.emulator.zapi.people import Group, Message, Phone, Shown
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.zapi.world import ZApi

_LONGEST_WAIT = 60.0
_MOVES = "say|send|choose|react|read|typing|edit|revoke|play|reveal|offline|online"


class Control:
    """The handlers, for one world."""

    def __init__(self, world: ZApi) -> None:
        self._world = world

    async def about(self, request: web.Request) -> web.Response:
        """Where it is, and its tokens."""
        world = self._world
        tokens = {"client_token": world.client_token, "partner_token": world.partner_token}
        return web.json_response({"url": world.url, "seed": world.seed, **tokens})

    async def instances(self, request: web.Request) -> web.Response:
        """All instances."""
        return web.json_response({"instances": [self._instance(each) for each in self._world.instances.values()]})

    async def add_instance(self, request: web.Request) -> web.Response:
        """A new instance, or the one of that name; with `callbacks` all its callbacks go there."""
        asked = await _body(request)
        instance = self._world.instance(_text(asked, "name"))
        if asked.get("callbacks"):
            self._world.hook(instance, _text(asked, "callbacks"), sent_by_me=asked.get("sent_by_me"))
        return web.json_response(self._instance(instance), status=201)

    async def scan(self, request: web.Request) -> web.Response:
        """A phone scans the QR code the instance shows (or that text), or enters a code."""
        instance, asked = self._instance_at(request), await _body(request)
        phone = self._world.phone(_text(asked, "phone"))
        if asked.get("code"):
            phone.enter_code(instance, _text(asked, "code"))
        else:
            phone.scan(instance, asked.get("qr"))
        return web.json_response(self._instance(instance))

    async def move_instance(self, request: web.Request) -> web.Response:
        """Cut an instance off, restore it, or log it out."""
        instance, move = self._instance_at(request), request.match_info["move"]
        {"lose": self._world.lose, "restore": self._world.restore, "unlink": self._world.unlink}[move](instance)
        return web.json_response(self._instance(instance))

    async def phones(self, request: web.Request) -> web.Response:
        """All phones."""
        return web.json_response({"phones": [_phone(each) for each in self._world.phones.values()]})

    async def add_phone(self, request: web.Request) -> web.Response:
        """A new phone, or the one of that name."""
        asked = await _body(request)
        by_lid = asked.get("known_by_lid") is True
        phone = self._world.phone(_text(asked, "name"), asked.get("number"), is_known_by_lid=by_lid)
        return web.json_response(_phone(phone), status=201)

    async def messages(self, request: web.Request) -> web.Response:
        """What a phone shows behind the first `after` messages; waits up to `wait` seconds for the next."""
        phone, after = self._phone_at(request), int(request.query.get("after", "0"))
        wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT)
        if wait > 0 and len(phone.messages) <= after:
            try:
                await self._world.until(lambda: len(phone.messages) > after, "nothing came", patience=wait)
            except AssertionError:
                pass  # an empty list says so
        shown = [_shown(each) for each in phone.messages[after:]]
        return web.json_response({"messages": shown, "after": len(phone.messages), "repeats": phone.repeats})

    async def move_phone(self, request: web.Request) -> web.Response:
        """Whatever else a person does with a phone."""
        phone, asked, move = self._phone_at(request), await _body(request), request.match_info["move"]
        match move:
            case "say":
                details = {"quoting": asked.get("quoting"), "waits": asked.get("waits") is True}
                return _said(phone.say(self._whom(asked, "to"), _text(asked, "text"), **details))
            case "send":
                content = asked.get("content")
                if not isinstance(content, dict):
                    raise UsageError("'content' is an object")
                return _said(phone.send(self._whom(asked, "to"), _text(asked, "kind"), **content))
            case "choose":
                return _said(phone.choose(_text(asked, "id"), _text(asked, "choice")))
            case "react":
                return _said(phone.react(_text(asked, "id"), str(asked.get("emoji", ""))))
            case "read":
                read = phone.read(self._whom(asked, "chat") if asked.get("chat") else None)
                return web.json_response({"read": [each.id for each in read]})
            case "typing":
                phone.typing(self._whom(asked, "to"), str(asked.get("status", "COMPOSING")))
            case "edit":
                phone.edit(_text(asked, "id"), _text(asked, "text"))
            case "revoke":
                phone.revoke(_text(asked, "id"))
            case "play":
                phone.play(_text(asked, "id"))
            case "reveal":
                self._world.reveal(self._world.message(phone, _text(asked, "id")))
            case "offline":
                phone.offline()
            case _:
                phone.online()
        return web.json_response(_phone(phone))

    async def groups(self, request: web.Request) -> web.Response:
        """All groups and channels."""
        return web.json_response({"groups": [_group(each) for each in self._world.groups.values()]})

    async def add_group(self, request: web.Request) -> web.Response:
        """A new group or channel, or the one of that name."""
        asked = await _body(request)
        members = [self._world.phone(str(name)) for name in asked.get("members", [])]
        group = self._world.group(_text(asked, "name"), *members, is_newsletter=asked.get("newsletter") is True)
        return web.json_response(_group(group), status=201)

    async def callbacks(self, request: web.Request) -> web.Response:
        """The callbacks behind the first `after`, and what became of them."""
        after = int(request.query.get("after", "0"))
        listed = [_callback(each) for each in self._world.callbacks[after:]]
        return web.json_response({"callbacks": listed, "after": len(self._world.callbacks)})

    async def requests(self, request: web.Request) -> web.Response:
        """The requests of clients behind the first `after`, in outline."""
        after = int(request.query.get("after", "0"))
        listed = [
            {"method": each.method, "route": each.verb, "instance": each.instance, "status": each.status}
            for each in self._world.asked[after:]
        ]
        return web.json_response({"requests": listed, "after": len(self._world.asked)})

    async def plan_fault(self, request: web.Request) -> web.Response:
        """Plan a fault, or with `chance` scatter it."""
        asked, faults = await _body(request), self._world.faults
        try:
            fault = Fault(_text(asked, "fault"))
        except ValueError:
            raise UsageError(f"faults are {', '.join(Fault)}") from None
        about, text = asked.get("about"), str(asked.get("text", ""))
        code, seconds, whose = int(asked.get("code", 400)), float(asked.get("seconds", 0)), asked.get("instance")
        if "chance" in asked:
            faults.scatter(fault, float(asked["chance"]), whose, about=about, code=code, seconds=seconds, text=text)
        else:
            times = int(asked.get("times", 1))
            faults.plan(fault, whose, about=about, times=times, code=code, seconds=seconds, text=text)
        return await self.faults(request)

    async def faults(self, request: web.Request) -> web.Response:
        """What is planned, and the seed."""
        planned = [
            {"fault": each.fault, "instance": each.instance, "about": each.about, "times": each.times}
            for each in self._world.faults.planned
        ]
        return web.json_response({"seed": self._world.seed, "planned": planned})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Plan nothing any more."""
        self._world.faults.clear()
        return await self.faults(request)

    def _instance_at(self, request: web.Request) -> Instance:
        wanted = request.match_info["instance"]
        for instance in self._world.instances.values():
            if wanted in (instance.id, instance.name):
                return instance
        raise web.HTTPNotFound(text=json.dumps({"detail": "no such instance"}), content_type="application/json")

    def _phone_at(self, request: web.Request) -> Phone:
        found = self._world.chat_at(request.match_info["phone"])
        if not isinstance(found, Phone):
            raise web.HTTPNotFound(text=json.dumps({"detail": "no such phone"}), content_type="application/json")
        return found

    def _whom(self, asked: dict[str, Any], name: str) -> Phone | Group | Instance:
        """A phone, a group or an instance. Raises UsageError."""
        wanted = _text(asked, name)
        if (found := self._world.chat_at(wanted)) is not None:
            return found
        for group in self._world.groups.values():
            if group.name == wanted:
                return group
        for instance in self._world.instances.values():
            if wanted in (instance.id, instance.name):
                return instance
        raise UsageError("there is nobody of that name or at that address")

    def _instance(self, instance: Instance) -> dict[str, object]:
        return {
            "id": instance.id,
            "token": instance.token,
            "name": instance.name,
            "url": self._world.url_of(instance),
            "linked": instance.linked,
            "phone": instance.phone.name if instance.phone else None,
            "queue": len(instance.queue),
            "callbacks": {str(hook): instance.hooks.get(hook) for hook in Hook},
        }


def add_control(app: web.Application, world: ZApi) -> None:
    """Add the control's routes to an application."""
    control, root = Control(world), "/admin/zapi"
    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
        ("GET", "", control.about),
        ("GET", "/instances", control.instances),
        ("POST", "/instances", control.add_instance),
        ("POST", "/instances/{instance}/scan", control.scan),
        ("POST", "/instances/{instance}/{move:lose|restore|unlink}", control.move_instance),
        ("GET", "/phones", control.phones),
        ("POST", "/phones", control.add_phone),
        ("GET", "/phones/{phone}/messages", control.messages),
        ("POST", f"/phones/{{phone}}/{{move:{_MOVES}}}", control.move_phone),
        ("GET", "/groups", control.groups),
        ("POST", "/groups", control.add_group),
        ("GET", "/callbacks", control.callbacks),
        ("GET", "/requests", control.requests),
        ("GET", "/faults", control.faults),
        ("POST", "/faults", control.plan_fault),
        ("DELETE", "/faults", control.clear_faults),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, root + path, _guarded(handler))


def _guarded(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """What a caller did wrong is a 4xx with the reason in words."""

    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (UsageError, ValueError) as error:
            return web.json_response({"detail": str(error)}, status=400)

    return guarded


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    body = json.loads(text) if text.strip() else {}
    if not isinstance(body, dict):
        raise UsageError("the body is a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{name!r} is a text that must be there")
    return value


def _said(message: Message) -> web.Response:
    return web.json_response({"id": message.id, "kind": message.kind, "text": message.text}, status=201)


def _phone(phone: Phone) -> dict[str, object]:
    return {
        "name": phone.name,
        "number": phone.number,
        "lid": phone.lid,
        "online": phone.is_online,
        "messages": len(phone.messages),
        "unread": sum(1 for shown in phone.messages if not shown.from_me and not shown.is_read),
    }


def _group(group: Group) -> dict[str, object]:
    return {"id": group.id, "name": group.name, "members": [each.name for each in group.members]}


def _shown(shown: Shown) -> dict[str, object]:
    message = shown.message
    chat = message.chat if isinstance(message.chat, Group) or shown.from_me else message.sender
    return {
        "id": shown.id,
        "chat": chat.id if isinstance(chat, Group) else chat.address,
        "name": chat.name,
        "from_me": shown.from_me,
        "kind": shown.kind,
        "text": shown.text,
        "content": message.content,
        "at": message.at.isoformat(),
        "quoting": message.quoting,
        "reached": sorted(message.reached) if shown.from_me else None,
        "read": shown.is_read,
        "edited": message.is_edit,
        "revoked": message.is_revoked,
        "reactions": shown.reactions,
    }


def _callback(callback: Callback) -> dict[str, object]:
    return {
        "type": callback.type,
        "instance": callback.instance,
        "url": callback.url,
        "answers": callback.answers,
        "body": callback.body,
    }
