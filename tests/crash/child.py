"""
The process that dies: the gateway's own worker on its own database, wired as app.py wires it, with one thing added: it
kills itself with SIGKILL when a crash point is reached for the n-th time. Started by nursery.py; runs until it is
killed, told to stop (SIGTERM), or left behind.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from typing import Any

from recado import crashpoints
from recado.clock import SystemClock
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, Policy
from recado.gateway.pacing.rules import operator_rules
from recado.gateway.providers.baileys.adapter import whatsapp_web
from recado.gateway.runtime.deliveries import Deliveries
from recado.gateway.runtime.worker import Worker
from recado.gateway.settings import Settings
from recado.server import Server


def die_at(order: dict[str, Any]) -> None:
    """Hang the hook: at `point`, the `at`-th time, and `turns` turns of the event loop later."""
    reached = 0

    def hook(point: str) -> None:
        nonlocal reached
        if point == order["point"]:
            reached += 1
            if reached == order["at"]:
                die(order["turns"])

    def die(turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(die, turns - 1)
            return
        tell({"number": order["number"], "died_at": order["point"], "reached": reached})
        os.kill(os.getpid(), signal.SIGKILL)

    crashpoints.hang(hook)


def tell(line: dict[str, Any]) -> None:
    """One line to the test, in one write: other children write to the same pipe."""
    os.write(sys.stdout.fileno(), json.dumps(line).encode() + b"\n")


async def serve(order: dict[str, Any]) -> None:
    """Run the worker until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings, clock = Settings(**order["settings"]), SystemClock()
    assert settings.database_url is not None and settings.master_key is not None
    vault = Vault(bytes.fromhex(settings.master_key.get_secret_value()))
    dsn = settings.database_url.get_secret_value()
    files = {"files_host": order["files_host"], "files_ca": order["files_ca"]}
    server = Server(order["url"], bytes.fromhex(order["root"]), "emulator", **files)
    async with Database(
        dsn, size=settings.pool_size, poll_seconds=settings.poll_seconds, guardrails=operator_rules("off")
    ) as database:
        providers = {"baileys": whatsapp_web(database, vault, clock=clock, server=server)}
        async with (
            Worker(database, vault, providers, settings, clock=clock),
            Egress(Policy(settings.egress_allow)) as egress,
            Deliveries(database, vault, egress, clock=clock, poll_seconds=settings.poll_seconds),
        ):
            await stop.wait()


def main(order: dict[str, Any], lifeline: int) -> None:
    """The whole life of the process; `lifeline` ends when the test is gone."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if order["point"] is not None:
        die_at(order)

    async def run() -> None:
        asyncio.get_running_loop().add_reader(lifeline, os._exit, 1)
        await serve(order)

    asyncio.run(run())
