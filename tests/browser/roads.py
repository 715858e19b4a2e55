"""The gateway and the emulated providers as processes of their own, for a browser to use."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2


def free_port() -> int:
    """A port nobody listens on: what Z-API is to call is told before the gateway begins."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Process:
    """One start of `recado …`, that said a line to wait for."""

    def __init__(self, *words: str, until: str, env: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recado", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "400", **(env or {})},
        )
        self.said: list[str] = []
        self.found = self._await(until)

    def _await(self, wanted: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if found := re.search(wanted, line):
                return found[0]
        raise AssertionError("it ended:\n" + "".join(self.said))

    def named(self, name: str, *, after: str) -> str:
        """The value that was said under a name, behind the words `after`."""
        text = "".join(self.said).partition(after)[2]
        found = re.search(rf"^\s+{name}\s+(\S+)", text, re.MULTILINE)
        assert found, "".join(self.said)
        return found[1]

    def stop(self) -> None:
        """Ctrl-C, and its end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=60)


class Providers:
    """`recado emulator`: Meta and Z-API, and what people do there."""

    def __init__(self) -> None:
        self.process = Process("emulator", "--port", "0", until="nothing of it is kept")
        self.meta = self.process.named("url", after="Cloud API")
        self.zapi = self.process.named("url", after="Z-API is running")
        self._client = httpx2.Client(timeout=60)

    def ask(self, root: str, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        answer = self._client.request(method, f"{root}/admin/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def meta_named(self, name: str) -> str:
        return self.process.named(name, after="Cloud API")

    def approve_template(self, name: str, body: str, example: list[str]) -> None:
        """Have a template made at Meta's, and approved."""
        answer = self._client.post(
            f"{self.meta}/v26.0/{self.meta_named('account id')}/message_templates",
            headers={"authorization": f"Bearer {self.meta_named('token')}"},
            json={
                "name": name,
                "language": "en_US",
                "category": "UTILITY",
                "components": [{"type": "BODY", "text": body, "example": {"body_text": [example]}}],
            },
        )
        assert answer.is_success, answer.text
        self.ask(self.meta, f"meta/templates/{answer.json()['id']}", {"state": "APPROVED"})

    def zapi_named(self, name: str) -> str:
        return self.process.named(name, after="Z-API is running")

    def stop(self) -> None:
        self._client.close()
        self.process.stop()


class House:
    """`recado serve` on data of its own, that knows the emulated providers."""

    def __init__(self, folder: Path, providers: Providers) -> None:
        port = free_port()
        env = {
            "RECADO_DATA_DIR": str(folder),
            "RECADO_META_BASE_URL": providers.meta,
            "RECADO_ZAPI_BASE_URL": providers.zapi,
            "RECADO_PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        }
        self.process = Process("serve", "--port", str(port), until="everything is kept", env=env)
        self.address = f"http://127.0.0.1:{port}"
        found = re.search(r"rk_\S+", "".join(self.process.said))
        assert found
        self.key = found[0]

    def stop(self) -> None:
        self.process.stop()
