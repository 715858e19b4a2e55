"""
The PostgreSQL of a run: a server that writes through, on a disk of its own that can be filled, killed with all its
children and started again. Its own road is a socket; the workers come over theirs.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from recado.clock import SystemClock
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate

from .road import Streams

DISK_MEGABYTES = 3000
_NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
_FULL = (0, resource.RLIM_INFINITY)


class Disk:
    """
    A folder PostgreSQL writes to, and how to fill it: an ext4 of its own on a loop device, where we may mount one, and
    a file that takes all that is left of it. Elsewhere the kernel is told to let PostgreSQL's files not grow.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "disk"
        self._image = folder / "disk.ext4"
        self._ballast = self.path / "ballast"
        self.is_own = False

    def attach(self) -> None:
        """Make it."""
        self.path.mkdir()
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
            return
        with self._image.open("wb") as image:
            image.truncate(DISK_MEGABYTES * 1024 * 1024)
        file, here = str(self._image), str(self.path)
        commands = (["mkfs.ext4", "-q", "-m", "0", file], ["mount", "-o", "loop", file, here])
        done = (subprocess.run(command, capture_output=True, check=False) for command in commands)
        self.is_own = all(each.returncode == 0 for each in done)

    def detach(self) -> None:
        """Give it back."""
        if self.is_own:
            subprocess.run(["umount", "-l", self.path], check=True)
            self._image.unlink()

    def fill(self, processes: list[int]) -> None:
        """Not a byte is left."""
        if not self.is_own:
            for process in processes:
                _limit(process, _FULL)
            return
        left = os.statvfs(self.path)
        try:
            with self._ballast.open("wb", buffering=0) as ballast:
                os.posix_fallocate(ballast.fileno(), 0, max(1, (left.f_bavail - 64) * left.f_bsize))
                ballast.seek(0, os.SEEK_END)
                while True:
                    ballast.write(bytes(4096))
        except OSError:
            pass  # that was the last of it

    def clear(self, processes: list[int]) -> None:
        """There is room again."""
        if not self.is_own:
            for process in processes:
                _limit(process, _NO_LIMIT)
        else:
            self._ballast.unlink(missing_ok=True)


class Postgres:
    """See above."""

    def __init__(self, folder: Path) -> None:
        self._disk = Disk(folder)
        self._server = EmbeddedPostgres(self._disk.path / "pg")
        self._own = ""
        self._lock = asyncio.Lock()
        self._clock = SystemClock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Postgres]:
        """With the schema in place, until the block ends."""
        self._disk.attach()
        try:
            self._own = await self._server.start()
            with psycopg.connect(self._own, autocommit=True) as admin:
                admin.execute("CREATE DATABASE chaos")
            await asyncio.to_thread(migrate, self.dsn)
            yield self
        finally:
            await self._server.stop()
            self._disk.detach()

    @property
    def dsn(self) -> str:
        """Straight to it."""
        return psycopg.conninfo.make_conninfo(self._own, dbname="chaos")

    def dsn_through(self, port: int) -> str:
        """To it, over a road."""
        return psycopg.conninfo.make_conninfo(host="127.0.0.1", port=port, user="postgres", dbname="chaos")

    async def dial(self) -> Streams:
        """A connection to its socket. Raises OSError."""
        folder = psycopg.conninfo.conninfo_to_dict(self._own)["host"]
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")

    async def kill(self) -> None:
        """SIGKILL to the postmaster and to everything it started."""
        async with self._lock:
            postmaster = self._server.pid
            if postmaster is None or not _exists(postmaster):
                return
            os.kill(postmaster, signal.SIGSTOP)  # or it would see its children die, and mend it
            for process in [*_children(postmaster), postmaster]:
                _kill(process)

    async def ensure(self) -> None:
        """It runs: waited for while it recovers, started again when it is gone. Raises StoreUnavailable."""
        async with self._lock:
            while not await asyncio.to_thread(_answers, self._own):
                postmaster = self._server.pid
                if postmaster is None or not _exists(postmaster):
                    await self._server.stop()
                    await self._server.start()
                await self._clock.sleep(0.1)

    async def fill_disk(self) -> None:
        """From now on nothing more can be written."""
        await asyncio.to_thread(self._disk.fill, self._processes())

    async def clear_disk(self) -> None:
        """There is room again; what stopped for want of it is started."""
        await asyncio.to_thread(self._disk.clear, self._processes())
        await self.ensure()

    def _processes(self) -> list[int]:
        postmaster = self._server.pid
        return [] if postmaster is None else [postmaster, *_children(postmaster)]


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def _exists(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _limit(process: int, limits: tuple[int, int]) -> None:
    try:
        resource.prlimit(process, resource.RLIMIT_FSIZE, limits)
    except ProcessLookupError:
        pass


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
