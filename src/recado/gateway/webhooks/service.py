"""
What may be done with a mentorado's webhooks, and by whom. Deliveries themselves are the runtime's
(runtime/deliveries.py); a change here is seen by it after the request it has under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from recado.clock import Clock
from recado.errors import BadRecord
from recado.gateway.audit.repository import add_entry
from recado.gateway.db.notify import STREAM
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, EgressFailed, EgressRefused, Policy
from recado.gateway.refusals import BadContent, TooManyWebhooks
from recado.gateway.security import MANAGE, READ, Principal
from recado.gateway.stream.kinds import Kinds
from recado.gateway.stream.repository import get_head
from recado.gateway.webhooks import repository, signing
from recado.gateway.webhooks.repository import ACTIVE, PAUSED, Attempt, Endpoint, SealedSecrets

MOST_ENDPOINTS = 20
OLD_SECRET_SIGNS = timedelta(hours=24)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request went: `status` is None when there was no answer; `error` in words that may be stored."""

    status: int | None
    milliseconds: int
    error: str | None
    retry_after: str | None = field(default=None, repr=False)
    is_gone: bool = False


SECRET_LOST = Outcome(None, 0, "the signing secret does not open: is the master key another?")


async def create_endpoint(
    unit: Unit,
    vault: Vault,
    policy: Policy,
    *,
    url: str,
    name: str = "",
    kinds: Iterable[str] = (),
    after: int | None = None,
) -> tuple[Endpoint, str]:
    """
    A new endpoint and its secret, which is shown this once: it is told what comes after the event numbered `after`
    (None: from now on). Raises Forbidden, EgressRefused, BadContent, TooManyWebhooks.
    """
    unit.principal.require(MANAGE)
    policy.check(url)
    wanted = Kinds.parse(kinds)
    if await repository.count_endpoints(unit) >= MOST_ENDPOINTS:
        raise TooManyWebhooks
    head = await get_head(unit)
    endpoint_id, secret = uuid4(), signing.new_secret()
    keys = await vault.keys(unit)
    made = await repository.add_endpoint(
        unit,
        endpoint_id,
        name=_checked_name(name),
        url=url,
        kinds=list(wanted.patterns),
        secret=keys.seal(_sealed_name(endpoint_id), secret),
        cursor_seq=head if after is None else min(after, head),
    )
    await add_entry(unit, "webhook.created", webhook=str(endpoint_id))
    unit.tell(STREAM)
    return made, signing.shown(secret)


async def change_endpoint(
    unit: Unit,
    policy: Policy,
    endpoint_id: UUID,
    *,
    name: str | None = None,
    url: str | None = None,
    kinds: Iterable[str] | None = None,
    state: str | None = None,
) -> Endpoint:
    """
    Change what is given; `state` is active or paused. Raises Forbidden, NotFound, EgressRefused, BadContent.
    """
    unit.principal.require(MANAGE)
    await repository.get_endpoint(unit, endpoint_id)
    if url is not None:
        policy.check(url)
    await repository.save_endpoint(
        unit,
        endpoint_id,
        name=None if name is None else _checked_name(name),
        url=url,
        kinds=None if kinds is None else list(Kinds.parse(kinds).patterns),
    )
    if state is not None:
        await repository.save_state(unit, endpoint_id, PAUSED if state == PAUSED else ACTIVE)
    await add_entry(unit, "webhook.changed", webhook=str(endpoint_id), state=state)
    unit.tell(STREAM)
    return await repository.get_endpoint(unit, endpoint_id)


async def resume_endpoint(unit: Unit, endpoint_id: UUID) -> Endpoint:
    """Go on where it stopped, now: paused, disabled, or waiting for a retry. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    await repository.save_state(unit, endpoint_id, ACTIVE)
    await add_entry(unit, "webhook.resumed", webhook=str(endpoint_id))
    unit.tell(STREAM)
    return await repository.get_endpoint(unit, endpoint_id)


async def remove_endpoint(unit: Unit, endpoint_id: UUID) -> None:
    """With its attempts and dead letters; the events stay. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    await repository.remove_endpoint(unit, endpoint_id)
    await add_entry(unit, "webhook.removed", webhook=str(endpoint_id))


