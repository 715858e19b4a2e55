"""
What went up lately, under the names its senders have for it: a picture for a thousand people goes up once. Who wants
the same file while it is on its way waits for it. Kept in memory alone: after a restart a file goes up once more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from recado.client.media.probing import Probed
from recado.content import EncryptedFile, MediaKind

MOST = 256
Key = tuple[MediaKind, bool, str]
"""The kind, whether it is a voice message, and the caller's name for the file."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Where a file is, and what was found in it."""

    remote: EncryptedFile
    found: Probed = field(repr=False)


class LatelyUploaded:
    """The files of one account; each is good for `keep` from when it went up."""

    def __init__(self, now: Callable[[], datetime], keep: timedelta) -> None:
        self._now = now
        self._keep = keep
        self._kept: OrderedDict[Key, tuple[datetime, Uploaded]] = OrderedDict()
        self._busy: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: Key, upload: Callable[[], Awaitable[Uploaded]]) -> Uploaded:
        """The file of that name, from before or from `upload`. Raises what `upload` does; the next one tries again."""
        lock = self._busy.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._kept.get(key)
            if kept is not None and self._now() - kept[0] < self._keep:
                return kept[1]
            uploaded = await upload()
            self._kept[key] = (self._now(), uploaded)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return uploaded

    def forget(self, remote: EncryptedFile) -> None:
        """It is on the servers no more."""
        for key in [key for key, (_, each) in self._kept.items() if each.remote.key == remote.key]:
            del self._kept[key]
