"""
History the phone sent, as work: a part is noted with the message that brought it, fetched if it lies on the media
servers, and recorded a few hundred messages a transaction, each with how far the part is: a restart in the middle goes
on from there, and a part that comes again costs nothing. Its receipt leaves once all of it is safe.

    note ─▶ fetch (sealed, streamed, checked) ─▶ outline ─▶ people and chats ─▶ messages … ─▶ HistoryReceived ─▶ receipt
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from recado import crashpoints
from recado.client.account import Account
from recado.client.history_lost import ask_again
from recado.client.history_offered import HistoryPart, fetch_work
from recado.client.history_recording import Recording, record_raw
from recado.client.turn import Turn
from recado.crashpoints import CrashPoint
from recado.errors import (
    BadRecord,
    DecodeError,
    HistoryTooLarge,
    MediaCorrupted,
    MediaError,
    MediaGone,
    MediaTooLarge,
    MediaUnavailable,
    QueryError,
)
from recado.events import HistoryMissed, HistoryReceived
from recado.protocol.media.kinds import FileKind
from recado.protocol.messages.history import SYNC_TYPES, HistoryMessage
from recado.protocol.messages.history_parts import HistoryOutline, read_messages, read_outline
from recado.store.past import PartProgress
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

IN_MEMORY = 1024 * 1024
"""A part up to this size (deflated) is kept in memory while it is read; a larger one in a file without a name."""

MOST_ATTEMPTS = 24
"""How often one part is fetched before it is given up: about a day."""

_ATTEMPTS: dict[type[MediaError], int] = {MediaGone: 1, MediaTooLarge: 1, MediaCorrupted: 3}


async def read_history(account: Account, connection: Connection, item: WorkItem) -> None:
    """Record a part of the history: messages, names, addresses, chats, and that it came."""
    part = _part(item)
    async with account.store.transaction() as tx:
        progress = await tx.past.progress(part.key)
    if not progress.is_done:
        try:
            await _take(account, part, progress)
        except MediaError as error:
            await _missed(account, connection, item, part, error)
            return
        except DecodeError as error:
            async with account.store.transaction() as tx:
                await tx.finish_work(item.id)
                await _give_up(Turn(account, tx, account.now()), part, error)
            return
    if part.sender:
        connection.send(part.receipt)
    await _tidy(account, part)


def _part(item: WorkItem) -> HistoryPart:
    try:
        return HistoryPart.decode(item.body)
    except BadRecord:
        # Noted by an earlier version: the deflated bytes alone, and the receipt has left.
        return HistoryPart(id=item.id, sender="", kind=SYNC_TYPES[0], chunk=0, inline=item.body)


async def _take(account: Account, part: HistoryPart, progress: PartProgress) -> None:
    """Fetch, read and record it. Raises MediaError, DecodeError."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as blob:
        await _fetch(account, part, blob)
        crashpoints.reach(CrashPoint.HISTORY_AFTER_FETCH)
        outline = await _outline(account, part, blob)
        crashpoints.reach(CrashPoint.HISTORY_AFTER_OUTLINE)
        recording = Recording(account, part.key, progress)
        await recording.people(outline)
        for messages in _slices(_messages(account, blob, outline, recording.progress.messages), account):
            with account.pulse.working():
                await recording.messages(messages)
            crashpoints.reach(CrashPoint.HISTORY_AFTER_SLICE)
    done = replace(recording.progress, is_done=True)
    async with account.store.transaction() as tx:
        tx.past.save_progress(part.key, done, account.now() + account.limits.keep_seen)
        request = await _answered(tx, part)
        await tx.record(
            HistoryReceived(
                account=account.jid,
                at=account.now(),
                kind=outline.kind if outline.messages or outline.conversations else part.kind,
                chunk=outline.chunk or part.chunk,
                conversations=len(outline.chats),
                messages=done.readable,
                progress=part.progress if outline.progress is None else outline.progress,
                request=request,
            )
        )
    crashpoints.reach(CrashPoint.HISTORY_BEFORE_RECEIPT)


