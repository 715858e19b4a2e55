"""
One client of ours that texts, in a process of its own. Jobs, as in texter.mjs:

    open {url, root, control, phone, dsn?}     link to that phone; with a dsn the store is PostgreSQL, else memory
    send {to, round, count, window, seconds}   → {count, started}: texts, `window` at a time, until either is up
    hear {round, count}                        → {at}: when that many texts of the round had arrived
    profile {}                                 → {stages}: what the processor did since the last call, by stage

Times are nanoseconds of the machine's monotonic clock, which all processes share. A text has arrived once its fact is
committed: in memory that is when `listen` tells it, on PostgreSQL the commit itself.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from bench import jobs, stages
from bench.accounts import Gateway, linked
from recado import Client, Text
from recado.events import Fact, MessageReceived
from recado.jid import JID
from recado.server import Server

LENGTH = 100
"""Characters in a text."""
PATIENCE = 60.0


class Heard:
    """When the texts of each round arrived."""

    def __init__(self) -> None:
        self._times: dict[int, list[int]] = {}
        self._seen: set[str] = set()
        self._news = asyncio.Event()

    def tell(self, fact: Fact) -> None:
        """Note a text somebody else wrote, the first time it is told."""
        if not isinstance(fact, MessageReceived) or fact.from_me or fact.id in self._seen:
            return
        if isinstance(fact.content, Text):
            self._seen.add(fact.id)
            self._times.setdefault(int(fact.content.body.split(" ", 1)[0]), []).append(time.monotonic_ns())
            self._news.set()

    async def until(self, round: int, count: int) -> int:
        """When the `count`th text of a round arrived, waiting for it."""
        while len(times := self._times.get(round, [])) < count:
            self._news.clear()
            await self._news.wait()
        return times[count - 1]


class Texter:
    """The client and its jobs."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._heard = Heard()
        self._profiler = stages.Profiler()
        self._client: Client

    async def work(self, job: jobs.Job) -> jobs.Job:
        """Do a job."""
        match job["do"]:
            case "open":
                return await self._open(job)
            case "send":
                return await self._send(job)
            case "hear":
                async with asyncio.timeout(PATIENCE):
                    at = await self._heard.until(job["round"], job["count"])
                return {"at": at}
            case _:
                return {"stages": self._profiler.turn()}

    async def _open(self, job: jobs.Job) -> jobs.Job:
        backend = None
        if "dsn" in job:
            gateway = await Gateway.open(self._stack, job["dsn"], size=4)
            backend = await gateway.backend(job["phone"], self._heard.tell)
        server = Server(job["url"], bytes.fromhex(job["root"]))
        self._client = await linked(
            self._stack, backend, server=server, control=job["control"], phone=job["phone"], tls=None
        )
        if backend is None:
            group = await self._stack.enter_async_context(asyncio.TaskGroup())
            listening = group.create_task(self._listen())
            self._stack.callback(listening.cancel)
        return {}

    async def _listen(self) -> None:
        async for fact in self._client.listen(MessageReceived):
            self._heard.tell(fact)

    async def _send(self, job: jobs.Job) -> jobs.Job:
        to, numbers = JID.parse(job["to"]), iter(range(job["count"]))
        started = time.monotonic_ns()
        until = started + int(job["seconds"] * 1e9)
        done = 0

        async def lane() -> None:
            nonlocal done
            for number in numbers:
                await self._client.send(to, Text(f"{job['round']} {number} ".ljust(LENGTH, "x")))
                done += 1
                if time.monotonic_ns() > until:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(job["window"]):
                group.create_task(lane())
        return {"count": done, "started": started}


async def main() -> None:
    """Do jobs until told to stop."""
    async with AsyncExitStack() as stack:
        await jobs.answer(Texter(stack).work)


if __name__ == "__main__":
    jobs.run(main())
