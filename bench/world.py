"""
The emulator in a process of its own. One job: start {certificate?} → {url, root, control}.
"""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack

from bench import jobs
from recado.emulator.whatsapp.world import World


async def main() -> None:
    """Do jobs until told to stop."""
    async with AsyncExitStack() as stack:

        async def work(job: jobs.Job) -> jobs.Job:
            tls = None
            if "certificate" in job:
                tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                tls.load_cert_chain(job["certificate"])
            world = await stack.enter_async_context(World.start(tls=tls))
            return {"url": world.server.url, "root": world.server.root.hex(), "control": world.control_url}

        await jobs.answer(work)


if __name__ == "__main__":
    jobs.run(main())
