"""
What each send-… route of the emulated Z-API takes: its required fields, and the content that comes of them, in the form
in which a ReceivedCallback shows it. One row a route; routes.py asks this table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recado.emulator.zapi.refusals import Refused

Body = dict[str, Any]
Content = dict[str, Any]
Store = Callable[[str, str], tuple[str, str]]
"""(a link or data URI, the type when it is not said) → (an address that serves it, its type)."""

_ADDRESS = re.compile(r"\d{8,15}|\d{5,20}@lid|[\d-]{10,40}-group|\d{10,40}@newsletter")


@dataclass(frozen=True, slots=True)
class Send:
    """One route: which texts must be there, and what becomes of the body."""

    required: tuple[str, ...]
    content: Callable[[Body, Store], Content]


def text_of(body: Body, name: str) -> str:
    """A text that must be there. Raises Refused."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"{name} is required")
    return value


def optional_text(body: Body, name: str) -> str:
    """A text that may be left out. Raises Refused."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(400, f"{name} must be a text")
    return value or ""


def object_of(value: object, name: str) -> Body:
    """An object that must be there. Raises Refused."""
    if not isinstance(value, dict):
        raise Refused(400, f"{name} is required")
    return value


def address_of(body: Body) -> str:
    """Whom it is for: digits only, a LID, a group or a channel. Raises Refused."""
    address = text_of(body, "phone")
    if not _ADDRESS.fullmatch(address):
        raise Refused(400, "Invalid phone")
    return address


def seconds_of(body: Body, name: str) -> int:
    """A delay of one to fifteen seconds; 0 when it is not asked for. Raises Refused."""
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Refused(400, f"{name} must be a number from 1 to 15")
    return min(int(value), 15)


def _text(body: Body, store: Store) -> Content:
    return {"text": {"message": body["message"]}}


def _image(body: Body, store: Store) -> Content:
    url, mime_type = store(body["image"], "image/jpeg")
    image = {"imageUrl": url, "thumbnailUrl": url, "mimeType": mime_type, "caption": optional_text(body, "caption")}
    return {"image": {**image, "width": 600, "height": 315, "viewOnce": bool(body.get("viewOnce"))}}


def _audio(body: Body, store: Store) -> Content:
    url, mime_type = store(body["audio"], "audio/ogg; codecs=opus")
    return {
        "audio": {
            "audioUrl": url,
            "mimeType": mime_type,
            "ptt": True,
            "seconds": 1,
            "viewOnce": bool(body.get("viewOnce")),
        }
    }


def _video(body: Body, store: Store) -> Content:
    url, mime_type = store(body["video"], "video/mp4")
    video = {"videoUrl": url, "mimeType": mime_type, "caption": optional_text(body, "caption"), "seconds": 1}
    return {"video": {**video, "viewOnce": bool(body.get("viewOnce"))}}


def _document(body: Body, store: Store) -> Content:
    extension = body["extension"]
    url, mime_type = store(body["document"], "application/pdf" if extension == "pdf" else "application/octet-stream")
    name = optional_text(body, "fileName") or "document"
    file_name = name if name.endswith(f".{extension}") else f"{name}.{extension}"
    document = {"documentUrl": url, "mimeType": mime_type, "fileName": file_name, "title": name, "pageCount": 1}
    return {"document": {**document, "caption": optional_text(body, "caption")}}


def _sticker(body: Body, store: Store) -> Content:
    url, mime_type = store(body["sticker"], "image/webp")
    return {"sticker": {"stickerUrl": url, "mimeType": mime_type}}


def _link(body: Body, store: Store) -> Content:
    link = {"message": body["message"], "url": body["linkUrl"], "title": body["title"]}
    return {"text": {**link, "descritpion": body["linkDescription"], "thumbnailUrl": body["image"]}}


def _location(body: Body, store: Store) -> Content:
    try:
        latitude, longitude = float(body["latitude"]), float(body["longitude"])
    except (KeyError, TypeError, ValueError):
        raise Refused(400, "latitude and longitude must be numbers") from None
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise Refused(400, "latitude and longitude must be numbers")
    place = {"latitude": latitude, "longitude": longitude, "name": body["title"], "address": body["address"]}
    return {"location": {**place, "url": ""}}


def _contact(body: Body, store: Store) -> Content:
    name, number = body["contactName"], body["contactPhone"]
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{name};;;", f"FN:{name}", f"TEL;type=CELL;waid={number}:+{number}"]
    vcard = "\n".join([*lines, "END:VCARD"])
    return {"contact": {"displayName": name, "vCard": vcard, "phones": [number]}}


def _reaction(body: Body, store: Store) -> Content:
    return {"reaction": {"value": body["reaction"]}}


def _no_reaction(body: Body, store: Store) -> Content:
    return {"reaction": {"value": ""}}


def _buttons(body: Body, store: Store) -> Content:
    offered = object_of(body.get("buttonList"), "buttonList").get("buttons")
    if not isinstance(offered, list) or not offered:
        raise Refused(400, "buttonList.buttons is required")
    buttons = [
        {
            "buttonId": str(button.get("id") or place),
            "type": 1,
            "buttonText": {"displayText": text_of(button, "label")},
        }
        for place, button in enumerate((object_of(each, "button") for each in offered), 1)
    ]
    return {"buttonsMessage": {"message": body["message"], "imageUrl": None, "videoUrl": None, "buttons": buttons}}


def _options(body: Body, store: Store) -> Content:
    offered = object_of(body.get("optionList"), "optionList")
    if not isinstance(offered.get("options"), list) or not offered["options"]:
        raise Refused(400, "optionList.options is required")
    options = [
        {
            "id": str(option.get("id") or place),
            "title": text_of(option, "title"),
            "description": optional_text(option, "description"),
        }
        for place, option in enumerate((object_of(each, "option") for each in offered["options"]), 1)
    ]
    named = {"title": optional_text(offered, "title"), "buttonLabel": optional_text(offered, "buttonLabel")}
    return {"listMessage": {"message": body["message"], **named, "options": options}}


SENDS: dict[str, Send] = {
    "send-text": Send(("message",), _text),
    "send-image": Send(("image",), _image),
    "send-audio": Send(("audio",), _audio),
    "send-video": Send(("video",), _video),
    "send-document": Send(("document",), _document),
    "send-sticker": Send(("sticker",), _sticker),
    "send-link": Send(("message", "image", "linkUrl", "title", "linkDescription"), _link),
    "send-location": Send(("title", "address"), _location),
    "send-contact": Send(("contactName", "contactPhone"), _contact),
    "send-reaction": Send(("reaction", "messageId"), _reaction),
    "send-remove-reaction": Send(("messageId",), _no_reaction),
    "send-button-list": Send(("message",), _buttons),
    "send-option-list": Send(("message",), _options),
}
