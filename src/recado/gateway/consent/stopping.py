"""
Words for stopping, heeded in the transaction that records the message: the opt-out is in the ledger when the message
is in the conversation, and the one answer is in the outbox. The recorder hands every batch here; when no text of it is
such a word, nothing is asked of the database (but, once a minute, which words a mentorado has of its own).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recado.content import Text
from recado.events import Fact, MessageReceived, Source
from recado.gateway.audit.repository import add_entry
from recado.gateway.consent import repository
from recado.gateway.consent.keywords import RETURN_WORDS, STOP_WORDS, USUAL, answer_of, normalised, words_of
from recado.gateway.consent.recording import changed
from recado.gateway.consent.repository import EVERY_PURPOSE, ConsentSettings, Entry, NewEntry, Said
from recado.gateway.conversations.service import choose_id, queue_message
from recado.gateway.db.unit import Unit
from recado.gateway.pacing.verdict import Origin
from recado.gateway.refusals import Refusal
from recado.gateway.stream.notices import ConsentChanged

_HEEDED = (Source.LIVE, Source.OFFLINE, Source.RESEND)
_ANSWERED_FOR = timedelta(days=1)
_WORDS_LAST = timedelta(minutes=1)
_MOST_REMEMBERED = 10_000
_SECOND = timedelta(seconds=1)

_own_words: dict[UUID, tuple[frozenset[str], datetime]] = {}


@dataclass(frozen=True, slots=True)
class _Word:
    """A message that may be one of the words."""

    fact: MessageReceived
    word: str


@dataclass(slots=True)
class _Stand:
    """A person as the batch goes on: when their last word was, the stop that counts, and was that answered?"""

    at: datetime | None = None
    stopped_at: datetime | None = None
    is_answered: bool = False


async def heed(unit: Unit, facts: Sequence[Fact]) -> list[ConsentChanged]:
    """
    Write the opt-outs and returns these facts hold, and queue the answers. Call it when the facts' rows are there; tell
    the answer of this after the facts. Raises Collided.
    """
    words = [word for fact in facts if isinstance(fact, MessageReceived) and (word := _word(fact)).word]
    if not words:
        return []
    known = USUAL | await _own(unit, max(word.fact.at for word in words))
    words = [word for word in words if word.word in known]
    if not words:
        return []
    return await _heed(unit, words, await repository.get_settings(unit))


def forget_words(mentorado_id: UUID) -> None:
    """The mentorado's own words changed: read them again with its next message."""
    _own_words.pop(mentorado_id, None)


async def _heed(unit: Unit, words: list[_Word], settings: ConsentSettings) -> list[ConsentChanged]:
    stops = words_of(settings.stop_words, STOP_WORDS)
    returns = words_of(settings.return_words, RETURN_WORDS) - stops
    people = await repository.list_people(unit, [(w.fact.chat, w.fact.chat_alt) for w in words])
    contacts = list({person.contact_id for person in people if person is not None})
    heeded = await repository.list_heeded(unit, [word.fact.id for word in words], contacts)
    stands = await _stands(unit, contacts)
    told: list[ConsentChanged] = []
    for word, person in zip(words, people, strict=True):
        if person is None or word.fact.id in heeded:
            continue
        heeded.add(word.fact.id)
        stand = stands.setdefault(person.contact_id, _Stand())
        if word.word in stops:
            if settings.is_answering and not _was_answered(stand, word.fact.at):
                await _answer(unit, word.fact, person.conversation_id, settings)
            at = max(word.fact.at, stand.at or word.fact.at)
            entry = await _add(unit, word.fact, person.contact_id, "out", at)
            stand.at, stand.stopped_at, stand.is_answered = at, at, True
            told.append(changed(entry, word.fact.at))
        elif word.word in returns and stand.stopped_at is not None:
            # WhatsApp tells whole seconds: a return counts from the end of its own.
            at = min(word.fact.at, word.fact.sent_at + _SECOND)
            entry = await _add(unit, word.fact, person.contact_id, "back", at)
            if at >= stand.stopped_at:
                stand.at, stand.stopped_at, stand.is_answered = max(at, stand.at or at), None, False
            told.append(changed(entry, word.fact.at))
    return told


async def _stands(unit: Unit, contacts: list[UUID]) -> dict[UUID, _Stand]:
    stops = await repository.list_standings(unit, contacts, EVERY_PURPOSE)
    return {
        contact_id: _Stand(
            at=newest.at,
            stopped_at=stops[contact_id].at if contact_id in stops else None,
            is_answered=(newest.kind, newest.purpose, newest.source) == ("out", EVERY_PURPOSE, "keyword"),
        )
        for contact_id, newest in (await repository.list_newest(unit, contacts)).items()
    }


def _was_answered(stand: _Stand, at: datetime) -> bool:
    return stand.is_answered and stand.stopped_at is not None and at - stand.stopped_at < _ANSWERED_FOR


async def _add(unit: Unit, fact: MessageReceived, contact_id: UUID, kind: Said, at: datetime) -> Entry:
    (entry,) = await repository.add_consents(
        unit,
        [
            NewEntry(
                contact_id=contact_id,
                purpose=EVERY_PURPOSE,
                kind=kind,
                at=at,
                source="keyword",
                evidence={"message_id": fact.id, "sent_at": fact.sent_at.isoformat()},
                message_id=fact.id,
            )
        ],
    )
    await add_entry(unit, "consent.keyword", contact=str(contact_id), kind=kind, message=fact.id)
    return entry


async def _answer(unit: Unit, fact: MessageReceived, conversation_id: UUID, settings: ConsentSettings) -> None:
    """Queue the one answer. What forbids it (no connection, say) does not keep the opt-out from being written."""
    text = answer_of(settings.locale, settings.answer, settings.return_words)
    message_id = choose_id()
    await repository.add_answer(unit, message_id, answers=fact.id, at=fact.at)  # first: the guardrails ask for it
    with suppress(Refusal):
        await queue_message(
            unit,
            text=text,
            now=fact.at,
            conversation_id=conversation_id,
            idempotency_key=f"opt-out:{fact.id}",
            origin=Origin.AUTOMATION,
            message_id=message_id,
        )


def _word(fact: MessageReceived) -> _Word:
    """What a message says, when it might be one of the words; else nothing."""
    is_heeded = not fact.from_me and fact.source in _HEEDED and fact.chat.is_person
    return _Word(fact, normalised(fact.content.body) if is_heeded and isinstance(fact.content, Text) else "")


async def _own(unit: Unit, at: datetime) -> frozenset[str]:
    """The words a mentorado has of its own, as read within the last minute."""
    known = _own_words.get(unit.mentorado_id)
    if known is None or not timedelta(0) <= at - known[1] < _WORDS_LAST:
        settings = await repository.get_settings(unit)
        own = words_of(settings.stop_words, ()) | words_of(settings.return_words, ())
        if len(_own_words) >= _MOST_REMEMBERED:
            _own_words.clear()
        _own_words[unit.mentorado_id] = known = (own, at)
    return known[0]
