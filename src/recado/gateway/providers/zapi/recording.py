"""
From a callback that was read to what it changes, in one unit: the body as it came, and the facts. Whose message it is
that is told of, recognition.py says; here stand what is new, what was known, and what comes before its time.

Z-API gives no order and may repeat itself, so nothing here depends on either: a message is told once, a placeholder is
only ever filled, and a status that comes first waits for its message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from recado.content import Reaction
from recado.events import (
    EnvelopeUnreadable,
    Fact,
    MessageId,
    MessageReceived,
    PresenceChanged,
    Quote,
    ReceiptReceived,
    Signal,
    Source,
    TypingChanged,
    UnknownReceived,
)
from recado.gateway.connections.repository import find_connection
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers import ids, payloads
from recado.gateway.providers.roads import ZAPI
from recado.gateway.providers.zapi import recognition
from recado.gateway.providers.zapi.recognition import Ours
from recado.gateway.providers.zapi.webhook import (
    Callback,
    Connection,
    Delivered,
    Heard,
    Ignored,
    Placeholder,
    Presence,
    Told,
    Unknown,
)
from recado.gateway.runtime.recorder import record
from recado.jid import JID, PHONE

NOT_DECRYPTED = "waitingMessage"
ANOTHER_ACCOUNT = "of another account than the one that is linked"
SEVERAL_FIT = "several messages of ours say the same"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a callback came to: the facts, the signals for who looks, and what to count it as."""

    facts: list[Fact] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    counts_as: str = "taken"


@dataclass(frozen=True, slots=True)
class _Case:
    """One callback on its way into the rows."""

    unit: Unit
    body: bytes = field(repr=False)
    account: JID
    now: datetime

    def unknown(self, tag: str, problem: str) -> Fact:
        return UnknownReceived(account=self.account, at=self.now, tag=f"zapi:{tag}", raw=self.body, problem=problem)


async def take(unit: Unit, vault: Vault, callback: Callback, body: bytes, *, now: datetime) -> Taken:
    """Write what a callback says, and the body beside it. Raises Collided: do the unit again."""
    if isinstance(callback, Presence):
        return await _presence(unit, callback, now)  # as good as gone: neither kept nor told again
    await recognition.hold_still(unit)
    linked = await _account(unit)
    told = getattr(callback, "account", None)
    if linked is not None and told is not None and told != linked:
        callback = Unknown(
            instance=callback.instance, people=callback.people, tag="ReceivedCallback", problem=ANOTHER_ACCOUNT
        )
    case = _Case(unit, body, JID(linked or told or "", PHONE), now)
    taken = await _TAKERS[type(callback)](case, callback)
    await payloads.add_payload(
        unit, vault, ZAPI, body, people=callback.people, is_unknown=taken.counts_as == "unknown", now=now
    )
    if taken.facts:
        await record(unit, ZAPI, taken.facts)
    return taken


async def _account(unit: Unit) -> str | None:
    connection = await find_connection(unit, ZAPI)
    return connection.account_phone if connection is not None else None


async def _heard(case: _Case, heard: Heard) -> Taken:
    if heard.from_me:
        ours = await recognition.find_ours(case.unit, [heard.id])
        if ours is not None:
            return await _went_out(case, ours, heard.id, heard.sent_at)
        if await ids.find_message_ids(case.unit, ZAPI, [heard.id]):
            return Taken(counts_as="repeated")  # ours, of so long ago that the outbox has forgotten it
    heard = await _in_our_ids(case, heard)
    if heard.from_me and not heard.is_edit and heard.by_api is not False:
        fits = await recognition.recognise(
            case.unit, heard.chat, heard.chat_alt, at=heard.sent_at, content=heard.content
        )
        if isinstance(fits, Ours):
            await recognition.name(case.unit, fits, heard.id)
            return await _went_out(case, fits, heard.id, heard.sent_at)
        if fits > 1:
            return Taken([case.unknown("ReceivedCallback", SEVERAL_FIT)], counts_as="unknown")
    known = await recognition.find_row(case.unit, heard.id, heard.chat, heard.chat_alt, heard.sender)
    if known is False:
        return Taken(counts_as="repeated")
    source = Source.RESEND if known else Source.ECHO if heard.from_me else Source.LIVE
    early, _ = await recognition.take_early(case.unit, heard.id, heard.id, account=case.account)
    return Taken([_message(case, heard, source), *early])


def _message(case: _Case, heard: Heard, source: Source) -> MessageReceived:
    return MessageReceived(
        account=case.account,
        at=case.now,
        id=MessageId(heard.id),
        chat=heard.chat,
        sender=case.account if heard.from_me else heard.sender or heard.chat,
        from_me=heard.from_me,
        content=heard.content,
        sent_at=heard.sent_at,
        source=source,
        chat_alt=heard.chat_alt,
        push_name=heard.push_name,
        quoted=Quote(MessageId(heard.quoted)) if heard.quoted is not None else None,
    )


async def _in_our_ids(case: _Case, heard: Heard) -> Heard:
    """What it answers or is on may be a message of ours, which goes by another name here."""
    target = heard.content.to if isinstance(heard.content, Reaction) else None
    named = [id for id in (heard.quoted, target) if id is not None]
    if not named:
        return heard
    found = await ids.find_message_ids(case.unit, ZAPI, named)
    if isinstance(heard.content, Reaction):
        heard = replace(heard, content=replace(heard.content, to=found.get(heard.content.to, heard.content.to)))
    return replace(heard, quoted=found.get(heard.quoted, heard.quoted)) if heard.quoted is not None else heard


