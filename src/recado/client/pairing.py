"""
Linking an account, as steps: the codes to scan, one after the other as they run out, and `Paired` once the device has
logged in and is usable. The restart the server demands after the scan happens inside. One `Pairing` is one attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from recado.client.reconnection import Close
from recado.errors import CloseReason, PairingExpired, RecadoError
from recado.events import ConnectionState
from recado.jid import JID
from recado.pairing import Paired, PairingStep, ShowQR
from recado.protocol.pairing.qr import QRCode

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection


class Pairing:
    """One attempt to link, from the first code to the first login."""

    def __init__(self, account: Account, *, expect: JID | None = None) -> None:
        self._account = account
        self._expect = expect
        self._steps: asyncio.Queue[PairingStep | RecadoError] = asyncio.Queue()
        self._refs: tuple[str, ...] = ()
        self._offered = asyncio.Event()
        self._is_accepted = False

    def expects(self, device: JID) -> bool:
        """Is this the number the link is meant for? Any is, unless one was named."""
        return self._expect is None or self._expect.user == device.user

    def offer(self, refs: Sequence[str]) -> None:
        """The server gave references for codes."""
        self._refs = tuple(refs)
        self._offered.set()

    def accept(self) -> None:
        """A phone scanned, its proof holds, and the credentials are committed."""
        self._is_accepted = True
        self._account.status.become(ConnectionState.CONNECTING)

    def finish(self, account: JID, lid: JID | None) -> None:
        """Logged in for the first time: the last step."""
        self._steps.put_nowait(Paired(account, lid))

    def fail(self, error: RecadoError) -> None:
        """The attempt is over."""
        self._steps.put_nowait(error)

    async def show(self, connection: Connection) -> None:
        """A job of the connection: show code after code. Ends the connection when they run out."""
        self._offered.clear()
        await self._offered.wait()
        clock, limits = self._account.clock, self._account.limits
        for place, ref in enumerate(self._refs):
            seconds = limits.next_code if place else limits.first_code
            self._steps.put_nowait(self._code(ref, seconds))
            self._account.status.become(ConnectionState.QR)
            await clock.sleep(seconds)
            if self._is_accepted:
                return
        self.fail(PairingExpired())
        connection.end(Close(CloseReason.CLIENT))

    async def steps(self) -> AsyncIterator[PairingStep]:
        """The steps as they come; `Paired` is the last. Raises PairingError, ConnectionLost."""
        while True:
            step = await self._steps.get()
            if isinstance(step, RecadoError):
                raise step
            yield step
            if isinstance(step, Paired):
                return

    def _code(self, ref: str, seconds: float) -> ShowQR:
        credentials = self._account.credentials
        if credentials is None:
            raise AssertionError("codes are shown from the device's credentials")
        code = QRCode(
            ref=ref,
            noise=credentials.noise.public,
            identity=credentials.identity.public,
            adv_secret=credentials.adv_secret,
            platform=self._account.profile.platform,
        )
        return ShowQR(code.text(), self._account.now() + timedelta(seconds=seconds))
