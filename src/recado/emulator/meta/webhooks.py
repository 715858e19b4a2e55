"""
Webhooks out: each change goes to the address that is subscribed, signed over its very bytes, one after another, and
is tried again with growing pauses for seven days while the answer is not 200. Batches, duplicates, delays and
disorder come from faults.py or `held()`.

Bodies are written as Meta writes them: non-ASCII as \\uXXXX and slashes as \\/, so who signs re-serialised JSON
fails.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import aiohttp

from recado.emulator.meta.errors import GraphError
from recado.emulator.meta.faults import Fault, Planned
from recado.emulator.meta.world import Number, Waba

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

FIELDS = (
    "messages",
    "message_template_status_update",
    "phone_number_quality_update",
    "account_update",
    "history",
    "smb_message_echoes",
    "smb_app_state_sync",
    "user_preferences",
    "user_id_update",
)
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200)
"""Seconds before each new try; the last goes on until `GIVE_UP`. Meta says only that they grow, up to seven days."""
GIVE_UP = timedelta(days=7)
ANSWER_WITHIN = 10.0
"""Real seconds a receiver has."""

Shape = Literal["one", "changes", "entries"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to tell."""

    waba: Waba
    number: Number | None
    field: str
    value: dict[str, Any]


@dataclass(slots=True)
class Delivery:
    """One webhook body on its way. `answers` are HTTP statuses, 0 for no answer."""

    url: str
    body: bytes
    fields: tuple[str, ...]
    since: datetime
    answers: list[int] = field(default_factory=list)
    state: Literal["waiting", "delivered", "given up"] = "waiting"
    is_repeat: bool = False

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


@dataclass(slots=True)
class Subscription:
    """The app's webhook."""

    url: str
    verify_token: str
    fields: set[str]


