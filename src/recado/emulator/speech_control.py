"""
The part of the control that speaks: a person says a text or any other content, to somebody or in a group, reads, types,
listens to a voice message, opens a file; and makes groups and channels to do it in. Contents are JSON as everywhere.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from recado.content import Content, Media
from recado.content_json import content_from_json, content_to_json
from recado.emulator.whatsapp.inbox import Shown
from recado.emulator.whatsapp.newsletters import Channel
from recado.emulator.whatsapp.phone import Phone
from recado.errors import BadRecord, MediaError, UsageError
from recado.jid import JID

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

Handler = Callable[[web.Request], Awaitable[web.Response]]
Named = Callable[[web.Request], Phone]

_LONGEST_WAIT = 60.0


class SpeechControl:
    """The handlers, for one world."""

    def __init__(self, world: World, named: Named) -> None:
        self._world = world
        self._named = named

    async def messages(self, request: web.Request) -> web.Response:
        """What a phone shows behind the first `after` messages; waits up to `wait` seconds for the next."""
        phone, after = self._named(request), int(request.query.get("after", "0"))
        wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT)
        if wait > 0 and len(phone.messages) <= after:
            try:
                await self._world.until(lambda: len(phone.messages) > after, "nothing came", patience=wait)
            except AssertionError:
                pass  # an empty list says so
        shown = [self._message(each) for each in phone.messages[after:]]
        return _json({"messages": shown, "after": len(phone.messages), "repeats": phone.repeats})

    async def say(self, request: web.Request) -> web.Response:
        """A phone writes a text or another content, `file` being the bytes of one that has a file."""
        phone, asked = self._named(request), await _body(request)
        quoting = next((each for each in phone.messages if each.id == asked.get("quoting")), None)
        to, said = _text(asked, "to"), _said(asked)
        if isinstance(said, Media) and said.remote is None:
            if not isinstance(asked.get("file"), str):
                raise UsageError("'file' is the bytes of it, in base64")
            said = phone.files.put(said.kind, b64decode(asked["file"], validate=True), said)
        return _json(self._message(await phone.say(to, said, quoting=quoting)), status=201)

    async def file(self, request: web.Request) -> web.Response:
        """The bytes of a file that is on the screen."""
        content = self._on_screen(request).content
        if not isinstance(content, Media):
            raise UsageError("that message has no file")
        try:
            opened = self._named(request).files.open(content)
        except MediaError:
            raise UsageError("the file does not open") from None
        return web.Response(body=opened, content_type=content.mime_type or "application/octet-stream")

    async def play(self, request: web.Request) -> web.Response:
        """A person listens to a voice message, or sees a film."""
        shown = self._on_screen(request)
        await self._named(request).play(shown)
        return _json(self._message(shown))

    async def read(self, request: web.Request) -> web.Response:
        """A person opens a chat (or all)."""
        asked = await _body(request)
        read = await self._named(request).read(asked.get("chat"))
        return _json({"read": [each.id for each in read]})

    async def typing(self, request: web.Request) -> web.Response:
        """A person types (or records), or stopped."""
        asked = await _body(request)
        how = {name: bool(asked.get(name)) for name in ("stopped", "recording")}
        await self._named(request).typing(_text(asked, "to"), **how)
        return _json({})

    async def groups(self, request: web.Request) -> web.Response:
        """The groups a phone is in."""
        found = self._world.groups.of(self._named(request).account)
        return _json({"groups": [{"group": str(each.jid), "subject": each.subject} for each in found]})

    async def make_group(self, request: web.Request) -> web.Response:
        """A person makes a group with people."""
        asked = await _body(request)
        subject, people = _text(asked, "subject"), asked.get("people")
        if not isinstance(people, list):
            raise UsageError("'people' is a list of phones")
        group = await self._named(request).groups.create(subject, *[self._phone(whom) for whom in people])
        return _json({"group": str(group), "subject": subject}, status=201)

    async def change_group(self, request: web.Request) -> web.Response:
        """A person takes people into a group, puts them out, lets them administer it, or leaves it."""
        asked, groups = await _body(request), self._named(request).groups
        group = JID.parse(request.match_info["group"])
        verbs = {"add": groups.add, "remove": groups.remove, "promote": groups.promote}
        for name in verbs.keys() & asked.keys():
            await verbs[name](group, *[self._phone(whom) for whom in list(asked[name])])
        if asked.get("leave"):
            await groups.leave(group)
        return _json({"group": str(group)})

    async def channels(self, request: web.Request) -> web.Response:
        """The channels a phone has, runs or follows."""
        account = self._named(request).account
        found = self._world.channels.of(account)
        return _json({"channels": [_channel(each, role=each.role(account).lower()) for each in found]})

    async def make_channel(self, request: web.Request) -> web.Response:
        """A person makes a channel."""
        asked, phone = await _body(request), self._named(request)
        made = phone.channels.create(_text(asked, "name"), str(asked.get("description") or ""))
        return _json(_channel(made, role="owner"), status=201)

    async def use_channel(self, request: web.Request) -> web.Response:
        """A person posts in a channel, follows it (by its address or the code of its link), or leaves it."""
        asked, phone, key = await _body(request), self._named(request), request.match_info["channel"]
        if "follow" in asked:
            return _json({"channel": str(phone.channels.follow(key, is_followed=bool(asked["follow"])))})
        return _json({"id": phone.channels.post(JID.parse(key), _said(asked))}, status=201)

    def _phone(self, whom: object) -> Phone:
        phone = self._world.phone_at(str(whom))
        if phone is None:
            raise UsageError("nobody has that name, number or address here")
        return phone

    def _on_screen(self, request: web.Request) -> Shown:
        wanted = request.match_info["id"]
        shown = next((each for each in self._named(request).messages if each.id == wanted), None)
        if shown is None:
            raise web.HTTPNotFound(text=json.dumps({"detail": "no such message"}), content_type="application/json")
        return shown

    def _message(self, shown: Shown) -> dict[str, object]:
        group = self._world.groups.find(shown.chat) if shown.chat.is_group else None
        chat, sender = self._world.directory.account(shown.chat), self._world.directory.account(shown.sender)
        name = group.subject if group is not None else chat.name if chat is not None else shown.chat.user
        return {
            "id": shown.id,
            "chat": str(shown.chat) if shown.chat.is_group else shown.chat.user,
            "name": name,
            "from": sender.name if sender is not None else shown.sender.user,
            "from_me": shown.from_me,
            "text": shown.text,
            "content": None if shown.content is None else content_to_json(shown.content),
            "at": shown.at.isoformat(),
            "ticks": shown.ticks if shown.from_me else None,
            "read": shown.is_read,
            "times": shown.times,
            "quoting": shown.quoted,
        }


def add_speech_control(app: web.Application, world: World, named: Named, guarded: Callable[[Handler], Handler]) -> None:
    """Add these routes to the server's application."""
    control, phone = SpeechControl(world, named), "/admin/phones/{phone}"
    app.router.add_get(f"{phone}/messages", guarded(control.messages))
    app.router.add_get(f"{phone}/messages/{{id}}/file", guarded(control.file))
    app.router.add_post(f"{phone}/messages/{{id}}/play", guarded(control.play))
    for verb in (control.say, control.read, control.typing):
        app.router.add_post(f"{phone}/{verb.__name__}", guarded(verb))
    app.router.add_get(f"{phone}/groups", guarded(control.groups))
    app.router.add_post(f"{phone}/groups", guarded(control.make_group))
    app.router.add_post(f"{phone}/groups/{{group}}", guarded(control.change_group))
    app.router.add_get(f"{phone}/channels", guarded(control.channels))
    app.router.add_post(f"{phone}/channels", guarded(control.make_channel))
    app.router.add_post(f"{phone}/channels/{{channel}}", guarded(control.use_channel))
    app.router.add_get("/admin/contents", guarded(_contents))


