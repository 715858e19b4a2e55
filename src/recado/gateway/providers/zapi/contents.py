"""
What a ReceivedCallback says, as content: one reader for each kind of body, tried by its key. Pure, and trusting
nothing: a value of another type than documented is as good as absent, and what cannot be read as its kind is kept as
bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from recado.content import (
    Button,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    Reaction,
    Text,
    Unsupported,
)

Body = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_BESIDE = frozenset({"externalAdReply", "referencedMessage"})
"""Objects that stand beside a content."""


def read_content(body: Body) -> Content | None:
    """What was said; None when the body holds nothing of the kind."""
    for key, read in _READERS.items():
        said = body.get(key)
        if isinstance(said, dict):
            return read(said) or _kept(key, said)
    for key, said in body.items():
        if isinstance(said, dict) and key not in _BESIDE:
            return _kept(key, said)
    return None


def word(body: Body, name: str) -> str | None:
    """A text that is there and not empty."""
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def _kept(key: str, said: Body) -> Unsupported:
    """Called as WhatsApp calls it (pollMessage), so that it is no kind that is modelled."""
    named = key if _NAME.fullmatch(key) else "unknown"
    kind = named if named.endswith("Message") else f"{named}Message"
    return Unsupported(kind, json.dumps({key: said}, ensure_ascii=False, separators=(",", ":")).encode())


def _text(said: Body) -> Content | None:
    words = said.get("message")
    return Text(words) if isinstance(words, str) else None


def _media(kind: MediaKind, key: str) -> Callable[[Body], Content | None]:
    def read(said: Body) -> Content | None:
        address = word(said, key)
        if address is None or not address.startswith(("https://", "http://")):
            return None  # the download failed over there: there is no file
        return Media(
            kind,
            reference=address,
            mime_type=word(said, "mimeType") or "",
            caption=word(said, "caption"),
            file_name=word(said, "fileName") if kind is MediaKind.DOCUMENT else None,
            is_voice=kind is MediaKind.AUDIO and said.get("ptt") is True,
        )

    return read


def _location(said: Body) -> Content | None:
    latitude, longitude = _degrees(said.get("latitude"), 90), _degrees(said.get("longitude"), 180)
    if latitude is None or longitude is None:
        return None
    return Location(latitude, longitude, word(said, "name"), word(said, "address"))


def _degrees(value: object, most: int) -> float | None:
    try:
        degrees = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return degrees if degrees is not None and -most <= degrees <= most else None


def _contact(said: Body) -> Content | None:
    name = word(said, "displayName")
    phones = said.get("phones")
    told = [phone for phone in phones if isinstance(phone, str) and phone] if isinstance(phones, list) else []
    if not told:
        told = re.findall(r"waid=([0-9]{7,15})", word(said, "vCard") or "")
    return Contacts((ContactCard(name, tuple(told)),)) if name is not None else None


def _reaction(said: Body) -> Content | None:
    about = said.get("referencedMessage")
    target = word(about, "messageId") if isinstance(about, dict) else None
    emoji = said.get("value")
    return Reaction(target, emoji) if target is not None and isinstance(emoji, str) else None


def _choice(id_key: str, *titles: str) -> Callable[[Body], Content | None]:
    def read(said: Body) -> Content | None:
        id = word(said, id_key)
        title = next((found for key in titles if (found := word(said, key)) is not None), "")
        return Choice(id, title) if id is not None else None

    return read


def _buttons(said: Body) -> Content | None:
    for kind, address_key in ((MediaKind.IMAGE, "imageUrl"), (MediaKind.VIDEO, "videoUrl")):
        if address := word(said, address_key):
            return _media(kind, address_key)({address_key: address, "caption": said.get("message")})
    body, offered = said.get("message"), said.get("buttons")
    if not isinstance(body, str) or not isinstance(offered, list):
        return None
    buttons = [found for each in offered if isinstance(each, dict) and (found := _button(each)) is not None]
    return Buttons(body, tuple(buttons)) if len(buttons) == len(offered) else None


def _button(said: Body) -> Button | None:
    shown = said.get("buttonText")
    id, title = word(said, "buttonId"), word(shown, "displayText") if isinstance(shown, dict) else None
    return Button(id, title) if id is not None and title is not None else None


def _options(said: Body) -> Content | None:
    body, offered = said.get("message"), said.get("options")
    if not isinstance(body, str) or not isinstance(offered, list):
        return None
    options = tuple(
        Option(id, title, word(each, "description"))
        for each in offered
        if isinstance(each, dict) and (id := word(each, "id")) and (title := word(each, "title"))
    )
    if len(options) != len(offered):
        return None
    return OptionList(body, word(said, "buttonLabel") or "", (OptionSection(word(said, "title") or "", options),))


def _template(said: Body) -> Content | None:
    """A business's template as it looks to who gets it: its file with the words, or the words."""
    words, header = said.get("message"), said.get("header")
    if not isinstance(words, str):
        return None
    if isinstance(header, dict):
        for key in ("image", "video", "document"):
            file = header.get(key)
            if isinstance(file, dict):
                return _READERS[key]({**file, "caption": words})
    return Text(words)


_READERS: dict[str, Callable[[Body], Content | None]] = {
    "text": _text,
    "image": _media(MediaKind.IMAGE, "imageUrl"),
    "audio": _media(MediaKind.AUDIO, "audioUrl"),
    "video": _media(MediaKind.VIDEO, "videoUrl"),
    "document": _media(MediaKind.DOCUMENT, "documentUrl"),
    "sticker": _media(MediaKind.STICKER, "stickerUrl"),
    "location": _location,
    "contact": _contact,
    "reaction": _reaction,
    "buttonsResponseMessage": _choice("buttonId", "message"),
    "buttonReply": _choice("buttonId", "message"),
    "listResponseMessage": _choice("selectedRowId", "title", "message"),
    "buttonsMessage": _buttons,
    "listMessage": _options,
    "hydratedTemplate": _template,
}
