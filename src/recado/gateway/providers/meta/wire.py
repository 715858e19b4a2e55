"""
Requests of the Cloud API as values: content in, JSON out, and Meta's limits said before a byte leaves.

    POST /{phone number}/messages  {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "5511…",
                                    "type": "text", "text": {"body": "…"}, "context": {"message_id": "wamid.…"},
                                    "biz_opaque_callback_data": "<our id>"}

Pure. Ids in here are Meta's already: the adapter has translated quotes and reactions, and uploaded what is uploaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recado.content import (
    Buttons,
    Contacts,
    Content,
    LinkButton,
    Location,
    Media,
    MediaKind,
    OptionList,
    Reaction,
    Template,
    TemplateButton,
    Text,
    content_kind,
)
from recado.errors import TooLarge, UsageError
from recado.jid import JID

UPLOADED = "meta:"
"""What a reference begins with that names a file at Meta's."""

Json = dict[str, Any]


class OverLimit(TooLarge):
    """Meta takes less of this."""

    def __init__(self, what: str, most: int) -> None:
        self.what = what
        self.most = most
        super().__init__(f"Meta takes {what} of at most {most}")


@dataclass(frozen=True, slots=True)
class Sent:
    """Meta took it: its id, and whether it holds it back to look at its quality first."""

    external_id: str
    wa_id: str | None = None
    user_id: str | None = None
    status: str | None = None


def build_message(chat: JID, content: Content, *, id: str | None = None, quoting: str | None = None) -> Json:
    """
    The body that sends `content`, answering Meta's message `quoting`; `id` is ours, and comes back in its statuses.
    Raises OverLimit, UsageError for a kind that is not sent.
    """
    build = _BUILDERS.get(type(content))
    if build is None:
        raise UsageError(f"{content_kind(content)} is not sent over the Cloud API")
    kind, body = build(content)
    message: Json = {"messaging_product": "whatsapp", "recipient_type": "individual", **address_of(chat), "type": kind}
    message[kind] = body
    if quoting is not None and kind != "reaction":
        message["context"] = {"message_id": quoting}
    if id is not None:
        message["biz_opaque_callback_data"] = id
    return message


def address_of(chat: JID) -> Json:
    """To whom: a phone number goes in `to`, a business-scoped user id in `recipient`. Raises UsageError."""
    if chat.is_phone:
        return {"to": chat.user}
    if chat.is_bsuid:
        return {"recipient": chat.user}
    raise UsageError("the Cloud API writes to phone numbers and user ids")


def build_read(external_id: str, *, is_typing: bool = False) -> Json:
    """That a message, and those before it, were read; with `is_typing`, that an answer is being written."""
    body: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": external_id}
    if is_typing:
        body["typing_indicator"] = {"type": "text"}
    return body


def read_sent(answer: object) -> Sent | None:
    """What an answer says of the message it took; None when it does not say."""
    said = answer if isinstance(answer, Mapping) else {}
    message, contact = _first(said.get("messages")), _first(said.get("contacts"))
    external_id = message.get("id")
    if not isinstance(external_id, str) or not external_id:
        return None
    texts = [value if isinstance(value, str) else None for value in (contact.get("wa_id"), contact.get("user_id"))]
    status = message.get("message_status")
    return Sent(external_id, texts[0], texts[1], status if isinstance(status, str) else None)


def _first(items: object) -> Mapping[str, Any]:
    one = items[0] if isinstance(items, list) and items else None
    return one if isinstance(one, Mapping) else {}


# ---- each kind


def _text(content: Text) -> tuple[str, Json]:
    return "text", {"body": _within(content.body, "a text", 4096), "preview_url": "https://" in content.body}


_CAPTIONED = {MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.DOCUMENT}


def _media(content: Media) -> tuple[str, Json]:
    body = _file(content)
    if content.caption and content.kind in _CAPTIONED:
        body["caption"] = _within(content.caption, "a caption", 1024)
    if content.kind is MediaKind.DOCUMENT and content.file_name:
        body["filename"] = _within(content.file_name, "a file name", 240)
    if content.kind is MediaKind.AUDIO and content.is_voice:
        body["voice"] = True
    return content.kind.value, body


def _file(content: Media) -> Json:
    """Where Meta takes a file from: its own store, or an address."""
    if content.reference.startswith(UPLOADED):
        return {"id": content.reference.removeprefix(UPLOADED)}
    if content.reference.startswith(("https://", "http://")):
        return {"link": content.reference}
    raise UsageError("the file has to be uploaded first")


def _location(content: Location) -> tuple[str, Json]:
    if not (-90 <= content.latitude <= 90 and -180 <= content.longitude <= 180):
        raise UsageError("a place is between -90 and 90 degrees north, and -180 and 180 east")
    body: Json = {"latitude": content.latitude, "longitude": content.longitude}
    if content.name:
        body["name"] = _within(content.name, "the name of a place", 1000)
    if content.address:
        body["address"] = _within(content.address, "an address", 1000)
    return "location", body


