"""
Requests, counted and logged by route, never by path: a path holds ids. Plain ASGI, outermost, so that what the other
layers answer is counted too. Each request has an id, the caller's own if it sent one, told back and bound to its logs.
"""

from __future__ import annotations

import logging
import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recado.gateway import metrics

REQUEST_ID = "x-request-id"
_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/healthz", "/readyz", "/metrics"}
_log = logging.getLogger(__name__)


class Requests:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        id = given if _FORM.fullmatch(given) else uuid4().hex
        status = 500

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = id
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=id):
            try:
                await self._app(scope, receive, named)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = getattr(route, "path", None) or "none"
        metrics.REQUESTS.labels(scope["method"], path, str(status)).inc()
        if not path.endswith("/stream"):  # those last as long as somebody listens
            metrics.REQUEST_SECONDS.labels(path).observe(seconds)
        if path not in _QUIET:
            told = {"method": scope["method"], "route": path, "status": status, "ms": round(seconds * 1000, 1)}
            _log.info("request", extra=told)
