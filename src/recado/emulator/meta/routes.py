"""
The public API over HTTP: `/{version}/{object}/{edge}`, bearer tokens, Graph's errors, and the transport's faults
around all of it. Which object an id names is found first, as Graph does; an id the token cannot see does not exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.meta import accounts
from recado.emulator.meta.errors import GraphError, malformed, unknown_object
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.media import PATH, Media
from recado.emulator.meta.sending import refuse_number, send
from recado.emulator.meta.templates import Template
from recado.emulator.meta.world import MANAGEMENT, MESSAGING, Number, Token, Waba

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

OLDEST = 20
MAX_BODY = 110 * 1024 * 1024

_VERSION = re.compile(r"v(\d+)\.(\d+)")
_HTML = (
    "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>"
)
_HTML_STATUSES = (500, 502, 503, 504)

Object = Number | Waba | Template | Media
Answer = dict[str, Any]


class Call:
    """One request, with what it names."""

    def __init__(self, cloud: MetaCloud, request: web.Request, token: Token, id: str, verb: str) -> None:
        self.cloud = cloud
        self.request = request
        self.token = token
        self.id = id
        self.verb = verb

    async def body(self) -> dict[str, Any]:
        """The JSON or form in the body. Raises GraphError."""
        if self.request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            return {name: value for name, value in (await self.request.post()).items() if isinstance(value, str)}
        raw = await self.request.read()
        if not raw.strip():
            return dict(self.request.query)
        try:
            body = json.loads(raw)
        except ValueError:
            raise malformed("The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise malformed("The request body must be a JSON object.")
        return body

    def object(self) -> Object:
        """What the id names. Raises GraphError."""
        world = self.cloud.world
        if self.id in world.numbers:
            return world.number(self.id, self.token, self.verb)
        if self.id in world.wabas:
            return world.waba(self.id, self.token, self.verb)
        template = self.cloud.templates.all.get(self.id)
        if template is not None and self.token.sees(template.waba):
            return template
        media = self.cloud.media.get(self.id, self.verb)
        if not self.token.sees(media.number.waba):
            raise unknown_object(self.id, self.verb)
        return media


class Api:
    """The handlers."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud

    async def graph(self, request: web.Request) -> web.StreamResponse:
        """Any request to the API."""
        parts = [part for part in request.match_info["path"].split("/") if part]
        about = _about(request.method, parts)
        whom = tuple(parts[:1])
        faults = self._cloud.faults
        if faults.take(Fault.HANG_UP, *whom, about=about):
            return _hang_up(request)
        if planned := faults.take(Fault.HTML_ERROR, *whom, about=about):
            return _html(planned.code)
        try:
            self._check_version(request.match_info["version"])
            said = await self._do(request, parts, about)
            status = 200
        except GraphError as error:
            said, status = error.body(self._cloud.ids.text(22)), error.status
        finally:
            self._cloud.changed()
        return await self._reply(request, status, said, whom, about)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes behind a media address."""
        faults = self._cloud.faults
        try:
            self._token(request).need(MESSAGING)
        except GraphError as error:
            return web.json_response(error.body(self._cloud.ids.text(22)), status=error.status)
        media = self._cloud.media.at(request.query.get("mid", ""), request.query.get("hash", ""))
        if media is None or faults.take(Fault.EXPIRED_URL, media.id, media.number.id):
            return web.Response(status=404, text="URL signature expired or the file does not exist")
        whom = (media.id, media.number.id)
        if faults.take(Fault.HANG_UP, *whom, about="download"):
            return _hang_up(request)
        if planned := faults.take(Fault.HTML_ERROR, *whom, about="download"):
            return _html(planned.code)
        data = media.data
        if data and faults.take(Fault.WRONG_BYTES, *whom):
            data = bytes([data[0] ^ 1]) + data[1:]
        if faults.take(Fault.CUT_MEDIA, *whom):
            return await _cut(request, 200, data, media.mime_type)
        return web.Response(body=data, headers={"Content-Type": media.mime_type})

    def _check_version(self, version: str) -> None:
        found = _VERSION.fullmatch(version)
        if found is None or int(found.group(1)) < OLDEST:
            raise GraphError(2500, f"Unknown path components: /{version}")

    def _token(self, request: web.Request) -> Token:
        header = request.headers.get("Authorization", "")
        kind, _, value = header.partition(" ")
        if kind.lower() not in {"bearer", "oauth"} or not value:
            value = request.query.get("access_token", "")
        if not value:
            raise GraphError(190, "Authentication Error: an access token is required to request this resource.")
        return self._cloud.world.token(value.strip(), self._cloud.clock.now())

    async def _do(self, request: web.Request, parts: list[str], about: str) -> Answer:
        token = self._token(request)
        if not parts or len(parts) > 2:
            raise GraphError(2500, f"Unknown path components: /{'/'.join(parts)}")
        id, edge = parts[0], parts[1] if len(parts) == 2 else ""
        if id == "debug_token":
            return accounts.debug_token(self._cloud, request.query.get("input_token", ""))
        call = Call(self._cloud, request, token, id, request.method.lower())
        if id == self._cloud.world.app_id and edge == "subscriptions":
            return await accounts.app_subscriptions(self._cloud, request.method, await call.body())
        target = call.object()
        handler = _HANDLERS.get((request.method, type(target), edge))
        if handler is None:
            raise unknown_object(f"{id}/{edge}" if edge else id, call.verb)
        token.need(_permission(target, edge))
        await self._refuse_planned(call, target, about)
        return await handler(call, target)

    async def _refuse_planned(self, call: Call, target: Object, about: str) -> None:
        """Raises GraphError when a refusal is planned."""
        whom = [call.id]
        if about == "messages":
            asked = await call.body()
            person = self._cloud.person_at(str(asked.get("to") or asked.get("recipient") or ""))
            whom += sorted(person.addresses) if person else []
        planned = self._cloud.faults.take(Fault.REFUSE, *whom, about=about)
        if planned is not None:
            raise GraphError(planned.code)

    async def _reply(
        self, request: web.Request, status: int, said: Answer, whom: tuple[str, ...], about: str
    ) -> web.StreamResponse:
        take = self._cloud.faults.take
        if planned := take(Fault.SLOW_ANSWER, *whom, about=about):
            await self._cloud.clock.sleep(planned.seconds)
        if take(Fault.LOSE_ANSWER, *whom, about=about):
            return _hang_up(request)
        body = json.dumps(said).encode()
        if take(Fault.CUT_ANSWER, *whom, about=about):
            return await _cut(request, status, body, "application/json; charset=UTF-8")
        if planned := take(Fault.HTML_AFTER, *whom, about=about):
            return _html(planned.code)
        if take(Fault.GARBLED_ANSWER, *whom, about=about):
            return web.Response(body=b'{"messaging_product":"what', content_type="application/json")
        headers = {"facebook-api-version": request.match_info["version"], "x-fb-trace-id": self._cloud.ids.text(11)}
        return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def _about(method: str, parts: list[str]) -> str:
    """The kind of request, for aiming faults."""
    if len(parts) < 2:
        return parts[0] if parts == ["debug_token"] else "object"
    return "templates" if parts[1] == "message_templates" else parts[1]


def _permission(target: Object, edge: str) -> str:
    is_messaging = isinstance(target, Media) or edge in {"messages", "media"}
    return MESSAGING if is_messaging else MANAGEMENT


def _html(code: int) -> web.Response:
    status = code if code in _HTML_STATUSES else 502
    return web.Response(status=status, text=_HTML, content_type="text/html")


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _cut(request: web.Request, status: int, body: bytes, kind: str) -> web.StreamResponse:
    """Half of it, and the connection ends."""
    response = web.StreamResponse(status=status, headers={"Content-Type": kind})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _hang_up(request)
    return response


# ---- what there is to ask


async def _send(call: Call, number: Number) -> Answer:
    return send(call.cloud, number, await call.body())


async def _upload(call: Call, number: Number) -> Answer:
    refuse_number(number)
    if call.request.content_type != "multipart/form-data":
        raise malformed("The request must be multipart/form-data.")
    form = await call.request.post()
    if form.get("messaging_product") != "whatsapp":
        raise malformed("The parameter messaging_product is required.")
    file = form.get("file")
    if not isinstance(file, web.FileField):
        raise malformed("The parameter file is required.")
    kind = form.get("type")
    mime_type = kind if isinstance(kind, str) and "/" in kind else file.content_type
    return {"id": call.cloud.media.upload(number, file.file.read(), mime_type).id}


async def _get_media(call: Call, media: Media) -> Answer:
    _check_owner(call, media)
    return call.cloud.media.describe(media)


async def _delete_media(call: Call, media: Media) -> Answer:
    _check_owner(call, media)
    call.cloud.media.delete(media)
    return {"success": True}


def _check_owner(call: Call, media: Media) -> None:
    owner = call.request.query.get("phone_number_id")
    if owner is not None and owner != media.number.id:
        raise unknown_object(media.id, call.verb)


async def _get_number(call: Call, number: Number) -> Answer:
    return accounts.describe_number(call.cloud, number, call.request.query.get("fields"))


async def _set_number(call: Call, number: Number) -> Answer:
    return await accounts.configure_number(call.cloud, number, await call.body())


async def _register(call: Call, number: Number) -> Answer:
    return accounts.register(number, await call.body())


async def _deregister(call: Call, number: Number) -> Answer:
    number.is_registered = False
    return {"success": True}


async def _sync(call: Call, number: Number) -> Answer:
    return call.cloud.coexistence.sync(number, await call.body())


async def _get_waba(call: Call, waba: Waba) -> Answer:
    return {"id": waba.id, "name": waba.name, "timezone_id": "1", "message_template_namespace": "recado"}


async def _numbers(call: Call, waba: Waba) -> Answer:
    return accounts.list_numbers(call.cloud, waba, call.request.query.get("fields"))


async def _templates(call: Call, waba: Waba) -> Answer:
    return accounts.list_templates(call.cloud, waba, call.request)


async def _create_template(call: Call, waba: Waba) -> Answer:
    template = call.cloud.templates.create(waba, await call.body())
    return {"id": template.id, "status": template.state, "category": template.category}


async def _delete_template(call: Call, waba: Waba) -> Answer:
    name = call.request.query.get("name") or (await call.body()).get("name")
    if not name:
        raise malformed("The parameter name is required.")
    call.cloud.templates.delete(waba, str(name), call.request.query.get("hsm_id"))
    return {"success": True}


async def _get_template(call: Call, template: Template) -> Answer:
    return template.json()


async def _subscriptions(call: Call, waba: Waba) -> Answer:
    return await accounts.waba_subscriptions(call.cloud, waba, call.request.method, await call.body())


_HANDLERS: dict[tuple[str, type, str], Callable[[Call, Any], Awaitable[Answer]]] = {
    ("POST", Number, "messages"): _send,
    ("POST", Number, "media"): _upload,
    ("GET", Number, ""): _get_number,
    ("POST", Number, ""): _set_number,
    ("POST", Number, "register"): _register,
    ("POST", Number, "deregister"): _deregister,
    ("POST", Number, "smb_app_data"): _sync,
    ("GET", Media, ""): _get_media,
    ("DELETE", Media, ""): _delete_media,
    ("GET", Waba, ""): _get_waba,
    ("GET", Waba, "phone_numbers"): _numbers,
    ("GET", Waba, "message_templates"): _templates,
    ("POST", Waba, "message_templates"): _create_template,
    ("DELETE", Waba, "message_templates"): _delete_template,
    ("GET", Template, ""): _get_template,
    ("GET", Waba, "subscribed_apps"): _subscriptions,
    ("POST", Waba, "subscribed_apps"): _subscriptions,
    ("DELETE", Waba, "subscribed_apps"): _subscriptions,
}


def add_routes(app: web.Application, cloud: MetaCloud) -> None:
    """Add the API to an application."""
    api = Api(cloud)
    app.router.add_get(PATH, api.download)
    app.router.add_route("*", r"/{version:v\d+\.\d+}/{path:.*}", api.graph)
