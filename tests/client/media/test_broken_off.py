"""
A download that breaks off while the process goes on: nothing of it stays on the disk, and the same client brings it at
the next attempt. Of a process that dies there: tests/crash/test_files_killed.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recado import crashpoints
from recado.content import MediaKind
from recado.crashpoints import FilePoint
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived

CONTENT = os.urandom(600_000)


class Broken(Exception):
    """What goes wrong there."""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("point", [FilePoint.WITHIN_DOWNLOAD, FilePoint.BEFORE_PLACING, FilePoint.AFTER_REQUEST])
async def test_a_download_that_breaks_off_leaves_nothing_behind(
    point: FilePoint, connected: Callable[..., Any], world: World, ana: Phone, bia: Phone, tmp_path: Path
) -> None:
    def hook(reached: str) -> None:
        if reached == point:
            raise Broken

    place = tmp_path / "files" / "it"
    place.parent.mkdir()
    async with connected() as client:
        await bia.send_file(ana, MediaKind.IMAGE, CONTENT)
        fact = await anext(client.listen(MessageReceived, after=0))
        await ana.expect(id=fact.id)
        if point is FilePoint.AFTER_REQUEST:
            world.files.expire()
        crashpoints.hang(hook)
        try:
            with pytest.raises(Broken):
                await client.download(fact, place)
        finally:
            crashpoints.hang(None)
        assert names_in(place.parent) == []
        await client.download(fact, place)
        assert place.read_bytes() == CONTENT
