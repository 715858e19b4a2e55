"""
Asking Z-API over HTTP: one request, one answer, within a time, and an error for each way in which none comes. What may
have been taken is told apart from what surely was not. The base address is the operator's; it holds a token of the
mentorado's, so no address and no answer is ever logged or put into an error.
"""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import quote

import aiohttp

from recado.errors import NotConnected, RecadoError, UsageError
from recado.gateway.providers.credentials import ZapiCredentials
from recado.gateway.providers.zapi import wire
from recado.gateway.providers.zapi.errors import Meaning, Refusal, read_refusal
from recado.gateway.providers.zapi.wire import Body, Request, Standing

BASE = "https://api.z-api.io"

_LARGEST_ANSWER = 1024 * 1024


class Unanswered(RecadoError):
    """The provider gave no answer that says what became of the request."""


class RefusedByZapi(RecadoError):
    """Z-API refused a request: `refusal` says what that means."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"Z-API refused the request ({refusal.status}, {refusal.meaning.value})")


class ZapiApi:
    """One instance's routes; an async context manager."""

    def __init__(
        self, credentials: ZapiCredentials, *, base: str = BASE, seconds: float = 30.0, connect_seconds: float = 5.0
    ) -> None:
        instance, token = (quote(part, safe="") for part in (credentials.instance_id, credentials.token))
        self._root = f"{base.rstrip('/')}/instances/{instance}/token/{token}/"
        self._headers = {"Client-Token": credentials.client_token, "Accept": "application/json"}
        self._timeout = aiohttp.ClientTimeout(total=seconds, connect=connect_seconds, sock_connect=connect_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        return self

    async def __aexit__(self, *failure: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(self, request: Request) -> Body:
        """
        The answer, a JSON object (empty for none). Raises NotConnected when no byte left, RefusedByZapi, and Unanswered
        when the request may have been taken.
        """
        status, body = await self._exchange(request)
        if 200 <= status < 300:
            answer = {} if status == 204 else wire.read_object(body)
            if answer is not None and not (answer.get("error") and "connected" not in answer):
                return answer
        refusal = read_refusal(status, body)
        if refusal.meaning is Meaning.UNCLEAR:
            raise Unanswered(f"Z-API's answer cannot be understood ({status})")
        raise RefusedByZapi(refusal)

    async def standing(self) -> Standing:
        """Where the instance stands. Raises as `ask`."""
        found = wire.read_standing(await self.ask(wire.STATUS))
        if found is None:
            raise Unanswered("Z-API says no status")
        return found

    async def _exchange(self, request: Request) -> tuple[int, bytes]:
        if self._session is None:
            raise UsageError("this connection is not open")
        body: dict[str, Any] = {} if request.body is None else {"json": request.body}
        try:
            async with self._session.request(
                request.method, self._root + request.path, allow_redirects=False, **body
            ) as response:
                taken = bytearray()
                async for chunk in response.content.iter_any():
                    taken += chunk
                    if len(taken) > _LARGEST_ANSWER:
                        response.close()
                        raise Unanswered("Z-API's answer is too long")
                return response.status, bytes(taken)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise NotConnected("Z-API cannot be reached") from None
        except TimeoutError:
            raise Unanswered("Z-API gave no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Unanswered("the connection to Z-API broke") from None
