"""
Webhooks in, as Meta posts them: signed bodies to a real `recado serve` on PostgreSQL with fsync on, over many
connections, each posting its next body when the last was answered 200, which is after the commit. How many a second,
of one message and of fifty, to one mentorado and to many; what one costs the gateway.

There is no peer beside these rows: the known Python clients answer before they keep anything.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.processors import busy_seconds
from bench.table import Effort, Result, Row, Say
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.mentorados.repository import add_mentorado
from recado.gateway.providers.credentials import MetaCredentials, note_proven, save_credentials
from recado.gateway.security import Principal

SECRET = "the secret of an app of this bench"
CONNECTIONS = 48
PEOPLE = 200
INBOUND = "SELECT count(*) FROM whatsapp_messages WHERE direction = 'in'"
_WABA = "102290129340398"
_HEAD = (
    "POST /webhooks/meta HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    "x-hub-signature-256: sha256={signature}\r\ncontent-length: {length}\r\n\r\n"
)

_REMARK = (
    "Webhooks: one gateway process, or two, beside PostgreSQL and the one that posts. Their processor is the limit:\n"
    "one takes at most 1,000 / (ms of processor a body) bodies a second."
)


def run(effort: Effort, say: Say) -> Result:
    """The rows of webhooks in."""
    return asyncio.run(_measure(effort, say))


@dataclass(frozen=True, slots=True)
class _Gateway:
    """The running processes, and where their database is."""

    pids: tuple[int, ...]
    ports: tuple[int, ...]
    dsn: str

    @property
    def name(self) -> str:
        """What sets these rows apart."""
        return f", {len(self.pids)} processes" if len(self.pids) > 1 else ""

    @property
    def busy(self) -> float:
        """Seconds of processor so far."""
        return sum(map(busy_seconds, self.pids))


async def _measure(effort: Effort, say: Say) -> Result:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="recado-bench-") as name:
        database = EmbeddedPostgres(Path(name) / "pg")
        dsn = database.start_now()
        try:
            migrate(dsn)
            master = secrets.token_bytes(32)
            numbers = await _hire(dsn, master, effort.of(20, 3))
            for processes in (1, 2):
                async with _serving(dsn, master, Path(name), processes) as gateway:
                    for each in (1, 50):
                        for count in (1, len(numbers)):
                            rows += await _round(gateway, numbers[:count], each, effort, say)
        finally:
            database.stop_now()
    return Result(tuple(rows), _REMARK)


async def _hire(dsn: str, master: bytes, count: int) -> list[str]:
    """Mentorados who share the operator's app; the ids of their numbers."""
    numbers = [f"10654035224{number:04}" for number in range(count)]
    async with Database(dsn, size=2) as opened:
        vault = Vault(master)
        for number in numbers:
            async with opened.unit(Principal.admin()) as unit:
                made = await add_mentorado(unit, number)
            async with opened.unit(Principal.runtime(made.id)) as unit:
                credentials = MetaCredentials(number, _WABA, "no token", is_shared=True)
                await save_credentials(unit, vault, credentials)
                await note_proven(unit, credentials, now=datetime.now(UTC))
    return numbers


@asynccontextmanager
async def _serving(dsn: str, master: bytes, folder: Path, processes: int) -> AsyncIterator[_Gateway]:
    environment = {
        **os.environ,
        "DATABASE_URL": dsn,
        "RECADO_DATA_DIR": str(folder),
        "RECADO_MASTER_KEY": master.hex(),
        "RECADO_META_APP_SECRET": SECRET,
        "RECADO_META_VERIFY_TOKEN": "a token of this bench",
    }
    ports = tuple(_free_port() for _ in range(processes))
    launched = [_launch(folder, port, environment) for port in ports]
    try:
        async with asyncio.timeout(60):
            for port in ports:
                while not await _answers(port):
                    pass
        yield _Gateway(tuple(process.pid for process in launched), ports, dsn)
    finally:
        for process in launched:
            process.terminate()
        for process in launched:
            await asyncio.to_thread(process.wait, 30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _launch(folder: Path, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("recado")), "serve", "--port", str(port)]
    with (folder / "serve.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.1)
        return False
    writer.close()
    return True


async def _round(gateway: _Gateway, numbers: list[str], each: int, effort: Effort, say: Say) -> list[Row]:
    name = f"{each} a body, {len(numbers)} mentorado{'s' if len(numbers) > 1 else ''}{gateway.name}"
    rates: list[float] = []
    costs: list[float] = []
    for number in range(effort.of(3, 1)):
        say(f"webhooks: {name}, round {number + 1}")
        requests = [_request(numbers[n % len(numbers)], each) for n in range(effort.of(6000, 200) // (each // 5 or 1))]
        before, started, busy = _count(gateway.dsn), time.monotonic(), gateway.busy
        await _post(gateway.ports, requests)
        seconds = time.monotonic() - started
        taken = _count(gateway.dsn) - before
        if taken != len(requests) * each:
            raise RuntimeError(f"{taken} of {len(requests) * each} messages were committed")
        rates.append(len(requests) / seconds)
        costs.append((gateway.busy - busy) / len(requests) * 1000)
    aim = "≥ 1,000" if each == 1 else ""
    rows = [Row(f"bodies a second: {name}", tuple(rates), aim=aim)]
    if each > 1:
        rows.append(Row(f"messages a second: {name}", tuple(rate * each for rate in rates), aim="≥ 1,000"))
    rows.append(Row(f"ms of processor a body: {name}", tuple(costs), less_is_better=True))
    return rows


def _count(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(INBOUND).fetchone()
    return int(found[0]) if found else 0


def _request(number: str, each: int) -> bytes:
    """A signed body with so many messages that nobody told before."""
    at = str(int(time.time()))
    people = [secrets.randbelow(PEOPLE) for _ in range(each)]
    messages = [
        {
            "from": f"55119555{person:05}",
            "from_user_id": f"BR.15025763{person:08}",
            "id": f"wamid.{secrets.token_hex(16)}",
            "timestamp": at,
            "type": "text",
            "text": {"body": "bom dia, tudo bem por aí?"},
        }
        for person in people
    ]
    contacts = [
        {"wa_id": f"55119555{p:05}", "user_id": f"BR.15025763{p:08}", "profile": {"name": f"Pessoa {p}"}}
        for p in sorted(set(people))
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        "contacts": contacts,
        "messages": messages,
    }
    entry = {"id": _WABA, "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return _HEAD.format(signature=signature, length=len(body)).encode() + body


async def _post(ports: tuple[int, ...], requests: list[bytes]) -> None:
    """All of them, over so many connections; raises when one is not answered 200."""
    waiting = iter(requests)

    async def one_by_one(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(head.partition(b"\r\n")[0].decode())
        writer.close()

    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(one_by_one(ports[number % len(ports)]))
