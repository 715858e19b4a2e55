"""
The master keys: the first wraps, every one of them opens. Two at a time is how the master key is changed with nothing
unreadable in between. They come from a setting (several, separated by commas) or from a key file (several lines), which
is read again when a data key does not open: a running process learns of a new master key from there.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from recado.errors import BadRecord, UsageError
from recado.gateway.security import unwrap_key, wrap_key

_Reread = Callable[[], Sequence[bytes]]


class MasterKeys:
    """One or more keys of 32 bytes, the current one first."""

    def __init__(self, keys: Sequence[bytes], reread: _Reread | None = None) -> None:
        self._keys = tuple(keys)
        self._reread = reread

    def __repr__(self) -> str:
        return f"MasterKeys({len(self._keys)})"

    @property
    def current(self) -> bytes:
        """The one that wraps."""
        return self._keys[0]

    def with_current(self, key: bytes) -> MasterKeys:
        """The same, but `key` wraps from now on."""
        return MasterKeys((key, *(each for each in self._keys if each != key)))

    def wrap(self, data_key: bytes, *, mentorado_id: UUID, key_id: int) -> bytes:
        """
        A data key sealed under the current master key: the one that is current in the key file at this moment, or what
        a running process makes would be lost once the old one is forgotten.
        """
        if self._reread is not None:
            self._keys = tuple(self._reread())
        return wrap_key(self.current, data_key, mentorado_id=mentorado_id, key_id=key_id)

    def unwrap(self, wrapped: bytes, *, mentorado_id: UUID, key_id: int) -> bytes:
        """The data key. Raises BadRecord when none of the master keys opens it."""
        try:
            return self._unwrap(wrapped, mentorado_id, key_id)
        except BadRecord:
            if self._reread is None:
                raise
        self._keys = tuple(self._reread())
        return self._unwrap(wrapped, mentorado_id, key_id)

    def is_wrapped_by_current(self, wrapped: bytes, *, mentorado_id: UUID, key_id: int) -> bool:
        """Is it the current master key that opens this?"""
        try:
            unwrap_key(self.current, wrapped, mentorado_id=mentorado_id, key_id=key_id)
        except BadRecord:
            return False
        return True

    def derived(self, purpose: bytes) -> list[bytes]:
        """A key for another purpose from each of them, the current one's first."""
        return [hmac.digest(key, purpose, "sha256") for key in self._keys]

    def _unwrap(self, wrapped: bytes, mentorado_id: UUID, key_id: int) -> bytes:
        for key in self._keys:
            try:
                return unwrap_key(key, wrapped, mentorado_id=mentorado_id, key_id=key_id)
            except BadRecord:
                continue
        raise BadRecord("a data key does not open: is this the master key it was made with?")


def load_master_keys(text: str | None, path: Path) -> MasterKeys:
    """
    From `text` (hexadecimal, several separated by commas) or the file at `path` (one a line), which is made, readable
    by its owner only, when neither exists. Raises UsageError.
    """
    if text:
        return MasterKeys(_parsed(text.split(","), "RECADO_MASTER_KEY"))
    if not path.exists():
        _make_key_file(path)
    return MasterKeys(read_key_file(path), lambda: read_key_file(path))


def load_master_key(text: str | None, path: Path) -> bytes:
    """The current one of them. Raises UsageError."""
    return load_master_keys(text, path).current


def read_key_file(path: Path) -> list[bytes]:
    """Its keys. Raises UsageError when others may read it, or it holds no key."""
    if path.stat().st_mode & 0o077:
        raise UsageError(f"{path.name} may be read by others; it must have mode 0600")
    return _parsed(path.read_text().split(), path.name)


def write_key_file(path: Path, keys: Sequence[bytes]) -> None:
    """Put these keys in the file's place, at one stroke: who reads it finds the old ones or the new ones."""
    os.replace(_drafted(path, keys), path)


def _make_key_file(path: Path) -> None:
    """Written whole under another name first: who finds the file finds a key in it, and the first to name it wins."""
    draft = _drafted(path, [secrets.token_bytes(32)])
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _drafted(path: Path, keys: Sequence[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{key.hex()}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _parsed(texts: Sequence[str], origin: str) -> list[bytes]:
    keys = []
    for text in texts:
        try:
            keys.append(bytes.fromhex(text.strip()))
        except ValueError:
            keys.append(b"")
    if not keys or any(len(key) != 32 for key in keys):
        raise UsageError(f"{origin} must hold 32 bytes, written as 64 hexadecimal digits")
    return keys
