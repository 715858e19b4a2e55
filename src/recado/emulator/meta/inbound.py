"""
What people do, as webhooks: `messages`, `user_preferences`, `user_id_update`. With a username the phone number is
left out (`from`, `wa_id`) and only the user id names the person; without `rules.user_ids` the shape is the one before
April 2026.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from recado.emulator.meta.errors import webhook_error

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud
    from recado.emulator.meta.media import Media
    from recado.emulator.meta.people import File, Person, Shown
    from recado.emulator.meta.world import Number


def contact(cloud: MetaCloud, person: Person) -> dict[str, Any]:
    """As `contacts` names a person."""
    said: dict[str, Any] = {"profile": {"name": person.name}}
    if person.username and cloud.rules.user_ids:
        said["profile"]["username"] = person.username
    if not _hides_phone(cloud, person):
        said["wa_id"] = person.wa_id
    if cloud.rules.user_ids:
        said["user_id"] = person.user_id
    return said


def sender(cloud: MetaCloud, person: Person) -> dict[str, Any]:
    """As a message names who wrote it."""
    said: dict[str, Any] = {} if _hides_phone(cloud, person) else {"from": person.wa_id}
    if cloud.rules.user_ids:
        said["from_user_id"] = person.user_id
    return said


def _hides_phone(cloud: MetaCloud, person: Person) -> bool:
    return person.hides_phone and cloud.rules.user_ids


def tell_message(cloud: MetaCloud, person: Person, shown: Shown, referral: dict[str, Any] | None) -> None:
    """A person wrote."""
    said: dict[str, Any] = {
        **sender(cloud, person),
        "id": shown.id,
        "timestamp": str(int(shown.at.timestamp())),
        "type": shown.kind,
    }
    if shown.kind == "contacts":
        said["contacts"] = shown.content["contacts"]
    elif shown.kind == "unsupported":
        said["errors"] = [webhook_error(131051)]
    else:
        said[shown.kind] = shown.content
    if shown.reply_to is not None:
        quoted = person.message(shown.reply_to)
        author = person.wa_id if quoted is not None and quoted.from_me else shown.number.digits
        said["context"] = {"from": author, "id": shown.reply_to}
    if referral is not None:
        said["referral"] = referral
    value = {
        "messaging_product": "whatsapp",
        "metadata": shown.number.metadata,
        "contacts": [contact(cloud, person)],
        "messages": [said],
    }
    cloud.webhooks.tell(shown.number.waba, shown.number, "messages", value)


def media_content(kind: str, media: Media, file: File) -> dict[str, Any]:
    """The object of a media message. The hash is in base64 here; `GET /{media}` gives it in hex."""
    content: dict[str, Any] = {
        "id": media.id,
        "mime_type": media.mime_type,
        "sha256": base64.b64encode(media.digest).decode(),
    }
    if file.caption:
        content["caption"] = file.caption
    if kind == "document":
        content["filename"] = file.filename or "document"
    if kind == "audio":
        content["voice"] = file.is_voice
    if kind == "sticker":
        content["animated"] = file.is_animated
    return content


def pressed(shown: Shown, title: str) -> tuple[str, dict[str, Any]]:
    """The answer to a button: `interactive` for our own buttons, `button` for a template's."""
    if shown.kind == "template":
        buttons = shown.content["shown_buttons"]
        wanted = next((each for each in buttons if each["text"] == title), None)
        if wanted is None:
            raise LookupError("no such button")
        return "button", {"payload": wanted.get("payload", title), "text": title}
    buttons = shown.content.get("action", {}).get("buttons", [])
    reply = next((each["reply"] for each in buttons if each["reply"]["title"] == title), None)
    if reply is None:
        raise LookupError("no such button")
    return "interactive", {"type": "button_reply", "button_reply": {"id": reply["id"], "title": title}}


def chosen(shown: Shown, title: str) -> dict[str, Any]:
    """The answer to a list."""
    rows = [row for section in shown.content.get("action", {}).get("sections", []) for row in section["rows"]]
    row = next((each for each in rows if each["title"] == title), None)
    if row is None:
        raise LookupError("no such row")
    reply = {name: row[name] for name in ("id", "title", "description") if name in row}
    return {"type": "list_reply", "list_reply": reply}


def filled(answers: dict[str, Any]) -> dict[str, Any]:
    """The answer to a flow."""
    return {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": json.dumps(answers)}}


def tell_preference(cloud: MetaCloud, person: Person, number: Number, wish: str) -> None:
    """A person wants marketing no more, or again."""
    said: dict[str, Any] = {
        "detail": f"User requested to {wish} marketing messages",
        "category": "marketing_messages",
        "value": wish,
        "timestamp": int(cloud.clock.now().timestamp()),
    }
    if not _hides_phone(cloud, person):
        said["wa_id"] = person.wa_id
    if cloud.rules.user_ids:
        said["user_id"] = person.user_id
    value = {
        "messaging_product": "whatsapp",
        "metadata": number.metadata,
        "contacts": [contact(cloud, person)],
        "user_preferences": [said],
    }
    cloud.webhooks.tell(number.waba, number, "user_preferences", value)
    cloud.changed()


def change_number(cloud: MetaCloud, person: Person, phone: str) -> None:
    """A `system` message, and a `user_id_update`, to every number the person wrote with."""
    old_phone, old_id, old_sender = person.wa_id, person.user_id, sender(cloud, person)
    person.phone = person.wa_id = phone
    person.user_id = cloud.new_user_id(old_id.split(".")[0])
    now = str(int(cloud.clock.now().timestamp()))
    numbers = {each.number.id: each.number for each in person.messages}
    for number in numbers.values():
        said = {
            **old_sender,
            "id": cloud.ids.message(old_phone),
            "timestamp": now,
            "type": "system",
            "system": {
                "body": f"User {person.name} changed from {old_phone} to {phone}",
                "wa_id": phone,
                "type": "user_changed_number",
                **({"user_id": person.user_id} if cloud.rules.user_ids else {}),
            },
        }
        head = {"messaging_product": "whatsapp", "metadata": number.metadata}
        cloud.webhooks.tell(number.waba, number, "messages", {**head, "messages": [said]})
        if cloud.rules.user_ids:
            update = {
                "wa_id": phone,
                "detail": "User id changed",
                "user_id": {"previous": old_id, "current": person.user_id},
                "timestamp": now,
            }
            value = {**head, "contacts": [contact(cloud, person)], "user_id_update": [update]}
            cloud.webhooks.tell(number.waba, number, "user_id_update", value)
    cloud.changed()
