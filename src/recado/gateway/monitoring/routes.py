"""
What an orchestrator and an operator ask: is the process alive, is it of use, and what does it count. None of it needs
to know a mentorado, and none of it tells of one.
"""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from recado.errors import StoreError
from recado.gateway import metrics
from recado.gateway.callers import any_caller
from recado.gateway.monitoring.backlog import count_backlog, fits_schema
from recado.gateway.refusals import Forbidden
from recado.gateway.security import Principal

router = APIRouter(include_in_schema=False)
_PATIENCE = 3.0


@router.get("/healthz")
async def alive() -> Response:
    """The process answers. Whether its database does is no reason to kill it: see /readyz."""
    return Response("ok", media_type="text/plain")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Send requests here? 503 while the database is away, the leases are lost, or the process is stopping."""
    gateway = request.app.state.gateway
    problems = []
    if gateway.broadcasts.is_closed:
        problems.append("stopping")
    if not gateway.worker.leases.is_alive:
        problems.append("the right to run accounts is not renewed")
    try:
        async with asyncio.timeout(_PATIENCE), gateway.database.unit(Principal.worker()) as unit:
            if not await fits_schema(unit):
                problems.append("the schema is another version's")
    except (StoreError, TimeoutError):
        problems.append("the database does not answer")
    body = orjson.dumps({"ready": not problems, "problems": problems})
    return Response(body, 503 if problems else 200, media_type="application/json")


@router.get("/metrics")
async def counted(request: Request) -> Response:
    """
    Everything in metrics.py, as Prometheus reads it; with the administrator's key unless the operator made it public.
    Raises Unauthenticated, Forbidden.
    """
    gateway = request.app.state.gateway
    if not gateway.settings.metrics_public:
        caller = await any_caller(request)
        if not caller.principal.is_admin:
            raise Forbidden
    try:
        async with asyncio.timeout(_PATIENCE), gateway.database.unit(Principal.worker()) as unit:
            metrics.take_backlog(await count_backlog(unit))
    except (StoreError, TimeoutError):
        metrics.DATABASE_UP.set(0)
    else:
        metrics.DATABASE_UP.set(1)
    metrics.ACCOUNTS_RUNNING.set(len(gateway.worker.placement.running))
    metrics.TASKS.set(len(asyncio.all_tasks()))
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)
