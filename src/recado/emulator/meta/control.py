"""
The control of the emulated Cloud API: plain HTTP beside it, for demos and tests. It only moves what a person, the
Business app or Meta's staff could, or plans a fault.

    GET  /                                      ready
    GET  /admin/meta                            app id, secret, verify token, numbers, tokens
    POST /admin/meta/subscribe                  {"url", "verify_token"?, "fields"?}

Problems are answered {"detail"} with 4xx.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Control:
    """The handlers, for one cloud."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud

    async def ready(self, request: web.Request) -> web.Response:
        """The emulator runs."""
        return _json({"status": "ready", "numbers": len(self._cloud.world.numbers)})


def add_control(app: web.Application, cloud: MetaCloud) -> None:
    """Add the control's routes."""
    control = Control(cloud)
    app.router.add_get("/", control.ready)


def _json(value: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status)