async def _answered(tx: Transaction, part: HistoryPart) -> str | None:
    """The question this part answers, if it was ever asked; everything there is comes in many parts."""
    asked = None if part.request is None else await tx.past.request(part.request)
    if part.request is None or asked is None:
        return None
    if asked.chat is not None:
        tx.past.drop_request(part.request)
    return part.request


async def _fetch(account: Account, part: HistoryPart, blob: IO[bytes]) -> None:
    """The deflated bytes, checked. Raises MediaError, HistoryTooLarge."""
    if part.inline is not None:
        blob.write(part.inline)
    elif part.remote is not None:
        if part.remote.size > account.limits.history_file:
            raise HistoryTooLarge
        if account.files is None:
            raise MediaUnavailable
        # What came is thrown away when it turns out not to be the file: nothing of it is read before its MAC was.
        chunks = account.files.stream_remote(part.remote, FileKind.HISTORY, most=account.limits.history_file)
        with account.pulse.working():
            async with aclosing(chunks):
                async for chunk in chunks:
                    blob.write(chunk)


async def _outline(account: Account, part: HistoryPart, blob: IO[bytes]) -> HistoryOutline:
    """The first pass, with others let in now and then. Raises DecodeError."""
    outline = HistoryOutline(kind=part.kind, chunk=part.chunk, progress=part.progress)
    if part.inline is None and part.remote is None:
        return outline  # the phone says that there is nothing, and why
    blob.seek(0)
    for outline in read_outline(blob.read, most=account.limits.history_inflated):  # noqa: B007 - the last is whole
        await account.clock.sleep(0)
    return outline


def _messages(account: Account, blob: IO[bytes], outline: HistoryOutline, skip: int) -> Iterator[HistoryMessage | None]:
    if not outline.messages:
        return
    blob.seek(0)
    messages = read_messages(blob.read, outline, most=account.limits.history_inflated, skip=skip)
    for place, message in enumerate(messages):
        if place >= skip:
            yield message


def _slices(messages: Iterator[HistoryMessage | None], account: Account) -> Iterator[list[HistoryMessage | None]]:
    size = account.limits.history_chunk
    taken: list[HistoryMessage | None] = []
    for message in messages:
        taken.append(message)
        if len(taken) == size:
            yield taken
            taken = []
    if taken:
        yield taken


async def _tidy(account: Account, part: HistoryPart) -> None:
    """Its file was for this device alone, and it has it: WhatsApp Web takes it off the servers. They forget it too."""
    if part.remote is None or account.files is None:
        return
    try:
        await account.files.delete_history(part.remote, part.handle)
    except (MediaError, QueryError) as error:
        logger.info("a part of the history stays on the servers for now: %s", type(error).__name__)


async def _missed(
    account: Account, connection: Connection, item: WorkItem, part: HistoryPart, error: MediaError
) -> None:
    """Fetch it again later; what is gone, or wrong time after time, is asked of the phone."""
    logger.info("a part of the history cannot be fetched: %s", type(error).__name__)
    async with account.store.transaction() as tx:
        turn = Turn(account, tx, account.now())
        await tx.finish_work(item.id)  # with what comes of it: after a crash it is neither told nor begun twice
        if part.attempts + 1 < _ATTEMPTS.get(type(error), MOST_ATTEMPTS):
            pause = min(timedelta(seconds=5) * 2**part.attempts, timedelta(hours=1))
            await turn.schedule(fetch_work(replace(part, attempts=part.attempts + 1), turn.now + pause))
        else:
            await _give_up(turn, part, error)
            if part.can_come_again and not isinstance(error, MediaTooLarge):
                await ask_again(turn, part)
    connection.send(*turn.answers)
    for callback in turn.callbacks:
        callback()


async def _give_up(turn: Turn, part: HistoryPart, error: Exception) -> None:
    """It cannot be had, or not be read: no receipt says that it is safe."""
    if part.inline is not None:
        await record_raw(turn, part.inline, error)
    await turn.tx.record(
        HistoryMissed(
            account=turn.me,
            at=turn.now,
            kind=part.kind,
            chunk=part.chunk,
            reason=type(error).__name__,
            request=part.request,
        )
    )
