"""
Items of webhooks → facts of the stream. Pure: what the database knows of our own messages is given (`Ours`), so that
the same items, in any order, in any batch, told any number of times, come to the same rows.

Of one message's statuses the furthest counts: what was delivered did not fail, and what failed was not merely sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from recado.content import Content, Reaction
from recado.events import (
    ContactChanged,
    EnvelopeUnreadable,
    Fact,
    HistoryReceived,
    MessageId,
    MessageReceived,
    MessageRejected,
    MessageSent,
    Quote,
    ReceiptReceived,
    UnknownReceived,
)
from recado.events import NumberChanged as NumberMoved
from recado.gateway.providers.meta.items import (
    FAILED,
    RECEIPTS,
    SENT,
    ContactSynced,
    HistoryPart,
    Item,
    Message,
    NumberChanged,
    Preference,
    Status,
    Unknown,
    Who,
)
from recado.jid import BSUID, GROUP, JID, PHONE

NO_CODE = 131000
"""What a failure without a code is called: Meta's own word for "something went wrong"."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours as the outbox has it: how far it is believed to be, its chat, and what it says."""

    id: str
    state: str
    chat: JID = field(repr=False)
    content: Content = field(repr=False)

    @property
    def is_open(self) -> bool:
        """Is it not known yet that Meta took it?"""
        return self.state in ("queued", "on_wire", "unknown")

    @property
    def has_arrived(self) -> bool:
        """Did it reach the other side?"""
        return self.state in ("delivered", "read", "played")


@dataclass(slots=True)
class Told:
    """What items come to: facts in order, which taken messages failed after all, and what Meta calls ours."""

    facts: list[Fact] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows: our ids by Meta's, and our messages by our ids."""

    ids: Mapping[str, str]
    ours: Mapping[str, Ours]

    def id_of(self, external_id: str) -> str:
        """Our id of a message, which is Meta's for what came in."""
        return self.ids.get(external_id, external_id)


def external_ids(items: Iterable[Item]) -> set[str]:
    """Every id of Meta's that may be one of our messages'."""
    found: set[str] = set()
    for item in items:
        if isinstance(item, Status):
            found.add(item.external_id)
        elif isinstance(item, Message):
            found |= {id for id in (item.quoted_id, item.id if item.from_me else None) if id}
            if isinstance(item.content, Reaction):
                found.add(item.content.to)
    return found


def addresses(who: Who) -> tuple[JID, JID | None]:
    """A person's address and their other one: the number first, where it is known."""
    user_id = JID(who.user_id, BSUID) if who.user_id else None
    if who.phone:
        return JID(who.phone, PHONE), user_id
    assert user_id is not None
    return user_id, None


def people_in(items: Iterable[Item]) -> list[JID]:
    """Everybody these items speak of."""
    found: list[JID] = []
    for item in items:
        for who in _who(item):
            found += [jid for jid in addresses(who) if jid is not None]
        if isinstance(item, ContactSynced):
            found.append(JID(item.phone, PHONE))
    return found


def usernames_in(items: Iterable[Item]) -> list[Who]:
    """Everybody these items tell a username of, each as told last."""
    found: dict[tuple[str | None, str | None], Who] = {}
    for item in items:
        for who in _who(item):
            if who.username:
                found[who.phone, who.user_id] = who
    return list(found.values())


def _who(item: Item) -> list[Who]:
    match item:
        case Message(chat=who) | Preference(who=who):
            return [who]
        case Status(to=Who() as who):
            return [who]
        case NumberChanged(before=before, now=now):
            return [who for who in (before, now) if who.phone or who.user_id]
        case _:
            return []


def told(account: JID, items: Sequence[Item], known: Known, now: datetime) -> Told:
    """What these items mean for a mentorado whose number is `account`."""
    result = Told()
    statuses: dict[str, list[Status]] = {}
    for item in items:
        if isinstance(item, Status):
            ours = item.our_id if item.our_id in known.ours else known.id_of(item.external_id)
            statuses.setdefault(ours or item.external_id, []).append(item)
        else:
            result.facts += _facts(account, item, known, now)
    for id, some in statuses.items():
        _settle(result, account, id, some, known.ours.get(id), now)
    return result


def _facts(account: JID, item: Item, known: Known, now: datetime) -> list[Fact]:
    match item:
        case Message():
            return _message(account, item, known, now)
        case NumberChanged(before=before, now=after):
            return _changed(account, before, after, now)
        case Preference(who=who):
            jid, alt = addresses(who)
            return [ContactChanged(account=account, at=now, contact=alt or jid, phone=jid if alt else None)]
        case ContactSynced(phone=phone_number):
            return [ContactChanged(account=account, at=now, contact=JID(phone_number, PHONE))]
        case HistoryPart(code=None):
            return [
                HistoryReceived(
                    account=account,
                    at=now,
                    kind=f"phase {item.phase}",
                    chunk=item.chunk,
                    conversations=item.conversations,
                    messages=item.messages,
                    progress=item.progress,
                )
            ]
        case Unknown(what=what, raw=raw):
            return [UnknownReceived(account=account, at=now, tag=what, raw=raw, problem="not known, or not readable")]
        case _:
            return []


