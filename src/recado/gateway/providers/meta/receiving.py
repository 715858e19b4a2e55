"""
Where Meta calls: verification (GET) and webhooks (POST), at an address of a mentorado's own or at the operator's, whose
app receives for many. The signature is over the raw bytes and checked before anything of them is read; 200 is answered
after the commit and never else, so that what was not taken is told again.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from recado.clock import Clock
from recado.errors import StoreError
from recado.gateway import metrics
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.credentials import MetaCredentials, load_credentials
from recado.gateway.providers.hooks import find_hook, find_shared_accounts
from recado.gateway.providers.meta.commits import Commits, kept_raw
from recado.gateway.providers.meta.intake import Delivery
from recado.gateway.providers.meta.items import Malformed, Part
from recado.gateway.providers.meta.repository import find_shared_wabas
from recado.gateway.providers.meta.webhook import OBJECT, parse
from recado.gateway.providers.roads import META
from recado.gateway.refusals import NoCredentials
from recado.gateway.security import Principal

if TYPE_CHECKING:
    from recado.gateway.settings import Settings

_ADDRESS = "/webhooks/meta"
_KNOWN_FOR = 30.0
_MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whose a call is: a mentorado's own app, or, without one, the operator's; and what proves that it is Meta's."""

    mentorado_id: UUID | None
    phone_number_id: str | None
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)

    def signed(self, body: bytes, signature: str) -> bool:
        """Is that the signature of these bytes? In constant time; without a secret nothing is signed."""
        wanted = hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()
        given = signature.removeprefix("sha256=").encode("utf-8", "replace")
        return bool(self.app_secret) and hmac.compare_digest(wanted.encode(), given)

    def verifies(self, token: str) -> bool:
        """Is that the token that was agreed on? In constant time."""
        return bool(self.verify_token) and hmac.compare_digest(self.verify_token.encode(), token.encode())


class Taken(Enum):
    """What became of a body; the value counts it."""

    TAKEN = "taken"
    UNADDRESSED = "unaddressed"
    MALFORMED = "malformed"


_STATUSES = {Taken.TAKEN: 200, Taken.UNADDRESSED: 404, Taken.MALFORMED: 400}


class MetaReceiving:
    """What the routes need; open it around the application."""

    def __init__(self, database: Database, vault: Vault, settings: Settings, *, clock: Clock) -> None:
        self.commits = Commits(database, vault, clock=clock)
        self.body_limit = settings.webhook_body_limit
        self._database = database
        self._vault = vault
        self._clock = clock
        secret, token = settings.meta_app_secret, settings.meta_verify_token
        self._shared = Receiver(
            None,
            None,
            secret.get_secret_value() if secret else "",
            token.get_secret_value() if token else "",
        )
        self._hooks: dict[str, tuple[float, Receiver]] = {}
        self._owners: dict[str, tuple[float, tuple[UUID, ...]]] = {}

    async def __aenter__(self) -> MetaReceiving:
        await self.commits.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.commits.__aexit__(*failure)

    async def receiver(self, hook: str | None, *, anew: bool = False) -> Receiver | None:
        """Whose address this is; None: nobody's. Read again after a while, or `anew`. Raises StoreError."""
        if hook is None:
            return self._shared if self._shared.app_secret else None
        now = self._clock.monotonic()
        known = self._hooks.get(hook)
        if known is not None and now - known[0] < (1.0 if anew else _KNOWN_FOR):
            return known[1]
        found = await self._find(hook)
        self._hooks.pop(hook, None)
        if found is not None:
            if len(self._hooks) >= _MOST_KNOWN:
                self._hooks.clear()
            self._hooks[hook] = (now, found)
        return found

    async def _find(self, hook: str) -> Receiver | None:
        async with self._database.unit(Principal.worker()) as unit:
            mentorado_id = await find_hook(unit, META, hook)
        if mentorado_id is None:
            return None
        try:
            async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
                said = await load_credentials(unit, self._vault, MetaCredentials)
        except NoCredentials:
            return None
        return Receiver(mentorado_id, said.phone_number_id, said.app_secret, said.verify_token)

    async def take(self, receiver: Receiver, body: bytes) -> Taken:
        """
        Commit what a body tells, and say what became of it. Of numbers that nobody here has proven theirs nothing is
        kept: such a body is refused, so that Meta comes again while credentials may be entered. Raises StoreError.
        """
        parts = parse(body)
        if isinstance(parts, Malformed):
            if receiver.mentorado_id is None:
                return Taken.MALFORMED
            unread = kept_raw(Delivery(body, "", ()), parts.problem)
            await self.commits.take(receiver.mentorado_id, unread)
            return Taken.TAKEN
        if receiver.mentorado_id is not None:
            for delivery in _own(receiver, parts, body):
                await self.commits.take(receiver.mentorado_id, delivery)
            return Taken.TAKEN
        by_mentorado, is_complete = await self._by_mentorado(parts)
        for mentorado_id, theirs in by_mentorado.items():
            for delivery in _kept_apart(theirs, parts, body):
                await self.commits.take(mentorado_id, delivery)
        return Taken.TAKEN if is_complete else Taken.UNADDRESSED

    async def _by_mentorado(self, parts: tuple[Part, ...]) -> tuple[dict[UUID, list[Part]], bool]:
        """Whose each part is: the number's, or everybody's who shares the business account; has every number one?"""
        found: dict[UUID, list[Part]] = {}
        is_complete = True
        await self._learn_owners(parts)
        for part in parts:
            _, owners = self._owners.get(_address(part), (0.0, ()))
            if not owners and part.phone_number_id:
                is_complete = False
            elif not owners:  # templates of a business account nobody has: they are listed when somebody connects
                metrics.PROVIDER_CALLBACKS.labels(META, "unaddressed").inc()
            for mentorado_id in owners:
                found.setdefault(mentorado_id, []).append(part)
        return found, is_complete

    async def _learn_owners(self, parts: tuple[Part, ...]) -> None:
        now = self._clock.monotonic()
        asked = {
            _address(part): part
            for part in parts
            if now - self._owners.get(_address(part), (-_KNOWN_FOR, ()))[0] >= _KNOWN_FOR
        }
        if not asked:
            return
        numbers = [part.phone_number_id for part in asked.values() if part.phone_number_id]
        wabas = [part.waba_id for part in asked.values() if not part.phone_number_id]
        async with self._database.unit(Principal.worker()) as unit:
            by_number = await find_shared_accounts(unit, META, numbers) if numbers else {}
            by_waba = await find_shared_wabas(unit, wabas) if wabas else {}
        if len(self._owners) >= _MOST_KNOWN:
            self._owners.clear()
        for address, part in asked.items():
            if part.phone_number_id:
                owner = by_number.get(part.phone_number_id)
                owners: tuple[UUID, ...] = (owner,) if owner is not None else ()
            else:
                owners = tuple(by_waba.get(part.waba_id, ()))
            if owners:  # nobody's may be somebody's in a moment: asked again
                self._owners[address] = (now, owners)
            else:
                self._owners.pop(address, None)


