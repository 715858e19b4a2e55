"""
A past of 100,000 messages, from the servers for files into PostgreSQL: rows, events and the store's keys, as the
gateway keeps them, fsync on; in parts as phones send them, and in a single one. Messages a second, and the peak memory
of the process (the client and the gateway's own parts; PostgreSQL and the emulator are processes of their own).

Baileys' half reads the same files with its own function (decrypt, inflate, parse, process) and stores nothing, since it
has no store for messages: its figure is what reading alone takes it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench import peers
from bench.table import Effort, Result, Row, Say
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate

MEMORY_AIM = "150"
PATIENCE = 900.0


def run(effort: Effort, say: Say) -> Result:
    """Messages a second and megabytes."""
    messages, chats = effort.of(100_000, 4_000), effort.of(200, 20)
    each = messages // chats
    rows: list[Row] = []
    remarks: list[str] = []
    with tempfile.TemporaryDirectory(prefix="recado-bench-") as name, peers.python("world") as world:
        database = EmbeddedPostgres(Path(name) / "pg")
        try:
            dsn = database.start_now()
            migrate(dsn)
            started = world.ask(do="start")
            for label, part in (("parts of 5,000", 5000), ("one part", messages)):
                say(f"history: {messages:,} messages in {label}")
                phone = f"phone with {label}"
                world.ask(do="past", name=phone, chats=chats, each=each, part=part)
                with peers.python("historian") as historian:
                    historian.patience = PATIENCE
                    ours = historian.ask(**started, phone=phone, dsn=dsn, messages=messages)
                theirs = _baileys(world.ask(do="past_files", name=phone)["files"])
                rows += _rows(label, ours, theirs)
                remarks.append(_remark(label, ours))
        finally:
            database.stop_now()
    return Result(tuple(rows), "\n".join(remarks))


def _baileys(files: list[dict[str, Any]]) -> dict[str, Any] | None:
    with peers.node("history.mjs") as baileys:
        return None if baileys is None else baileys.ask(files=files)


def _rows(label: str, ours: dict[str, Any], theirs: dict[str, Any] | None) -> list[Row]:
    peak = () if theirs is None else (theirs["peak"] / 1024,)
    return [
        Row(f"recorded in PostgreSQL, {label}: a second", (ours["recorded"] / ours["seconds"],)),
        Row(f"peak memory, {label}: MiB", (ours["peak"] / 1024,), peak, less_is_better=True, aim=MEMORY_AIM),
    ] + (
        []
        if theirs is None
        else [Row(f"Baileys reads it, {label}: a second", (theirs["messages"] / theirs["seconds"],))]
    )


def _remark(label: str, ours: dict[str, Any]) -> str:
    return (
        f"{ours['recorded']:,} messages in {label}: {ours['seconds']:.1f} s; memory {ours['before'] / 1024:,.0f} MiB "
        f"before it was linked, {ours['peak'] / 1024:,.0f} MiB at the most."
    )
