"""Running the emulator by itself."""

from __future__ import annotations

import asyncio

import aiohttp

from recado.emulator.serve import serve
from recado.emulator.whatsapp.world import World


async def test_it_serves_with_its_phones_until_it_is_stopped() -> None:
    listening: asyncio.Future[World] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(port=0, phones=["Ana", "Beto"], seed=7, ready=listening.set_result))
    world = await listening
    async with aiohttp.ClientSession() as http, http.get(f"{world.control_url}/admin/phones") as response:
        assert [each["name"] for each in (await response.json())["phones"]] == ["Ana", "Beto"]
    serving.cancel()
    (ended,) = await asyncio.gather(serving, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
