"""
Fetching and changing the state that the account's devices share.

    <iq xmlns="w:sync:app:state" type="set"><sync>
      <collection name="regular_low" version="3" return_snapshot="false"><patch>[SyncdPatch]</patch>?</collection>…
    </sync></iq>
    →  <sync><collection name version has_more_patches?><snapshot>[ExternalBlobReference]</snapshot>?
         <patches><patch>[SyncdPatch]</patch>…</patches></collection>…</sync>
    →  <collection name type="error"><error code="409" text="conflict"/> <patches>…</patches>?</collection>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.protocol.appstate.collections import Collection
from recado.protocol.node import Node
from recado.protocol.queries.query import error_of, raise_for_error, tell

CONFLICT = 409


@dataclass(frozen=True, slots=True)
class CollectionRequest:
    """One collection: what happened since `version` (or all of it), or a patch to be put on top of that version."""

    name: Collection
    version: int = 0
    wants_snapshot: bool = False
    patch: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CollectionAnswer:
    """What the server says of one collection: where its snapshot lies, its patches in order, or why not (`error`)."""

    name: Collection
    version: int | None = None
    has_more: bool = False
    snapshot: bytes | None = field(default=None, repr=False)
    patches: tuple[bytes, ...] = field(default=(), repr=False)
    error: int | None = None


@dataclass(frozen=True, slots=True)
class SyncCollections:
    """The question; the answer is by collection, and says nothing of those this version does not know."""

    requests: tuple[CollectionRequest, ...]

    def build(self) -> Node:
        """The stanza."""
        return tell("w:sync:app:state", Node("sync", None, [_request(each) for each in self.requests]))

    def parse(self, answer: Node) -> dict[Collection, CollectionAnswer]:
        """What the server has."""
        raise_for_error(answer)
        sync = answer.child("sync")
        found = [_answer(node) for node in sync.all("collection")] if sync is not None else []
        return {each.name: each for each in found if each is not None}


def _request(request: CollectionRequest) -> Node:
    wants_snapshot = "true" if request.wants_snapshot else "false"
    attrs = {"name": request.name.value, "version": str(request.version), "return_snapshot": wants_snapshot}
    return Node("collection", attrs, None if request.patch is None else [Node("patch", None, request.patch)])


def _answer(node: Node) -> CollectionAnswer | None:
    reader = node.read()
    name, version = Collection.named(reader.str("name")), reader.opt_int("version")
    reader.done()
    if name is None:
        return None
    snapshot = node.child("snapshot")
    return CollectionAnswer(
        name,
        version,
        has_more=node.attrs.get("has_more_patches") == "true",
        snapshot=snapshot.blob if snapshot is not None and snapshot.blob else None,
        patches=tuple(patch.blob for patch in (node.child("patches") or node).all("patch") if patch.blob),
        error=error_of(node).code if node.attrs.get("type") == "error" else None,
    )
