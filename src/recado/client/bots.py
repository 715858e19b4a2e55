"""
Machines one can write to: which persona of theirs a question is for, and their answers opened with the secret of the
question. An answer comes in parts; the first is a message, each later one an edit of it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.arrival import Arrival
from recado.client.understanding import addresses_of, find_secret
from recado.content import Content, Edit, Event, LiveLocation, Media, Text, Unsupported
from recado.errors import DecodeError, NoSecret, QueryError, StanzaError
from recado.jid import BOT, JID
from recado.protocol.messages.bots import META_AI, META_AI_PERSONA, open_answer
from recado.protocol.messages.decode import Decoded, decode_message
from recado.protocol.queries.bots import AskBots
from recado.protocol.stanzas.bots import MachineAnswer
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

MISSING_SECRET = 495
"""With this the server is told that an answer cannot be opened here."""


async def persona_of(account: Account, connection: Connection, machine: JID) -> str | None:
    """
    In which of its parts a machine is asked; None when it is in no list. The server is asked once for as long as the
    client lives. Raises ConnectionLost.
    """
    if account.personas is None:
        try:
            listed = await connection.requests.ask(AskBots())
            account.personas = {each.jid.bare: each.persona for each in listed}
        except (QueryError, StanzaError) as error:
            logger.info("the server lists no machines: %s", type(error).__name__)
    known = account.personas or {}
    return known.get(machine.bare) or (META_AI_PERSONA if machine.bare == META_AI else None)


async def opened(account: Account, tx: Transaction, arrival: Arrival, answer: MachineAnswer) -> Decoded:
    """
    What a machine answers, its later parts as edits. Raises NoSecret when the question is not known here, DecodeError
    when it was not sealed with its secret or is no answer, BadRecord.
    """
    machine = arrival.stanza.sender
    asker = answer.asker or (account.lid.bare if machine.server == BOT and account.lid is not None else account.jid)
    kept = await find_secret(account, tx, arrival.stanza.chat, asker, answer.question)
    if kept is None:
        raise NoSecret
    plaintext = None
    for each in await addresses_of(account, tx, (asker, kept.author)):
        try:
            plaintext = open_answer(answer.sealed, kept.secret, id=answer.sealed_as, asker=each, machine=machine)
            break
        except DecodeError:
            continue
    if plaintext is None:
        raise DecodeError("an answer was not sealed with the secret of the question")
    decoded = decode_message(plaintext)
    if decoded.device_sent is not None or decoded.is_protocol:
        raise DecodeError("a machine answers people, not software")
    return decoded if answer.replaces is None else replace(decoded, content=_later(answer.replaces, decoded.content))


def _later(first: str, content: Content | None) -> Content | None:
    is_whole = isinstance(content, Text | Media | Event | LiveLocation | Unsupported)
    return Edit(first, content) if is_whole else content  # type: ignore[arg-type]
