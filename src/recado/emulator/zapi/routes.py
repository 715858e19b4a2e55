"""
The HTTP of the emulated Z-API, as clients see it: /instances/{id}/token/{token}/…, the partners' route, the storage.
Here stand the account's token, the errors and the faults; what a route does is in requests.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.zapi.faults import Fault
from recado.emulator.zapi.instances import Instance
from recado.emulator.zapi.refusals import Refused
from recado.emulator.zapi.requests import ROUTES, Call, create_on_demand

if TYPE_CHECKING:
    from recado.emulator.zapi.world import ZApi

NO_SUCH_ROUTE = "Unable to find matching target resource method"

_GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(slots=True)
class Asked:
    """One request of a client's, and what it was answered (None: the connection ended instead)."""

    method: str
    verb: str
    instance: str
    body: Any = None
    status: int | None = None


def add_routes(app: web.Application, world: ZApi) -> None:
    """Add the API and the storage to an application."""
    serving = _Serving(world)
    app.router.add_route("*", "/instances/integrator/on-demand", serving.on_demand)
    app.router.add_route("*", "/instances/{instance}/token/{token}/{path:.*}", serving.instance)
    app.router.add_get("/storage/{name}", serving.download)


class _Serving:
    """The handlers, for one world."""

    def __init__(self, world: ZApi) -> None:
        self._world = world

    async def instance(self, request: web.Request) -> web.StreamResponse:
        """Any route of an instance."""
        verb, _, rest = request.match_info["path"].partition("/")
        asked = Asked(request.method, verb, request.match_info["instance"])
        self._world.asked.append(asked)
        if (response := await self._before(request, asked)) is None:
            response = await self._answer(request, asked, rest)
            response = await self._after(request, asked, response)
        asked.status = None if isinstance(response, _Cut) else response.status
        self._world.activity.changed()
        return response

    async def on_demand(self, request: web.Request) -> web.StreamResponse:
        """A partner makes an instance."""
        try:
            if request.method != "POST":
                raise Refused(405, "Method Not Allowed")
            if request.headers.get("Authorization") != f"Bearer {self._world.partner_token}":
                raise Refused(401, "Unauthorized")
            return web.json_response(create_on_demand(self._world, await _body(request)))
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A stored file; gone after its time."""
        file = self._world.media.find(request.match_info["name"])
        if file is None:
            return web.json_response({"error": "NOT_FOUND"}, status=404)
        whole = web.Response(body=file.data, headers={"Content-Type": file.mime_type})
        if self._world.faults.take(Fault.CUT_DOWNLOAD, None, "storage"):
            return await _cut(request, whole)
        return whole

    async def _answer(self, request: web.Request, asked: Asked, rest: str) -> web.Response:
        try:
            instance = self._authorized(request)
            handlers = ROUTES.get(asked.verb)
            if handlers is None:
                raise Refused(404, "NOT_FOUND", message=NO_SUCH_ROUTE)
            handler = handlers.get(request.method)
            if handler is None:
                raise Refused(405, "Method Not Allowed")
            asked.body = await _body(request) if request.method in ("POST", "PUT") else {}
            answer = handler(Call(self._world, instance, asked.verb, rest, asked.body, dict(request.query)))
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        return web.Response(status=204) if answer is None else web.json_response(answer)

    def _authorized(self, request: web.Request) -> Instance:
        given = request.headers.get("Client-Token")
        if given is None:
            raise Refused(403, "null not allowed")
        if given != self._world.client_token:
            raise Refused(403, f"Client-Token {given} not allowed")
        instance = self._world.instances.get(request.match_info["instance"])
        if instance is None:
            raise Refused(404, "Instance not found")
        if instance.token != request.match_info["token"]:
            raise Refused(401, "Unauthorized")
        return instance

    async def _before(self, request: web.Request, asked: Asked) -> web.StreamResponse | None:
        """What goes wrong before the request is taken."""
        faults, whose = self._world.faults, (asked.instance, asked.verb)
        if faults.take(Fault.LOSE_REQUEST, *whose):
            return _hang_up(request)
        if faults.take(Fault.BAD_GATEWAY, *whose):
            return web.Response(status=502, text=_GATEWAY_PAGE, content_type="text/html")
        if refusal := faults.take(Fault.REFUSE, *whose):
            return web.json_response({"error": refusal.text or "Bad Request"}, status=refusal.code)
        return None

    async def _after(self, request: web.Request, asked: Asked, response: web.Response) -> web.StreamResponse:
        """What goes wrong once it is taken."""
        faults, whose = self._world.faults, (asked.instance, asked.verb)
        if slow := faults.take(Fault.SLOW_ANSWER, *whose):
            await self._world.clock.sleep(slow.seconds)
        if faults.take(Fault.LOSE_ANSWER, *whose):
            return _hang_up(request)
        if faults.take(Fault.CUT_ANSWER, *whose):
            return await _cut(request, response)
        if faults.take(Fault.GARBLE_ANSWER, *whose):
            return web.Response(text="<!doctype html><p>ok", content_type="text/html")
        if faults.take(Fault.BAD_GATEWAY_AFTER, *whose):
            return web.Response(status=502, text=_GATEWAY_PAGE, content_type="text/html")
        return response


class _Cut(web.Response):
    """Stands for an answer that never arrives."""


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return _Cut()


async def _cut(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Half of the body, announced whole; then the connection ends."""
    whole = response.body if isinstance(response.body, bytes) else b""
    partial = web.StreamResponse(status=response.status, headers=response.headers)
    partial.content_length = len(whole)
    await partial.prepare(request)
    await partial.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()
    return _Cut()


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Refused(415, "Unsupported Media Type")
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise Refused(400, "Invalid JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "Invalid JSON")
    return body
