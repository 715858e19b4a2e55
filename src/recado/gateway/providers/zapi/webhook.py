"""
Z-API's callbacks, read: one JSON object each, of a `type`, with whose instance it is. Pure: a body and the time it came
give values, and whatever the body is, it gives one; receiving.py makes rows of them.

    ReceivedCallback      → Heard (a message), or Placeholder (waitingMessage: the same messageId comes again, readable)
    DeliveryCallback      → Delivered (WhatsApp took it, or why not)
    MessageStatusCallback → Told (how far some messages got; SENT too, and the same word again and again)
    ConnectedCallback, DisconnectedCallback → Connection (a hint to ask `status`, which alone decides)
    PresenceChatCallback  → Presence (signals)
    anything else         → Unknown (kept raw and told), Ignored (kept raw, with the reason), Malformed (nobody's)

Z-API spells the field `momment`; it is in milliseconds, but in seconds in some callbacks. `phone` may be a LID or a
group. `senderLid` is the writer's: the chat's too, unless this account wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from recado.content import Content
from recado.events import ReceiptKind
from recado.gateway.providers.zapi.addresses import read_address, read_lid
from recado.gateway.providers.zapi.contents import Body, read_content, word
from recado.jid import BROADCAST, JID, NEWSLETTER

MOST_IDS = 1000
LONGEST_ID = 128
_LONGEST_NAME = 200
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # no message of WhatsApp's is older
_AHEAD = timedelta(days=1)
_MILLISECONDS = 100_000_000_000
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it, not a backslash and what follows

_TYPING = {"COMPOSING": True, "RECORDING": True, "PAUSED": False}
_AVAILABLE = {"AVAILABLE": True, "UNAVAILABLE": False}
_STATUSES: dict[str, ReceiptKind | None] = {
    "SENT": None,
    "RECEIVED": ReceiptKind.DELIVERED,
    "READ": ReceiptKind.READ,
    "READ_BY_ME": ReceiptKind.READ,
    "PLAYED": ReceiptKind.PLAYED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Anything that was told; `instance` is whose it claims to be, `people` every address of somebody in it."""

    instance: str
    people: tuple[JID, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Callback):
    """A message: somebody's, or (`from_me`) this account's; `by_api` when it was sent through Z-API (None: unsaid)."""

    id: str
    chat: JID
    chat_alt: JID | None
    sender: JID | None
    from_me: bool
    by_api: bool | None
    is_edit: bool = False
    content: Content
    sent_at: datetime
    push_name: str | None = field(default=None, repr=False)
    quoted: str | None = None
    account: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder(Callback):
    """A message that could not be read over there yet."""

    id: str
    chat: JID
    chat_alt: JID | None
    sender: JID | None
    from_me: bool
    sent_at: datetime
    account: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Callback):
    """WhatsApp took a message that was sent through Z-API, or, `is_failed`, it did not go out."""

    id: str
    zaap_id: str | None
    chat: JID
    is_failed: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Callback):
    """How far messages got; `kind` None: WhatsApp took them. `by_me`: this account read them."""

    ids: tuple[str, ...]
    chat: JID
    kind: ReceiptKind | None
    by_me: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Callback):
    """Something changed between the instance and its phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Callback):
    """Somebody types or stopped (`is_typing`), came or went (`is_available`)."""

    chat: JID
    is_typing: bool | None = None
    is_available: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Callback):
    """Of a shape this version does not know: `tag` for people, `problem` in words of ours."""

    tag: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored(Callback):
    """Known, and not for here: `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a callback at all: no JSON object, or no instance in it."""

    problem: str


Read = Heard | Placeholder | Delivered | Told | Connection | Presence | Unknown | Ignored | Malformed


def read_callback(body: bytes, *, at: datetime) -> Read:
    """What this body says. Never raises."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Malformed("the body is no JSON")
    if not isinstance(said, dict):
        return Malformed("the body is no object")
    instance = _id(said.get("instanceId"))
    if instance is None:
        return Malformed("the body names no instance")
    kind = said.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return Unknown(instance=instance, tag="callback", problem="of an unknown type")
    if not _is_storable(said):
        return Unknown(instance=instance, tag=str(kind), problem="it holds characters that cannot be kept")
    return read(said, instance, at)


def _received(said: Body, instance: str, at: datetime) -> Read:
    id, chat = _id(said.get("messageId")), read_address(said.get("phone"))
    if said.get("isNewsletter") is True or (chat is not None and chat.server == NEWSLETTER):
        return Ignored(instance=instance, reason="newsletter")
    if chat is not None and chat.server == BROADCAST:
        return Ignored(instance=instance, reason="status")
    if id is None or chat is None:
        return Unknown(instance=instance, tag="ReceivedCallback", problem="it names no message or no chat")
    if said.get("notification") is not None:
        people = _people(chat)
        return Unknown(instance=instance, people=people, tag="notification", problem="a notification, no message")
    from_me = said.get("fromMe") is True
    sender = _writer(said, chat, from_me=from_me)
    alt = _other_address(said, chat, from_me=from_me)
    sent_at = _moment(said, at)
    account = _digits(said.get("connectedPhone"))
    people = _people(chat, alt, sender)
    if said.get("waitingMessage") is True:
        return Placeholder(
            instance=instance,
            people=people,
            id=id,
            chat=chat,
            chat_alt=alt,
            sender=sender,
            from_me=from_me,
            sent_at=sent_at,
            account=account,
        )
    content = read_content(said)
    if content is None:
        return Unknown(instance=instance, people=people, tag="ReceivedCallback", problem="nothing is said in it")
    is_edit = said.get("isEdit") is True
    return Heard(
        instance=instance,
        people=people,
        # An edit comes with the id of what it changes: told as what was said then, answering that.
        id=f"{id}.edit.{int(sent_at.timestamp() * 1000)}" if is_edit else id,
        chat=chat,
        chat_alt=alt,
        sender=sender,
        from_me=from_me,
        by_api=_flag(said.get("fromApi")),
        is_edit=is_edit,
        content=content,
        sent_at=sent_at,
        push_name=_name(said) if not from_me else None,
        quoted=id if is_edit else _id(said.get("referenceMessageId")),
        account=account,
    )


def _writer(said: Body, chat: JID, *, from_me: bool) -> JID | None:
    """Who wrote, where that is not the chat; None for this account, and for who is not named."""
    if from_me:
        return None
    if chat.is_person:
        return chat
    return read_address(said.get("participantPhone")) or read_lid(said.get("participantLid"))


def _other_address(said: Body, chat: JID, *, from_me: bool) -> JID | None:
    if not chat.is_person or chat.is_lid:
        return None
    return read_lid(said.get("chatLid")) or (None if from_me else read_lid(said.get("senderLid")))


def _delivery(said: Body, instance: str, at: datetime) -> Read:
    id, chat = _id(said.get("messageId")), read_address(said.get("phone"))
    if id is None or chat is None:
        return Unknown(instance=instance, tag="DeliveryCallback", problem="it names no message or no chat")
    return Delivered(
        instance=instance,
        people=_people(chat),
        id=id,
        zaap_id=_id(said.get("zaapId")),
        chat=chat,
        is_failed=bool(said.get("error")),
        at=_moment(said, at),
    )


def _status(said: Body, instance: str, at: datetime) -> Read:
    chat, status, listed = read_address(said.get("phone")), said.get("status"), said.get("ids")
    given = [_id(each) for each in listed] if isinstance(listed, list) and len(listed) <= MOST_IDS else []
    ids = tuple(dict.fromkeys(id for id in given if id is not None))
    if chat is None or not ids:
        return Unknown(instance=instance, tag="MessageStatusCallback", problem="it names no message or no chat")
    if not isinstance(status, str) or status not in _STATUSES:
        people = _people(chat)
        return Unknown(instance=instance, people=people, tag="MessageStatusCallback", problem="of an unknown status")
    return Told(
        instance=instance,
        people=_people(chat),
        ids=ids,
        chat=chat,
        kind=_STATUSES[status],
        by_me=status == "READ_BY_ME",
        at=_moment(said, at),
    )


def _connection(said: Body, instance: str, at: datetime) -> Read:
    return Connection(instance=instance)


def _presence(said: Body, instance: str, at: datetime) -> Read:
    chat, status = read_address(said.get("phone")), said.get("status")
    if chat is None or not isinstance(status, str) or not (status in _TYPING or status in _AVAILABLE):
        return Unknown(instance=instance, tag="PresenceChatCallback", problem="of an unknown status")
    typing, available = _TYPING.get(status), _AVAILABLE.get(status)
    return Presence(instance=instance, people=_people(chat), chat=chat, is_typing=typing, is_available=available)


_READERS: dict[str, Callable[[Body, str, datetime], Read]] = {
    "ReceivedCallback": _received,
    "DeliveryCallback": _delivery,
    "MessageStatusCallback": _status,
    "ConnectedCallback": _connection,
    "DisconnectedCallback": _connection,
    "PresenceChatCallback": _presence,
}


def _moment(said: Body, at: datetime) -> datetime:
    """When it happened, when that can be so; else now."""
    value = said.get("momment", said.get("moment"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return at
    try:
        moment = datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        return at
    return moment if _EARLIEST <= moment <= at + _AHEAD else at


def _id(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        return None
    return value if value.isascii() and value.isprintable() else None


def _digits(value: object) -> str | None:
    return value if isinstance(value, str) and value.isascii() and value.isdigit() else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _name(said: Body) -> str | None:
    """What they call themselves; Z-API puts the number where there is no name."""
    name = word(said, "senderName")
    return None if name is None or name.strip("+ ").isdigit() else name[:_LONGEST_NAME]


def _people(*addresses: JID | None) -> tuple[JID, ...]:
    return tuple(dict.fromkeys(jid for jid in addresses if jid is not None and jid.is_person))


def _is_storable(said: Any) -> bool:
    """The database keeps no U+0000 and no half of a pair; one look at the text finds both."""
    try:
        written = json.dumps(said, ensure_ascii=False, allow_nan=False)
        written.encode()
    except (ValueError, RecursionError):
        return False
    return _NUL.search(written) is None
