"""
Linking with a phone number: ask the server for an attempt, show the code, and when it was typed on the phone agree on
the ADV secret, which is committed before our part of it leaves. What the code seals is in protocol/pairing/code.py; its
key takes tens of milliseconds to derive, so that is done in a thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.crashpoints import CrashPoint
from recado.errors import CodeRefused, DecodeError, PairingRefused, QueryError, QueryTimeout
from recado.events import ConnectionState
from recado.jid import JID
from recado.pairing import ShowCode
from recado.protocol.crypto.curve import KeyPair, agree
from recado.protocol.pairing.code import Bundle, adv_secret, make_code, seal_bundle, shown, unwrap, wrap
from recado.protocol.pairing.payload import Device
from recado.protocol.queries.linking import CompanionFinish, CompanionHello
from recado.protocol.stanzas.linking import CodeStale, CodeTyped

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection
    from recado.client.pairing import Pairing
    from recado.store.records import Credentials

_BROWSERS = ("Chrome", "Edge", "Firefox", "Opera", "Safari")
_SYSTEMS = ("Mac OS", "Windows", "Linux", "Ubuntu")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A code the server knows of: its reference, and our half of the exchange."""

    code: str = field(repr=False)
    pair: KeyPair = field(repr=False)
    ref: bytes = field(repr=False)


class CodeAttempt:
    """One linking by code, on one connection."""

    def __init__(
        self, account: Account, pairing: Pairing, connection: Connection, phone: JID, *, until: datetime
    ) -> None:
        self._account = account
        self._pairing = pairing
        self._connection = connection
        self._phone = phone
        self._until = until

    async def run(self) -> None:
        """
        Show a code, and another when the server wants one, until the phone has been answered. Raises PairingExpired,
        CodeRefused, PairingRefused, QueryTimeout, ConnectionLost.
        """
        from recado.client.pairing import Accepted

        asked = await self._ask()
        while True:
            news = await self._pairing.next(self._until)
            match news:
                case Accepted():
                    return
                case CodeStale(ref=ref) if ref == asked.ref:
                    asked = await self._ask()
                case CodeTyped(ref=ref) if ref == asked.ref:
                    await self._answer(asked, news)
                case _:
                    pass  # another attempt's, or not about a code

    async def _ask(self) -> _Asked:
        account, entropy = self._account, self._account.entropy
        code, pair = make_code(entropy), KeyPair.generate(entropy)
        wrapped = await asyncio.to_thread(wrap, code, pair.public, entropy=entropy)
        hello = CompanionHello(
            account=self._phone,
            wrapped=wrapped,
            noise=self._credentials().noise.public,
            platform=_platform(account.profile),
            display=_display(account.profile),
        )
        try:
            ref = await self._connection.requests.ask(hello)
        except QueryTimeout:
            raise
        except QueryError as error:
            raise CodeRefused(error.code) from error
        self._pairing.show(ShowCode(shown(code), self._until), ConnectionState.CODE)
        return _Asked(code, pair, ref)

    async def _answer(self, asked: _Asked, typed: CodeTyped) -> None:
        account, own = self._account, self._credentials().identity
        try:
            theirs = await asyncio.to_thread(unwrap, asked.code, typed.wrapped)
            shared, random = agree(asked.pair.private, theirs), account.entropy(32)
            bundle = seal_bundle(shared, Bundle(own.public, typed.identity, random), entropy=account.entropy)
            secret = adv_secret(shared, own, typed.identity, random)
        except DecodeError as error:
            raise PairingRefused("the phone's part of the code is malformed") from error
        self._pairing.has_agreed = True
        await self._pairing.save_secret(secret)
        crashpoints.reach(CrashPoint.PAIRING_AFTER_SECRET)
        try:
            await self._connection.requests.ask(CompanionFinish(self._phone, bundle, own.public, asked.ref))
        except QueryTimeout:
            raise
        except QueryError as error:
            raise CodeRefused(error.code) from error

    def _credentials(self) -> Credentials:
        if self._account.credentials is None:
            raise AssertionError("a code is made from the device's credentials")
        return self._account.credentials


def _display(device: Device) -> str:
    """The browser as the server takes it: a common one on a common system."""
    browser = device.browser if device.browser in _BROWSERS else _BROWSERS[0]
    system = device.os if device.os in _SYSTEMS else _SYSTEMS[0]
    return f"{browser} ({system})"


def _platform(device: Device) -> str:
    return f"{device.platform:x}" if device.browser in _BROWSERS else "1"
