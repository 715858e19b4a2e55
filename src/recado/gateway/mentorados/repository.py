"""Mentorados and the API keys that speak for them, as rows. Which rows show is the unit's affair (row security)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import NotFound
from recado.gateway.security import NewKey

_queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Mentorado:
    """A tenant."""

    id: UUID
    name: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of an API key that may be shown; `mentorado_id` is None for an administrator's."""

    id: UUID
    mentorado_id: UUID | None
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    replaced_by: UUID | None
    last_used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Does it open anything?"""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What proves a token: found before anybody is known."""

    id: UUID
    mentorado_id: UUID | None
    hash: bytes = field(repr=False)
    scopes: list[str]
    is_long_unused: bool


async def add_mentorado(unit: Unit, name: str) -> Mentorado:
    """A new mentorado with an empty stream; in an administrator's unit."""
    mentorado_id = uuid4()
    made = await unit.one(Mentorado, _queries.add_mentorado, id=mentorado_id, name=name)
    assert made is not None
    await unit.run(_queries.add_stream_head, id=mentorado_id)
    return made


async def get_mentorado(unit: Unit, mentorado_id: UUID) -> Mentorado:
    """Raises NotFound."""
    found = await unit.one(Mentorado, _queries.find_mentorado, id=mentorado_id)
    if found is None:
        raise NotFound
    return found


async def list_mentorados(unit: Unit, *, after: UUID | None = None, limit: int = 100) -> list[Mentorado]:
    """The oldest first; `after` is the last one of the page before. A mentorado sees itself only."""
    return await unit.all(Mentorado, _queries.list_mentorados, after=after, limit=limit)


async def save_name(unit: Unit, mentorado_id: UUID, name: str) -> Mentorado:
    """Rename. Raises NotFound."""
    saved = await unit.one(Mentorado, _queries.save_name, id=mentorado_id, name=name)
    if saved is None:
        raise NotFound
    return saved


async def add_api_key(
    unit: Unit,
    key: NewKey,
    *,
    mentorado_id: UUID | None,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
) -> ApiKey:
    """Keep a new key's prefix and hash."""
    made = await unit.one(
        ApiKey,
        _queries.add_api_key,
        mentorado_id=mentorado_id,
        name=name,
        prefix=key.prefix,
        hash=key.hash,
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    assert made is not None
    return made


async def list_api_keys(unit: Unit, *, mentorado_id: UUID | None = None) -> list[ApiKey]:
    """The keys the unit may see, of one mentorado if given; revoked ones too."""
    return await unit.all(ApiKey, _queries.list_api_keys, mentorado_id=mentorado_id)


async def list_admin_keys(unit: Unit) -> list[ApiKey]:
    """The administrators' keys; in an administrator's unit."""
    return await unit.all(ApiKey, _queries.list_admin_keys)


async def get_api_key(unit: Unit, key_id: UUID) -> ApiKey:
    """A key the unit may see. Raises NotFound."""
    found = await unit.one(ApiKey, _queries.find_key, id=key_id)
    if found is None:
        raise NotFound
    return found


async def replace_api_key(unit: Unit, key_id: UUID, *, by: UUID, until: datetime) -> ApiKey:
    """Another key is in its place; this one works until then at most. Raises NotFound."""
    replaced = await unit.one(ApiKey, _queries.replace_api_key, id=key_id, by=by, until=until)
    if replaced is None:
        raise NotFound
    return replaced


async def note_used(unit: Unit, key_id: UUID) -> None:
    """It is in use: noted about once an hour."""
    await unit.run(_queries.note_used, id=key_id)


async def lock_admin_keys(unit: Unit) -> None:
    """Until the unit is over, whoever else asks for this waits."""
    await unit.run(_queries.lock_admin_keys)


async def has_prefix(unit: Unit, prefix: str) -> bool:
    """Is there a key of that prefix, working or not? In an administrator's unit."""
    return bool(await unit.value(_queries.has_prefix, prefix=prefix))


async def revoke_api_key(unit: Unit, key_id: UUID) -> ApiKey:
    """It opens nothing from the commit on. Raises NotFound."""
    revoked = await unit.one(ApiKey, _queries.revoke_api_key, id=key_id)
    if revoked is None:
        raise NotFound
    return revoked


async def find_kept_key(unit: Unit, prefix: str) -> KeptKey | None:
    """The live key with that prefix, whoever's it is."""
    return await unit.one(KeptKey, _queries.find_api_key, prefix=prefix)


async def has_admin_key(unit: Unit) -> bool:
    """Is there an administrator's key that works? In an administrator's unit."""
    return bool(await unit.value(_queries.has_admin_key))