async def rotate_secret(unit: Unit, vault: Vault, endpoint_id: UUID, *, now: datetime) -> tuple[Endpoint, str]:
    """A new secret, shown this once; the one before signs too, for a day. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    secret, keys = signing.new_secret(), await vault.keys(unit)
    sealed = keys.seal(_sealed_name(endpoint_id), secret)
    await repository.save_secret(unit, endpoint_id, sealed, old_sealed_until=now + OLD_SECRET_SIGNS)
    await add_entry(unit, "webhook.secret_rotated", webhook=str(endpoint_id))
    return await repository.get_endpoint(unit, endpoint_id), signing.shown(secret)


async def redrive_from(unit: Unit, endpoint_id: UUID, after: int) -> Endpoint:
    """Tell again, in order, what came after the event numbered `after`. Raises Forbidden, NotFound, BadContent."""
    unit.principal.require(MANAGE)
    if after > await get_head(unit):
        raise BadContent("there is no event of that number yet")
    await repository.save_cursor(unit, endpoint_id, after)
    await add_entry(unit, "webhook.redriven", webhook=str(endpoint_id), after=after)
    unit.tell(STREAM)
    return await repository.get_endpoint(unit, endpoint_id)


async def redrive_dead_letters(unit: Unit, endpoint_id: UUID, seqs: Sequence[int] | None) -> Endpoint:
    """Try these dead letters (None: all) once more, before what is new. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    await repository.get_endpoint(unit, endpoint_id)
    count = await repository.redrive_dead_letters(unit, endpoint_id, seqs)
    await add_entry(unit, "webhook.redriven", webhook=str(endpoint_id), dead_letters=count)
    unit.tell(STREAM)
    return await repository.get_endpoint(unit, endpoint_id)


async def ping(
    database: Database, vault: Vault, egress: Egress, clock: Clock, principal: Principal, endpoint_id: UUID
) -> Outcome:
    """
    One test request, made now and told how it went; it is no event and changes no state. The wait for the answer is
    in no transaction. Raises Forbidden, NotFound.
    """
    principal.require(MANAGE)
    async with database.unit(principal) as unit:
        endpoint = await repository.get_endpoint(unit, endpoint_id)
        try:
            keys = await signing_keys(unit, vault, endpoint_id, now=clock.now())
        except BadRecord:
            return SECRET_LOST
        mentorado_id = unit.mentorado_id
    at = clock.now()
    body = signing.ping_body(mentorado_id, endpoint_id, at)
    headers = signing.signed_headers(f"ping_{uuid4().hex}", at, body, keys)
    outcome = await post(egress, clock, endpoint.url, headers, body)
    async with database.unit(principal) as unit:
        await repository.add_attempt(
            unit,
            endpoint_id,
            seq=None,
            attempt=1,
            at=at,
            status=outcome.status,
            milliseconds=outcome.milliseconds,
            error=outcome.error,
        )
    return outcome


async def post(egress: Egress, clock: Clock, url: str, headers: dict[str, str], body: bytes) -> Outcome:
    """One request to an endpoint; whatever happens is an outcome."""
    start = clock.monotonic()

    def elapsed() -> int:
        return round((clock.monotonic() - start) * 1000)

    try:
        answer = await egress.request("POST", url, headers=headers, body=body)
    except (EgressRefused, EgressFailed) as error:
        return Outcome(None, elapsed(), str(error))
    if 200 <= answer.status < 300:
        return Outcome(answer.status, elapsed(), None)
    why = "answered with a redirect" if 300 <= answer.status < 400 else f"answered with {answer.status}"
    return Outcome(answer.status, elapsed(), why, answer.headers.get("retry-after"), is_gone=answer.status == 410)


async def signing_keys(unit: Unit, vault: Vault, endpoint_id: UUID, *, now: datetime) -> list[bytes]:
    """What signs a delivery now: the secret, and the one before while it counts. Raises NotFound, BadRecord."""
    sealed = await repository.get_secrets(unit, endpoint_id)
    name = _sealed_name(endpoint_id)
    return await vault.open(unit, [(name, each) for each in _counting(sealed, now)])


async def attempts_for_events(unit: Unit, seqs: Sequence[int]) -> list[Attempt]:
    """Every attempt to tell the events of these numbers, in order, for a message's passport. Raises Forbidden."""
    unit.principal.require(READ)
    return await repository.list_attempts_for_events(unit, seqs) if seqs else []


def _counting(sealed: SealedSecrets, now: datetime) -> list[bytes]:
    if sealed.old_secret is None or sealed.old_secret_until is None or sealed.old_secret_until <= now:
        return [sealed.secret]
    return [sealed.secret, sealed.old_secret]


def _sealed_name(endpoint_id: UUID) -> str:
    return f"webhook {endpoint_id}"


def _checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > _LONGEST_NAME or "\x00" in name:
        raise BadContent("a name has at most 200 characters")
    return name
