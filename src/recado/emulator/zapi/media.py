"""
The storage of the emulated Z-API: files of messages under addresses without a password, gone after thirty days.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recado.emulator.zapi.refusals import Refused

KEPT_FOR = timedelta(days=30)

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+(?:;\s*[\w-]+=[\w.-]+)*);base64,(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    """One stored file."""

    data: bytes
    mime_type: str
    until: datetime


class Media:
    """Keeps files, and gives them addresses under `base`."""

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now = now
        self._new_id = new_id
        self._files: dict[str, File] = {}
        self.base = ""

    def keep(self, data: bytes, mime_type: str) -> str:
        """Store a file; its address."""
        name = self._new_id()
        self._files[name] = File(data, mime_type, self._now() + KEPT_FOR)
        return f"{self.base}/{name}"

    def take(self, source: str, mime_type: str) -> tuple[str, str]:
        """The address and type of what a request names by link or data URI. Raises Refused."""
        if source.startswith(("http://", "https://")):
            return source, mime_type
        found = _DATA.fullmatch(source)
        if found is None:
            raise Refused(400, "Invalid file")
        try:
            data = b64decode(found[2], validate=True)
        except BadBase64:
            raise Refused(400, "Invalid base64") from None
        return self.keep(data, found[1]), found[1]

    def find(self, name: str) -> File | None:
        """The file of that name, while it is kept."""
        file = self._files.get(name)
        return file if file is not None and file.until > self._now() else None
