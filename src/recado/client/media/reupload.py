"""
Asking the own phone to put a file on the servers again. The question is a receipt; the answer comes as a notification,
through the inbox like any other, and is handed to whoever waits for it. Nothing of it is kept: who dies asks anew.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from recado import crashpoints
from recado.client.waiting import within
from recado.crashpoints import FilePoint
from recado.errors import DecodeError, MediaForgotten, MediaGone
from recado.jid import JID
from recado.protocol.media.retry import Reupload, open_result, seal_request
from recado.protocol.stanzas.media_retry import MediaRetry

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")


class Reuploads:
    """Who waits for which message's file."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[MediaRetry]]] = {}

    def expect(self, id: str) -> asyncio.Future[MediaRetry]:
        """The answer about that message."""
        future: asyncio.Future[MediaRetry] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, []).append(future)
        return future

    def forget(self, id: str, future: asyncio.Future[MediaRetry]) -> None:
        """Nobody waits for it any more."""
        left = [other for other in self._waiting.get(id, ()) if other is not future]
        if left:
            self._waiting[id] = left
        else:
            self._waiting.pop(id, None)

    def answer(self, said: MediaRetry) -> None:
        """The phone answered."""
        for future in self._waiting.pop(said.id, ()):
            if not future.done():
                future.set_result(said)


async def ask_phone(
    account: Account, connection: Connection, key: bytes, *, id: str, chat: JID, from_me: bool, sender: JID | None
) -> str:
    """
    Where the file of that message is now. Raises MediaForgotten when the phone has it no more, MediaGone when it does
    not answer, ConnectionLost.
    """
    sealed = seal_request(key, id, account.entropy)
    participant = sender if sender is not None and not chat.is_person else None
    asked = MediaRetry(id, chat, from_me, participant, sealed)
    future = account.reuploads.expect(id)
    try:
        connection.send(asked.request(account.jid))
        await connection.flush()
        crashpoints.reach(FilePoint.AFTER_REQUEST)
        silent = MediaGone("the servers have the file no more, and the phone did not answer in time")
        said = await within(account.clock, account.limits.reupload, future, silent)
    finally:
        account.reuploads.forget(id, future)
    if said.sealed is None:
        raise MediaForgotten(f"the servers have the file no more, and the phone neither ({said.error})")
    try:
        result = open_result(key, id, said.sealed)
    except DecodeError:
        raise MediaGone("the servers have the file no more, and the phone's answer cannot be read") from None
    if result.result is Reupload.NOT_FOUND:
        raise MediaForgotten("the servers have the file no more, and the phone neither (not_found)")
    if result.result is not Reupload.DONE or not result.direct_path:
        raise MediaGone(f"the servers have the file no more, and the phone failed ({result.result.name.lower()})")
    logger.info("the phone uploaded a file again")
    return result.direct_path
