"""Files made here: a picture, a film, a voice; and a client that is connected."""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import av
import pytest
from PIL import Image

from recado import MemoryStore
from recado.client.client import Client
from recado.client.options import Limits
from recado.clock import ManualClock
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import ConnectionState

SMALL = Limits(first_prekeys=12, more_prekeys=8)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(clock: ManualClock) -> AsyncIterator[World]:
    async with World.start(clock=clock, seed=7) as world:
        yield world


@pytest.fixture
def ana(world: World) -> Phone:
    return world.phone("Ana")


@pytest.fixture
def bia(world: World) -> Phone:
    return world.phone("Bia")


@pytest.fixture
def connected(world: World, clock: ManualClock, ana: Phone) -> Callable[..., Any]:
    """`async with connected() as client`: one that is linked to Ana's phone and logged in."""

    @asynccontextmanager
    async def connected(**options: Any) -> AsyncIterator[Client]:
        options.setdefault("limits", SMALL)
        async with Client(MemoryStore(), server=world.server, clock=clock, **options) as client:
            await ana.link(client)
            await client.wait_for(ConnectionState.CONNECTED)
            yield client

    return connected


@pytest.fixture(scope="session")
def picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="session")
def film() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(20):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), (shade * 10, 0, 0)))
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()


@pytest.fixture(scope="session")
def voice() -> bytes:
    """Three seconds: silence, a loud second, a quieter one."""
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as made:
        stream = made.add_stream("libopus", rate=48000, layout="mono")
        for place in range(150):
            loud = (0, 20000, 8000)[place // 50]
            values = array("h", (int(loud * math.sin(n / 10)) for n in range(960)))
            frame = av.AudioFrame(format="s16", layout="mono", samples=960)
            frame.planes[0].update(bytes(values))
            frame.sample_rate, frame.pts = 48000, place * 960
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()
