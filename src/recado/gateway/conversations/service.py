"""
Conversations: to whom a message may go, and how one is queued: the guardrails asked, the outbox row and the message's
own row in one transaction, the id chosen here, so that every try is the same message.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from recado.content import Content, Edit, Text, content_kind, content_text
from recado.gateway.connections.choosing import check_carries, provider_to_send
from recado.gateway.conversations import repository
from recado.gateway.conversations.abouts import about, aimed_at
from recado.gateway.conversations.contents import check_content
from recado.gateway.conversations.directory import Directory
from recado.gateway.conversations.passing import NOTHING, Passing, check_marks, find_passed_on
from recado.gateway.conversations.reach import check_place
from recado.gateway.conversations.repository import NewRow, Queued, Quotable
from recado.gateway.conversations.steps import Step, add_step
from recado.gateway.conversations.targets import Aimed, aim
from recado.gateway.db.notify import OUTBOX
from recado.gateway.db.unit import Unit
from recado.gateway.media.service import check_files
from recado.gateway.pacing import gate
from recado.gateway.pacing.verdict import Delayed, Intent, Origin, Refused
from recado.gateway.providers.meta import windows
from recado.gateway.providers.roads import ROADS
from recado.gateway.refusals import (
    BadAddress,
    BadContent,
    GuardrailRefused,
    KeyReused,
    NotConnectable,
    NotFound,
    NotSupported,
)
from recado.gateway.security import MANAGE, SEND, Principal
from recado.gateway.stream import notices
from recado.gateway.stream.notices import MessageCancelled, MessageHeld
from recado.jid import BSUID, GROUP, HOSTED, JID, LID, NEWSLETTER, PHONE, STATUS
from recado.protocol.messages.ids import new_message_id
from recado.store.facts import content_to_json

_LONGEST_KEY = 255
_FURTHEST = timedelta(days=366)
_SERVERS = {"c.us": PHONE, HOSTED: PHONE, **{each: each for each in (PHONE, LID, GROUP, BSUID, NEWSLETTER)}}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was queued; `is_repeat` when the same request had come before, and this is its answer again."""

    queued: Queued
    is_repeat: bool


def parse_address(text: str) -> JID:
    """
    Where a message goes: a phone number in international form, or an address (`@s.whatsapp.net`, `@c.us`, `@lid`,
    `@bsuid`, `@g.us`, `@newsletter`; `status@broadcast` for a status post). Raises BadAddress.
    """
    if text.strip() == str(STATUS):
        return STATUS
    user, at, server = text.strip().partition("@")
    if at:
        if server not in _SERVERS or not user.replace("-", "").replace(".", "").isalnum() or not user.isascii():
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


def choose_id() -> str:
    """A new message's id."""
    return new_message_id(secrets.token_bytes)


