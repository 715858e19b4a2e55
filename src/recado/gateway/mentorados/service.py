"""Mentorados and keys: what may be made and by whom, and who a token is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from recado.errors import UsageError
from recado.gateway.audit.repository import add_entry
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.mentorados import repository
from recado.gateway.mentorados.repository import ApiKey, Mentorado
from recado.gateway.refusals import BadContent, Forbidden, KeyIsOver, NotFound, Unauthenticated
from recado.gateway.security import (
    ADMIN,
    MANAGE,
    SCOPES,
    NewKey,
    Principal,
    hash_token,
    new_api_key,
    prefix_of,
    same_token,
)

GRACE = timedelta(hours=24)
"""How long a key that was replaced still works, unless said otherwise."""

_LONGEST_NAME = 200
# Compared with when the prefix is unknown, so that the answer takes as long.
_NO_HASH = bytes(32)


async def create_mentorado(unit: Unit, name: str) -> Mentorado:
    """A new mentorado; administrators only. Raises Forbidden, BadContent."""
    if not unit.principal.is_admin:
        raise Forbidden
    made = await repository.add_mentorado(unit, _checked_name(name))
    await add_entry(unit, "mentorado.created", mentorado_id=made.id)
    return made


async def rename_mentorado(unit: Unit, mentorado_id: UUID, name: str) -> Mentorado:
    """Raises Forbidden, NotFound, BadContent."""
    unit.principal.require(MANAGE)
    return await repository.save_name(unit, mentorado_id, _checked_name(name))


async def create_api_key(
    unit: Unit,
    *,
    mentorado_id: UUID | None,
    name: str = "",
    scopes: Iterable[str] = SCOPES,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """
    A new key and its token, which is shown this once. `mentorado_id=None` makes an administrator's key. Raises
    Forbidden when the caller has not all of these rights itself, BadContent.
    """
    wanted = frozenset((ADMIN,)) if mentorado_id is None else frozenset(scopes)
    principal = unit.principal
    principal.require(MANAGE)
    if not principal.is_admin and (mentorado_id != principal.mentorado_id or not wanted <= principal.scopes):
        raise Forbidden
    if len(name) > _LONGEST_NAME or "\x00" in name:
        raise BadContent(f"a key's name has at most {_LONGEST_NAME} characters")
    if mentorado_id is not None and not (wanted and wanted <= frozenset(SCOPES)):
        raise BadContent("a key has one or more of the scopes: " + ", ".join(SCOPES))
    key = new_api_key()
    made = await repository.add_api_key(
        unit, key, mentorado_id=mentorado_id, name=name, scopes=wanted, expires_at=expires_at
    )
    await add_entry(unit, "api_key.created", mentorado_id=mentorado_id, key=key.prefix, scopes=sorted(wanted))
    return made, key.token


async def rotate_api_key(
    unit: Unit, key_id: UUID, *, mentorado_id: UUID | None, now: datetime, grace: timedelta = GRACE
) -> tuple[ApiKey, str]:
    """
    A key in the place of another, with its name, rights and end; the token is shown this once, and the one before works
    for `grace` longer. Raises Forbidden, NotFound, and KeyIsOver for one that opens nothing any more.
    """
    unit.principal.require(MANAGE)
    before = await repository.get_api_key(unit, key_id)
    if before.mentorado_id != mentorado_id:
        raise NotFound
    if not before.is_live(now) or before.replaced_by is not None:
        raise KeyIsOver
    made, token = await create_api_key(
        unit, mentorado_id=mentorado_id, name=before.name, scopes=before.scopes, expires_at=before.expires_at
    )
    await repository.replace_api_key(unit, key_id, by=made.id, until=now + grace)
    await add_entry(
        unit, "api_key.rotated", mentorado_id=mentorado_id, key=before.prefix, by=made.prefix, grace=str(grace)
    )
    return made, token


async def revoke_api_key(unit: Unit, key_id: UUID) -> ApiKey:
    """From the commit on it opens nothing. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    revoked = await repository.revoke_api_key(unit, key_id)
    await add_entry(unit, "api_key.revoked", mentorado_id=revoked.mentorado_id, key=revoked.prefix)
    return revoked


async def authenticate(database: Database, token: str) -> Principal:
    """Who an API key's token is. Raises Unauthenticated, the same whatever was wrong."""
    prefix = prefix_of(token)
    if prefix is None:
        raise Unauthenticated
    async with database.unit(Principal.worker()) as unit:
        kept = await repository.find_kept_key(unit, prefix)
    if not same_token(token, kept.hash if kept is not None else _NO_HASH) or kept is None:
        raise Unauthenticated
    scopes = frozenset(SCOPES) | {ADMIN} if ADMIN in kept.scopes else frozenset(kept.scopes)
    principal = Principal(f"key:{prefix}", kept.mentorado_id, scopes)
    if kept.is_long_unused:
        async with database.unit(principal) as unit:
            await repository.note_used(unit, kept.id)
    return principal


async def ensure_admin_key(database: Database, token: str | None = None) -> str | None:
    """
    At start: have `token` work as an administrator's key, or, when none is given and none exists, make one. The token
    to show, once, if one was made here. Raises BadContent for a token that is not of our form, UsageError for a revoked
    one.
    """
    async with database.unit(Principal.admin("start")) as unit:
        # Several workers may start at once over a new database: each must see what the one before it made.
        await repository.lock_admin_keys(unit)
        if token is not None:
            prefix = prefix_of(token)
            if prefix is None:
                raise BadContent("the administrator's key must look like rk_<letters and digits>_<secret>")
            if await repository.find_kept_key(unit, prefix) is None:
                if await repository.has_prefix(unit, prefix):
                    raise UsageError("the administrator's key of the settings was revoked; set another one, or none")
                key = NewKey(token, prefix, hash_token(token))
                await repository.add_api_key(unit, key, mentorado_id=None, name="from settings", scopes=[ADMIN])
            return None
        if await repository.has_admin_key(unit):
            return None
        _, made = await create_api_key(unit, mentorado_id=None, name="first")
        return made


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or "\x00" in name:
        raise BadContent("a name has 1 to 200 characters")
    return name
