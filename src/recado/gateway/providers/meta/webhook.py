"""
A webhook body → the parts it has and the items in each: every entry × change × message and status, for a body may hold
many of each, of several numbers. Pure, and nothing raises for what the sender wrote: a body that is no webhook is
`Malformed`, an item that cannot be read is `Unknown` and keeps its bytes.

    {"object": "whatsapp_business_account", "entry": [{"id": "<WABA>", "changes": [{"field": "messages", "value": {
       "metadata": {"phone_number_id": "…", "display_phone_number": "…"}, "contacts": […], "messages": […]}}]}]}
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from recado.events import Source
from recado.gateway.providers.meta import inbound
from recado.gateway.providers.meta.items import (
    AccountChanged,
    AccountError,
    ContactSynced,
    HistoryPart,
    Item,
    Malformed,
    NumberChanged,
    Part,
    Preference,
    TemplateChanged,
    Unknown,
    Who,
)
from recado.gateway.providers.meta.reading import Unreadable, listed, moment, number, object_of, text, texts_of

OBJECT = "whatsapp_business_account"
_Value = dict[str, Any]


def parse(body: bytes) -> tuple[Part, ...] | Malformed:
    """Everything a body tells, in its order."""
    try:
        said = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError):
        return Malformed("this is not JSON")
    if not isinstance(said, dict) or said.get("object") != OBJECT or not isinstance(said.get("entry"), list):
        return Malformed("this is not a webhook of a WhatsApp business account")
    try:
        return tuple(_parts(said["entry"]))
    except orjson.JSONEncodeError:
        return Malformed("this is nested too deeply")


def _parts(entries: list[Any]) -> Iterator[Part]:
    for entry in entries:
        waba_id = _id(entry.get("id")) if isinstance(entry, dict) else ""
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            yield Part(waba_id, None, "", (_unknown("entry", entry),), entry)
            continue
        for change in changes:
            yield _part(waba_id, change)


def _part(waba_id: str, change: Any) -> Part:
    raw = {"id": waba_id, "changes": [change]}
    field = change.get("field") if isinstance(change, dict) else None
    value = change.get("value") if isinstance(change, dict) else None
    if not isinstance(field, str) or not isinstance(value, dict):
        return Part(waba_id, None, "", (_unknown("change", change),), raw)
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    phone = "".join(c for c in str(metadata.get("display_phone_number", "")) if c in "0123456789")
    read = _FIELDS.get(field)
    items = read(value, phone) if read is not None else iter((_unknown(field, change),))
    return Part(waba_id, _id(metadata.get("phone_number_id")) or None, phone, tuple(items), raw)


# ---- the fields


def _messages(value: _Value, phone: str) -> Iterator[Item]:
    people = inbound.people_of(value)
    known = False
    for name, read in _MESSAGES.items():
        if name not in value:
            continue
        known = True
        yield from _each(value[name], name, lambda one, read=read: read(one, people, phone))  # type: ignore[misc]
    if not known:
        yield _unknown("messages", value)


def _errors(one: Any, people: inbound.People, phone: str) -> Iterator[Item]:
    code = number(object_of(one, "error").get("code"), "code")
    yield AccountError(code=code, digest=_digest(one))


def _history(value: _Value, phone: str) -> Iterator[Item]:
    people = inbound.people_of(value)
    if "messages" in value:  # the files of what came before without them
        yield from _each(
            value["messages"], "history message", lambda one: inbound.message(one, people, phone, Source.HISTORY)
        )
    if "history" in value or "messages" not in value:
        yield from _each(value.get("history"), "history", lambda one: _chunk(one, phone))


def _chunk(one: Any, phone: str) -> Iterator[Item]:
    chunk = object_of(one, "history")
    if isinstance(chunk.get("errors"), list) and chunk["errors"]:
        code = number(object_of(chunk["errors"][0], "error").get("code"), "code")
        yield HistoryPart(phase="", chunk=0, conversations=0, messages=0, progress=None, code=code)
        return
    metadata = object_of(chunk.get("metadata", {}), "metadata")
    threads = listed(chunk.get("threads", []), "threads")
    count = 0
    for thread in threads:
        for item in _each([thread], "thread", lambda one: inbound.thread(one, phone)):
            count += not isinstance(item, Unknown)
            yield item
    progress = metadata.get("progress")
    yield HistoryPart(
        phase=str(metadata.get("phase", ""))[:40],
        chunk=number(metadata.get("chunk_order", 0), "chunk_order"),
        conversations=len(threads),
        messages=count,
        progress=None if progress is None else number(progress, "progress"),
    )


def _echoes(value: _Value, phone: str) -> Iterator[Item]:
    people = inbound.people_of(value)
    yield from _each(value.get("message_echoes"), "message_echoes", lambda one: inbound.echo(one, people, phone))


def _state_sync(value: _Value, phone: str) -> Iterator[Item]:
    yield from _each(value.get("state_sync"), "state_sync", _synced)


def _synced(one: Any) -> Iterator[Item]:
    said = object_of(one, "state_sync")
    contact = object_of(said.get("contact"), "contact")
    at = moment(object_of(said.get("metadata", {}), "metadata").get("timestamp"))
    is_gone = said.get("action") == "remove"
    name = next(iter(texts_of(contact, "full_name", "first_name")), None)
    yield ContactSynced(phone=inbound.digits(contact.get("phone_number")), name=None if is_gone else name, at=at)


def _preferences(value: _Value, phone: str) -> Iterator[Item]:
    people = inbound.people_of(value)

    def read(one: Any) -> Iterator[Item]:
        said = object_of(one, "user_preferences")
        who = people.who(said.get("wa_id"), said.get("user_id"))
        yield Preference(who=who, wish=text(said.get("value"), "value"), at=moment(said.get("timestamp")))

    yield from _each(value.get("user_preferences"), "user_preferences", read)


def _user_ids(value: _Value, phone: str) -> Iterator[Item]:
    people = inbound.people_of(value)

    def read(one: Any) -> Iterator[Item]:
        said = object_of(one, "user_id_update")
        ids = object_of(said.get("user_id"), "user_id")
        now = people.who(said.get("wa_id"), ids.get("current"))
        before = Who(user_id=text(ids.get("previous"), "previous"))
        yield NumberChanged(before=before, now=now, at=moment(said.get("timestamp")))

    yield from _each(value.get("user_id_update"), "user_id_update", read)


def _template(value: _Value, phone: str) -> Iterator[Item]:
    def read(one: Any) -> Iterator[Item]:
        event = one.get("event")
        at = one.get("timestamp")
        yield TemplateChanged(
            name=text(one.get("message_template_name"), "message_template_name"),
            language=text(one.get("message_template_language"), "message_template_language"),
            at=None if at is None else moment(at),
            template_id=_id(one.get("message_template_id")) or None,
            status=event if isinstance(event, str) else None,
            reason=next(iter(texts_of(one, "reason")), None),
            quality=next(iter(texts_of(one, "new_quality_score")), None),
            category=next(iter(texts_of(one, "new_category")), None),
        )

    yield from _each([value], "template", read)


def _account(field: str) -> Callable[[_Value, str], Iterator[Item]]:
    def read(value: _Value, phone: str) -> Iterator[Item]:
        event = next(iter(texts_of(value, "event", "decision", "event_type")), "")
        limit = next(iter(texts_of(value, "current_limit", "max_daily_conversation_per_phone")), None)
        yield AccountChanged(field=field, event=event[:80], at=None, limit=limit, digest=_digest(value))

    return read


_FIELDS: dict[str, Callable[[_Value, str], Iterator[Item]]] = {
    "messages": _messages,
    "history": _history,
    "smb_message_echoes": _echoes,
    "smb_app_state_sync": _state_sync,
    "user_preferences": _preferences,
    "user_id_update": _user_ids,
    "message_template_status_update": _template,
    "message_template_quality_update": _template,
    "template_category_update": _template,
    "phone_number_quality_update": _account("phone_number_quality_update"),
    "account_update": _account("account_update"),
    "account_alerts": _account("account_alerts"),
    "account_review_update": _account("account_review_update"),
    "business_capability_update": _account("business_capability_update"),
    "phone_number_name_update": _account("phone_number_name_update"),
}

_MESSAGES: dict[str, Callable[[Any, inbound.People, str], Iterator[Item]]] = {
    "messages": inbound.message,
    "statuses": inbound.status,
    "errors": _errors,
}


def _each(items: Any, what: str, read: Callable[[Any], Iterator[Item]]) -> Iterator[Item]:
    """Each one by itself: what cannot be read takes no neighbour down."""
    if not isinstance(items, list):
        yield _unknown(what, items)
        return
    for one in items:
        try:
            yield from list(read(one))
        except Unreadable:
            yield _unknown(what, one)


def _unknown(what: str, said: Any) -> Unknown:
    raw = _bytes(said)
    return Unknown(what=what[:80], raw=raw, digest=hashlib.sha256(raw).hexdigest())


def _digest(said: Any) -> str:
    return hashlib.sha256(_bytes(said)).hexdigest()


def _bytes(said: Any) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _id(said: Any) -> str:
    """An id, which is a text of digits, or, here and there, a number."""
    return str(said)[:64] if isinstance(said, str | int) and not isinstance(said, bool) else ""
