"""
Messages, echoes, history and statuses of a webhook, one at a time: whose each is, what it says, how far it got. Pure;
raises Unreadable for what cannot be one, and keeps kinds that are not modelled as `Unsupported` with their JSON.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from recado.content import (
    Choice,
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Reaction,
    Text,
    Unsupported,
)
from recado.events import ReceiptKind, Source
from recado.gateway.providers.meta.items import FAILED, RECEIPTS, SENT, Item, Message, NumberChanged, Status, Who
from recado.gateway.providers.meta.reading import (
    Unreadable,
    degrees,
    kept,
    listed,
    moment,
    number,
    object_of,
    text,
    texts_of,
)
from recado.gateway.providers.meta.wire import UPLOADED

_PLACEHOLDER = "media_placeholder"
_MOST_TEXT = 131_072


class People:
    """Whom a body's `contacts` name, found by number or user id."""

    def __init__(self, contacts: list[Who]) -> None:
        self._all = contacts
        self._by_phone = {who.phone: who for who in contacts if who.phone}
        self._by_id = {who.user_id: who for who in contacts if who.user_id}

    def who(self, phone: Any, user_id: Any) -> Who:
        """A person by what a message says of them, completed by what `contacts` does. Raises Unreadable."""
        said = Who(digits(phone) if phone else None, text(user_id, "user_id", 160) if user_id else None)
        known = self._by_phone.get(said.phone or "") or self._by_id.get(said.user_id or "")
        if known is None and said == Who() and len(self._all) == 1:
            (known,) = self._all  # told of nowhere else: a body names one person, and it is they who wrote
        if known is None:
            if said == Who():
                raise Unreadable("from")
            return said
        return replace(known, phone=said.phone or known.phone, user_id=said.user_id or known.user_id)


def people_of(value: dict[str, Any]) -> People:
    """Those of `contacts` that can be read; the others cost nothing but their names."""
    found = []
    contacts = value.get("contacts")
    for one in contacts if isinstance(contacts, list) else ():
        try:
            contact = object_of(one, "contact")
            phone, user_id = contact.get("wa_id"), contact.get("user_id")
            who = Who(digits(phone) if phone else None, text(user_id, "user_id", 160) if user_id else None)
        except Unreadable:
            continue
        profile = contact.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        name, username = (next(iter(texts_of(profile, key)), None) for key in ("name", "username"))
        if who != Who():
            found.append(replace(who, name=name, username=username))
    return People(found)


def digits(said: Any) -> str:
    """A phone number, as digits. Raises Unreadable."""
    found = text(said, "phone", 40).lstrip("+")
    found = "".join(c for c in found if c not in " -()")
    if not (found.isascii() and found.isdigit() and 5 <= len(found) <= 20):
        raise Unreadable("phone")
    return found


# ---- messages


def message(one: Any, people: People, phone: str, source: Source = Source.LIVE) -> Iterator[Item]:
    """A message somebody wrote; of a person who changed their number, that too."""
    said = object_of(one, "message")
    from_me = source is Source.HISTORY and bool(phone) and said.get("from") == phone
    if from_me:
        chat = people.who(said.get("to"), said.get("to_user_id"))
    else:
        chat = people.who(said.get("from"), said.get("from_user_id"))
    yield _message(said, chat, source=source, from_me=from_me)
    system = said.get("system")
    if said.get("type") == "system" and isinstance(system, dict):
        yield from _changed(system, chat, said)


def echo(one: Any, people: People, phone: str) -> Iterator[Item]:
    """A message the mentorado wrote in the app."""
    said = object_of(one, "echo")
    chat = people.who(said.get("to"), said.get("to_user_id"))
    yield _message(said, chat, source=Source.ECHO, from_me=True)


def thread(one: Any, phone: str) -> Iterator[Item]:
    """A conversation of the past."""
    said = object_of(one, "thread")
    context = said.get("context")
    context = context if isinstance(context, dict) else {}
    people = People([])
    other = people.who(said.get("id") or context.get("wa_id"), context.get("user_id"))
    for each in listed(said.get("messages", []), "messages"):
        past = object_of(each, "message")
        from_me = (bool(phone) and past.get("from") == phone) or "to" in past
        yield _message(past, other, source=Source.HISTORY, from_me=from_me)


def _message(said: dict[str, Any], chat: Who, *, source: Source, from_me: bool) -> Message:
    kind = text(said.get("type"), "type", 80)
    context = said.get("context")
    context = context if isinstance(context, dict) else {}
    past = said.get("history_context")
    past = str(past.get("status", "")).lower() if isinstance(past, dict) else ""
    quoted, author = context.get("id"), context.get("from")
    return Message(
        id=text(said.get("id"), "id"),
        chat=chat,
        group=text(said["group_id"], "group_id", 80) if said.get("group_id") else None,
        content=_content(kind, said),
        sent_at=moment(said.get("timestamp")),
        source=source,
        from_me=from_me,
        quoted_id=text(quoted, "context") if quoted else None,
        quoted_phone=author if isinstance(author, str) and author.isascii() and author.isdigit() else None,
        is_placeholder=kind == _PLACEHOLDER,
        status=_PAST.get(past) if from_me else None,
    )


