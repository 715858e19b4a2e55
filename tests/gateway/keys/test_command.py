"""`recado keys rotate` on a real database and a key file, beside a vault that is at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from recado.cli.keys import rotate, rotate_master
from recado.errors import BadRecord, UsageError
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.vault import Vault
from recado.gateway.master_keys import load_master_keys, read_key_file
from recado.gateway.security import Principal, key_of
from recado.gateway.settings import Settings

SAVE = Query("save", b"INSERT INTO baileys_sessions (key, value, key_id) VALUES ('creds', %(value)s, 1)")
READ = Query("read", b"SELECT value FROM baileys_sessions WHERE key = 'creds'")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=SecretStr(database_url), data_dir=tmp_path)


@pytest.fixture
async def running(settings: Settings, database: Database, ana: Principal) -> Vault:
    """The vault of a gateway that is at work, with a value sealed by it."""
    vault = Vault(load_master_keys(None, settings.master_key_file))
    async with database.unit(ana) as unit:
        await unit.run(SAVE, value=(await vault.keys(unit)).seal("creds", b"the value"))
    return vault


async def opened(database: Database, principal: Principal, vault: Vault) -> tuple[int, bytes]:
    async with database.unit(principal) as unit:
        sealed = await unit.value(READ)
        return key_of(sealed), (await vault.open(unit, [("creds", sealed)]))[0]


async def test_everybody_or_one_gets_a_new_data_key(
    settings: Settings, database: Database, ana: Principal, bia: Principal, running: Vault
) -> None:
    await rotate(settings, None)
    assert await opened(database, ana, running) == (2, b"the value")
    await rotate(settings, str(ana.mentorado_id))
    assert await opened(database, ana, running) == (3, b"the value")
    with pytest.raises(UsageError):
        await rotate(settings, "Ana")


async def test_a_running_gateway_learns_of_a_new_master_key_from_the_key_file(
    settings: Settings, database: Database, ana: Principal, bia: Principal, running: Vault, tmp_path: Path
) -> None:
    (old,) = read_key_file(settings.master_key_file)
    await rotate_master(settings, tmp_path / "new.key", forget_old=False)
    (new,) = read_key_file(tmp_path / "new.key")
    assert read_key_file(settings.master_key_file) == [new, old]
    async with database.unit(bia) as unit:
        await running.keys(unit)  # made by the running gateway
    await rotate(settings, None)
    assert await opened(database, ana, running) == (2, b"the value")
    await rotate_master(settings, tmp_path / "new.key", forget_old=True)
    assert read_key_file(settings.master_key_file) == [new]
    for principal in (ana, bia):
        async with database.unit(principal) as unit:
            await Vault(new).keys(unit)
            with pytest.raises(BadRecord):
                await Vault(old).keys(unit)


async def test_what_a_running_gateway_makes_after_the_old_master_key_was_forgotten_is_not_lost_with_it(
    settings: Settings, database: Database, ana: Principal, bia: Principal, running: Vault, tmp_path: Path
) -> None:
    await rotate_master(settings, tmp_path / "new.key", forget_old=True)
    async with database.unit(bia) as unit:
        await running.keys(unit)  # it began with the old one, and has met nothing that it could not open
    (new,) = read_key_file(settings.master_key_file)
    async with database.unit(bia) as unit:
        await Vault(new).keys(unit)


async def test_a_key_in_the_settings_leaves_the_key_file_alone(
    database_url: str, database: Database, ana: Principal, tmp_path: Path, capsys: Any
) -> None:
    old = bytes(range(32))
    async with database.unit(ana) as unit:
        await Vault(old).keys(unit)
    settings = Settings(database_url=SecretStr(database_url), data_dir=tmp_path, master_key=SecretStr(old.hex()))
    await rotate_master(settings, tmp_path / "new.key", forget_old=False)
    assert not settings.master_key_file.exists()
    (new,) = read_key_file(tmp_path / "new.key")
    async with database.unit(ana) as unit:
        await Vault(new).keys(unit)
    said = capsys.readouterr().out
    assert "RECADO_MASTER_KEY" in said and new.hex() not in said and old.hex() not in said
