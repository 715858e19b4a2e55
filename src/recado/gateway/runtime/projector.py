"""
From facts to the rows people look at: conversations, contacts, messages, statuses, the state of a connection. One
projector for all providers, run in the transaction that records the facts; a batch costs a handful of statements,
however many facts it holds.

Facts are taken in order, but rows do not depend on it: a status only moves forward, a placeholder is only ever filled,
and a message is there once, whoever tells of it (live, resent, echoed, from history).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from recado.content import Content, Text, Unsupported, content_kind, content_text
from recado.events import (
    ChatChanged,
    ChatRemembered,
    ConnectionChanged,
    ConnectionState,
    ContactChanged,
    DeviceUnlinked,
    EnvelopeUnreadable,
    Fact,
    GroupChanged,
    HistoryReceived,
    LabelChanged,
    LabelPlaced,
    MessageReceived,
    MessageRejected,
    MessageSent,
    MessageStarred,
    NewsletterChanged,
    NumberChanged,
    PictureChanged,
    Quote,
    ReceiptKind,
    ReceiptReceived,
    Source,
)
from recado.gateway.connections import repository as connections
from recado.gateway.conversations.abouts import about
from recado.gateway.conversations.directory import Directory
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.runtime.channel_rows import ChannelRows
from recado.gateway.runtime.chat_states import ChatStates
from recado.gateway.runtime.group_asking import ask_about_unknown
from recado.gateway.runtime.group_rows import GroupRows
from recado.gateway.runtime.label_rows import LabelRows
from recado.gateway.runtime.picture_asking import Pictures
from recado.groups import GroupChange
from recado.jid import GROUP, JID, NEWSLETTER
from recado.store.facts import content_to_json

_queries = load_queries(__file__, "projector.sql")

TAKEN = "server_ack"
_EXTRAS = ("about_id", "forwarded", "expires_at")
_OUT_OF_ORDER = (Source.HISTORY.value, Source.RESEND.value)
"""How a message comes that may be told after what was said of it."""


@dataclass(slots=True)
class _Row:
    """A message as the facts of this batch tell it. `sender` is None for the mentorado's own."""

    chat: JID
    sender: JID | None
    id: str
    content_type: str
    source: str
    sent_at: datetime
    text: str | None = None
    content: Jsonb | None = None
    raw: bytes | None = None
    status: str | None = None
    is_placeholder: bool = False
    quoted: Quote | None = None
    about_id: str | None = None
    forwarded: int = 0
    expires_at: datetime | None = None

    def take(self, later: _Row) -> None:
        """The same message told again in one batch."""
        status = self.status if later.status is None else later.status
        if self.is_placeholder and not later.is_placeholder:
            for name in ("content_type", "text", "content", "raw", "source", "quoted", "is_placeholder", *_EXTRAS):
                setattr(self, name, getattr(later, name))
        self.status = status


@dataclass(frozen=True, slots=True)
class _Place:
    """A chat by every address a fact gave. An id alone proves nothing: others choose theirs, and quotes show ours."""

    phone: str | None
    lid: str | None
    bsuid: str | None
    chat: str | None

    @classmethod
    def of(cls, chat: JID, alt: JID | None = None) -> _Place:
        """The addresses of a person, or the one of anything else."""
        if not chat.is_person:
            return cls(None, None, None, str(chat.bare))
        both = [jid for jid in (chat, alt) if jid is not None]
        return cls(
            phone=next((jid.user for jid in both if jid.is_phone), None),
            lid=next((jid.user for jid in both if jid.is_lid), None),
            bsuid=next((jid.user for jid in both if jid.is_bsuid), None),
            chat=None,
        )


@dataclass(slots=True)
class _Batch:
    """What a batch of facts comes to, before anything is written."""

    directory: Directory = field(default_factory=Directory)
    rows: list[_Row] = field(default_factory=list)
    sent: list[tuple[str, JID, datetime]] = field(default_factory=list)
    rejected: dict[str, tuple[_Place, str, datetime]] = field(default_factory=dict)
    receipts: list[tuple[str, _Place, str, datetime]] = field(default_factory=list)
    read: list[tuple[str, _Place]] = field(default_factory=list)
    pictures: Pictures = field(default_factory=Pictures)
    stars: list[tuple[str, _Place, bool, bool]] = field(default_factory=list)
    titles: dict[JID, str] = field(default_factory=dict)
    states: ChatStates = field(default_factory=ChatStates)
    groups: GroupRows = field(default_factory=GroupRows)
    channels: ChannelRows = field(default_factory=ChannelRows)
    labels: LabelRows = field(default_factory=LabelRows)
    connection: ConnectionChanged | None = None
    history: HistoryReceived | None = None


