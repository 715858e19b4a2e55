"""
The simulated world behind the demo's pages: recado's emulator in this process, and what its people do. Each mentorado
gets a phone of its own when it first scans. The world is saved now and then and at the end, so that a demo that is
started again finds its linked devices.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from recado.clock import SystemClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.snapshot import load_world, save_world
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError
from recado.gateway.web.desk import Bubble
from recado.jid import JID

PEOPLE = ("Ana", "Bruno")
_SAVE_SECONDS = 2.0


class EmulatedDesk:
    """The demo's desk over a world. `folder` keeps which phone is whose."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self._saved_world = folder / "world.json"
        self._saved_owners = folder / "phones.json"
        self._owners: dict[str, str] = {}

    def load(self) -> None:
        """Take up what an earlier run left. Raises BadRecord."""
        if load_world(self.world, self._saved_world) and self._saved_owners.exists():
            self._owners = json.loads(self._saved_owners.read_text())
        for name in PEOPLE:
            self.world.phone(name)

    def save(self) -> None:
        """Keep it for the next run."""
        save_world(self.world, self._saved_world)
        self._saved_owners.write_text(json.dumps(self._owners))

    async def keep_saving(self) -> None:
        """Save every little while, until cancelled."""
        clock = SystemClock()
        while True:
            await clock.sleep(_SAVE_SECONDS)
            self.save()

    def contacts(self) -> list[str]:
        """Who can write."""
        return list(PEOPLE)

    async def scan(self, mentorado_id: UUID, mentorado: str, qr: str) -> None:
        """The mentorado's phone scans."""
        self._own_phone(mentorado_id, mentorado).vouch(qr)

    async def say(self, contact: str, mentorado_id: UUID, text: str) -> None:
        """A person writes to the mentorado."""
        owner = self._owner(mentorado_id)
        if owner is None or not owner.account.companions:
            raise UsageError("no phone is linked yet: connect, and scan the code first")
        await self.world.phone(contact).say(owner, text)

    async def read(self, contact: str) -> None:
        """A person opens the chat."""
        await self.world.phone(contact).read()

    async def shown(self, contact: str, mentorado_id: UUID) -> list[Bubble]:
        """What the person's phone shows of the chat."""
        owner = self._owner(mentorado_id)
        chat: JID | None = owner.jid if owner is not None else None
        return [
            Bubble(
                id=shown.id,
                from_me=shown.from_me,
                text=shown.text,
                at=shown.at,
                ticks=shown.ticks.value if shown.from_me else None,
                times=shown.times,
                quoted=shown.quoted,
            )
            for shown in self.world.phone(contact).messages
            if shown.chat == chat
        ]

    def _owner(self, mentorado_id: UUID) -> Phone | None:
        name = self._owners.get(str(mentorado_id))
        return self.world.phones.get(name) if name is not None else None

    def _own_phone(self, mentorado_id: UUID, mentorado: str) -> Phone:
        known = self._owner(mentorado_id)
        if known is not None:
            return known
        name, number = mentorado, 2
        while name in self.world.phones:
            name, number = f"{mentorado} ({number})", number + 1
        self._owners[str(mentorado_id)] = name
        return self.world.phone(name)


@asynccontextmanager
async def emulated_desk(folder: Path) -> AsyncIterator[EmulatedDesk]:
    """A running world on loopback, with what an earlier run left in `folder`. Raises BadRecord."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with World.start() as world:
        desk = EmulatedDesk(world, folder)
        desk.load()
        try:
            yield desk
        finally:
            desk.save()
