"""
Linking an account, as steps: the codes to scan or the one to type, a passkey if the account demands one, and `Paired`
once the device has logged in and is usable. The restart the server demands after the link happens inside. One `Pairing`
is one attempt; how a typed code and a passkey are answered is in linking_code.py and linking_passkey.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recado.client.linking_code import CodeAttempt
from recado.client.linking_passkey import sign_and_ask
from recado.client.reconnection import Close
from recado.errors import CloseReason, NotPaired, PairingExpired, RecadoError, UsageError, WrongAccount
from recado.events import ConnectionState
from recado.jid import JID
from recado.pairing import AnotherNumber, Paired, PairingStep, ShowQR
from recado.protocol.node import Node
from recado.protocol.pairing.passkey import Assertion
from recado.protocol.pairing.qr import QRCode
from recado.protocol.stanzas.linking import CodeStale, CodeTyped, PasskeyContinued, SecretStale
from recado.protocol.stanzas.pairing import pair_error

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection


PATIENCE = timedelta(seconds=30)
"""How long the rest of a link may take after a person decided."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The phone's proof holds, and the credentials are committed."""


@dataclass(frozen=True, slots=True)
class PasskeyWanted:
    """The account demands a passkey; `handoff` proves that we are the device whose code was scanned."""

    options: bytes | None = field(repr=False)
    handoff: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NumberHeld:
    """Another account than the one expected answered, with this stanza."""

    node: Node
    device: JID


@dataclass(frozen=True, slots=True)
class NumberSettled:
    """A person decided whether the other number is kept."""

    keep: bool


News = (
    CodeTyped
    | CodeStale
    | SecretStale
    | PasskeyWanted
    | PasskeyContinued
    | NumberHeld
    | NumberSettled
    | Accepted
    | Assertion
)


