"""
One incoming message, from stanza to fact. What was used up (ratchet steps, one-time keys) and what became of it are in
one transaction; the receipt follows the commit.

Looked up before anything is opened: an id with a known ciphertext is a repeat (acknowledged, not recorded); a known id
with another ciphertext is a resend, and may fill a placeholder. What cannot be opened becomes `EnvelopeUnreadable`, and
its author is asked for it again. Only our own devices are believed when they speak for the account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from recado import crashpoints
from recado.client import bots
from recado.client.account import Account
from recado.client.arrival import Arrival, Known, content_fact, unreadable_fact
from recado.client.contacts import learn_lids
from recado.client.groups.opening import open_all
from recado.client.handlers.retries import ask_again
from recado.client.handlers.software import on_news
from recado.client.placeholders import ask_later
from recado.client.turn import Turn
from recado.client.understanding import note_timer, remember_secret
from recado.content import Edit, Revoke
from recado.crashpoints import CrashPoint
from recado.errors import BadRecord, DecodeError, EnvelopeError, StanzaError
from recado.events import Source
from recado.jid import JID, NEWSLETTER
from recado.protocol.messages.decode import Decoded, decode_message
from recado.protocol.messages.padding import unpad
from recado.protocol.messages.targets import is_about_own
from recado.protocol.node import Node
from recado.protocol.signal.session import EnvelopeKind, wanted_prekeys
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.bots import MachineAnswer
from recado.protocol.stanzas.message import MessageStanza
from recado.protocol.stanzas.newsletters import as_written
from recado.protocol.stanzas.receipt import delivery_receipt, peer_receipt, sender_receipt
from recado.store import keys


async def on_message(turn: Turn, node: Node) -> None:
    """Open a message and record what it says. Raises StanzaError."""
    arrival = await _arrival(turn, node)
    if arrival.is_repeat and (arrival.stanza.answer is None or arrival.known is Known.OPENED):
        await _repeat(turn, arrival)
    elif arrival.stanza.answer is not None:
        await _answered(turn, arrival, arrival.stanza.answer)
    elif arrival.stanza.envelopes:
        await _sealed(turn, arrival)
    else:
        await _not_sealed(turn, arrival)


async def keep_unread(turn: Turn, node: Node, error: Exception) -> None:
    """Keep a message as it came, without opening it: its content cannot be stored. Raises StanzaError."""
    arrival = await _arrival(turn, node)
    turn.answer(ack(node))
    if arrival.known is None:
        await arrival.mark(turn, Known.UNREADABLE)
        await turn.tx.record(await unreadable_fact(turn, arrival, type(error).__name__, _source(arrival)))


async def _arrival(turn: Turn, node: Node) -> Arrival:
    account = turn.account
    stanza = as_written(turn.message or MessageStanza.parse(node, own=account.device, own_lid=account.lid))
    await learn_lids(turn, _addresses(stanza))
    sealed = [envelope.ciphertext for envelope in stanza.envelopes]
    digest = hashlib.sha256(b"".join(sealed) if stanza.answer is None else stanza.answer.sealed).digest()
    arrival = Arrival(
        node=node,
        stanza=stanza,
        chat=await turn.tx.canonical(stanza.chat),
        author=await turn.tx.canonical(stanza.sender),
        digest=digest,
    )
    seen = await turn.tx.seen(arrival.chat, arrival.author.bare, stanza.id)
    if seen is not None:
        arrival.known = Known(seen[:1])
        arrival.is_repeat = seen[1 : 1 + len(digest)] == digest
    return arrival


def _addresses(stanza: MessageStanza) -> list[tuple[JID, JID]]:
    """People by both of their addresses: who wrote, and whom the chat is with."""
    pairs = ((stanza.chat, stanza.chat_alt), (stanza.sender.bare, stanza.sender_alt and stanza.sender_alt.bare))
    return [(one, other) for one, other in pairs if other is not None]


async def _repeat(turn: Turn, arrival: Arrival) -> None:
    """The server sends it again: our answer was lost, not the message."""
    if arrival.known is Known.OPENED:
        turn.answer(_receipt(turn.account, arrival))
    else:
        await ask_again(turn, arrival)
        turn.answer(ack(arrival.node))


async def _sealed(turn: Turn, arrival: Arrival) -> None:
    crashpoints.reach(CrashPoint.INBOUND_BEFORE_OPEN)
    try:
        plaintexts = await open_all(turn, arrival.chat, arrival.author, arrival.stanza.envelopes)
    except (EnvelopeError, BadRecord) as error:
        # DuplicateMessage too: the ratchet says it of any envelope with an old counter, which nobody can authenticate
        # any more; what really came before was found in the list of ids.
        await _unreadable(turn, arrival, error)
        return
    crashpoints.reach(CrashPoint.INBOUND_AFTER_OPEN)
    await arrival.mark(turn, Known.OPENED)
    if arrival.stanza.other_envelopes:
        await turn.record_unknown(arrival.node, "sealed otherwise: " + " ".join(arrival.stanza.other_envelopes))
        turn.answer(ack(arrival.node))
        return
    turn.answer(_receipt(turn.account, arrival))
    for padded in plaintexts:
        await _read(turn, arrival, padded)


async def _answered(turn: Turn, arrival: Arrival, answer: MachineAnswer) -> None:
    """A machine answers. Who has not got the question cannot open it, and nobody is asked again."""
    try:
        decoded = await bots.opened(turn.account, turn.tx, arrival, answer)
    except (EnvelopeError, BadRecord, DecodeError) as error:
        if arrival.known is None:
            await arrival.mark(turn, Known.UNREADABLE)
            await turn.tx.record(await unreadable_fact(turn, arrival, type(error).__name__, _source(arrival)))
        turn.answer(ack(arrival.node, error=bots.MISSING_SECRET))
        return
    turn.answer(_receipt(turn.account, arrival))
    arrival.secret = decoded.secret
    await arrival.mark(turn, Known.OPENED)
    if decoded.content is None:
        await turn.record_unknown(arrival.node, "an answer that says nothing")
    elif arrival.known is not Known.OPENED:
        await _record(turn, arrival, decoded)


async def _read(turn: Turn, arrival: Arrival, padded: bytes) -> None:
    try:
        plaintext = unpad(padded)
        decoded = decode_message(plaintext)
    except DecodeError as error:
        await turn.record_unknown(arrival.node, type(error).__name__, raw=padded)
        return
    problem = _not_believed(arrival.stanza, decoded)
    if problem is not None:
        await turn.record_unknown(arrival.node, problem, raw=plaintext)
    elif decoded.is_protocol:
        await on_news(turn, arrival, decoded.news, plaintext)
    elif decoded.content is not None and arrival.known is not Known.OPENED:
        if decoded.secret is not None:
            arrival.secret = decoded.secret
            await arrival.mark(turn, Known.OPENED)
        await _record(turn, arrival, decoded)


async def _record(turn: Turn, arrival: Arrival, decoded: Decoded) -> None:
    """The fact of it, and the secret under which others will say something of it."""
    fact = await content_fact(turn, arrival, decoded, _source(arrival))
    await turn.tx.record(fact)
    await remember_secret(
        turn.account,
        turn.tx,
        chat=fact.chat,
        author=fact.sender,
        id=fact.id,
        secret=decoded.secret,
        content=fact.content,
    )
    await note_timer(turn.tx, fact.chat, fact.content, fact.sent_at)


def _not_believed(stanza: MessageStanza, decoded: Decoded) -> str | None:
    """Why this message may not say what it says; None when it may."""
    if stanza.from_me:
        return None
    if decoded.device_sent is not None:
        return "a copy of a sent message, from somebody else"
    if decoded.is_protocol:
        return "for software only, from somebody else"
    if isinstance(decoded.content, Edit) or (isinstance(decoded.content, Revoke) and stanza.chat.is_direct):
        return None if is_about_own(decoded.content, stanza.sender) else "a change of somebody else's message"
    return None


async def _unreadable(turn: Turn, arrival: Arrival, error: EnvelopeError | BadRecord) -> None:
    if arrival.known is Known.OPENED:
        turn.answer(ack(arrival.node))  # a resend of what we have: nothing is missing
        return
    if arrival.known is None:
        reason = type(error).__name__
        if arrival.stanza.is_hidden or arrival.stanza.is_peer:
            await turn.record_unknown(arrival.node, reason)
        else:
            await turn.tx.record(await unreadable_fact(turn, arrival, reason, _source(arrival)))
    await arrival.mark(turn, Known.UNREADABLE)
    await ask_again(turn, arrival, error)
    await ask_later(turn, arrival, after=turn.account.limits.ask_phone_after)
    turn.answer(ack(arrival.node))


async def _not_sealed(turn: Turn, arrival: Arrival) -> None:
    stanza = arrival.stanza
    turn.answer(ack(arrival.node))
    if arrival.known is not None:
        return
    if stanza.unavailable:
        await arrival.mark(turn, Known.UNREADABLE)
        await turn.tx.record(await unreadable_fact(turn, arrival, "Unavailable", _source(arrival)))
        await ask_later(turn, arrival, after=timedelta())
    elif stanza.plaintext is not None and stanza.chat.server == NEWSLETTER:
        await arrival.mark(turn, Known.OPENED)
        decoded = decode_message(stanza.plaintext)
        if decoded.content is not None:
            await _record(turn, arrival, decoded)
    else:
        await turn.record_unknown(arrival.node, "no envelope this version opens")


def _source(arrival: Arrival) -> Source:
    if arrival.known is not None:
        return Source.RESEND
    if arrival.stanza.from_me:
        return Source.ECHO
    return Source.OFFLINE if arrival.stanza.offline else Source.LIVE


def _receipt(account: Account, arrival: Arrival) -> Node:
    """What tells the author that it arrived; the server takes it for the acknowledgement."""
    if arrival.stanza.from_me:
        return peer_receipt(arrival.node) if arrival.stanza.is_peer else sender_receipt(arrival.node)
    return delivery_receipt(arrival.node, is_active=account.is_shown or not account.is_quiet)


def read_ahead(batch: Iterable[tuple[Turn, Node]]) -> tuple[list[JID], list[str]]:
    """Parse the messages of a batch; what opening them will read: sessions by device, and other keys."""
    peers, others = [], []
    for turn, node in batch:
        if node.tag != "message":
            continue
        try:
            stanza = MessageStanza.parse(node, own=turn.account.device, own_lid=turn.account.lid)
            ids = [wanted_prekeys(each)[0] for each in stanza.envelopes if each.kind is EnvelopeKind.PREKEY]
        except (StanzaError, EnvelopeError):
            continue  # its own turn says what is wrong with it
        turn.message = stanza
        peers.append(stanza.sender)
        people = [jid for pair in _addresses(stanza) for jid in pair]
        others += [keys.phone_of(jid) if jid.is_lid else keys.lid_of(jid) for jid in people]
        others.append(keys.seen(stanza.chat, stanza.sender.bare, stanza.id))
        others += [keys.prekey(id) for id in ids if id is not None]
        if any(each.kind is EnvelopeKind.GROUP for each in stanza.envelopes):
            others.append(keys.sender_key(stanza.chat, stanza.sender))
    return peers, others
