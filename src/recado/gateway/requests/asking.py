"""
Asking WhatsApp from a route: `Ask` is what such a route depends on. It honours `Idempotency-Key`, and `Prefer: wait=N`
(at most 30 seconds): answered in time is a 200 with the answer, anything else a 202 with the request to look at.

The bell is watched before the request is committed, and no transaction is held while it is waited for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from recado.gateway.callers import Caller
from recado.gateway.db.notify import REQUESTS
from recado.gateway.db.unit import Unit
from recado.gateway.requests import service
from recado.gateway.requests.repository import Asked
from recado.gateway.requests.schemas import RequestTold
from recado.gateway.requests.service import Able
from recado.gateway.security import MANAGE
from recado.gateway.web.words import language_of
from recado.jid import JID

MOST_SECONDS = 30.0
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,4})", re.IGNORECASE)


class Asking:
    """One HTTP request that asks WhatsApp something."""

    def __init__(
        self,
        request: Request,
        response: Response,
        idempotency_key: Annotated[str | None, Header(description="The same key and body: asked once")] = None,
        prefer: Annotated[str | None, Header(description="`wait=10`: answer within 10 seconds if possible")] = None,
    ) -> None:
        self._clock = request.app.state.gateway.clock
        self._language = language_of(request)
        self._response = response
        self._key = idempotency_key
        asked = _WAIT.search(prefer or "")
        self._seconds = min(float(asked[1]), MOST_SECONDS) if asked is not None else 0.0

    async def ask(
        self,
        caller: Caller,
        verb: str,
        *,
        able: Able,
        scope: str = MANAGE,
        chat: JID | Callable[[Unit], Awaitable[JID]] | None = None,
        body: dict[str, Any] | None = None,
    ) -> RequestTold:
        """
        Ask it, of `chat` (or of the one that is found in the same transaction). Raises as `service.ask`, and what
        finding the chat raises.
        """

        async def work(unit: Unit) -> Asked:
            about = await chat(unit) if callable(chat) else chat
            return await service.ask(
                unit,
                verb,
                able=able,
                scope=scope,
                chat=about,
                body=body,
                idempotency_key=self._key,
                now=self._clock.now(),
            )

        with caller.database.hints.watching(REQUESTS, caller.mentorado_id) as bell:
            asked = await caller.run(work)
            until = self._clock.monotonic() + self._seconds
            while not asked.is_over and (left := until - self._clock.monotonic()) > 0:
                await bell.wait(min(left, bell.poll_seconds))
                async with caller.unit() as unit:
                    asked = await service.get_request(unit, asked.id)
        self._response.status_code = 200 if asked.is_over else 202
        return RequestTold.of(asked, caller.principal, self._language)


Ask = Annotated[Asking, Depends()]
