"""
The control: plain HTTP beside the wire, for demos and tests. It only moves what a person could (a phone scans, speaks,
reads, goes away) or plans a fault; everything then travels the normal road, and nothing of this is seen on the wire.

    GET  /                                    ready
    GET  /admin/server                        {"url", "root"}: whom to trust, and where
    POST /admin/mock-phone/scan-qr?phone=     body: the text of a QR code
    GET  /admin/phones                        POST {"name", "number"?}
    GET  /admin/phones/{phone}/messages?after=N&wait=SECONDS
    POST /admin/phones/{phone}/say            {"to", "text" | "content", "file"?, "quoting"?}
    GET  /admin/phones/{phone}/messages/{id}/file      POST …/messages/{id}/play
    GET  /admin/contents                      what a content may be
    GET, POST /admin/phones/{phone}/groups|channels    POST …/groups/{group}   POST …/channels/{channel}
    POST /admin/phones/{phone}/type-code {"code"}   …/passkey {"options"} (what the emulator's own browser signs)
    POST /admin/phones/{phone}/require-passkey {"credential"?, "public_key"?} (of one a real browser made)
    POST /admin/newcomers/refresh             clients that are being linked are to replace the secret in their codes
    POST /admin/phones/{phone}/read|offline|online|reinstall|unlink|typing
    POST /admin/phones/{phone}/profile {"about"?, "picture"? (base64), "business"?, "timer"?, "privacy"? {…}}
    POST /admin/phones/{phone}/block|trust|call {"to", …}|hang-up {"call"}|lock {"seconds"}|number {"number"}|dirty
    POST /admin/faults {"fault", "whom"?, …}   GET, DELETE        GET /admin/unknown

`{phone}` is a name or a number. Problems are answered {"detail"} with 4xx.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.person_control import add_person_control
from recado.emulator.speech_control import add_speech_control
from recado.emulator.steering import steered
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.linking import find, refresh
from recado.emulator.whatsapp.passkeys import Passkey
from recado.emulator.whatsapp.phone import Phone
from recado.errors import DecodeError, PairingError, UsageError
from recado.jid import JID
from recado.protocol.pairing.qr import QRCode

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

Handler = Callable[[web.Request], Awaitable[web.Response]]

_FIRST_NAME = "Phone"


class Control:
    """The handlers, for one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def ready(self, request: web.Request) -> web.Response:
        """The emulator runs."""
        return _json({"status": "ready", "phones": len(self._world.phones)})

    async def server(self, request: web.Request) -> web.Response:
        """Whom to trust, and where."""
        server = self._world.server
        files = {"files_host": server.files_host, "files_ca": server.files_ca}
        return _json({"url": server.url, "root": server.root.hex(), **files})

    async def scan(self, request: web.Request) -> web.Response:
        """A phone scans the QR text in the body; which one, the client's push name says first."""
        text = (await request.text()).strip()
        code = QRCode.parse(text)
        wanted = find(self._world, code).push_name or request.query.get("phone")
        phone = self._phone_for(wanted)
        phone.vouch(text)
        return _json({"phone": phone.name, "number": phone.number})

    async def type_code(self, request: web.Request) -> web.Response:
        """A person types the code a client shows."""
        phone = self.named(request)
        await phone.type_code(_text(await _body(request), "code"))
        return _json(_phone(phone))

    async def require_passkey(self, request: web.Request) -> web.Response:
        """This account links nothing without its passkey from now on: the emulator's, or that which a browser made."""
        phone, asked = self.named(request), await _body(request)
        if asked:
            phone.register_passkey(Passkey.read(_text(asked, "credential"), _text(asked, "public_key")))
        else:
            phone.require_passkey()
        return _json(_phone(phone))

    async def passkey(self, request: web.Request) -> web.Response:
        """What the person's browser answers to those options on WhatsApp's own page."""
        phone, asked = self.named(request), await _body(request)
        if phone.authenticator is None:
            raise UsageError("this account has no passkey that the emulator could sign with")
        return _json({"assertion": phone.authenticator.sign(_text(asked, "options"))})

    async def refresh(self, request: web.Request) -> web.Response:
        """Every client that is being linked replaces the secret in its code."""
        for newcomer in list(self._world.newcomers):
            self._world.transmit(refresh(self._world, newcomer))
        return _json({"told": len(self._world.newcomers)})

    async def phones(self, request: web.Request) -> web.Response:
        """All phones."""
        return _json({"phones": [_phone(phone) for phone in self._world.phones.values()]})

    async def add_phone(self, request: web.Request) -> web.Response:
        """A new phone, or the one of that name."""
        asked = await _body(request)
        phone = self._world.phone_at(_text(asked, "name"))
        if phone is None:
            phone = self._world.phone(_text(asked, "name"), asked.get("number"))
        return _json(_phone(phone), status=201)

    async def show(self, request: web.Request) -> web.Response:
        """One phone."""
        return _json(_phone(self.named(request)))

    async def unlink(self, request: web.Request) -> web.Response:
        """A person takes a linked device (or all) off the account."""
        asked = await _body(request)
        await self.named(request).unlink(asked.get("device"))
        return _json(_phone(self.named(request)))

    async def offline(self, request: web.Request) -> web.Response:
        """The phone is switched off."""
        self.named(request).offline()
        return _json(_phone(self.named(request)))

    async def online(self, request: web.Request) -> web.Response:
        """The phone is switched on."""
        self.named(request).online()
        return _json(_phone(self.named(request)))

    async def reinstall(self, request: web.Request) -> web.Response:
        """The phone is installed anew: new identity."""
        self.named(request).reinstall()
        return _json(_phone(self.named(request)))

    async def plan_fault(self, request: web.Request) -> web.Response:
        """Plan a fault, or with `chance` scatter it."""
        asked = await _body(request)
        try:
            fault = Fault(_text(asked, "fault"))
        except ValueError as error:
            raise UsageError(f"faults are {', '.join(Fault)}") from error
        whom = asked.get("whom")
        aim = JID.parse(whom) if isinstance(whom, str) and "@" in whom else whom
        code, seconds = int(asked.get("code", 500)), float(asked.get("seconds", 0))
        if "chance" in asked:
            self._world.faults.scatter(fault, float(asked["chance"]), aim, code=code, seconds=seconds)
        else:
            times, about = int(asked.get("times", 1)), asked.get("about")
            self._world.faults.plan(fault, aim, times=times, code=code, seconds=seconds, about=about)
        return await self.faults(request)

    async def faults(self, request: web.Request) -> web.Response:
        """What is planned, and the seed."""
        planned = [{"fault": each.fault, "user": each.user, "times": each.times} for each in self._world.faults.planned]
        return _json({"seed": self._world.faults.seed, "planned": planned})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Plan nothing any more."""
        self._world.faults.clear()
        return await self.faults(request)

    async def unknown(self, request: web.Request) -> web.Response:
        """The stanzas nobody here knew, in outline."""
        return _json({"unknown": [repr(node) for node in self._world.unknown]})

    def named(self, request: web.Request) -> Phone:
        """The phone a request is about."""
        phone = self._world.phone_at(request.match_info["phone"])
        if phone is None:
            raise web.HTTPNotFound(text=json.dumps({"detail": "no such phone"}), content_type="application/json")
        return phone

    def _phone_for(self, wanted: str | None) -> Phone:
        """By name or number; without one, the first there is, else a new one."""
        if wanted:
            return steered(self._world, wanted)
        return next(iter(self._world.phones.values()), None) or self._world.phone(_FIRST_NAME)


def add_control(app: web.Application, world: World) -> None:
    """Add the control's routes to the server's application."""
    control = Control(world)
    phone = "/admin/phones/{phone}"
    app.router.add_get("/", _guarded(control.ready))
    app.router.add_get("/admin/server", _guarded(control.server))
    app.router.add_post("/admin/mock-phone/scan-qr", _guarded(control.scan))
    app.router.add_get("/admin/phones", _guarded(control.phones))
    app.router.add_post("/admin/phones", _guarded(control.add_phone))
    app.router.add_get(phone, _guarded(control.show))
    app.router.add_post(f"{phone}/unlink", _guarded(control.unlink))
    app.router.add_post(f"{phone}/type-code", _guarded(control.type_code))
    app.router.add_post(f"{phone}/require-passkey", _guarded(control.require_passkey))
    app.router.add_post(f"{phone}/passkey", _guarded(control.passkey))
    app.router.add_post("/admin/newcomers/refresh", _guarded(control.refresh))
    for verb in (control.offline, control.online, control.reinstall):
        app.router.add_post(f"{phone}/{verb.__name__}", _guarded(verb))
    app.router.add_get("/admin/faults", _guarded(control.faults))
    app.router.add_post("/admin/faults", _guarded(control.plan_fault))
    app.router.add_delete("/admin/faults", _guarded(control.clear_faults))
    app.router.add_get("/admin/unknown", _guarded(control.unknown))
    add_person_control(app, world, control.named, _guarded)
    add_speech_control(app, world, control.named, _guarded)


def _guarded(handler: Handler) -> Handler:
    """What a caller did wrong is a 4xx with the reason in words."""

    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except PairingError as error:
            return _json({"detail": str(error)}, status=409)
        except (UsageError, DecodeError, ValueError) as error:
            return _json({"detail": str(error)}, status=400)

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


def _phone(phone: Phone) -> dict[str, object]:
    return {
        "name": phone.name,
        "number": phone.number,
        "jid": str(phone.jid),
        "lid": str(phone.lid),
        "online": phone.is_online,
        "devices": [
            {"id": device.number, "online": device.line is not None, "waiting": len(device.mailbox)}
            for device in phone.account.companions
        ],
        "messages": len(phone.messages),
        "unread": sum(1 for shown in phone.messages if not shown.from_me and not shown.is_read),
    }


def _json(value: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status)