async def queue_message(
    unit: Unit,
    *,
    now: datetime,
    text: str | None = None,
    content: Content | None = None,
    to: str | None = None,
    conversation_id: UUID | None = None,
    quoting: str | None = None,
    idempotency_key: str | None = None,
    origin: Origin | None = None,
    campaign_id: UUID | None = None,
    send_at: datetime | None = None,
    provider: str | None = None,
    message_id: str | None = None,
    passing: Passing = NOTHING,
) -> Accepted:
    """
    Queue a text, any other content, or a message passed on (`passing`), to an address (`to`) or into a conversation,
    answering the message `quoting` (its id here) if given; not before `send_at`. `origin` is who wants it: a person in
    a browser's session, else a program, unless said; a program says "a person" with the scope `manage` only. With
    `provider` it goes no other way; `message_id` is one from `choose_id`, when it must be known before.
    Raises Forbidden, BadAddress, BadContent, NotFound, NotConnectable, NotSupported, WindowClosed, KeyReused,
    GuardrailRefused, Collided.
    """
    unit.principal.require(SEND)
    if origin is Origin.PERSON and _origin_of(unit.principal) is not Origin.PERSON:
        unit.principal.require(MANAGE)  # a person is held back by little: not for every program to say of itself
    said, forwarded = await _content(unit, text, content, passing)
    _check_key(idempotency_key)
    asked = passing.asked() | ({"provider": provider} if provider is not None and campaign_id is None else {})
    fingerprint = _fingerprint(said, to, conversation_id, quoting, origin, campaign_id, send_at, asked)
    earlier = await _earlier(unit, idempotency_key, fingerprint)
    if earlier is not None:
        return earlier
    _check_time(send_at, now)
    address = await _address(unit, to, conversation_id)
    check_place(address, said, passing, is_answer=quoting is not None)
    place = await _place(unit, said, address, conversation_id, provider, campaign_id, now)
    check_marks(place.road, place.content, passing)
    if ROADS[place.road].has_window and send_at is None:
        await windows.check(unit, place.conversation_id, said, now=now)
    said = place.content
    row = NewRow(
        conversation_id=place.conversation_id,
        provider=place.road,
        chat=place.address,
        message_id=message_id or choose_id(),
        content=said,
        quoted=await _quoted(unit, place.conversation_id, quoting),
        idempotency_key=idempotency_key,
        request_hash=fingerprint,
        origin=origin or _origin_of(unit.principal),
        campaign_id=campaign_id,
        send_at=send_at,
        due_at=send_at or now,
        hold=None,
        forwarded=forwarded,
        expires_in=passing.expires_in,
    )
    verdict = await gate.judge(unit, _intent(row), now=row.due_at)
    match verdict:
        case Refused():
            # What refused it may be its own twin, committed since we looked: then the twin's answer is the answer.
            earlier = await _earlier(unit, idempotency_key, fingerprint)
            if earlier is not None:
                return earlier
            raise GuardrailRefused(verdict.rule, verdict.why, verdict.until, now=now)
        case Delayed():
            row = replace(row, due_at=max(row.due_at, verdict.until), hold=verdict)
    return await _add(unit, row, now=now)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message goes, and by which road."""

    conversation_id: UUID
    address: JID
    road: str
    content: Content
    """With whose message it is about, when it says something of another."""


async def _place(
    unit: Unit,
    said: Content,
    address: JID,
    conversation_id: UUID | None,
    provider: str | None,
    campaign: UUID | None,
    now: datetime,
) -> _Place:
    await check_files(unit, said)
    aimed = Aimed(said, None)
    if aimed_at(said) is not None:
        conversation_id = conversation_id or await open_conversation(unit, address)
        aimed = await aim(unit, conversation_id, said, is_group=address.is_group, now=now)
        if aimed.road is not None and provider not in (None, aimed.road):
            raise NotSupported(f"that message went over {aimed.road}, and only there can this be said of it")
    asked = provider or aimed.road or _only_road(address)
    road = await _road(unit, content_kind(said), asked, campaign)
    conversation_id = conversation_id or await open_conversation(unit, address)
    return _Place(conversation_id, await _reachable(unit, address, conversation_id, road), road, aimed.content)


def _only_road(address: JID) -> str | None:
    """The road that alone reaches that kind of address, where there is one; people are reached by several."""
    reaching = [road.name for road in ROADS.values() if address.server in road.reaches]
    return reaching[0] if not address.is_person and len(reaching) == 1 else None


def _intent(row: NewRow) -> Intent:
    """What the guardrails are asked."""
    return Intent(
        message_id=row.message_id,
        conversation_id=row.conversation_id,
        provider=row.provider,
        origin=row.origin,
        chat=row.chat,
        text=words_to_judge(row.content),
        campaign_id=row.campaign_id,
        kind=content_kind(row.content),
    )


def words_to_judge(content: Content) -> str | None:
    """The words the guardrails compare and time: what was written, and no emoji or vote put on another's words."""
    return content_text(content) if about(content) is None or isinstance(content, Edit) else None


async def _add(unit: Unit, row: NewRow, *, now: datetime) -> Accepted:
    queued = await repository.add_queued(unit, row, now=now)
    if queued is None:  # the same key, in another request at this very moment
        earlier = await _earlier(unit, row.idempotency_key, row.request_hash)
        assert earlier is not None
        return earlier
    if row.hold is not None:
        await _tell_hold(unit, row, row.hold, now)
    unit.tell(OUTBOX)
    return Accepted(queued, is_repeat=False)


async def _road(unit: Unit, kind: str, provider: str | None, campaign_id: UUID | None) -> str:
    """The provider that carries it; a campaign's was settled when it started. Raises NotConnectable, CannotCarry."""
    if provider is not None and campaign_id is not None:
        check_carries(provider, kind)
        return provider
    return await provider_to_send(unit, kind=kind, asked=provider)


async def _reachable(unit: Unit, address: JID, conversation_id: UUID, road: str) -> JID:
    """The address by which this road reaches that person. Raises NotSupported when there is none."""
    reaches = ROADS[road].reaches
    if address.server in reaches:
        return address
    known = (await repository.get_conversation(unit, conversation_id)).addresses
    found = next((each for each in known if each.server in reaches), None)
    if found is None:
        raise NotSupported(f"{road} cannot write to this kind of address, and no other of this person is known")
    return found


