"""
What every answer carries and every request must keep to: a content policy that allows our own files only, a body that
ends, and the later cookie of a session that is in use. Plain ASGI: it never holds a stream back.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recado.gateway.web.session import RENEWED, set_cookie

LARGEST_BODY = 1024 * 1024
_LIMITED_ELSEWHERE = "/webhooks/meta"
"""What Meta tells may be more, and its route keeps to a setting (webhook_body_limit)."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken = 0
        renewed: list[str] = []
        scope[RENEWED] = renewed

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY and not _is_limited_elsewhere(scope["path"]):
                raise HTTPException(413, "a body has at most 1 MiB")
            return message

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                for cookie in renewed[:1]:
                    headers.append("set-cookie", set_cookie(cookie, is_secure=scope["scheme"] == "https"))
            await send(message)

        await self._app(scope, counted, dressed)


def _is_limited_elsewhere(path: str) -> bool:
    """Files and what Meta tells may be more: their routes keep to settings (media_limit, webhook_body_limit)."""
    return path.startswith(_LIMITED_ELSEWHERE) or (path.startswith("/v1/mentorados/") and path.endswith("/media"))
