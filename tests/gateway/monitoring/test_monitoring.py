"""Alive, ready and counted: what an orchestrator is told, and to whom."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from recado.gateway import metrics
from recado.gateway.app import create_app
from recado.gateway.settings import Settings

ADMIN_KEY = "rk_0123456789ab_an-administrators-key-of-these-tests"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(database_url), data_dir=tmp_path, admin_key=SecretStr(ADMIN_KEY), pool_size=4
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://recado") as client:
        yield client


async def test_a_process_that_answers_is_alive(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok"


async def test_a_process_with_its_database_and_its_leases_is_ready(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})


async def test_without_the_database_it_is_alive_and_not_ready(
    client: httpx2.AsyncClient, app: FastAPI, settings: Settings
) -> None:
    await app.state.gateway.database._pool.close()
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["the database does not answer"]


async def test_with_lost_leases_it_is_not_ready(client: httpx2.AsyncClient, app: FastAPI) -> None:
    app.state.gateway.worker.leases._deadline = 0.0
    assert (await client.get("/readyz")).json()["problems"] == ["the right to run accounts is not renewed"]


async def test_while_it_stops_it_is_not_ready(client: httpx2.AsyncClient, app: FastAPI) -> None:
    app.state.gateway.broadcasts.close()
    assert (await client.get("/readyz")).json()["problems"] == ["stopping"]


async def test_with_a_schema_of_another_version_it_is_not_ready(client: httpx2.AsyncClient, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert (await client.get("/readyz")).json()["problems"] == ["the schema is another version's"]


async def test_metrics_are_for_the_administrator(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/metrics")).status_code == 401
    made = (await client.post("/v1/mentorados", json={"name": "Clara"}, headers=bearer(ADMIN_KEY))).json()
    own = await client.get("/metrics", headers=bearer(made["api_key"]["token"]))
    assert own.status_code == 403
    told = await client.get("/metrics", headers=bearer(ADMIN_KEY))
    assert told.status_code == 200
    for name in ("recado_database_up 1.0", "recado_accounts_running 0.0", "recado_outbox_waiting 0.0"):
        assert name in told.text
    assert 'recado_http_requests_total{method="POST",route="/v1/mentorados",status="201"}' in told.text


async def test_metrics_may_be_made_public(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"metrics_public": True}))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://recado") as client:
            assert (await client.get("/metrics")).status_code == 200


async def test_no_label_tells_whose_a_request_was(client: httpx2.AsyncClient) -> None:
    made = (await client.post("/v1/mentorados", json={"name": "Clara"}, headers=bearer(ADMIN_KEY))).json()
    await client.get(f"/v1/mentorados/{made['id']}/conversations", headers=bearer(made["api_key"]["token"]))
    await client.get(f"/nowhere/{made['id']}")
    told = (await client.get("/metrics", headers=bearer(ADMIN_KEY))).text
    assert 'route="/v1/mentorados/{mentorado_id}/conversations"' in told
    assert made["id"] not in told


def test_no_metric_has_a_label_for_a_person() -> None:
    for collected in metrics.REGISTRY.collect():
        for sample in collected.samples:
            assert not {"mentorado", "phone", "jid", "name"} & set(sample.labels), collected.name


async def test_a_request_keeps_its_id_and_a_strange_one_is_replaced(client: httpx2.AsyncClient) -> None:
    kept = await client.get("/healthz", headers={"x-request-id": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    replaced = await client.get("/healthz", headers={"x-request-id": "a b\tc"})
    assert re.fullmatch("[0-9a-f]{32}", replaced.headers["x-request-id"])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
