"""
`recado keys rotate`: new data keys, or a new master key, beside gateways that are at work. It opens the same database
and the same master key as they do, from the same settings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

from recado.cli.serve import console
from recado.errors import UsageError
from recado.gateway.db.embedded import EmbeddedPostgres, find_running
from recado.gateway.db.pool import Database
from recado.gateway.db.rotation import Rotation
from recado.gateway.db.vault import Vault
from recado.gateway.master_keys import MasterKeys, load_master_keys, read_key_file, write_key_file
from recado.gateway.mentorados.repository import list_mentorados
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

_ACTOR = "recado keys"
_PAGE = 200
_SOON = 5.0  # seconds: somebody sits before the terminal and waits


async def rotate(settings: Settings, mentorado: str | None) -> None:
    """A new data key for one mentorado, or for each. Raises UsageError, NotFound, BadRecord, StoreUnavailable."""
    async with _opened(settings) as database:
        vault = Vault(_masters(settings))
        rotation = Rotation(database, vault, actor=_ACTOR)
        wanted = [_identifier(mentorado)] if mentorado is not None else await _everybody(database)
        for mentorado_id in wanted:
            done = await rotation.rotate(mentorado_id)
            console.print(f"{mentorado_id}: data key {done.key_id}, {done.values} values sealed again")
        console.print(f"Done: {len(wanted)} mentorado(s); nothing is sealed with an older key.")


async def rotate_master(settings: Settings, file: Path, *, forget_old: bool) -> None:
    """
    The key in `file` (made when there is none) is the master key from now on; the old one still opens until it is
    forgotten. Raises UsageError, BadRecord, StoreUnavailable.
    """
    old = _masters(settings)
    new = load_master_keys(None, file).current
    has_file = settings.master_key is None
    if has_file:  # everybody who meets a data key wrapped with either opens it, and wraps with the new one from here on
        others = [key for key in read_key_file(settings.master_key_file) if key != new]
        write_key_file(settings.master_key_file, [new, *others])
    count = await _rewrap(settings, old.with_current(new))
    console.print(f"{count} data key(s) wrapped with the new master key.")
    if has_file:
        if forget_old:
            others = []
            write_key_file(settings.master_key_file, [new])
        said = "holds the new key, and the old one below it" if others else "holds the new key alone"
        console.print(f"{settings.master_key_file} {said}.")
        if others:
            console.print("Restart each gateway when it suits; then run this again with --forget-old.")
    else:
        console.print(f"Put the key of {file} first in RECADO_MASTER_KEY; when every gateway has it, drop the old one.")


async def _rewrap(settings: Settings, masters: MasterKeys) -> int:
    async with _opened(settings) as database:
        rotation = Rotation(database, Vault(masters), actor=_ACTOR)
        return sum([await rotation.rewrap(mentorado_id) for mentorado_id in await _everybody(database)])


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    """The gateways' database; the embedded one is started when no gateway runs it."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            dsn = settings.database_url.get_secret_value()
        else:
            running = find_running(settings.postgres_dir)
            if running is None:
                postgres = EmbeddedPostgres(settings.postgres_dir, bin_dir=settings.postgres_bin)
                running = await postgres.start()
                stack.push_async_callback(postgres.stop)
            dsn = running
        yield await stack.enter_async_context(Database(dsn, size=2, name="recado keys", open_seconds=_SOON))


async def _everybody(database: Database) -> list[UUID]:
    found: list[UUID] = []
    while True:
        async with database.unit(Principal.admin(_ACTOR)) as unit:
            page = await list_mentorados(unit, after=found[-1] if found else None, limit=_PAGE)
        found += [each.id for each in page]
        if len(page) < _PAGE:
            return found


def _masters(settings: Settings) -> MasterKeys:
    if settings.master_key is not None:
        return load_master_keys(settings.master_key.get_secret_value(), settings.master_key_file)
    if not settings.master_key_file.exists():
        raise UsageError(f"there is no master key: neither RECADO_MASTER_KEY nor {settings.master_key_file}")
    return load_master_keys(None, settings.master_key_file)


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError("a mentorado's id looks like 0d5c1f6e-…; the page of the mentorado shows it") from None