class Pairing:
    """One attempt to link, from the first code to the first login."""

    def __init__(
        self, account: Account, *, expect: JID | None = None, phone: JID | None = None, hold: bool = False
    ) -> None:
        self._account = account
        self._expect = expect
        self._phone = phone
        self.holds = hold
        """Whether another number than the expected one is asked about, and not refused at once."""
        self._steps: asyncio.Queue[PairingStep | RecadoError] = asyncio.Queue()
        self._refs: tuple[str, ...] = ()
        self._offered = asyncio.Event()
        self._news: deque[News] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._asks: ConnectionState | None = None
        self._connection: Connection | None = None
        self.has_agreed = False
        """Whether the ADV secret is one agreed with the phone, and no code shows it any more."""

    def expects(self, device: JID) -> bool:
        """Is this the number the link is meant for? Any is, unless one was named."""
        return self._expect is None or self._expect.user == device.user

    def offer(self, refs: Sequence[str]) -> None:
        """The server gave references for codes."""
        self._refs = tuple(refs)
        self._offered.set()

    def hear(self, news: News) -> None:
        """Something this attempt waits for has happened (and is committed)."""
        self._news.append(news)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def accept(self) -> None:
        """A phone answered, its proof holds, and the credentials are committed."""
        self._account.status.become(ConnectionState.CONNECTING)
        self.hear(Accepted())

    def sign(self, assertion: Assertion) -> None:
        """A person brought the passkey's signature. Raises UsageError when none is wanted."""
        if self._asks is not ConnectionState.PASSKEY:
            raise UsageError("no passkey is asked for right now")
        self._asks = None
        self.hear(assertion)

    def settle_number(self, *, keep: bool) -> None:
        """A person decided about the other number. Raises UsageError when none is held."""
        if self._asks is not ConnectionState.HELD:
            raise UsageError("no other number waits for a decision")
        self._asks = None
        self.hear(NumberSettled(keep))

    def finish(self, account: JID, lid: JID | None) -> None:
        """Logged in for the first time: the last step."""
        self._steps.put_nowait(Paired(account, lid))

    def fail(self, error: RecadoError) -> None:
        """The attempt is over."""
        self._steps.put_nowait(error)

    def show(self, step: PairingStep, state: ConnectionState) -> None:
        """A person is to do something now."""
        self._asks = state
        self._steps.put_nowait(step)
        self._account.status.become(state)

    async def run(self, connection: Connection) -> None:
        """A job of the connection: show codes until a phone answered. Ends the connection when that fails."""
        self._connection = connection
        self._offered.clear()
        self._news.clear()
        await self._offered.wait()
        try:
            if self._phone is not None:
                await CodeAttempt(self._account, self, connection, self._phone, until=self._codes_end()).run()
            else:
                await self._show_codes(connection)
        except RecadoError as error:
            self.fail(error)
            connection.end(Close(CloseReason.CLIENT))

    async def next(self, until: datetime) -> News:
        """What happens next. Raises PairingExpired when nothing does before `until`, WrongAccount."""
        news = await self._next(until)
        if isinstance(news, NumberHeld):
            await self._settle(news)
            return await self.next(max(until, self._account.now() + PATIENCE))
        return news

    async def _settle(self, held: NumberHeld) -> None:
        """Ask about the other number; go on as if it had been expected, or refuse it."""
        connection, keep = self._connection, False
        if connection is None:
            raise AssertionError("a number is held on a connection")
        until = self._account.now() + timedelta(seconds=self._account.limits.hold_number)
        self.show(AnotherNumber(held.device.bare, until), ConnectionState.HELD)
        try:
            while not isinstance(news := await self._next(until), NumberSettled):
                pass  # the phone is not gone yet: what it repeats is the same
            keep = news.keep
        except PairingExpired:
            pass  # nobody said that it is the right one
        if not keep:
            connection.send(pair_error(held.node.attrs.get("id", ""), 500, "internal-error"))
            raise WrongAccount
        self._expect = held.device
        await connection.take_again(held.node)

    async def _next(self, until: datetime) -> News:
        if not self._news:
            self._waiting = asyncio.get_running_loop().create_future()
            async with asyncio.TaskGroup() as group:
                alarm = group.create_task(self._ring(until, self._waiting))
                await asyncio.wait([self._waiting])
                alarm.cancel()
            self._waiting.result()
        return self._news.popleft()

    async def save_secret(self, secret: bytes) -> None:
        """Keep the ADV secret that was agreed with the phone, before anything that rests on it leaves."""
        async with self._account.store.transaction() as tx:
            credentials = await tx.credentials()
            if credentials is None:
                raise NotPaired
            await tx.save_credentials(credentials.with_secret(secret))
        await self._account.reload()

    async def steps(self) -> AsyncIterator[PairingStep]:
        """The steps as they come; `Paired` is the last. Raises PairingError, ConnectionLost."""
        while True:
            step = await self._steps.get()
            if isinstance(step, RecadoError):
                raise step
            yield step
            if isinstance(step, Paired):
                return

    async def _show_codes(self, connection: Connection) -> None:
        """QR code after QR code, each drawn anew when the secret in it is replaced."""
        limits = self._account.limits
        for place, ref in enumerate(self._refs):
            until = self._account.now() + timedelta(seconds=limits.next_code if place else limits.first_code)
            is_stale = True
            while True:
                if is_stale:
                    self.show(self._code(ref, until), ConnectionState.QR)
                try:
                    news = await self.next(until)
                except PairingExpired:
                    break
                if isinstance(news, Accepted):
                    return
                if isinstance(news, PasskeyWanted):
                    await sign_and_ask(self._account, self, connection, news)
                    return
                is_stale = isinstance(news, SecretStale)
        raise PairingExpired

    async def _ring(self, until: datetime, waiting: asyncio.Future[None]) -> None:
        await self._account.clock.sleep(max(0.0, (until - self._account.now()).total_seconds()))
        if not waiting.done():
            waiting.set_exception(PairingExpired())

    def _codes_end(self) -> datetime:
        limits = self._account.limits
        seconds = limits.first_code + limits.next_code * max(0, len(self._refs) - 1)
        return self._account.now() + timedelta(seconds=seconds)

    def _code(self, ref: str, until: datetime) -> ShowQR:
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
        return ShowQR(code.text(), until)
