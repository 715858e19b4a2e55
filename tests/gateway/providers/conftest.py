"""Settings of a gateway for the conformance suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.gateway.api.conftest import ADMIN_KEY

from recado.gateway.pacing.rules import operator_rules
from recado.gateway.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr(ADMIN_KEY),
        pool_size=6,
        guardrails=operator_rules("relaxed"),
    )
