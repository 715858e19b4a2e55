"""
A part of the history that was offered: what is noted of it until it is recorded, and the work that fetches it. It goes
by the message that brought it; one the phone uploaded again counts for the message that offered it first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

from recado.client.turn import Turn
from recado.content import EncryptedFile
from recado.events import HistoryOffered
from recado.protocol.messages.history import SYNC_TYPES, HistoryMedia, HistoryPush
from recado.protocol.node import Node
from recado.protocol.stanzas.receipt import history_receipt
from recado.store.past import HeldPart
from recado.store.records import JSONRecord, WorkItem

HISTORY = "history"
ASK_PART = "history-ask"

_ORDER = {"on_demand": 0, "initial_bootstrap": 1, "push_name": 2, "recent": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPart(JSONRecord):
    """A part that was offered, and the message that brought it (`id`, from `sender`)."""

    id: str
    sender: str = field(repr=False)
    kind: str
    chunk: int
    progress: int | None = None
    request: str | None = None
    inline: bytes | None = field(default=None, repr=False)
    remote: EncryptedFile | None = field(default=None, repr=False)
    handle: str | None = field(default=None, repr=False)  # goes with a request to delete the file
    attempts: int = 0
    original: str | None = None  # the message that offered it first, when this is another upload

    @property
    def key(self) -> str:
        """What the same part is known by when it comes again."""
        held = self.remote.enc_sha256 if self.remote is not None else self.inline or self.id.encode()
        return hashlib.sha256(held).hexdigest()[:32]

    @property
    def receipt(self) -> Node:
        """What tells the phone that it is safe here."""
        return history_receipt(Node("message", {"id": self.original or self.id, "from": self.sender}))

    @property
    def may_wait(self) -> bool:
        """Is there something to fetch, that nobody here asked for?"""
        return (self.remote or self.inline) is not None and self.request is None and self.original is None

    @property
    def can_come_again(self) -> bool:
        """Is it one of the kinds the phone makes anew?"""
        return self.kind in SYNC_TYPES


def offered_part(id: str, sender: str, push: HistoryPush) -> HistoryPart:
    """The part that message `id` brought."""
    return HistoryPart(
        id=id,
        sender=sender,
        kind=push.kind,
        chunk=push.chunk,
        progress=push.progress,
        request=push.request,
        inline=push.inline,
        remote=None if push.inline is not None else _remote(push.media),
        handle=push.media.handle if push.media is not None else None,
        original=push.original,
    )


def fetch_work(part: HistoryPart, at: datetime) -> WorkItem:
    """Fetch and record it."""
    # Of parts that came together, what a person looks at first goes first.
    order = f"{_ORDER.get(part.kind, len(_ORDER))}{part.chunk:08d}"
    return WorkItem(f"{HISTORY}-{order}-{part.id}-{part.attempts}", HISTORY, part.encode(), due_at=at)


async def hold_part(turn: Turn, part: HistoryPart) -> None:
    """
    Keep it until somebody wants it, and say so once however often it comes. What is kept is safe: its receipt leaves
    now, for a phone that waits for it may offer nothing more.
    """
    size = part.remote.size if part.remote is not None else len(part.inline or b"")
    if await turn.tx.past.held(part.key) is None:
        held = HeldPart(replace(part, sender="").encode())
        turn.tx.past.hold(part.key, held, turn.now + turn.account.limits.keep_offered)
        await turn.tx.record(
            HistoryOffered(
                account=turn.me,
                at=turn.now,
                part=part.key,
                kind=part.kind,
                chunk=part.chunk,
                size=size or 0,
                progress=part.progress,
            )
        )
    turn.answer(part.receipt)


def asking(id: str) -> str:
    """The work that asks for the part of message `id` once more, unless the phone gives it before."""
    return f"{ASK_PART}-{id}"


def _remote(media: HistoryMedia | None) -> EncryptedFile | None:
    if media is None:
        return None
    return EncryptedFile(
        direct_path=media.direct_path,
        url="",
        key=media.media_key,
        sha256=media.file_sha256,
        enc_sha256=media.file_enc_sha256,
        size=media.file_length,
    )
