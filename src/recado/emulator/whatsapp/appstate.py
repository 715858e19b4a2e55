"""
What the server keeps of the state an account's devices share: for each collection its patches, as they came. They are
sealed; the server reads the MACs beside them, and so can put a snapshot together without being able to open it.

Switches: `spoils` of a collection (so many of the next answers have a bit flipped, or an entry missing), `inline` (with
more patches than this a device that begins gets a snapshot), `page` (so many patches an answer holds).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from recado.protocol.appstate.blobs import snapshot_of
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.patches import Patch, Snapshot, read_patch


@dataclass(slots=True)
class StoredCollection:
    """
    One collection: version n is what the first n patches lead to. `spoils`: so many of the next answers are bad.
    `lies_outside`: the entries of patches go out as files of their own.
    """

    patches: list[Patch] = field(default_factory=list)
    spoils: int = 0
    lies_outside: bool = False

    @property
    def version(self) -> int:
        """The version it stands at."""
        return len(self.patches)

    def add(self, patch: Patch) -> None:
        """Take a device's patch as the next version."""
        patch.version.version = self.version + 1
        self.patches.append(patch)

    def since(self, version: int) -> list[Patch]:
        """What came after that version."""
        return self.patches[version:]

    def sent(self, patch: Patch) -> Patch:
        """A patch as it goes out: as it came, unless one is to be spoiled."""
        copy = read_patch(patch.SerializeToString())
        if self.spoils and patch.mutations:
            self.spoils -= 1
            copy.mutations[0].record.value.blob = _flipped(copy.mutations[0].record.value.blob)
        return copy

    def snapshot(self) -> Snapshot:
        """The collection as it stands, in one piece."""
        return snapshot_of(self.patches)


@dataclass(slots=True)
class SharedState:
    """All collections of one account."""

    inline: int = 30
    page: int = 50
    _collections: dict[Collection, StoredCollection] = field(default_factory=dict)

    def __getitem__(self, name: Collection) -> StoredCollection:
        return self._collections.setdefault(name, StoredCollection())

    def to_json(self) -> dict[str, list[str]]:
        """The patches of each collection."""
        return {
            name.value: [b64encode(patch.SerializeToString()).decode() for patch in collection.patches]
            for name, collection in self._collections.items()
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> SharedState:
        """The state again."""
        state = cls()
        for name, patches in saved.items():
            state[Collection(name)].patches = [read_patch(b64decode(patch)) for patch in patches]
        return state


def _flipped(blob: bytes) -> bytes:
    return bytes((blob[0] ^ 1,)) + blob[1:]