def _channel(channel: Channel, *, role: str) -> dict[str, object]:
    link = f"https://whatsapp.com/channel/{channel.invite}"
    followers = len(channel.followers)
    return {"channel": str(channel.jid), "name": channel.name, "link": link, "role": role, "followers": followers}


async def _contents(request: web.Request) -> web.Response:
    """Every content there is, by its "type", with the names of its fields."""
    return _json({_type_of(kind): _fields_of(kind) for kind in get_args(Content)})


def _fields_of(kind: type[Content]) -> list[str]:
    return [each.name for each in fields(kind) if each.init]


def _type_of(kind: type) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("_")


def _said(asked: dict[str, Any]) -> str | Content:
    """What is to be said. Raises UsageError."""
    if ("text" in asked) == ("content" in asked):
        raise UsageError("'text' or 'content' says what is written, and only one of them")
    if "text" in asked:
        return _text(asked, "text")
    body = asked["content"]
    try:
        content = content_from_json(body)
    except BadRecord:
        raise UsageError("'content' is none that is known: GET /admin/contents names them and their fields") from None
    unknown = body.keys() - {"type", *_fields_of(type(content))}
    if unknown:
        raise UsageError(f"a content of that type has no {', '.join(sorted(unknown))}: GET /admin/contents")
    return content


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


def _json(value: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(value, status=status)