async def verify(request: Request) -> Response:
    """Meta asks whether an address is ours: the operator's, or the one that ends in a mentorado's hook."""
    return await _verify(request, request.path_params.get("hook"))


async def receive(request: Request) -> Response:
    """A webhook: of a mentorado's own app, or of the operator's, about any of those who share it."""
    return await _receive(request, request.path_params.get("hook"))


class _Route(Route):
    """A route that is counted by its path, as the framework's own are (monitoring/requests.py)."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Does the call come here?"""
        match, found = super().matches(scope)
        return match, {**found, "route": self} if match is not Match.NONE else found


ROUTES = [
    _Route(path, endpoint, methods=[method], include_in_schema=False)
    for path in (_ADDRESS, _ADDRESS + "/{hook}")
    for method, endpoint in (("POST", receive), ("GET", verify))
]
"""Plain routes, to stand before all others: looking through those and their dependencies cost half of a webhook."""


async def _verify(request: Request, hook: str | None) -> Response:
    receiving: MetaReceiving = request.app.state.gateway.meta
    asked = request.query_params
    receiver = await receiving.receiver(hook)
    if receiver is None:
        return Response(status_code=404)
    if asked.get("hub.mode") != "subscribe" or not receiver.verifies(asked.get("hub.verify_token", "")):
        return Response(status_code=403)
    return Response(asked.get("hub.challenge", "")[:1024], media_type="text/plain")


async def _receive(request: Request, hook: str | None) -> Response:
    """One call; how it ended is counted. What goes wrong on our side is a 503, and Meta comes again."""
    receiving: MetaReceiving = request.app.state.gateway.meta
    try:
        status, outcome = await _taken(request, receiving, hook)
    except StoreError:
        status, outcome = 503, "failed"
    metrics.PROVIDER_CALLBACKS.labels(META, outcome).inc()
    return Response(status_code=status)


async def _taken(request: Request, receiving: MetaReceiving, hook: str | None) -> tuple[int, str]:
    receiver = await receiving.receiver(hook)
    if receiver is None:
        return 404, "unaddressed"
    body = await _body(request, receiving.body_limit)
    if body is None:
        return 413, "too_large"
    signature = request.headers.get("x-hub-signature-256", "")
    if not receiver.signed(body, signature):
        renewed = await receiving.receiver(hook, anew=True)  # another secret was set, perhaps, a moment ago
        if renewed is None or not renewed.signed(body, signature):
            return 401, "forged"
        receiver = renewed
    taken = await receiving.take(receiver, body)
    return _STATUSES[taken], taken.value


async def _body(request: Request, most: int) -> bytes | None:
    """The raw bytes; None when there are more than may be."""
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said) > most:
        return None
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > most:
            return None
    return bytes(taken)


def _address(part: Part) -> str:
    return f"number {part.phone_number_id}" if part.phone_number_id else f"waba {part.waba_id}"


def _own(receiver: Receiver, parts: tuple[Part, ...], body: bytes) -> list[Delivery]:
    """A body to a mentorado's own address: all theirs, and what is of another number is kept and not used."""
    mine = [part for part in parts if part.phone_number_id in (None, receiver.phone_number_id)]
    others = [part for part in parts if part not in mine]
    deliveries = _kept_apart(mine, parts, body) if mine else []
    return deliveries + [kept_raw(each, "another number") for each in _kept_apart(others, parts, body)]


def _kept_apart(theirs: list[Part], parts: tuple[Part, ...], body: bytes) -> list[Delivery]:
    """A mentorado's part of a body: the very bytes when it is all theirs, else the JSON of what is."""
    if not theirs:
        return []
    is_all = len(theirs) == len(parts)
    raw = body if is_all else orjson.dumps({"object": OBJECT, "entry": [part.raw for part in theirs]})
    phone = next((part.phone for part in theirs if part.phone), "")
    return [Delivery(raw, phone, tuple(item for part in theirs for item in part.items))]
