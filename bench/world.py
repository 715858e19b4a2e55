"""
The emulator in a process of its own. Jobs:

    start {certificate?}            → {url, root, control, files_host, files_ca}
    past {name, chats, each, part}  → {}: the phone of that name has a past of that many messages
    past_files {name}               → {files}: where its parts lie on the disk, and their keys
    say {to, each}                  → {first}: every phone of `to` is written `each` texts; the first one's number
    say_one_by_one {to, seconds}    → {count, seconds}: each is written the next text once it acknowledged the last
    group {owner, people, devices}  → {group}: a group of those people, who have so many devices, switched off
    say_timed {to, count}           → {at}: one text at a time; when each left, by the machine's monotonic clock
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from bench import jobs
from recado.emulator.whatsapp.accounts import Account, Device, KeyBundle, PublishedKey
from recado.emulator.whatsapp.archive import Invented
from recado.emulator.whatsapp.world import World
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.keys import make_prekeys, make_signed_prekey

FRIENDS = 20
"""How many people write to the accounts."""
LENGTH = 100
"""Characters in a text."""


def add_companion(account: Account, entropy: Callable[[int], bytes]) -> None:
    """A linked device that published its keys and is never there."""
    own = KeyPair.generate(entropy)
    signed = make_signed_prekey(own, 1, entropy)
    keys = KeyBundle(1, own.public, PublishedKey(1, signed.pair.public, signed.signature))
    keys.one_time.update((key.id, key.pair.public) for key in make_prekeys(1, 2, entropy))
    device = Device(account, account.next_device, keys, key_index=account.next_device)
    account.devices[device.number] = device
    account.next_device += 1


class Desk:
    """The world and what is done in it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._numbers = itertools.count()
        self._world: World

    async def work(self, job: jobs.Job) -> jobs.Job:
        """Do a job."""
        match job["do"]:
            case "start":
                return await self._start(job)
            case "say":
                return await self._say(job["to"], job["each"])
            case "past":
                return self._past(job["name"], job["chats"], job["each"], job["part"])
            case "past_files":
                return self._past_files(job["name"])
            case "group":
                return await self._group(job["owner"], job["people"], job["devices"])
            case "say_one_by_one":
                return await self._say_one_by_one(job["to"], job["seconds"])
            case _:
                return {"at": [await self._say_timed(job["to"]) for _ in range(job["count"])]}

    async def _start(self, job: jobs.Job) -> jobs.Job:
        tls = None
        if "certificate" in job:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(job["certificate"])
        world = self._world = await self._stack.enter_async_context(World.start(tls=tls))
        files = {"files_host": world.server.files_host, "files_ca": world.server.files_ca}
        return {"url": world.server.url, "root": world.server.root.hex(), "control": world.control_url, **files}

    def _past(self, name: str, chats: int, each: int, part: int) -> jobs.Job:
        """The phone of that name has that past, in parts of about that many messages, on the servers for files."""
        archive = self._world.phone(name).archive
        archive.as_files, archive.part_size, archive.invented = True, part, Invented(chats, each)
        return {}

    def _past_files(self, name: str) -> jobs.Job:
        """Where the parts that phone uploaded lie on the disk, with their keys."""
        found = [(self._world.files.find(each.direct_path), each.key) for each in self._world.phone(name).archive.files]
        return {"files": [{"path": str(file.path), "key": key.hex()} for file, key in found if file is not None]}

    async def _group(self, owner: str, people: list[str], devices: int) -> jobs.Job:
        """A new group of a phone's with people whose devices are all switched off."""
        phones = [self._world.phone(name) for name in people]
        holder = self._world.phone(owner)
        lacking = devices - len(phones) - len(holder.account.devices)
        for number in range(lacking):
            account = phones[number % len(phones)].account
            add_companion(account, self._world.entropy)
        group = await holder.groups.create("a large one", *phones)
        for phone in phones:
            phone.offline()
            for device in phone.account.devices.values():
                device.mailbox.clear()
        return {"group": str(group)}

    async def _say(self, to: list[str], each: int) -> jobs.Job:
        first = -1
        for _ in range(each):
            for name in to:
                number = await self._text(name)
                first = number if first < 0 else first
            await asyncio.sleep(0)
        return {"first": first}

    async def _text(self, name: str) -> int:
        number = next(self._numbers)
        friend = self._world.phone(f"friend {number % FRIENDS}")
        await friend.say(self._world.phone(name), f"{number} ".ljust(LENGTH, "x"))
        return number

    async def _say_one_by_one(self, to: list[str], seconds: float) -> jobs.Job:
        started = time.monotonic()
        count = 0

        async def keep_on(name: str) -> None:
            nonlocal count
            while time.monotonic() - started < seconds:
                await self._text(name)
                count += 1
                await self._world.expect_nothing_pending(self._world.phone(name).jid, patience=60.0)

        async with asyncio.TaskGroup() as group:
            for name in to:
                group.create_task(keep_on(name))
        return {"count": count, "seconds": time.monotonic() - started}

    async def _say_timed(self, name: str) -> int:
        at = time.monotonic_ns()
        await self._text(name)
        await self._world.expect_nothing_pending(self._world.phone(name).jid, patience=60.0)
        return at


async def main() -> None:
    """Do jobs until told to stop."""
    async with AsyncExitStack() as stack:
        await jobs.answer(Desk(stack).work)


if __name__ == "__main__":
    jobs.run(main())
