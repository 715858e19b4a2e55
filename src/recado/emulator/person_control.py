"""
The part of the control that moves people rather than phones: what they show, whom they block, trust and call. Each verb
does what a person could on a phone.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.whatsapp.phone import Phone
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

Handler = Callable[[web.Request], Awaitable[web.Response]]
Named = Callable[[web.Request], Phone]


class PersonControl:
    """The handlers, for one world."""

    def __init__(self, world: World, named: Named) -> None:
        self._world = world
        self._named = named

    async def profile(self, request: web.Request) -> web.Response:
        """A person shows other things, or to others."""
        phone, asked = self._named(request), await _body(request)
        if "about" in asked:
            phone.person.set_about(str(asked["about"]))
        if "picture" in asked:
            phone.person.set_picture(b64decode(asked["picture"] or "", validate=True) or None)
        if "business" in asked:
            phone.person.become_business(str(asked["business"]))
        if "timer" in asked:
            phone.person.set_timer(int(asked["timer"]))
        for setting, value in dict(asked.get("privacy", {})).items():
            phone.person.set_privacy(setting, value)
        profile = phone.account.profile
        return _json({"about": phone.account.about, "picture": profile.picture_id or None, "timer": profile.timer})

    async def block(self, request: web.Request) -> web.Response:
        """A person blocks somebody, or no longer."""
        asked = await _body(request)
        self._named(request).person.block(self._to(asked), blocked=bool(asked.get("blocked", True)))
        return _json({})

    async def trust(self, request: web.Request) -> web.Response:
        """A person gives somebody a token of trust."""
        self._named(request).person.trust(self._to(await _body(request)))
        return _json({})

    async def call(self, request: web.Request) -> web.Response:
        """A person calls somebody."""
        asked = await _body(request)
        id = self._named(request).person.call(self._to(asked), is_video=bool(asked.get("video")))
        return _json({"call": id}, status=201)

    async def hang_up(self, request: web.Request) -> web.Response:
        """A person ends the call they made."""
        asked = await _body(request)
        person = self._named(request).person
        person.hang_up(str(asked.get("call")), unanswered=bool(asked.get("unanswered")))
        return _json({"calls": person.calls})

    async def lock(self, request: web.Request) -> web.Response:
        """The account may not write first for a while; `seconds` null ends it."""
        seconds = (await _body(request)).get("seconds", 3600)
        self._named(request).person.lock(seconds=None if seconds is None else int(seconds))
        return _json({})

    async def dirty(self, request: web.Request) -> web.Response:
        """The account's linked devices are to ask for something anew."""
        what = str((await _body(request)).get("type") or "account_sync")
        phone = self._named(request)
        self._world.mark_dirty(phone.jid, what)
        return _json({str(device.number): device.dirty for device in phone.account.companions})

    async def number(self, request: web.Request) -> web.Response:
        """A person moves to another number."""
        phone = self._named(request)
        phone.person.change_number(str((await _body(request)).get("number") or ""))
        return _json({"name": phone.name, "number": phone.number})

    def _to(self, asked: dict[str, Any]) -> Phone:
        phone = self._world.phone_at(str(asked.get("to") or ""))
        if phone is None:
            raise UsageError("'to' is a phone that must be there")
        return phone


def add_person_control(app: web.Application, world: World, named: Named, guarded: Callable[[Handler], Handler]) -> None:
    """Add these routes to the server's application."""
    control, phone = PersonControl(world, named), "/admin/phones/{phone}"
    for verb in (
        control.profile,
        control.block,
        control.trust,
        control.call,
        control.lock,
        control.number,
        control.dirty,
    ):
        app.router.add_post(f"{phone}/{verb.__name__}", guarded(verb))
    app.router.add_post(f"{phone}/hang-up", guarded(control.hang_up))


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    body = json.loads(text) if text.strip() else {}
    if not isinstance(body, dict):
        raise UsageError("the body is a JSON object")
    return body


def _json(value: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(value, status=status)
