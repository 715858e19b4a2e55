"""
WhatsApp's Cloud API on a desk: one object that wires the parts, and what tests and operators do with it.

    async with MetaCloud.start() as cloud:           the API at cloud.url, one number, one token, nobody yet
        ana = cloud.person("Ana", "5511955550101")
        await cloud.subscribe("http://…/webhook")    the handshake, then every field of every account
        ana.say("oi")                                a signed webhook is on its way
        await cloud.settled()                        … and was answered (or will be tried again later)

Nothing here is read by a client: it shares no code with what talks to the API, only the facts.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from recado.clock import Clock, SystemClock
from recado.emulator.meta.coexistence import Coexistence
from recado.emulator.meta.control import add_control
from recado.emulator.meta.errors import webhook_error
from recado.emulator.meta.faults import Faults
from recado.emulator.meta.media import MediaStore
from recado.emulator.meta.people import Person, Shown
from recado.emulator.meta.routes import MAX_BODY, add_routes
from recado.emulator.meta.statuses import Statuses
from recado.emulator.meta.templates import Templates
from recado.emulator.meta.webhooks import FIELDS, Subscription, Webhooks
from recado.emulator.meta.world import Ids, Number, Quality, Rules, Token, Waba, World

PATIENCE = 10.0
"""Seconds of real time `until` and `settled` wait before they fail."""


class MetaCloud:
    """One app at Meta's, with its accounts, numbers, people and webhooks."""

    def __init__(self, *, clock: Clock | None = None, seed: int | None = None, rules: Rules | None = None) -> None:
        self.seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.clock: Clock = clock or SystemClock()
        self.rules = rules or Rules()
        self.ids = Ids(self.seed)
        self.world = World(self.ids)
        self.faults = Faults(self.seed)
        self.media = MediaStore(self)
        self.templates = Templates(self)
        self.statuses = Statuses(self)
        self.webhooks = Webhooks(self)
        self.coexistence: Coexistence = Coexistence(self)
        self.people: dict[str, Person] = {}
        self.token: Token = self.world.add_token()
        self.world.add_number()
        self.url = ""
        self.http: aiohttp.ClientSession
        self._group: asyncio.TaskGroup
        self._timers: set[asyncio.Task[None]] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        rules: Rules | None = None,
    ) -> AsyncIterator[MetaCloud]:
        """A running cloud; port 0 takes any."""
        cloud = cls(clock=clock, seed=seed, rules=rules)
        app = web.Application(client_max_size=MAX_BODY)
        add_routes(app, cloud)
        add_control(app, cloud)
        app.cleanup_ctx.append(cloud._working)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            cloud.url = f"http://{host}:{runner.addresses[0][1]}"
            yield cloud
        finally:
            await runner.cleanup()

    async def _working(self, app: web.Application) -> AsyncIterator[None]:
        """The deliverer and the timers, while the application runs."""
        async with aiohttp.ClientSession() as self.http, asyncio.TaskGroup() as self._group:
            deliverer = self._group.create_task(self.webhooks.run())
            yield
            deliverer.cancel()
            for timer in self._timers:
                timer.cancel()

    # ---- who and what there is

    def number(self, which: Number | str | None = None) -> Number:
        """That number, by itself, its id or its digits; None: the first there is. Raises LookupError."""
        if isinstance(which, Number):
            return which
        numbers = self.world.numbers.values()
        for number in numbers:
            if which in (None, number.id, number.digits, number.display):
                return number
        raise LookupError("no such number")

    def add_number(self, display: str | None = None, **options: Any) -> Number:
        """A new number: `waba=`, `name=`, `coexistence=`."""
        return self.world.add_number(display, **options)

    def person(self, name: str, phone: str | None = None, *, country: str = "BR", wa_id: str | None = None) -> Person:
        """The person of that name; the first time a new one, with a phone and a user id, online."""
        known = self.people.get(name)
        if known is None:
            number = phone or f"55119555{len(self.people) + 1:05}"
            known = self.people[name] = Person(self, name, number, self.new_user_id(country), wa_id)
        return known

    def person_at(self, address: str) -> Person | None:
        """Whom one reaches there (phone, wa_id or user id), if anybody."""
        digits = address if "." in address else "".join(filter(str.isdigit, address))
        return next((each for each in self.people.values() if digits in each.addresses), None)

    def new_user_id(self, country: str = "BR") -> str:
        """A fresh BSUID."""
        return f"{country}.{self.ids.digits(16)}"

    def find_shown(self, message_id: str) -> tuple[Person | None, Shown | None]:
        """Whose phone shows that message."""
        for person in self.people.values():
            shown = person.message(message_id)
            if shown is not None:
                return person, shown
        return None, None

    # ---- what an operator does

    async def subscribe(self, url: str, *, verify_token: str | None = None, fields: Iterable[str] = FIELDS) -> None:
        """Point the app's webhook there, after the handshake. Raises GraphError."""
        token = verify_token or self.world.verify_token
        await self.webhooks.verify(url, token)
        self.webhooks.subscription = Subscription(url, token, set(fields))

    def set_quality(self, number: Number, quality: Quality, *, limit_tier: str | None = None) -> None:
        """The number's quality changes, and its account is told."""
        was, number.quality = number.quality, quality
        number.limit_tier = limit_tier or number.limit_tier
        event = "FLAGGED" if quality == "RED" else "UNFLAGGED" if was == "RED" else "UPGRADE"
        value = {"display_phone_number": number.digits, "event": event, "current_limit": number.limit_tier}
        self.webhooks.tell(number.waba, number, "phone_number_quality_update", value)
        self.changed()

    def lock(self, waba: Waba, code: int | None = 131031) -> None:
        """Refuse everything of the account with that code; None lets it send again."""
        waba.locked = code
        if code is None:
            self.tell_account(waba, "ACCOUNT_RESTORED")
        else:
            ban = {"waba_ban_state": "DISABLE", "waba_ban_date": f"{self.clock.now():%B %d, %Y}"}
            self.tell_account(waba, "DISABLED_UPDATE", ban_info=ban)

    def tell_account(self, waba: Waba, event: str, **more: Any) -> None:
        """An `account_update`."""
        self.webhooks.tell(waba, None, "account_update", {"event": event, **more})
        self.changed()

    def tell_error(self, number: Number, code: int, details: str | None = None) -> None:
        """An error at the level of the account: `value.errors`."""
        value = {
            "messaging_product": "whatsapp",
            "metadata": number.metadata,
            "errors": [webhook_error(code, details)],
        }
        self.webhooks.tell(number.waba, number, "messages", value)
        self.changed()

    def tell(self, field: str, value: dict[str, Any], number: Number | None = None) -> None:
        """Any webhook at all, also of a field nobody knows: the receiver is asked to take it."""
        at = self.number(number)
        if self.webhooks.subscription is not None:
            self.webhooks.subscription.fields.add(field)
        self.webhooks.tell(at.waba, at, field, value)
        self.changed()

    # ---- time and waiting

    def later(self, seconds: float, move: Callable[[], None]) -> None:
        """Make a move after that time of the cloud's clock."""
        timer = self._group.create_task(self._make_later(seconds, move))
        self._timers.add(timer)
        timer.add_done_callback(self._timers.discard)

    async def _make_later(self, seconds: float, move: Callable[[], None]) -> None:
        await self.clock.sleep(seconds)
        move()
        self.changed()

    def changed(self) -> None:
        """Something did: those who wait look again."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], bool], otherwise: str, *, patience: float = PATIENCE) -> None:
        """Wait for a condition, looked at after each change. Raises AssertionError, naming the seed."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    waiting = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiting)
                    await waiting
        except TimeoutError:
            raise AssertionError(f"{otherwise} (seed {self.seed})") from None

    async def settled(self) -> None:
        """Wait until every webhook that is due was tried; those for later stay planned."""
        self.webhooks.flush()
        await self.until(lambda: self.webhooks.is_idle, "webhooks are still on their way")
