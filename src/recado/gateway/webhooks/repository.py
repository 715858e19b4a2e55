"""Endpoints, attempts and dead letters as rows. Secrets are envelopes here; nobody but the service opens them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound

_queries = load_queries(__file__)

ACTIVE = "active"
PAUSED = "paused"
DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events are posted, and how far that got: everything up to `cursor_seq` is settled."""

    id: UUID
    name: str = field(repr=False)
    url: str = field(repr=False)
    kinds: list[str]
    state: str
    state_reason: str | None
    cursor_seq: int
    attempt: int
    next_attempt_at: datetime | None
    failures: int
    failing_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """What an endpoint's deliveries are signed with, as it is stored."""

    secret: bytes = field(repr=False)
    old_secret: bytes | None = field(repr=False)
    old_secret_until: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """One attempt at an endpoint: `seq` is None for a test, `status` when there was no answer."""

    id: int
    seq: int | None
    attempt: int
    at: datetime
    status: int | None
    milliseconds: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to tell an event, as a message's passport shows it."""

    endpoint_id: UUID
    endpoint_name: str = field(repr=False)
    seq: int
    attempt: int
    at: datetime
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that an endpoint never took; `kind` is None when the event itself is no longer kept."""

    seq: int
    kind: str | None
    attempts: int
    status: int | None
    error: str | None
    died_at: datetime
    is_redriving: bool


async def add_endpoint(
    unit: Unit, endpoint_id: UUID, *, name: str, url: str, kinds: list[str], secret: bytes, cursor_seq: int
) -> Endpoint:
    """A new endpoint, behind the event numbered `cursor_seq`."""
    made = await unit.one(
        Endpoint,
        _queries.add_endpoint,
        id=endpoint_id,
        name=name,
        url=url,
        kinds=kinds,
        secret=secret,
        cursor_seq=cursor_seq,
    )
    assert made is not None
    return made


async def count_endpoints(unit: Unit) -> int:
    """How many the mentorado has."""
    return int(await unit.value(_queries.count_endpoints))


async def list_endpoints(unit: Unit) -> list[Endpoint]:
    """The oldest first."""
    return await unit.all(Endpoint, _queries.list_endpoints)


async def get_endpoint(unit: Unit, endpoint_id: UUID) -> Endpoint:
    """Raises NotFound."""
    found = await unit.one(Endpoint, _queries.find_endpoint, id=endpoint_id)
    if found is None:
        raise NotFound
    return found


async def get_secrets(unit: Unit, endpoint_id: UUID) -> SealedSecrets:
    """Raises NotFound."""
    found = await unit.one(SealedSecrets, _queries.find_secrets, id=endpoint_id)
    if found is None:
        raise NotFound
    return found


async def save_endpoint(
    unit: Unit, endpoint_id: UUID, *, name: str | None, url: str | None, kinds: list[str] | None
) -> None:
    """Change what is given."""
    await unit.run(_queries.save_endpoint, id=endpoint_id, name=name, url=url, kinds=kinds)


async def save_state(unit: Unit, endpoint_id: UUID, state: str) -> None:
    """As a person says; its failures are forgotten."""
    await unit.run(_queries.save_state, id=endpoint_id, state=state)


async def save_secret(unit: Unit, endpoint_id: UUID, secret: bytes, *, old_sealed_until: datetime) -> None:
    """Sign with this one, and with the one before until then."""
    await unit.run(_queries.save_secret, id=endpoint_id, secret=secret, until=old_sealed_until)


async def save_cursor(unit: Unit, endpoint_id: UUID, cursor_seq: int) -> None:
    """Go on behind the event of that number."""
    await unit.run(_queries.save_cursor, id=endpoint_id, cursor_seq=cursor_seq)


async def remove_endpoint(unit: Unit, endpoint_id: UUID) -> None:
    """With its attempts and dead letters. Raises NotFound."""
    if await unit.value(_queries.hold_endpoint, id=endpoint_id) is None:
        raise NotFound
    await unit.run(_queries.remove_all_attempts, id=endpoint_id)
    await unit.run(_queries.remove_dead_letters, id=endpoint_id)
    await unit.run(_queries.remove_endpoint, id=endpoint_id)


async def add_attempt(
    unit: Unit,
    endpoint_id: UUID,
    *,
    seq: int | None,
    attempt: int,
    at: datetime,
    status: int | None,
    milliseconds: int,
    error: str | None,
) -> None:
    """Note an attempt; nothing when the endpoint is gone."""
    await unit.run(
        _queries.add_attempt,
        endpoint_id=endpoint_id,
        seq=seq,
        attempt=attempt,
        at=at,
        status=status,
        milliseconds=milliseconds,
        error=error,
    )


async def list_attempts(unit: Unit, endpoint_id: UUID, *, before: int | None = None, limit: int = 100) -> list[Made]:
    """The newest first; `before` is the last id of the page before."""
    return await unit.all(Made, _queries.list_attempts, endpoint_id=endpoint_id, before=before, limit=limit)


async def list_attempts_for_events(unit: Unit, seqs: Sequence[int]) -> list[Attempt]:
    """Every attempt to tell these events, in order."""
    return await unit.all(Attempt, _queries.list_attempts_for_events, seqs=list(seqs))


async def remove_attempts(unit: Unit, endpoint_id: UUID, *, before: datetime, limit: int) -> None:
    """Forget some that are older than that."""
    await unit.run(_queries.remove_attempts, endpoint_id=endpoint_id, before=before, limit=limit)


async def list_dead_letters(unit: Unit, endpoint_id: UUID, *, after: int = 0, limit: int = 100) -> list[DeadLetter]:
    """In the order of their events; `after` is the last number of the page before."""
    return await unit.all(DeadLetter, _queries.list_dead_letters, endpoint_id=endpoint_id, after=after, limit=limit)


async def redrive_dead_letters(unit: Unit, endpoint_id: UUID, seqs: Sequence[int] | None) -> int:
    """Have these (None: all) tried once more; how many there are."""
    given = None if seqs is None else list(seqs)
    return int(await unit.value(_queries.redrive_dead_letters, endpoint_id=endpoint_id, seqs=given))