async def project(unit: Unit, provider: str, facts: Sequence[Fact]) -> None:
    """Bring the rows up to date with `facts`. Raises Collided when another writer met us: do the unit again."""
    batch = _Batch()
    for fact in facts:
        take = _TAKERS.get(type(fact))
        if take is not None:
            take(batch, fact)
    await batch.groups.name(unit, provider, batch.directory)
    await batch.directory.settle(unit)
    await batch.states.settle(unit, batch.directory)
    if batch.titles:
        ids = [batch.directory.conversation_id(group) for group in batch.titles]
        await unit.run(_queries.name_groups, ids=ids, titles=list(batch.titles.values()))
    if batch.rows:
        await unit.run(_queries.add_messages, provider=provider, worker=unit.worker_id, **_columns(batch))
        await _settle_abouts(unit, batch)
    if batch.sent:
        await unit.run(
            _queries.settle_outbox,
            ids=[id for id, _, _ in batch.sent],
            conversations=[batch.directory.conversation_id(chat) for _, chat, _ in batch.sent],
            ats=[at for _, _, at in batch.sent],
            worker=unit.worker_id,
        )
    if batch.rejected:
        await unit.run(
            _queries.reject,
            ids=list(batch.rejected),
            failures=[failure for _, failure, _ in batch.rejected.values()],
            ats=[at for _, _, at in batch.rejected.values()],
            worker=unit.worker_id,
            **_places([place for place, _, _ in batch.rejected.values()]),
        )
    if batch.receipts:
        await unit.run(
            _queries.save_receipts,
            ids=[id for id, _, _, _ in batch.receipts],
            statuses=[status for _, _, status, _ in batch.receipts],
            ats=[at for _, _, _, at in batch.receipts],
            worker=unit.worker_id,
            **_places([place for _, place, _, _ in batch.receipts]),
        )
    await batch.groups.settle(unit, batch.directory)
    await batch.channels.settle(unit, batch.directory)
    written_in = {row.chat for row in batch.rows if row.chat.server in (GROUP, NEWSLETTER)}
    written_in |= batch.titles.keys() | batch.channels.chats
    if written_in:
        await ask_about_unknown(unit, provider, batch.directory, written_in, now=max(fact.at for fact in facts))
    begun = batch.directory.added & {
        batch.directory.conversation_id(row.chat) for row in batch.rows if row.source != Source.HISTORY.value
    }
    await batch.pictures.settle(unit, provider, begun, facts)
    if batch.stars:
        await unit.run(
            _queries.save_stars,
            ids=[id for id, _, _, _ in batch.stars],
            from_mes=[from_me for _, _, from_me, _ in batch.stars],
            stars=[is_starred for _, _, _, is_starred in batch.stars],
            **_places([place for _, place, _, _ in batch.stars]),
        )
    await batch.labels.settle(unit)
    if batch.read:
        read = [id for id, _ in batch.read]
        await unit.run(_queries.save_read, ids=read, **_places([place for _, place in batch.read]))
    if batch.connection is not None:
        await _save_connection(unit, provider, batch.connection)
    if batch.history is not None and batch.history.progress is not None:
        await connections.save_history(unit, provider, batch.history.progress, at=batch.history.at)
        unit.tell(CONNECTIONS)


async def _settle_abouts(unit: Unit, batch: _Batch) -> None:
    """Have the rows of edited and deleted messages say so: of what is named here, and of what may have come after."""
    directory = batch.directory
    changed = {
        (directory.conversation_id(row.chat), row.about_id or row.id)
        for row in batch.rows
        if row.content_type in ("edit", "revoke") or row.source in _OUT_OF_ORDER
    }
    if changed:
        conversations, ids = (list(column) for column in zip(*sorted(changed), strict=True))
        await unit.run(_queries.settle_abouts, conversations=conversations, ids=ids)


async def _save_connection(unit: Unit, provider: str, changed: ConnectionChanged) -> None:
    reason = changed.reason.name.lower() if changed.reason is not None else None
    await connections.save_state(unit, provider, changed.state.value, reason=reason, retry_at=changed.retry_at)
    if changed.state is ConnectionState.CONNECTED and changed.account.is_phone and changed.account.user:
        await connections.save_account(unit, provider, phone=changed.account.user, lid=None)
    unit.tell(CONNECTIONS)


