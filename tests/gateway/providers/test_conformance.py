"""The suite of conformance.py on every provider there is a harness for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from tests.gateway.providers.baileys.harness import baileys
from tests.gateway.providers.conformance import SUITE, Harness
from tests.gateway.providers.meta.harness import meta
from tests.gateway.providers.zapi.harness import zapi

from recado.gateway.settings import Settings

HARNESSES: dict[str, Callable[[Settings], AbstractAsyncContextManager[Harness]]] = {
    "meta": meta,
    "baileys": baileys,
    "zapi": zapi,
}
"""By provider: a gateway with these settings, one mentorado, and the emulated other side; connected by the suite."""


@pytest.mark.parametrize("behaviour", SUITE, ids=lambda each: each.__name__)
@pytest.mark.parametrize("provider", sorted(HARNESSES))
async def test_it(provider: str, behaviour: Any, settings: Settings) -> None:
    async with HARNESSES[provider](settings) as harness:
        await harness.connect()
        await behaviour(harness)