def _contacts(content: Contacts) -> tuple[str, Any]:
    cards = [
        {
            "name": {"formatted_name": card.name, "first_name": card.name},
            "phones": [{"phone": phone, "type": "WORK"} for phone in card.phones],
        }
        for card in _few(content.cards, "contacts", 5)
    ]
    return "contacts", cards


def _reaction(content: Reaction) -> tuple[str, Json]:
    return "reaction", {"message_id": content.to, "emoji": content.emoji}


def _interactive(kind: str, content: Buttons | OptionList | LinkButton, action: Json, body: int) -> tuple[str, Json]:
    said: Json = {"type": kind}
    if content.header:
        said["header"] = {"type": "text", "text": _within(content.header, "a header", 60)}
    said["body"] = {"text": _within(content.body, "the text over buttons", body)}
    if content.footer:
        said["footer"] = {"text": _within(content.footer, "a footer", 60)}
    return "interactive", {**said, "action": action}


def _buttons(content: Buttons) -> tuple[str, Json]:
    titles = _distinct((button.title for button in _few(content.buttons, "buttons", 3)), "the titles of buttons")
    ids = _distinct((button.id for button in content.buttons), "the ids of buttons")
    replies = [
        {"type": "reply", "reply": {"id": _within(id, "a button's id", 256), "title": _within(title, "a button", 20)}}
        for id, title in zip(ids, titles, strict=True)
    ]
    return _interactive("button", content, {"buttons": replies}, 1024)


def _list(content: OptionList) -> tuple[str, Json]:
    sections = []
    _few([option for section in content.sections for option in section.options], "rows in a list", 10)
    _distinct((option.id for section in content.sections for option in section.options), "the ids of rows")
    for section in _few(content.sections, "sections", 10):
        rows = []
        for option in section.options:
            row = {"id": _within(option.id, "a row's id", 200), "title": _within(option.title, "a row's title", 24)}
            if option.description:
                row["description"] = _within(option.description, "a row's description", 72)
            rows.append(row)
        said: Json = {"rows": rows}
        if section.title or len(content.sections) > 1:
            said["title"] = _within(section.title, "a section's title", 24)
        sections.append(said)
    action = {"button": _within(content.button, "the button of a list", 20), "sections": sections}
    return _interactive("list", content, action, 4096)


def _link(content: LinkButton) -> tuple[str, Json]:
    if not content.url.startswith(("https://", "http://")):
        raise UsageError("a button opens an address that begins with https://")
    parameters = {"display_text": _within(content.title, "a button", 20), "url": _within(content.url, "a link", 2000)}
    return _interactive("cta_url", content, {"name": "cta_url", "parameters": parameters}, 1024)


def _template(content: Template) -> tuple[str, Json]:
    components: list[Json] = []
    if content.header_media is not None:
        kind = content.header_media.kind
        if kind not in _CAPTIONED:
            raise UsageError("the head of a template is a text, an image, a video or a document")
        file = _file(content.header_media)
        if kind is MediaKind.DOCUMENT and content.header_media.file_name:
            file["filename"] = content.header_media.file_name
        components.append({"type": "header", "parameters": [{"type": kind.value, kind.value: file}]})
    elif content.header is not None:
        components.append({"type": "header", "parameters": [_value(content.header)]})
    if content.body:
        components.append({"type": "body", "parameters": [_value(text) for text in content.body]})
    components += [_template_button(button) for button in content.buttons]
    said: Json = {
        "name": _within(content.name, "the name of a template", 512),
        "language": {"policy": "deterministic", "code": _within(content.language, "a language", 20)},
    }
    return "template", {**said, "components": components} if components else said


def _template_button(button: TemplateButton) -> Json:
    parameter = {
        "quick_reply": {"type": "payload", "payload": button.value},
        "url": {"type": "text", "text": button.value},
        "copy_code": {"type": "coupon_code", "coupon_code": button.value},
    }.get(button.kind)
    if parameter is None or not 0 <= button.index <= 9:
        raise UsageError("a template's button is a quick_reply, a url or a copy_code, and has a place from 0 to 9")
    return {"type": "button", "sub_type": button.kind, "index": str(button.index), "parameters": [parameter]}


def _value(text: str) -> Json:
    return {"type": "text", "text": _within(text, "a template's value", 32_768)}


_BUILDERS: dict[type[object], Callable[[Any], tuple[str, Any]]] = {
    Text: _text,
    Media: _media,
    Location: _location,
    Contacts: _contacts,
    Reaction: _reaction,
    Buttons: _buttons,
    OptionList: _list,
    LinkButton: _link,
    Template: _template,
}


# ---- limits


def _within(text: str, what: str, most: int) -> str:
    if not text:
        raise UsageError(f"{what} is missing")
    if len(text) > most:
        raise OverLimit(f"{what}, in characters,", most)
    return text


def _few(items: Iterable[Any], what: str, most: int) -> list[Any]:
    listed = list(items)
    if not listed:
        raise UsageError(f"{what} are missing")
    if len(listed) > most:
        raise OverLimit(what, most)
    return listed


def _distinct(items: Iterable[str], what: str) -> list[str]:
    listed = list(items)
    if len(set(listed)) != len(listed):
        raise UsageError(f"{what} are to be different ones")
    return listed
