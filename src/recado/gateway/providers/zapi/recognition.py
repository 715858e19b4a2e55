"""
Which message of ours is it that Z-API tells of? By its own name of it, when the answer to our request said that; else
by what it says, where exactly one message fits: nobody knows what became of it, it went to the same chat, it says the
same, and it was tried just before. Among several nobody chooses. Works in a unit that `hold_still` keeps alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from recado.content import (
    Buttons,
    Contacts,
    Content,
    LinkButton,
    Location,
    Media,
    OptionList,
    Reaction,
    Text,
    content_kind,
    content_text,
)
from recado.errors import BadRecord
from recado.events import MessageId, MessageRejected, MessageSent, ReceiptKind, ReceiptReceived
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.providers import ids
from recado.gateway.providers.roads import ZAPI
from recado.gateway.providers.zapi.wire import framed
from recado.jid import JID
from recado.store.facts import content_from_json

_queries = load_queries(__file__)

BEFORE = timedelta(minutes=1)
"""How far the other clock may be behind ours."""
AFTER = timedelta(minutes=10)
"""How long after the try a message may go out: Z-API's own queue is slow on purpose."""
_EARLY_LASTS = timedelta(days=7)

FAILED = "failed"
REFUSED_LATER = 0
"""The code of a message that Z-API took and WhatsApp did not: there is none."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours: what it says, where it was sent to, and how far it got by now."""

    message_id: str
    state: str
    chat: str = field(repr=False)
    content: dict[str, Any] = field(repr=False)

    @property
    def is_open(self) -> bool:
        """Is it not known yet that it was taken?"""
        return self.state in ("queued", "on_wire", "unknown")


@dataclass(frozen=True, slots=True)
class Early:
    """A status that came before its message."""

    external_id: str
    word: str
    by_me: bool
    chat: str = field(repr=False)
    at: datetime


async def hold_still(unit: Unit) -> None:
    """One unit at a time tells of this mentorado's messages at Z-API: an echo and an answer of one message may meet."""
    await unit.run(_queries.hold_still)


async def find_ours(unit: Unit, external_ids: list[str]) -> Ours | None:
    """The message that goes by one of these names, as it was queued; None when none does, or it is long gone."""
    found = await ids.find_message_ids(unit, ZAPI, external_ids)
    for external_id in external_ids:
        if external_id in found:
            return await unit.one(Ours, _queries.find_ours, message_id=found[external_id])
    return None


async def recognise(unit: Unit, chat: JID, alt: JID | None, *, at: datetime, content: Content | None) -> Ours | int:
    """The one message without a name there that this may be (saying `content`, where it is told); else how many fit."""
    rows = await unit.all(Ours, _queries.list_nameless, since=at - AFTER, until=at + BEFORE, **places(chat, alt))
    if content is not None:
        said = signature(content)
        rows = [row for row in rows if said == _signature_of(row)]
    return rows[0] if len(rows) == 1 else len(rows)


async def name(unit: Unit, ours: Ours, *external_ids: str | None) -> None:
    """From now on this message goes by these names too."""
    for external_id in external_ids:
        if external_id is not None:
            await ids.save_external_id(unit, ZAPI, external_id, ours.message_id)


def sent(ours: Ours, *, account: JID, at: datetime, sent_at: datetime) -> MessageSent:
    """The fact that it went out. Raises BadRecord when what it said is gone."""
    return MessageSent(
        account=account,
        at=at,
        id=MessageId(ours.message_id),
        chat=JID.parse(ours.chat),
        content=content_from_json(ours.content),
        sent_at=sent_at,
    )


def rejected(ours: Ours, *, account: JID, at: datetime) -> MessageRejected:
    """The fact that it did not."""
    chat = JID.parse(ours.chat)
    return MessageRejected(account=account, at=at, id=MessageId(ours.message_id), chat=chat, code=REFUSED_LATER)


async def fail_taken(unit: Unit, message_id: str) -> None:
    """Z-API had taken it and WhatsApp did not: "taken" was too much. What was delivered stays so."""
    await unit.run(_queries.fail_taken, message_id=message_id)


# ---- statuses that come before it is known whose they are


async def keep_early(
    unit: Unit, external_ids: list[str], word: str, chat: JID, *, by_me: bool, at: datetime, now: datetime
) -> None:
    """Keep them until the message is known."""
    await unit.run(_queries.delete_early, before=now - _EARLY_LASTS)
    await unit.run(
        _queries.add_early, external_ids=external_ids, word=word, by_me=by_me, chat=str(chat), at=at, now=now
    )


async def take_early(
    unit: Unit, external_id: str, message_id: str, *, account: JID
) -> tuple[list[ReceiptReceived], bool]:
    """What was told before this was known to be `message_id`: receipts, and whether it failed."""
    receipts, is_failed = [], False
    for early in await unit.all(Early, _queries.claim_early, external_id=external_id):
        if early.word == FAILED:
            is_failed = True
            continue
        chat = JID.parse(early.chat)
        receipts.append(
            ReceiptReceived(
                account=account,
                at=early.at,
                ids=(MessageId(message_id),),
                chat=chat,
                sender=account if early.by_me else chat,
                kind=ReceiptKind(early.word),
                from_me=early.by_me,
            )
        )
    return receipts, is_failed


# ---- what is there already


async def find_row(unit: Unit, message_id: str, chat: JID, alt: JID | None, sender: JID | None) -> bool | None:
    """Is there such a message in that chat, by that sender? Then whether it is only a placeholder; else None."""
    found = await unit.tuples(
        _queries.find_row,
        id=message_id,
        direction="out" if sender is None else "in",
        sender_phone=sender.user if sender is not None and sender.is_phone and chat.is_group else None,
        sender_lid=sender.user if sender is not None and sender.is_lid and chat.is_group else None,
        **places(chat, alt),
    )
    return bool(found[0][0]) if found else None


async def list_missing(unit: Unit, message_ids: list[str]) -> list[str]:
    """Those of these ids that no message has."""
    return [id for (id,) in await unit.tuples(_queries.list_missing, ids=message_ids)]


def places(chat: JID, alt: JID | None = None) -> dict[str, str | None]:
    """A chat by every address that was told, as columns."""
    if not chat.is_person:
        return {"phone": None, "lid": None, "bsuid": None, "chat": str(chat.bare)}
    both = [jid for jid in (chat, alt) if jid is not None]
    phone = next((jid.user for jid in both if jid.is_phone), None)
    return {"phone": phone, "lid": next((jid.user for jid in both if jid.is_lid), None), "bsuid": None, "chat": None}


# ---- saying the same


def signature(content: Content) -> tuple[str, str]:
    """What of a content an echo repeats: files are at another address then, headers and footers are in the words."""
    match content:
        case Text(body=words):
            return "text", words.strip()
        case LinkButton():
            return "text", f"{framed(content)}\n{content.url}".strip()
        case Buttons() | OptionList():
            return content_kind(content), framed(content).strip()
        case Media():
            return content_kind(content), (content.caption or "").strip()
        case Location(latitude=latitude, longitude=longitude):
            return "location", f"{latitude:.5f} {longitude:.5f}"
        case Contacts(cards=cards):
            return "contacts", "\n".join(card.name for card in cards)
        case Reaction(to=to, emoji=emoji):
            return "reaction", f"{to} {emoji}"
        case _:
            return content_kind(content), content_text(content) or ""


def _signature_of(ours: Ours) -> tuple[str, str] | None:
    try:
        return signature(content_from_json(ours.content))
    except BadRecord:
        return None
