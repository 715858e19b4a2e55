"""
Opening what was sealed for a group, inside the transaction of the message: first the envelopes for this device alone,
which may bring the author's sender key, then the one for everybody.

A key that came is kept whatever becomes of the rest: the same message asked for again then finds it.
"""

from __future__ import annotations

import logging

from recado import crashpoints
from recado.client.opening import open_sealed
from recado.client.turn import Turn
from recado.crashpoints import GroupPoint
from recado.errors import BadRecord, DecodeError, EnvelopeError, UnknownSenderKey
from recado.jid import BROADCAST, JID
from recado.protocol.messages.group_keys import read_distribution
from recado.protocol.messages.padding import unpad
from recado.protocol.signal.sender_key import learn, open_for_group
from recado.protocol.signal.session import Envelope, EnvelopeKind

logger = logging.getLogger("recado.client")


async def open_all(turn: Turn, chat: JID, author: JID, envelopes: tuple[Envelope, ...]) -> list[bytes]:
    """
    The padded plaintexts of the envelopes of the device `author`. Raises EnvelopeError or BadRecord when what
    it says could not be opened; keys that came along are kept then, too.
    """
    direct = [each for each in envelopes if each.kind is not EnvelopeKind.GROUP]
    for_all = [each for each in envelopes if each.kind is EnvelopeKind.GROUP]
    if not for_all:
        return await _open_direct(turn, chat, author, direct)
    plaintexts = []
    try:
        plaintexts = await _open_direct(turn, chat, author, direct)
    except (EnvelopeError, BadRecord) as error:
        # The key in it may be one we have: the envelope for all decides.
        logger.info("a sender key did not open: %s", type(error).__name__)
    async with turn.tx.savepoint():
        return plaintexts + [await _open_for_all(turn, chat, author, each) for each in for_all]


async def _open_direct(turn: Turn, chat: JID, author: JID, envelopes: list[Envelope]) -> list[bytes]:
    async with turn.tx.savepoint():
        plaintexts = [await open_sealed(turn, author, each) for each in envelopes]
    if chat.is_group or chat.server == BROADCAST:
        for padded in plaintexts:
            await _keep_key(turn, chat, author, padded)
    return plaintexts


async def _keep_key(turn: Turn, chat: JID, author: JID, padded: bytes) -> None:
    """Keep the author's sender key for this very chat, if there is one in the plaintext."""
    try:
        given = read_distribution(unpad(padded))
    except (DecodeError, EnvelopeError):
        return  # who reads the content says what is wrong with it
    if given is None or given.group != chat:
        return
    try:
        known = await turn.tx.groups.sender_key(chat, author)
    except BadRecord:
        known = None
    await turn.tx.groups.save_sender_key(chat, author, learn(known, given.key))
    crashpoints.reach(GroupPoint.KEY_KEPT)


async def _open_for_all(turn: Turn, chat: JID, author: JID, envelope: Envelope) -> bytes:
    record = await turn.tx.groups.sender_key(chat, author)
    if record is None:
        raise UnknownSenderKey
    record, padded = open_for_group(record, envelope.ciphertext)
    await turn.tx.groups.save_sender_key(chat, author, record)
    return padded
