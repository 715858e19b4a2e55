"""
What is asked of Z-API, and what its answers say: requests as values, one for each message, and nothing that waits.

    {base}/instances/{INSTANCE}/token/{TOKEN}/{path}     Client-Token: {account's security token}
    POST send-text {"phone": "5500…", "message": "…"} → {"zaapId": "…", "messageId": "…", "id": "…"}

Both tokens are secrets, one of them part of every address: neither is shown, and no address is logged. errors.py reads
what is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

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
    Text,
)
from recado.gateway.providers.zapi.addresses import write_address
from recado.jid import JID

LONGEST_TYPING = 15
"""Seconds for which Z-API shows that something is being written, at most."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to an instance: `path` behind the token; a body makes it JSON."""

    method: str
    path: str
    body: Body | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message Z-API took: WhatsApp's id of it, and the id in Z-API's own queue, each when it was told."""

    message_id: str | None
    zaap_id: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What `status` says: connected; or not, and then whether there is still a session that can be restored."""

    is_connected: bool
    can_be_restored: bool = False


class Unsendable(ValueError):
    """Z-API has no request for this content."""


# ---- the instance

STATUS = Request("GET", "status")
DEVICE = Request("GET", "device")
QR_CODE = Request("GET", "qr-code")
RESTART = Request("GET", "restart")
RESTORE = Request("GET", "restore-session")
DISCONNECT = Request("GET", "disconnect")


def phone_code(number: str) -> Request:
    """A code that the phone of that number can enter."""
    return Request("GET", f"phone-code/{quote(number, safe='')}")


def set_callbacks(address: str) -> Request:
    """Every callback to one address, those of the own number's messages too."""
    return Request("PUT", "update-every-webhooks", {"value": address, "notifySentByMe": True})


def keep_no_queue() -> Request:
    """Take nothing while the phone is not connected: what waited would all be sent later, however stale."""
    return Request("PUT", "update-queue-settings", {"disableEnqueueWhenDisconnected": True})


def read_message(chat: JID, message_id: str) -> Request:
    """Tell the other side that this message was read. Raises Unsendable."""
    return Request("POST", "read-message", {"phone": _phone(chat), "messageId": message_id})


# ---- one message, one request


def build_send(
    chat: JID, content: Content, *, answers: str | None = None, file: str | None = None, typing: int = 0
) -> Request:
    """
    The request that sends `content`; `answers` is the quoted message, a reaction's `to` the one it is on, both by their
    names at WhatsApp. `file` stands for the content's reference: an address or a data URI. Raises Unsendable.
    """
    build = _BUILDERS.get(type(content))
    if build is None:
        raise Unsendable(f"Z-API carries no {type(content).__name__}")
    path, body = build(content, file)
    body = {"phone": _phone(chat), **body}
    if answers is not None and not isinstance(content, Reaction):
        body["messageId"] = answers
    if typing > 0 and path in ("send-text", "send-audio", "send-link"):
        body["delayTyping"] = min(typing, LONGEST_TYPING)
    return Request("POST", path, body)


def _phone(chat: JID) -> str:
    try:
        return write_address(chat)
    except ValueError as error:
        raise Unsendable(str(error)) from None


def _text(content: Text, _: str | None) -> tuple[str, Body]:
    return "send-text", {"message": content.body}


def _media(content: Media, file: str | None) -> tuple[str, Body]:
    reference = content.reference if file is None else file
    if not reference.startswith(("https://", "http://", "data:")):
        raise Unsendable("Z-API fetches a file from an address, or takes its bytes")
    kind = content.kind.value
    body: Body = {kind: reference}
    if content.kind is MediaKind.DOCUMENT:
        name = content.file_name or "document"
        body["fileName"] = name
        if content.caption:
            body["caption"] = content.caption
        return f"send-document/{_extension(name, content.mime_type)}", body
    if content.caption and content.kind in (MediaKind.IMAGE, MediaKind.VIDEO):
        body["caption"] = content.caption
    if content.kind is MediaKind.AUDIO and content.is_voice:
        body["waveform"] = True
    return f"send-{kind}", body


def _extension(name: str, mime_type: str) -> str:
    """How the document's name ends, which the address repeats; of a name without an end, what its type says."""
    dotted = name.rpartition(".")[2] if "." in name else mime_type.partition(";")[0].rpartition("/")[2]
    plain = "".join(letter for letter in dotted.lower() if letter.isascii() and letter.isalnum())
    return plain[:8] or "bin"