def _received(batch: _Batch, fact: MessageReceived) -> None:
    content_type, text, content, raw = _columns_of(fact.content)
    row = _Row(
        chat=fact.chat.bare,
        sender=_author(batch, fact, fact.push_name),
        id=fact.id,
        content_type=content_type,
        text=text,
        content=content,
        raw=raw,
        source=fact.source.value,
        sent_at=fact.sent_at,
        status=TAKEN if fact.from_me else None,
        quoted=fact.quoted,
        about_id=about(fact.content),
        forwarded=fact.forwarded,
        expires_at=_expiry(fact),
    )
    batch.rows.append(row)
    if fact.from_me:
        batch.sent.append((fact.id, fact.chat.bare, fact.at))  # the echo of one of ours proves that it went out


def _expiry(fact: MessageReceived | MessageSent) -> datetime | None:
    return fact.sent_at + timedelta(seconds=fact.expires_in) if fact.expires_in else None


def _unreadable(batch: _Batch, fact: EnvelopeUnreadable) -> None:
    batch.rows.append(
        _Row(
            chat=fact.chat.bare,
            sender=_author(batch, fact, None),
            id=fact.id,
            content_type="unreadable",
            raw=fact.raw,
            source=fact.source.value,
            sent_at=fact.sent_at,
            status=TAKEN if fact.from_me else None,
            is_placeholder=True,
        )
    )


def _author(batch: _Batch, fact: MessageReceived | EnvelopeUnreadable, push_name: str | None) -> JID | None:
    """Name the chat and who wrote; with a person, the chat is who wrote, whatever address the stanza used."""
    batch.directory.chat(fact.chat, fact.chat_alt)
    if fact.from_me:
        return None
    author = fact.chat.bare if fact.chat.is_person else fact.sender.bare
    if not author.is_person:
        return None
    batch.directory.person(author, push_name=push_name)
    if isinstance(fact, MessageReceived):
        batch.states.certify(author, fact.verified_name)
    return author


def _sent(batch: _Batch, fact: MessageSent) -> None:
    content_type, text, content, raw = _columns_of(fact.content)
    batch.directory.chat(fact.chat, fact.chat_alt)
    batch.sent.append((fact.id, fact.chat.bare, fact.at))
    batch.rows.append(
        _Row(
            chat=fact.chat.bare,
            sender=None,
            id=fact.id,
            content_type=content_type,
            text=text,
            content=content,
            raw=raw,
            source=Source.LIVE.value,
            sent_at=fact.sent_at,
            status=TAKEN,
            quoted=fact.quoted,
            about_id=about(fact.content),
            forwarded=fact.forwarded,
            expires_at=_expiry(fact),
        )
    )


def _rejected(batch: _Batch, fact: MessageRejected) -> None:
    batch.rejected[fact.id] = (_Place.of(fact.chat), f"refused ({fact.code})", fact.at)


def _receipt(batch: _Batch, fact: ReceiptReceived) -> None:
    place = _Place.of(fact.chat, fact.chat_alt)
    if not fact.from_me and fact.chat.is_group and fact.sender.is_person:
        batch.groups.hear(fact)
    elif not fact.from_me:
        batch.receipts += [(id, place, fact.kind.value, fact.at) for id in fact.ids]
    elif fact.kind is not ReceiptKind.DELIVERED:
        batch.read += [(id, place) for id in fact.ids]


def _contact(batch: _Batch, fact: ContactChanged) -> None:
    batch.directory.person(fact.contact, fact.lid if fact.contact.is_phone else fact.phone, push_name=fact.push_name)
    batch.states.name(fact)
    if fact.also is not None and fact.also.is_phone and fact.contact.is_phone:
        batch.directory.same(fact.contact, fact.also)


def _shown(batch: _Batch, fact: ChatChanged) -> None:
    batch.states.take(batch.directory, fact)


def _group(batch: _Batch, fact: GroupChanged) -> None:
    """A group we are taken into is a conversation from then on, under the name the group has."""
    if fact.what in (GroupChange.CREATED, GroupChange.SUBJECT):
        batch.directory.chat(fact.group)
        batch.titles[fact.group] = fact.value
    batch.groups.take(fact)