async def cancel_message(unit: Unit, message_id: str, *, now: datetime) -> None:
    """Call a queued message back that has not reached the wire. Raises Forbidden, NotFound, NotConnectable."""
    unit.principal.require(SEND)
    await repository.get_message(unit, message_id)
    conversation_id = await repository.cancel_queued(unit, message_id, now=now)
    if conversation_id is None:
        raise NotConnectable("this message is on its way already, or is not one to be sent")
    unit.tell(OUTBOX)
    await notices.tell(unit, MessageCancelled(at=now, id=message_id, conversation_id=conversation_id))


async def mark_read(unit: Unit, conversation_id: UUID, *, tell: bool, now: datetime) -> None:
    """
    Count nothing as unread in a conversation; with `tell`, have the other side told by the owner of the account, once
    this is committed. Raises Forbidden, NotFound.
    """
    unit.principal.require(SEND)
    conversation = await repository.get_conversation(unit, conversation_id)
    read = await repository.mark_read(unit, conversation_id)
    if not tell or not conversation.address.is_person:
        return
    for provider, message_ids in read:
        await repository.add_errand(
            unit,
            provider=provider,
            conversation_id=conversation_id,
            chat=conversation.address,
            message_ids=message_ids,
            now=now,
        )
        unit.tell(OUTBOX)


async def _quoted(unit: Unit, conversation_id: UUID, quoting: str | None) -> Quotable | None:
    if quoting is None:
        return None
    quoted = await repository.find_quotable(unit, conversation_id, quoting)
    if quoted is None:
        raise NotFound("the quoted message is not in this conversation")
    return quoted


async def _tell_hold(unit: Unit, row: NewRow, hold: Delayed, now: datetime) -> None:
    await add_step(unit, row.message_id, Step.HELD, at=now, rule=hold.rule, detail=hold.why, until=hold.until)
    if not hold.is_worth_telling(now):
        return
    held = MessageHeld(
        at=now,
        id=row.message_id,
        conversation_id=row.conversation_id,
        rule=hold.rule,
        why=hold.why,
        until=hold.until,
    )
    await notices.tell(unit, held)


def _origin_of(principal: Principal) -> Origin:
    """Who is behind a request that does not say: a browser's session is a person at the page."""
    return Origin.PERSON if principal.actor.startswith("session:") else Origin.AUTOMATION


def _check_time(send_at: datetime | None, now: datetime) -> None:
    if send_at is None:
        return
    if send_at.tzinfo is None:
        raise BadContent("the time to send at needs its time zone")
    if not now < send_at <= now + _FURTHEST:
        raise BadContent("the time to send at is in the future, and at most a year away")


async def _earlier(unit: Unit, idempotency_key: str | None, fingerprint: bytes | None) -> Accepted | None:
    """The answer to the same request, when it came before. Raises KeyReused."""
    if idempotency_key is None:
        return None
    earlier = await repository.find_queued(unit, idempotency_key=idempotency_key)
    return None if earlier is None else _repeated(earlier, fingerprint)


async def _address(unit: Unit, to: str | None, conversation_id: UUID | None) -> JID:
    if conversation_id is not None:
        return (await repository.get_conversation(unit, conversation_id)).address
    if to is None:
        raise BadAddress("say to whom: an address or a conversation")
    return parse_address(to)


async def _content(unit: Unit, text: str | None, content: Content | None, passing: Passing) -> tuple[Content, int]:
    passing.check()
    if passing.forward is not None and text is None and content is None:
        return await find_passed_on(unit, passing.forward)
    if (text is None) == (content is None) or passing.forward is not None:
        raise BadContent("say what is to be sent: a text, a content or a message to pass on, one of them")
    said = content if content is not None else Text(text or "")
    check_content(said)
    return said, 0


def _check_key(idempotency_key: str | None) -> None:
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _LONGEST_KEY:
        raise BadContent(f"an idempotency key has 1 to {_LONGEST_KEY} characters")


def _fingerprint(
    content: Content,
    to: str | None,
    conversation_id: UUID | None,
    quoting: str | None,
    origin: Origin | None,
    campaign_id: UUID | None,
    send_at: datetime | None,
    asked: dict[str, object],
) -> bytes:
    """What makes a request the same one. What is not given is left out, so that older requests keep theirs."""
    words: object = (
        content.body if isinstance(content, Text) and content == Text(content.body) else content_to_json(content)
    )
    said: list[object] = [words, to, str(conversation_id or ""), quoting]
    if origin is not None or campaign_id is not None or send_at is not None:
        at = send_at.astimezone(UTC).isoformat() if send_at is not None else None
        said += [origin.value if origin is not None else None, str(campaign_id or ""), at]
    if asked:
        said.append(asked)
    return hashlib.sha256(json.dumps(said).encode()).digest()


def _repeated(earlier: Queued, fingerprint: bytes | None) -> Accepted:
    if earlier.request_hash != fingerprint:
        raise KeyReused
    return Accepted(earlier, is_repeat=True)