def _location(content: Location, _: str | None) -> tuple[str, Body]:
    place = f"{content.latitude:g}, {content.longitude:g}"
    title = content.name or content.address or place  # both are required, and may not be empty
    return "send-location", {
        "title": title,
        "address": content.address or title,
        "latitude": str(content.latitude),
        "longitude": str(content.longitude),
    }


def _contacts(content: Contacts, _: str | None) -> tuple[str, Body]:
    cards = [(card.name, [_digits(phone) for phone in card.phones]) for card in content.cards]
    if not cards or not all(name and phones and all(phones) for name, phones in cards):
        raise Unsendable("a card has a name and a number")
    if len(cards) == 1 and len(cards[0][1]) == 1:
        return "send-contact", {"contactName": cards[0][0], "contactPhone": cards[0][1][0]}
    return "send-contacts", {"contacts": [{"name": name, "phones": phones} for name, phones in cards]}


def _digits(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isascii() and letter.isdigit())


def _reaction(content: Reaction, _: str | None) -> tuple[str, Body]:
    if content.emoji:
        return "send-reaction", {"reaction": content.emoji, "messageId": content.to}
    return "send-remove-reaction", {"messageId": content.to}


def _buttons(content: Buttons, _: str | None) -> tuple[str, Body]:
    buttons = [{"id": button.id, "label": button.title} for button in content.buttons]
    return "send-button-list", {"message": framed(content), "buttonList": {"buttons": buttons}}


def _options(content: OptionList, _: str | None) -> tuple[str, Body]:
    """Z-API's list has one heading: of several, each option says its own where it has no words beside it."""
    several = len(content.sections) > 1
    options = [
        {
            "id": option.id,
            "title": option.title,
            "description": option.description or (section.title if several else ""),
        }
        for section in content.sections
        for option in section.options
    ]
    title = content.sections[0].title if len(content.sections) == 1 and content.sections[0].title else content.button
    offered = {"title": title, "buttonLabel": content.button, "options": options}
    return "send-option-list", {"message": framed(content), "optionList": offered}


def _link(content: LinkButton, _: str | None) -> tuple[str, Body]:
    """A preview of the address; Z-API wants it at the end of the words too."""
    return "send-link", {
        "message": f"{framed(content)}\n{content.url}",
        "image": content.url,  # it must be there; where the address is no picture there is none
        "linkUrl": content.url,
        "title": content.title,
        "linkDescription": content.footer or content.title,
    }


def framed(content: Buttons | OptionList | LinkButton) -> str:
    """Header, words and footer as one text: there is no place for the other two."""
    parts = (f"*{content.header}*" if content.header else "", content.body, content.footer or "")
    return "\n\n".join(part for part in parts if part)


_BUILDERS: dict[type[object], Callable[[Any, str | None], tuple[str, Body]]] = {
    Text: _text,
    Media: _media,
    Location: _location,
    Contacts: _contacts,
    Reaction: _reaction,
    Buttons: _buttons,
    OptionList: _options,
    LinkButton: _link,
}


# ---- what comes back


def read_object(body: bytes) -> Body | None:
    """A JSON object; None for anything else: an HTML page, a cut answer, a list."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def read_taken(answer: Body) -> Taken | None:
    """The ids of a message that was taken; None when there are none."""
    message_id, zaap_id = (_word(answer.get(name)) for name in ("messageId", "zaapId"))
    message_id = message_id or _word(answer.get("id"))
    return Taken(message_id, zaap_id) if message_id or zaap_id else None


def read_connected(answer: Body) -> bool:
    """Does `status` say that the phone is there?"""
    return answer.get("connected") is True


def read_standing(answer: Body) -> Standing | None:
    """What `status` says; None when it says nothing."""
    connected = answer.get("connected")
    if not isinstance(connected, bool):
        return None
    error = answer.get("error")
    return Standing(connected, not connected and isinstance(error, str) and "restore" in error.lower())


def read_value(answer: Body) -> str | None:
    """The text in `value`: a QR code's, or a code's to enter."""
    return _word(answer.get("value")) or _word(answer.get("code"))


def read_phone(answer: Body) -> str | None:
    """Whose phone it is, in digits, as `device` says it."""
    phone = _word(answer.get("phone"))
    return phone if phone is not None and phone.isascii() and phone.isdigit() else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value and "\x00" not in value else None
