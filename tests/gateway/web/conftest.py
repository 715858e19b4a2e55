"""The pages without a network: the application called in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from recado.gateway.app import Gateway, create_app
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.settings import Settings
from recado.server import Server

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        admin_key=SecretStr(ADMIN_KEY),
        pool_size=4,
        guardrails=operator_rules("relaxed"),
        cors_origins=["https://clinic.example"],
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    made = create_app(settings, Server("ws://127.0.0.1:9/ws/chat", bytes(32)))
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
def gateway(app: FastAPI) -> Gateway:
    opened: Gateway = app.state.gateway
    return opened


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that nobody signed in."""
    transport = httpx2.ASGITransport(app=app)
    headers = {"accept": "text/html"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://recado.test", headers=headers) as client:
        yield client


@pytest.fixture
async def browser(visitor: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A browser signed in as the administrator."""
    answer = await visitor.post("/sign-in", data={"key": ADMIN_KEY})
    assert answer.status_code == 303
    return visitor