class Webhooks:
    """Composes, signs, delivers."""

    def __init__(self, cloud: MetaCloud) -> None:
        self.subscription: Subscription | None = None
        self.deliveries: list[Delivery] = []
        self.unheard: list[Change] = []
        self._cloud = cloud
        self._ready: deque[tuple[Delivery, Planned | None]] = deque()
        self._wake = asyncio.Event()
        self._in_flight = 0
        self._held: list[Change] | None = None
        self._behind: list[tuple[Delivery, Planned | None]] = []

    # ---- what the world tells

    def tell(self, waba: Waba, number: Number | None, field: str, value: dict[str, Any]) -> None:
        """Tell the subscriber, unless there is none or it did not ask for the field."""
        change = Change(waba, number, field, value)
        if self._held is not None:
            self._held.append(change)
        else:
            self._post([change], "one")

    @contextmanager
    def held(self, shape: Shape = "one") -> Iterator[None]:
        """Everything told meanwhile goes out as one body a receiver: merged, as several changes, or several entries."""
        outer, self._held = self._held, []
        try:
            yield
        finally:
            held, self._held = self._held, outer
            by_url: dict[str, list[Change]] = {}
            for change in held:
                by_url.setdefault(self.url_for(change) or "", []).append(change)
            for changes in by_url.values():
                self._post(changes, shape)

    def url_for(self, change: Change) -> str | None:
        """Where it goes: the number's own address, the account's, or the app's."""
        if self.subscription is None or change.field not in self.subscription.fields or not change.waba.is_subscribed:
            return None
        override = (change.number.override if change.number else None) or change.waba.override
        return override.url if override else self.subscription.url

    def _post(self, changes: list[Change], shape: Shape) -> None:
        url = self.url_for(changes[0])
        if url is None:
            self.unheard += changes
            return
        body = encode(compose(changes, shape, int(self._cloud.clock.now().timestamp())))
        self.post(url, body, tuple(change.field for change in changes))

    def post(self, url: str, body: bytes, fields: tuple[str, ...]) -> Delivery:
        """Send that body, with whatever is planned to go wrong."""
        about, take = fields[0], self._cloud.faults.take
        delivery = Delivery(url, body, fields, self._cloud.clock.now())
        self.deliveries.append(delivery)
        wrong = take(Fault.FORGED_SIGNATURE, about=about) or take(Fault.CUT_WEBHOOK, about=about)
        if take(Fault.REORDER_WEBHOOK, about=about):
            self._behind.append((delivery, wrong))
            return delivery
        if late := take(Fault.DELAY_WEBHOOK, about=about):
            self._cloud.later(late.seconds, lambda: self._push(delivery, wrong))
        else:
            self._push(delivery, wrong)
            if take(Fault.DUPLICATE_WEBHOOK, about=about):
                self._push(self._copy(delivery), None)
        behind, self._behind = self._behind, []
        for each, its_wrong in behind:
            self._push(each, its_wrong)
        return delivery

    def flush(self) -> None:
        """Send what waits for another to go first."""
        behind, self._behind = self._behind, []
        for each, wrong in behind:
            self._push(each, wrong)

    def again(self, delivery: Delivery) -> None:
        """Send a body that went out once more."""
        self._push(self._copy(delivery), None)

    def _copy(self, delivery: Delivery) -> Delivery:
        again = Delivery(delivery.url, delivery.body, delivery.fields, self._cloud.clock.now(), is_repeat=True)
        self.deliveries.append(again)
        return again

    def _push(self, delivery: Delivery, wrong: Planned | None) -> None:
        self._ready.append((delivery, wrong))
        self._wake.set()

    # ---- delivering

    @property
    def is_idle(self) -> bool:
        """Is nothing on its way now? Later tries may be planned."""
        return not self._ready and not self._in_flight

    async def run(self) -> None:
        """Deliver what is ready, in order, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._ready:
                delivery, wrong = self._ready.popleft()
                self._in_flight += 1
                try:
                    await self._try(delivery, wrong)
                finally:
                    self._in_flight -= 1
                self._cloud.changed()

    async def _try(self, delivery: Delivery, wrong: Planned | None) -> None:
        status = await self._send(delivery, wrong)
        delivery.answers.append(status)
        now = self._cloud.clock.now()
        if status == 200:
            delivery.state = "delivered"
            repeat = self._cloud.faults.take(Fault.REPEAT_ANSWERED, about=delivery.fields[0])
            if repeat is not None:
                self._cloud.later(repeat.seconds, lambda: self.again(delivery))
            return
        pause = PAUSES[min(len(delivery.answers), len(PAUSES)) - 1]
        if now + timedelta(seconds=pause) - delivery.since > GIVE_UP:
            delivery.state = "given up"
            return
        self._cloud.later(pause, lambda: self._push(delivery, None))

    async def _send(self, delivery: Delivery, wrong: Planned | None) -> int:
        forged = wrong is not None and wrong.fault is Fault.FORGED_SIGNATURE
        is_cut = wrong is not None and wrong.fault is Fault.CUT_WEBHOOK
        secret = "forged" if forged else self._cloud.world.app_secret
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": sign(secret, delivery.body),
        }
        data: bytes | AsyncIterator[bytes] = delivery.body
        if is_cut:
            headers["Content-Length"] = str(len(delivery.body))
            data = _half(delivery.body)
        limit = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        try:
            async with self._cloud.http.post(delivery.url, data=data, headers=headers, timeout=limit) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0

    async def verify(self, url: str, verify_token: str) -> None:
        """The handshake. Raises GraphError when the receiver does not echo the challenge."""
        challenge = self._cloud.ids.digits(10)
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        limit = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        try:
            async with self._cloud.http.get(url, params=query, timeout=limit) as answer:
                said, status = await answer.text(), answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise GraphError(2200, "Callback verification failed: the URL could not be reached.") from None
        if status != 200 or said != challenge:
            raise GraphError(2200, f"Callback verification failed: HTTP Status Code = {status}, or no challenge.")


async def _half(body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionResetError


def sign(secret: str, body: bytes) -> str:
    """The header `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def encode(said: dict[str, Any]) -> bytes:
    """JSON as Meta writes it."""
    return json.dumps(said, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def compose(changes: list[Change], shape: Shape, now: int) -> dict[str, Any]:
    """One body of several changes."""
    entries: list[dict[str, Any]] = []
    for change in _merged(changes) if shape == "one" else changes:
        said = {"value": change.value, "field": change.field}
        known = next((each for each in entries if each["id"] == change.waba.id), None)
        if known is None or shape == "entries":
            entries.append({"id": change.waba.id, "changes": [said]})
        else:
            known["changes"].append(said)
    for entry, change in zip(entries, changes, strict=False):
        if change.field not in {"messages", "smb_message_echoes"}:
            entry["time"] = now
    return {"object": "whatsapp_business_account", "entry": entries}


def _merged(changes: list[Change]) -> list[Change]:
    """Messages of one number together, statuses of one number together; nothing else can be."""
    merged: list[Change] = []
    for change in changes:
        name = next((name for name in ("messages", "statuses") if name in change.value), None)
        known = next((each for each in merged if name is not None and _is_like(each, change, name)), None)
        if known is None or name is None:
            merged.append(Change(change.waba, change.number, change.field, copy.deepcopy(change.value)))
            continue
        known.value[name] += change.value[name]
        for contact in change.value.get("contacts", []):
            contacts = known.value.setdefault("contacts", [])
            if contact not in contacts:
                contacts.append(contact)
    return merged


def _is_like(known: Change, change: Change, name: str) -> bool:
    return name in known.value and known.number is change.number and known.field == change.field
