"""Clara's account at Z-API."""

from __future__ import annotations

import pytest
from tests.gateway.providers.zapi.desk import Desk

from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.security import Principal


@pytest.fixture
async def desk(database: Database, vault: Vault, ana: Principal) -> Desk:
    made = Desk(database, vault, ana)
    await made.link()
    return made
