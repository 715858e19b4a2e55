"""The commands as processes: what they print, how they fail, how they end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("RECADO_", "DATABASE_URL"))}
ENVIRONMENT = {**CLEAN, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
UNREACHABLE = {"RECADO_WHATSAPP_URL": "ws://127.0.0.1:9/ws/chat", "RECADO_WHATSAPP_ROOT": "11" * 32}


class Command:
    """One run of `recado …`."""

    def __init__(self, folder: Path, *words: str, **more: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recado", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**ENVIRONMENT, **more},
        )
        self.said = ""

    def until(self, pattern: str) -> str:
        """Read until a line has this; its first group."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
            found = re.search(pattern, line)
            if found:
                return found[1] if found.groups() else found[0]
        raise AssertionError(f"it ended and never said {pattern}:\n{self.said}")

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self, seconds: float = 30) -> int:
        """Wait for its end; the exit status."""
        rest, _ = self._process.communicate(timeout=seconds)
        self.said += rest
        return self._process.returncode

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.communicate(timeout=30)


@pytest.fixture
def recado(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    started: list[Command] = []

    def start(*words: str, **more: str) -> Command:
        started.append(Command(tmp_path, *words, **more))
        return started[-1]

    yield start
    for command in started:
        command.kill()


def test_serve_says_how_to_sign_in_ends_on_ctrl_c_and_keeps_what_it_has(recado: Callable[..., Command]) -> None:
    first = recado("serve", "--port", "0", "--data-dir", "data", **UNREACHABLE)
    address = first.until(r"running at (http://\S+)")
    headers = {"authorization": "Bearer " + first.until(r"(rk_\S+)")}
    first.until("Ctrl-C")
    with httpx2.Client(base_url=address, headers=headers, timeout=60) as client:
        made = client.post("/v1/mentorados", json={"name": "Clara"}).json()
        root = f"/v1/mentorados/{made['id']}"
        assert client.post(f"{root}/connections/baileys/connect").status_code == 202
        with client.stream("GET", f"{root}/events/stream") as stream:
            lines = stream.iter_lines()
            told = next(line for line in lines if '"reason":"unreachable"' in line)
            assert '"retry_at":"20' in told
            first.signal(signal.SIGINT)
            assert all("error" not in line for line in lines)  # the open stream ends by itself
    assert first.end(15) == 0
    assert "Traceback" not in first.said

    again = recado("serve", "--port", "0", "--data-dir", "data", **UNREACHABLE)
    address = again.until(r"running at (http://\S+)")
    again.until("Ctrl-C")
    assert "rk_" not in again.said
    listed = httpx2.get(f"{address}/v1/mentorados", headers=headers, timeout=60).json()["items"]
    assert [each["name"] for each in listed] == ["Clara"]
    again.signal(signal.SIGTERM)
    assert again.end(15) == 0
    assert "Traceback" not in again.said


def test_a_busy_port_is_said_in_words(recado: Callable[..., Command]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for name in ("serve", "demo"):
            command = recado(name, "--port", port, "--data-dir", "data")
            assert command.end() == 1
            assert f"port {port} is in use" in command.said
            assert "Traceback" not in command.said


def test_a_database_that_is_not_there_is_said_in_words(recado: Callable[..., Command]) -> None:
    command = recado("serve", "--port", "0", DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none")
    assert command.end() == 1
    assert "recado: the database cannot be reached" in command.said
    assert "Traceback" not in command.said and "secret" not in command.said


@pytest.mark.parametrize("more", [{"RECADO_PORT": "abc"}, {"RECADO_WHATSAPP_URL": "ws://127.0.0.1:9/"}])
def test_a_wrong_setting_is_said_in_words(recado: Callable[..., Command], more: dict[str, str]) -> None:
    command = recado("serve", **more)
    assert command.end() == 1
    assert "Traceback" not in command.said


def test_the_emulator_alone_says_whom_to_trust_and_scans(recado: Callable[..., Command]) -> None:
    command = recado("emulator", "--port", "0")
    assert command.until(r"url\s+(\S+)").startswith("ws://127.0.0.1:")
    assert len(bytes.fromhex(command.until(r"root\s+(\w+)"))) == 32
    control = command.until(r"control\s+(\S+)")
    assert httpx2.get(control).json()["status"] == "ready"
    meta = command.until(r"url\s+(http\S+)")
    number, token = command.until(r"number id\s+(\d+)"), command.until(r"token\s+(EAA\w+)")
    asked = httpx2.get(f"{meta}/v26.0/{number}", headers={"Authorization": f"Bearer {token}"})
    assert asked.json()["id"] == number
    command.signal(signal.SIGTERM)
    assert command.end() == 0


def test_the_identity_is_forced_by_an_option_of_this_start_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    import recado.cli.serve
    from recado.cli.main import app
    from recado.gateway.settings import Settings

    given: list[Settings] = []

    async def run(settings: Settings) -> None:
        given.append(settings)

    monkeypatch.setattr(recado.cli.serve, "run", run)
    for options in ([], ["--force-identity"]):
        assert CliRunner().invoke(app, ["serve", *options]).exit_code == 0
    assert [settings.force_identity for settings in given] == [False, True]
    assert (given[0].browser, given[0].browser_os) == ("Desktop", "Mac OS")