def _message(account: JID, item: Message, known: Known, now: datetime) -> list[Fact]:
    if item.from_me and item.id in known.ids:
        return []  # it went out from here
    person, alt = addresses(item.chat)
    chat = JID(item.group, GROUP) if item.group else person
    sender = account if item.from_me else person
    chat_alt = None if item.group else alt
    if item.is_placeholder:
        unreadable = EnvelopeUnreadable(
            account=account,
            at=now,
            id=MessageId(item.id),
            chat=chat,
            sender=sender,
            reason="the file follows",
            sent_at=item.sent_at,
            source=item.source,
            from_me=item.from_me,
            chat_alt=chat_alt,
        )
        return [unreadable]
    content = item.content
    if isinstance(content, Reaction):
        content = replace(content, to=known.id_of(content.to))
    facts: list[Fact] = [
        MessageReceived(
            account=account,
            at=now,
            id=MessageId(item.id),
            chat=chat,
            sender=sender,
            from_me=item.from_me,
            content=content,
            sent_at=item.sent_at,
            source=item.source,
            chat_alt=chat_alt,
            push_name=None if item.from_me else item.chat.name,
            quoted=_quote(item, known),
        )
    ]
    if item.status is not None:
        facts.append(
            ReceiptReceived(
                account=account,
                at=now,
                ids=(MessageId(item.id),),
                chat=chat,
                sender=person,
                kind=item.status,
                chat_alt=chat_alt,
            )
        )
    return facts


def _quote(item: Message, known: Known) -> Quote | None:
    if item.quoted_id is None:
        return None
    sender = JID(item.quoted_phone, PHONE) if item.quoted_phone else None
    return Quote(MessageId(known.id_of(item.quoted_id)), sender)


def _changed(account: JID, before: Who, after: Who, now: datetime) -> list[Fact]:
    """The old number or id and the new number are one person's, then the new id: each a fact, the last one stays."""
    if after.phone is None:
        return []
    phone = JID(after.phone, PHONE)
    if before.phone is not None and before.phone != after.phone:
        moved: list[Fact] = [NumberMoved(account=account, at=now, old=JID(before.phone, PHONE), new=phone)]
    else:
        moved = []
    ids = [user_id for user_id in (before.user_id, after.user_id) if user_id]
    return moved + [ContactChanged(account=account, at=now, contact=JID(id, BSUID), phone=phone) for id in ids]


def spelt(account: JID, dialled: JID, told: Iterable[str | None], now: datetime) -> list[Fact]:
    """Meta calls the account that was reached by another number than was dialled: both are the same person's."""
    others = sorted({phone for phone in told if phone and dialled.is_phone and phone != dialled.user})
    return [ContactChanged(account=account, at=now, contact=dialled, also=JID(phone, PHONE)) for phone in others]


def _settle(result: Told, account: JID, id: str, some: list[Status], ours: Ours | None, now: datetime) -> None:
    """How far one message of ours got, by everything that is told of it here and was known before."""
    if ours is not None:
        result.external_ids |= {status.external_id: id for status in some}
    words = {status.status: status for status in sorted(some, key=lambda status: status.at)}
    chat = ours.chat if ours is not None else next((addresses(s.to)[0] for s in some if s.to is not None), None)
    if chat is None:
        return
    arrived = [(kind, words[word]) for word, kind in RECEIPTS.items() if word in words]
    failed, sent = words.get(FAILED), words.get(SENT)
    has_arrived = bool(arrived) or (ours is not None and ours.has_arrived)
    if ours is not None and ours.is_open:
        result.facts += spelt(account, ours.chat, {each.to.phone for each in some if each.to is not None}, now)
    if failed is not None and not has_arrived:
        code = failed.codes[0] if failed.codes else NO_CODE
        if ours is not None and ours.state == "server_ack":
            result.failed[id] = code
        result.facts.append(MessageRejected(account=account, at=now, id=MessageId(id), chat=chat, code=code))
    elif sent is not None and ours is not None and ours.is_open:
        result.facts.append(
            MessageSent(
                account=account, at=now, id=MessageId(id), chat=chat, content=ours.content, sent_at=min(sent.at, now)
            )
        )
    for kind, _ in arrived:
        result.facts.append(
            ReceiptReceived(account=account, at=now, ids=(MessageId(id),), chat=chat, sender=chat, kind=kind)
        )
