"""
Which messages of ours are known to count as sent, without a look in the store: for every text come an acknowledgement
and a receipt or two, and each would look. What a transaction is about to settle is known to that transaction alone;
everybody else learns it from `note`, after the commit. Of the rest it knows nothing, and says so.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from recado.events import MessageId
from recado.store.records import SentMessage
from recado.store.transaction import Transaction

REMEMBERED = 4096


class Settlements:
    """What this run knows, of the newest messages."""

    def __init__(self) -> None:
        self._settled: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, bool] = {}
        self._on_the_wire: dict[str, SentMessage] = {}
        self._claimed: dict[str, Transaction] = {}

    def is_settled(self, id: str, tx: Transaction) -> bool | None:
        """Does it count as sent, as `tx` sees it? None: the store has to be asked."""
        if id in self._settled:
            return True
        claim = self._claimed.get(id)
        if claim is not None:
            return True if claim is tx else None  # whether the other one was committed, the store knows
        return self._under_way.get(id)

    def claim(self, id: str, tx: Transaction) -> None:
        """This transaction settles it."""
        if id in self._under_way:
            self._claimed[id] = tx

    def note(self, id: str) -> None:
        """It counts as sent, and that is committed."""
        if id in self._under_way:
            self._under_way[id] = True
        self._claimed.pop(id, None)
        self._settled[id] = None
        if len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)

    def on_the_wire(self, id: str) -> SentMessage | None:
        """The message as it is kept, while its acknowledgement is awaited."""
        return self._on_the_wire.get(id)

    def leaves(self, kept: SentMessage) -> None:
        """A message under way is kept, committed, and on its way out."""
        self._on_the_wire[kept.id] = kept

    @contextmanager
    def under_way(self, id: MessageId) -> Iterator[None]:
        """It is being sent, and did not count as sent before: meanwhile nobody settles it unnoted."""
        self._under_way[id] = False
        try:
            yield
        finally:
            for known in (self._under_way, self._on_the_wire, self._claimed):
                known.pop(id, None)