def _channel(batch: _Batch, fact: NewsletterChanged) -> None:
    batch.channels.take(batch.directory, fact)


def _remembered(batch: _Batch, fact: ChatRemembered) -> None:
    """A group of the past has its name already when its first message is told."""
    if fact.chat.is_group and fact.name:
        batch.directory.chat(fact.chat)
        batch.titles.setdefault(fact.chat, fact.name)


def _starred(batch: _Batch, fact: MessageStarred) -> None:
    batch.stars.append((fact.id, _Place.of(fact.chat, fact.chat_alt), fact.from_me, fact.is_starred))


def _label(batch: _Batch, fact: LabelChanged) -> None:
    batch.labels.change(fact)


def _labeled(batch: _Batch, fact: LabelPlaced) -> None:
    batch.labels.place(batch.directory, fact)


def _number(batch: _Batch, fact: NumberChanged) -> None:
    if fact.old.is_phone and fact.new.is_phone:
        batch.directory.moved(fact.old, fact.new, fact.lid)


def _picture(batch: _Batch, fact: PictureChanged) -> None:
    batch.pictures.take(fact)


def _connection(batch: _Batch, fact: ConnectionChanged) -> None:
    batch.connection = fact


def _history(batch: _Batch, fact: HistoryReceived) -> None:
    if fact.progress is not None and fact.request is None:
        batch.history = fact


def _unlinked(batch: _Batch, fact: DeviceUnlinked) -> None:
    batch.connection = ConnectionChanged(
        account=fact.account, at=fact.at, state=ConnectionState.LOGGED_OUT, reason=fact.reason
    )


_TAKERS: dict[type[Fact], Callable[[_Batch, Any], None]] = {
    MessageReceived: _received,
    MessageSent: _sent,
    MessageRejected: _rejected,
    EnvelopeUnreadable: _unreadable,
    ReceiptReceived: _receipt,
    ContactChanged: _contact,
    ChatChanged: _shown,
    NumberChanged: _number,
    GroupChanged: _group,
    NewsletterChanged: _channel,
    ChatRemembered: _remembered,
    MessageStarred: _starred,
    LabelChanged: _label,
    LabelPlaced: _labeled,
    PictureChanged: _picture,
    ConnectionChanged: _connection,
    DeviceUnlinked: _unlinked,
    HistoryReceived: _history,
}


def _places(places: list[_Place]) -> dict[str, Any]:
    """Chats as columns."""
    return {
        "phones": [place.phone for place in places],
        "lids": [place.lid for place in places],
        "bsuids": [place.bsuid for place in places],
        "chats": [place.chat for place in places],
    }


def _columns_of(content: Content) -> tuple[str, str | None, Jsonb | None, bytes | None]:
    """The content's type and text, what it says beyond a text, and the bytes of a kind nobody models."""
    match content:
        case Text():
            return "text", content.body, None, None
        case Unsupported():
            return content.kind, content.text, None, content.raw
        case _:
            return content_kind(content), content_text(content), Jsonb(content_to_json(content)), None


def _columns(batch: _Batch) -> dict[str, Any]:
    """The rows as columns, each message once: one statement cannot touch a row twice."""
    directory = batch.directory
    once: dict[tuple[UUID, UUID | None, str], _Row] = {}
    for row in batch.rows:
        sender = directory.contact_id(row.sender) if row.sender is not None else None
        earlier = once.setdefault((directory.conversation_id(row.chat), sender, row.id), row)
        if earlier is not row:
            earlier.take(row)
    rows = list(once.values())
    return {
        "conversations": [conversation for conversation, _, _ in once],
        "senders": [sender for _, sender, _ in once],
        "ids": [row.id for row in rows],
        "directions": ["in" if row.status is None else "out" for row in rows],
        "content_types": [row.content_type for row in rows],
        "texts": [row.text for row in rows],
        "contents": [row.content for row in rows],
        "statuses": [row.status for row in rows],
        "sources": [row.source for row in rows],
        "placeholders": [row.is_placeholder for row in rows],
        "quoted_ids": [row.quoted.id if row.quoted else None for row in rows],
        "quoted_texts": [row.quoted.text if row.quoted else None for row in rows],
        "raws": [row.raw for row in rows],
        "abouts": [row.about_id for row in rows],
        "forwardeds": [row.forwarded for row in rows],
        "expiries": [row.expires_at for row in rows],
        "sent_ats": [row.sent_at for row in rows],
    }
