"""
The emulated WhatsApp of a run, which is also its witness: it never dies, and it keeps a book of who was connected over
which worker's road, when that ended, and how long nobody was.

    two sockets     a device logs in over one road while its connection over another still stands
    second code     a client that is not linked appears, though everybody is
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.line import Line, Outgoing
from recado.emulator.whatsapp.linking import Newcomer
from recado.emulator.whatsapp.world import World
from recado.jid import JID, PHONE
from recado.protocol.pairing.payload import ParsedPayload

Worker = int


class Book:
    """What the witness has seen of connections. `worker_of` names whose road a port belongs to."""

    def __init__(self, worker_of: Callable[[int], Worker | None], is_excused: Callable[[Worker], str]) -> None:
        self._worker_of = worker_of
        self._is_excused = is_excused
        self._owners: dict[Device, Worker | None] = {}
        self._away: dict[Device, tuple[float, str]] = {}
        self._reasons: dict[Worker, str] = {}
        self.everybody_is_linked = False
        self.complaints: list[str] = []
        self.replaced: Counter[str] = Counter()
        self.logins = 0
        self.gaps: dict[str, list[float]] = {}
        """How long devices were without a connection, in seconds, by what had happened to their worker."""

    def devices_of(self, worker: Worker) -> list[Device]:
        """Who is connected over its road."""
        return [device for device, owner in self._owners.items() if owner == worker]

    @property
    def owners(self) -> Counter[Worker | None]:
        """How many devices each worker has now."""
        return Counter(self._owners.values())

    @property
    def away(self) -> int:
        """How many devices nobody has now."""
        return len(self._away)

    def strike(self, worker: Worker, reason: str, *, at_once: bool) -> None:
        """From now on what ends on that worker ended because of this; `at_once`: nobody is served by it already."""
        self._reasons[worker] = reason
        for device in self.devices_of(worker) if at_once else ():
            self._away.setdefault(device, (_now(), reason))

    def recovered(self, worker: Worker) -> None:
        """Whatever was wrong with it is over: devices it still holds are served again, new ends are their own."""
        self._reasons.pop(worker, None)
        for device in self.devices_of(worker):
            self._end_gap(device)

    def login(self, device: Device, line: Line, before: Line | None) -> None:
        """The device logged in, while it may have had a connection."""
        worker, old = self._worker_of(_port(line)), self._owners.get(device)
        if before is not None:
            excuse = self._is_excused(old) if old is not None and old != worker else "its own older one"
            self.replaced[excuse or "none"] += 1
            if not excuse:
                said = f"{device.phone} logged in over worker {worker} while it was connected over worker {old}"
                self.complaints.append(said)
        self._owners[device] = worker
        self.logins += 1
        self._end_gap(device)

    def leave(self, device: Device) -> None:
        """Its connection is over."""
        worker = self._owners.pop(device, None)
        reason = self._reasons.get(worker, "by itself") if worker is not None else "by itself"
        self._away.setdefault(device, (_now(), reason))

    def newcomer(self) -> None:
        """A client that is not linked wants to be."""
        if self.everybody_is_linked:
            self.complaints.append("a worker asked for a second code")

    def _end_gap(self, device: Device) -> None:
        since, reason = self._away.pop(device, (None, ""))
        if since is not None:
            self.gaps.setdefault(reason, []).append(_now() - since)


class Witness(World):
    """A world that keeps a book."""

    book: Book

    def login(self, line: Line, payload: ParsedPayload, noise: bytes) -> tuple[Device | None, list[Outgoing]]:
        account = self.directory.account(JID(str(payload.username), PHONE))
        known = account.devices.get(payload.device or 0) if account else None
        before = known.line if known is not None else None
        device, outgoing = super().login(line, payload, noise)
        if device is not None:
            self.book.login(device, line, before)
        elif self.book.everybody_is_linked:
            self.book.complaints.append("a login was refused")
        return device, outgoing

    def welcome(self, line: Line, payload: ParsedPayload, noise: bytes) -> tuple[Newcomer | None, list[Outgoing]]:
        self.book.newcomer()
        return super().welcome(line, payload, noise)

    def leave(self, device: Device, line: Line) -> list[Outgoing]:
        if device.line is line and device.number:
            self.book.leave(device)
        return super().leave(device, line)

    def first_releases(self, since: int) -> dict[JID, dict[str, int]]:
        """What went out to each device behind the first `since`, each id with the place of its first release."""
        found: dict[JID, dict[str, int]] = {}
        for place, each in enumerate(self.released()[since:]):
            found.setdefault(each.device, {}).setdefault(each.id, place)
        return found


def _port(line: Line) -> int:
    """Where a connection comes from."""
    connection: Any = line
    transport = connection._request.transport
    name = transport.get_extra_info("peername") if transport is not None else None
    return name[1] if name else 0


def _now() -> float:
    return asyncio.get_running_loop().time()
