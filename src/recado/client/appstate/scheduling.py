"""When collections are fetched: as work, for the spine asks nobody. Each item has an id of its own, so none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from recado.protocol.appstate.collections import Collection
from recado.store.records import WorkItem

SYNC = "app-state"
FIRST = "app-state-first"
ALL = list(Collection)

PATIENCE = timedelta(minutes=1)
"""How long a device without keys waits for its phone to give them unasked."""


def sync_work(names: Iterable[str], *, at: datetime, entropy: Callable[[int], bytes]) -> WorkItem:
    """Fetch what is new in these collections."""
    return WorkItem.new(SYNC, ",".join(names).encode(), due_at=at, entropy=entropy)


def first_work(*, at: datetime) -> WorkItem:
    """Fetch everything although no keys came: what is lacking will be asked for."""
    return WorkItem(FIRST, SYNC, ",".join(ALL).encode(), due_at=at + PATIENCE)


def names_of(item: WorkItem) -> list[Collection]:
    """The collections an item is about."""
    named = [Collection.named(name) for name in item.body.decode().split(",")]
    return [name for name in named if name is not None]
