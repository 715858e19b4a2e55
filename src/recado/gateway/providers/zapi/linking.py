"""
Linking an instance of Z-API and a phone: a QR code for twenty seconds, at most three of them one after another (Z-API
asks not to be asked for more), or a code to enter where a number is given. Whether the phone is there `status` says,
asked when a callback hints at it and every few seconds anyway.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from recado.clock import Clock
from recado.errors import CloseReason, ConnectionLost, NotConnected, PairingExpired
from recado.gateway.db.notify import Watch
from recado.gateway.providers.zapi import wire
from recado.gateway.providers.zapi.api import RefusedByZapi, Unanswered, ZapiApi
from recado.gateway.providers.zapi.errors import Meaning
from recado.pairing import ShowCode, ShowQR

MOST_CODES = 3
CODE_LASTS = timedelta(seconds=20)
ENTERED_WITHIN = timedelta(seconds=60)
_LOOK_SECONDS = 4.0
_MOST_TRIES = 10


class Linking:
    """One attempt to link. `missed` is told each time Z-API cannot be asked, with the seconds until the next try."""

    def __init__(
        self, api: ZapiApi, bell: Watch, clock: Clock, *, number: str | None, missed: Callable[[float], None]
    ) -> None:
        self._api = api
        self._bell = bell
        self._clock = clock
        self._number = number
        self._missed = missed

    async def steps(self) -> AsyncIterator[ShowQR | ShowCode]:
        """Code after code, until the instance is connected. Raises PairingExpired, ConnectionLost."""
        for _ in range(MOST_CODES):
            if await self._is_connected():
                return
            step = await self._next()
            if step is None:
                continue
            yield step
            if await self._connects_before(step):
                return
        if not await self._is_connected():
            raise PairingExpired

    async def _next(self) -> ShowQR | ShowCode | None:
        """The next code; None when there is none because the phone is there by now."""
        asked = wire.QR_CODE if self._number is None else wire.phone_code(self._number)
        text = wire.read_value(await self._surely(lambda: self._api.ask(asked)))
        if text is None:
            return None
        now = self._clock.now()
        if self._number is None:
            return ShowQR(text, now + CODE_LASTS)
        return ShowCode(f"{text[:4]}-{text[4:]}" if len(text) == 8 else text, now + ENTERED_WITHIN)

    async def _connects_before(self, step: ShowQR | ShowCode) -> bool:
        while (left := (step.expires_at - self._clock.now()).total_seconds()) > 0:
            await self._bell.wait(min(left, _LOOK_SECONDS))
            if await self._is_connected():
                return True
        return False

    async def _is_connected(self) -> bool:
        return bool(wire.read_connected(await self._surely(lambda: self._api.ask(wire.STATUS))))

    async def _surely(self, ask: Callable[[], Awaitable[wire.Body]]) -> wire.Body:
        """The answer, asked for again while there is none. Raises ConnectionLost."""
        for attempt in range(_MOST_TRIES):
            try:
                return await ask()
            except RefusedByZapi as refused:
                raise ConnectionLost(reason_of(refused)) from None
            except (NotConnected, Unanswered):
                pause = min(30.0, 3.0 * 2.0**attempt)
                self._missed(pause)
                await self._clock.sleep(pause)
        raise ConnectionLost(CloseReason.UNREACHABLE)


def reason_of(refused: RefusedByZapi) -> CloseReason:
    """Why a connection cannot be: the tokens or the instance, or something else over there."""
    is_ours = refused.refusal.meaning is Meaning.CREDENTIALS
    return CloseReason.FORBIDDEN if is_ours else CloseReason.SERVER_ERROR