async def _went_out(case: _Case, ours: Ours, external_id: str, sent_at: datetime) -> Taken:
    """A message of ours is at WhatsApp: news only where that was not known. Then what was told of it before counts."""
    facts: list[Fact] = []
    receipts, is_failed = await recognition.take_early(case.unit, external_id, ours.message_id, account=case.account)
    if is_failed:
        return await _did_not_go_out(case, ours, receipts)
    if ours.is_open and ours.content:
        facts.append(recognition.sent(ours, account=case.account, at=case.now, sent_at=sent_at))
    facts += receipts
    return Taken(facts, counts_as="taken" if facts else "repeated")


async def _did_not_go_out(case: _Case, ours: Ours, receipts: list[ReceiptReceived]) -> Taken:
    if ours.state == recognition.FAILED:
        return Taken(list(receipts), counts_as="repeated")
    await recognition.fail_taken(case.unit, ours.message_id)
    return Taken([recognition.rejected(ours, account=case.account, at=case.now), *receipts])


async def _placeholder(case: _Case, told: Placeholder) -> Taken:
    if told.from_me and await recognition.find_ours(case.unit, [told.id]) is not None:
        return Taken(counts_as="repeated")
    if await recognition.find_row(case.unit, told.id, told.chat, told.chat_alt, told.sender) is not None:
        return Taken(counts_as="repeated")
    fact = EnvelopeUnreadable(
        account=case.account,
        at=case.now,
        id=MessageId(told.id),
        chat=told.chat,
        sender=case.account if told.from_me else told.sender or told.chat,
        reason=NOT_DECRYPTED,
        sent_at=told.sent_at,
        source=Source.ECHO if told.from_me else Source.LIVE,
        from_me=told.from_me,
        chat_alt=told.chat_alt,
    )
    return Taken([fact])


async def _delivered(case: _Case, told: Delivered) -> Taken:
    named = [id for id in (told.id, told.zaap_id) if id is not None]
    ours = await recognition.find_ours(case.unit, named)
    if ours is None:
        fits = await recognition.recognise(case.unit, told.chat, None, at=told.at, content=None)
        if not isinstance(fits, Ours):
            if told.is_failed:
                await recognition.keep_early(
                    case.unit, named[:1], recognition.FAILED, told.chat, by_me=False, at=told.at, now=case.now
                )
            return Taken(counts_as="early")
        ours = fits
    await recognition.name(case.unit, ours, told.id, told.zaap_id)
    if told.is_failed:
        return await _did_not_go_out(case, ours, [])
    return await _went_out(case, ours, told.id, told.at)


async def _told(case: _Case, told: Told) -> Taken:
    sent = await ids.find_sent(case.unit, ZAPI, list(told.ids))
    if told.kind is None:
        return await _at_whatsapp(case, told, list(sent))
    named = {
        external_id: sent[external_id].message_id if external_id in sent else external_id for external_id in told.ids
    }
    missing = set(await recognition.list_missing(case.unit, list(named.values())))
    early = [external_id for external_id, message_id in named.items() if message_id in missing]
    if early:
        await recognition.keep_early(
            case.unit, early, told.kind.value, told.chat, by_me=told.by_me, at=told.at, now=case.now
        )
    # In the chat a message of ours went to: Z-API may spell the number otherwise.
    in_chats: dict[JID, list[MessageId]] = {}
    for external_id, message_id in named.items():
        if message_id not in missing:
            chat = sent[external_id].chat if external_id in sent else told.chat
            in_chats.setdefault(chat, []).append(MessageId(message_id))
    facts: list[Fact] = [
        ReceiptReceived(
            account=case.account,
            at=told.at,
            ids=tuple(message_ids),
            chat=chat,
            sender=case.account if told.by_me else chat,
            kind=told.kind,
            from_me=told.by_me,
        )
        for chat, message_ids in in_chats.items()
    ]
    return Taken(facts, counts_as="taken" if facts else "early")


async def _at_whatsapp(case: _Case, told: Told, external_ids: list[str]) -> Taken:
    """SENT says nothing that the answer, the echo or a later status does not say; of an open message it is proof."""
    facts: list[Fact] = []
    for external_id in external_ids:
        ours = await recognition.find_ours(case.unit, [external_id])
        if ours is not None:
            facts += (await _went_out(case, ours, external_id, told.at)).facts
    return Taken(facts, counts_as="taken" if facts else "repeated")


async def _connection(case: _Case, told: Connection) -> Taken:
    """Whoever runs the connection asks `status`, which alone decides: a callback may be late, or repeated."""
    case.unit.tell(CONNECTIONS)
    return Taken()


async def _unknown(case: _Case, told: Unknown) -> Taken:
    return Taken([case.unknown(told.tag, told.problem)], counts_as="unknown")


async def _ignored(case: _Case, told: Ignored) -> Taken:
    return Taken(counts_as=told.reason)


async def _presence(unit: Unit, told: Presence, now: datetime) -> Taken:
    account = JID(await _account(unit) or "", PHONE)
    if told.is_typing is not None:
        typing = TypingChanged(account=account, at=now, chat=told.chat, sender=told.chat, is_typing=told.is_typing)
        return Taken(signals=[typing])
    present = PresenceChanged(account=account, at=now, contact=told.chat, is_available=bool(told.is_available))
    return Taken(signals=[present])


_TAKERS: dict[type[Callback], Callable[[_Case, Any], Awaitable[Taken]]] = {
    Heard: _heard,
    Placeholder: _placeholder,
    Delivered: _delivered,
    Told: _told,
    Connection: _connection,
    Unknown: _unknown,
    Ignored: _ignored,
}
