"""
Taking a file from the servers and opening it, piece by piece. A transfer that breaks off goes on where it stopped, at
the next host; one that is refused for want of leave is tried once more with fresh hosts. Whether it is the file that
was sent is known at the end only, and said by raising: what came before is to be thrown away then.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from recado.client.media.transfer import Incoming, TransferFailed, TransferRefused, Transfers
from recado.content import EncryptedFile
from recado.errors import MediaCorrupted, MediaGone, MediaTooLarge, MediaUnavailable
from recado.protocol.media.cipher import MediaKeys, Opener, sealed_size
from recado.protocol.media.kinds import FileKind
from recado.protocol.media.passed import Passed

logger = logging.getLogger("recado.client")

Refresh = Callable[[], Awaitable[Sequence[str]]]
"""Newer hosts, when those we have refuse us; none when they cannot be had."""

_GONE = (404, 410)
_NO_LEAVE = (401, 403)
_FRUITLESS = 2
"""So often in a row each host may bring nothing new before we give up."""


async def stream_file(
    transfers: Transfers, hosts: Sequence[str], remote: EncryptedFile, kind: FileKind, *, most: int, refresh: Refresh
) -> AsyncGenerator[bytes, None]:
    """
    The file's bytes as they come. Raises MediaGone, MediaUnavailable, MediaTooLarge,
    and MediaCorrupted at the very end.
    """
    if not remote.direct_path:
        raise MediaGone("the message does not say where its file is")
    _check(sealed_size(remote.size or 0), most)
    opener = _opener(remote, kind)
    turns, is_fresh, fruitless, is_whole = list(hosts), False, 0, False
    while not is_whole:
        host, before = turns[0], opener.enc_size
        try:
            async with transfers.get(host, remote.direct_path, start=before) as incoming:
                _check(incoming.start + (incoming.size or 0), most)
                async with aclosing(_continued(incoming, before)) as chunks:
                    async for chunk in chunks:
                        _check(opener.enc_size + len(chunk), most)
                        if opened := opener.update(chunk):
                            yield opened
                is_whole = True
        except TransferRefused as refused:
            if refused.status in _GONE:
                raise MediaGone from None
            if refused.status == 416:
                break  # there is no more than what we have: the MAC says whether that is all
            if refused.status in _NO_LEAVE and is_fresh:
                raise MediaGone("the servers do not give the file out any more") from None
            if refused.status in _NO_LEAVE:
                is_fresh, turns = True, list(await refresh()) or turns
                continue
        except TransferFailed as failed:
            logger.info("%s; going on after %d bytes", failed, opener.enc_size)
        if not is_whole:
            fruitless = 0 if opener.enc_size > before else fruitless + 1
            if fruitless >= _FRUITLESS * len(turns):
                raise MediaUnavailable
            turns = turns[1:] + turns[:1]
    last, _ = opener.finish()
    if last:
        yield last


def _opener(remote: EncryptedFile, kind: FileKind) -> Opener | Passed:
    if remote.is_open:
        return Passed(remote.sha256)
    return Opener(MediaKeys.derive(remote.key, kind), sha256=remote.sha256, enc_sha256=remote.enc_sha256)


async def _continued(incoming: Incoming, start: int) -> AsyncGenerator[bytes, None]:
    """What comes from byte `start` on, also from a server that begins anew."""
    if incoming.start > start:
        raise MediaCorrupted("the server goes on somewhere else than it was asked to")
    unwanted = start - incoming.start
    async for chunk in incoming.chunks:
        if unwanted >= len(chunk):
            unwanted -= len(chunk)
        else:
            yield chunk[unwanted:]
            unwanted = 0


def _check(enc_size: int, most: int) -> None:
    """May an encrypted file be that large? Raises MediaTooLarge."""
    if enc_size > sealed_size(most):
        raise MediaTooLarge
