"""The benches run, and every row has its figures. How large they are is nobody's business here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROWS = {
    "codec": ["encode messages of 1 KB", "decode messages of 1 KB", "encode a mixture", "decode a mixture"],
    "signal": [
        f"{work}, {keeping}"
        for keeping in ("in memory", "stored")
        for work in ("encrypt", "decrypt", "ping-pong", "set-up")
    ],
    "noise": ["encrypt frames of 200 B", "decrypt frames of 64 KB", "client handshakes"],
    "oneway": [
        f"{what}: {store}"
        for what in ("texts", "ms of processor", "ms, median", "ms, p99")
        for store in ("memory", "PostgreSQL at the receiver", "PostgreSQL at both ends")
    ],
    "idle": ["KiB an idle session of 12: memory", "KiB an idle session of 12: PostgreSQL"],
}

GATEWAY_ROWS = [
    *(
        f"{what}: {how}, {accounts}"
        for what in ("committed a second", "statements a message", "commits a message")
        for how in ("backlog", "one by one")
        for accounts in ("1 account", "3 accounts")
    ),
    "committed a second: backlog, 3 accounts, 2 processes",
    "ms of processor a message, worker: backlog, 3 accounts, 2 processes",
    *(f"ms from the socket to {road}: {what}" for road in ("SSE", "a webhook") for what in ("median", "p99")),
    "seconds to restore 4 accounts",
    "seconds to restore 4 accounts, 2 processes",
    "KiB an account restored, of 4 accounts",
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("bench", list(ROWS))
def test_a_quick_run_prints_every_row_with_both_figures(bench: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", bench],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for row in ROWS[bench]:
        found = re.search(rf"^{re.escape(row)} +([\d,.]+) +([\d,.]+) +([\d.]+)×", done.stdout, re.MULTILINE)
        assert found, f"{row!r} is missing in:\n{done.stdout}"
        assert all(float(figure.replace(",", "")) > 0 for figure in found.groups())


@pytest.mark.timeout(240)
def test_a_quick_run_of_the_gateway_prints_every_row() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "gateway"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for row in GATEWAY_ROWS:
        found = re.search(rf"^{re.escape(row)} +([\d,.]+) +—", done.stdout, re.MULTILINE)
        assert found, f"{row!r} is missing in:\n{done.stdout}"
        assert float(found[1].replace(",", "")) > 0


def test_a_quick_run_of_files_prints_every_row_and_the_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "media"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^encrypt MB/s +[\d,.]+ +[\d,.]+ +[\d.]+×", done.stdout, re.MULTILINE), done.stdout
    for row in ("encrypt in memory MB/s", "open MB/s"):
        assert re.search(rf"^{row} +[\d,.]+ +—", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"peak memory \d+ MiB, after one of 1 MiB \d+ MiB", done.stdout), done.stdout


def test_what_is_no_bench_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nonsense" in done.stderr