_PAST: dict[str, ReceiptKind] = {**RECEIPTS}


def _changed(system: dict[str, Any], before: Who, said: dict[str, Any]) -> Iterator[Item]:
    phone, user_id = system.get("wa_id") or system.get("new_wa_id"), system.get("user_id")
    if not phone and not user_id:
        return
    now = Who(digits(phone) if phone else None, text(user_id, "user_id", 160) if user_id else None)
    yield NumberChanged(before=Who(before.phone, before.user_id), now=now, at=moment(said.get("timestamp")))


# ---- what it says


def _content(kind: str, said: dict[str, Any]) -> Content:
    """What a message says; of a kind that is not modelled, or not as it should be, its JSON."""
    read = _CONTENTS.get(kind)
    if read is not None:
        try:
            return read(kind, said.get(kind))
        except Unreadable:
            pass
    return Unsupported(kind, orjson.dumps(said))


def _text(kind: str, body: Any) -> Content:
    words = object_of(body, kind).get("body")
    if not isinstance(words, str) or len(words) > _MOST_TEXT:
        raise Unreadable("body")
    return Text(kept(words))


def _media(kind: str, body: Any) -> Content:
    said = object_of(body, kind)
    size = said.get("file_size")
    return Media(
        kind=MediaKind(kind),
        reference=UPLOADED + text(said.get("id"), "id", 200),
        mime_type=next(iter(texts_of(said, "mime_type")), ""),
        caption=next(iter(texts_of(said, "caption")), None),
        file_name=next(iter(texts_of(said, "filename")), None),
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        sha256=_hash(said.get("sha256")),
        is_voice=said.get("voice") is True,
    )


def _hash(said: Any) -> str | None:
    """In hexadecimal: webhooks write it in base64, other answers in hexadecimal."""
    if not isinstance(said, str):
        return None
    if len(said) == 64 and all(c in "0123456789abcdefABCDEF" for c in said):
        return said.lower()
    try:
        raw = base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None


def _location(kind: str, body: Any) -> Content:
    said = object_of(body, kind)
    name, address = (next(iter(texts_of(said, key)), None) for key in ("name", "address"))
    return Location(
        degrees(said.get("latitude"), "latitude"), degrees(said.get("longitude"), "longitude"), name, address
    )


def _contacts(kind: str, body: Any) -> Content:
    cards = []
    for one in listed(body, kind):
        card = object_of(one, "contact")
        name = card.get("name")
        name = next(iter(texts_of(name, "formatted_name", "first_name")), "") if isinstance(name, dict) else ""
        phones = card.get("phones")
        numbers = (
            [phone.get("phone") for phone in phones if isinstance(phone, dict)] if isinstance(phones, list) else []
        )
        cards.append(ContactCard(name, tuple(kept(phone) for phone in numbers if isinstance(phone, str))))
    return Contacts(tuple(cards))


def _reaction(kind: str, body: Any) -> Content:
    said = object_of(body, kind)
    return Reaction(text(said.get("message_id"), "message_id"), next(iter(texts_of(said, "emoji")), ""))


def _button(kind: str, body: Any) -> Content:
    said = object_of(body, kind)
    title = next(iter(texts_of(said, "text")), "")
    return Choice(next(iter(texts_of(said, "payload")), title), title)


def _interactive(kind: str, body: Any) -> Content:
    said = object_of(body, kind)
    reply = object_of(said.get(str(said.get("type"))) if said.get("type") in _REPLIES else None, "reply")
    return Choice(text(reply.get("id"), "id"), next(iter(texts_of(reply, "title")), ""))


_REPLIES = ("button_reply", "list_reply")

_CONTENTS: dict[str, Callable[[str, Any], Content]] = {
    "text": _text,
    **{kind.value: _media for kind in MediaKind},
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "button": _button,
    "interactive": _interactive,
}


# ---- statuses


def status(one: Any, people: People, phone: str) -> Iterator[Item]:
    """How far a message of ours got. One this version does not know is Unreadable."""
    said = object_of(one, "status")
    word = text(said.get("status"), "status", 40)
    if word not in RECEIPTS and word not in (SENT, FAILED):
        raise Unreadable("status")
    group = said.get("recipient_type") == "group"
    to, to_id = said.get("recipient_id"), said.get("recipient_user_id")
    ours = said.get("biz_opaque_callback_data")
    errors = said.get("errors")
    yield Status(
        external_id=text(said.get("id"), "id"),
        status=word,
        at=moment(said.get("timestamp")),
        to=people.who(to, to_id) if (to or to_id) and not group else None,
        our_id=ours if isinstance(ours, str) and 0 < len(ours) <= 128 and "\x00" not in ours else None,
        codes=tuple(_codes(errors)) if isinstance(errors, list) else (),
    )


def _codes(errors: list[Any]) -> Iterator[int]:
    for error in errors:
        if isinstance(error, dict):
            try:
                yield number(error.get("code"), "code")
            except Unreadable:
                continue
