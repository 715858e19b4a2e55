"""
Conversations: to whom a message may go, and how one is queued: the outbox row and the message's own row in one
transaction, the id chosen here, so that every try is the same message.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recado.gateway.connections.service import provider_to_send
from recado.gateway.conversations import repository
from recado.gateway.conversations.directory import Directory
from recado.gateway.conversations.repository import Queued
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import BadAddress, BadContent, KeyReused, NotFound, NotSupported
from recado.gateway.security import SEND
from recado.jid import GROUP, HOSTED, JID, LID, PHONE
from recado.protocol.messages.ids import new_message_id

LONGEST_TEXT = 65_536
_LONGEST_KEY = 255
_SERVERS = {"c.us": PHONE, PHONE: PHONE, LID: LID, GROUP: GROUP, HOSTED: PHONE}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was queued; `is_repeat` when the same request had come before, and this is its answer again."""

    queued: Queued
    is_repeat: bool


def parse_address(text: str) -> JID:
    """
    Where a message goes: a phone number in international form, or an address (`@s.whatsapp.net`, `@c.us`, `@lid`,
    `@g.us`). Raises BadAddress.
    """
    user, at, server = text.strip().partition("@")
    if at:
        if server not in _SERVERS or not user.replace("-", "").isalnum() or not user.isascii():
            raise BadAddress
        return JID(user, _SERVERS[server])
    digits = "".join(character for character in user if character not in " -().+")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        raise BadAddress("a phone number has a country code and 7 to 15 digits")
    return JID(digits, PHONE)


async def open_conversation(unit: Unit, address: JID) -> UUID:
    """The conversation in that chat, made when there is none. Raises Collided when made by two at once."""
    directory = Directory()
    directory.chat(address)
    await directory.settle(unit)
    return directory.conversation_id(address)


async def queue_message(
    unit: Unit,
    *,
    text: str,
    now: datetime,
    to: str | None = None,
    conversation_id: UUID | None = None,
    quoting: str | None = None,
    idempotency_key: str | None = None,
) -> Accepted:
    """
    Queue a text to an address (`to`) or into a conversation, answering the message `quoting` (WhatsApp's id) if given.
    Raises Forbidden, BadAddress, BadContent, NotFound, NotConnectable, NotSupported, KeyReused, Collided.
    """
    unit.principal.require(SEND)
    _check(text, idempotency_key)
    fingerprint = _fingerprint(text, to, conversation_id, quoting)
    if idempotency_key is not None:
        earlier = await repository.find_queued(unit, idempotency_key=idempotency_key)
        if earlier is not None:
            return _repeated(earlier, fingerprint)
    address = await _address(unit, to, conversation_id)
    if not address.is_person:
        raise NotSupported("messages go to people; groups and channels are read only")
    provider = await provider_to_send(unit)
    conversation_id = conversation_id or await open_conversation(unit, address)
    quoted = None
    if quoting is not None:
        quoted = await repository.find_quotable(unit, conversation_id, quoting)
        if quoted is None:
            raise NotFound("the quoted message is not in this conversation")
    message_id = new_message_id(secrets.token_bytes)
    queued = await repository.add_queued(
        unit,
        conversation_id=conversation_id,
        provider=provider,
        chat=address,
        message_id=message_id,
        content={"type": "text", "body": text},
        quoting=quoting,
        idempotency_key=idempotency_key,
        request_hash=fingerprint,
    )
    if queued is None:  # the same key, in another request at this very moment
        earlier = await repository.find_queued(unit, idempotency_key=idempotency_key)
        assert earlier is not None
        return _repeated(earlier, fingerprint)
    await repository.add_queued_message(
        unit,
        conversation_id=conversation_id,
        provider=provider,
        message_id=message_id,
        text=text,
        quoted=quoted,
        now=now,
    )
    unit.tell(OUTBOX)
    return Accepted(queued, is_repeat=False)


async def _address(unit: Unit, to: str | None, conversation_id: UUID | None) -> JID:
    if conversation_id is not None:
        return (await repository.get_conversation(unit, conversation_id)).address
    if to is None:
        raise BadAddress("say to whom: an address or a conversation")
    return parse_address(to)


def _check(text: str, idempotency_key: str | None) -> None:
    if not text.strip():
        raise BadContent("the text is empty")
    if len(text) > LONGEST_TEXT:
        raise BadContent(f"a text has at most {LONGEST_TEXT} characters")
    if "\x00" in text:
        raise BadContent("the text holds a character (U+0000) that cannot be kept")
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _LONGEST_KEY:
        raise BadContent(f"an idempotency key has 1 to {_LONGEST_KEY} characters")


def _fingerprint(text: str, to: str | None, conversation_id: UUID | None, quoting: str | None) -> bytes:
    said = json.dumps([text, to, str(conversation_id or ""), quoting])
    return hashlib.sha256(said.encode()).digest()


def _repeated(earlier: Queued, fingerprint: bytes) -> Accepted:
    if earlier.request_hash != fingerprint:
        raise KeyReused
    return Accepted(earlier, is_repeat=True)
