"""
The moves of the control by their names in its addresses: what a person does on a phone, and what Meta's staff or the
Business app does with a number. It reads JSON and calls; it decides nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recado.emulator.meta.people import File, Person, Shown
from recado.emulator.meta.world import QUALITIES, Number
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

Asked = dict[str, Any]


def text(asked: Asked, name: str) -> str:
    """A text that must be there. Raises UsageError."""
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{name!r} is a text that must be there")
    return value


def move_person(person: Person, move: str, asked: Asked) -> Shown | None:
    """The person does that; the message it makes, if it makes one. Raises LookupError, UsageError."""
    do = _PERSON.get(move)
    if do is None:
        raise LookupError(f"a person can {', '.join(_PERSON)}")
    shown = do(person, asked)
    person.cloud.changed()
    return shown if isinstance(shown, Shown) else None


def move_number(cloud: MetaCloud, number: Number, move: str, asked: Asked) -> None:
    """That happens to the number. Raises LookupError, UsageError."""
    do = _NUMBER.get(move)
    if do is None:
        raise LookupError(f"a number can {', '.join(_NUMBER)}")
    do(cloud, number, asked)


def _file(asked: Asked) -> File:
    data = base64.b64decode(text(asked, "data"), validate=True)
    return File(
        data,
        text(asked, "mime_type"),
        asked.get("caption"),
        asked.get("filename"),
        is_voice=bool(asked.get("voice")),
    )


def _media(person: Person, asked: Asked) -> Shown:
    return person.send_media(text(asked, "type"), _file(asked), asked.get("number"), reply_to=asked.get("reply_to"))


def _location(person: Person, asked: Asked) -> Shown:
    latitude, longitude = float(asked.get("latitude", "nan")), float(asked.get("longitude", "nan"))
    if latitude != latitude or longitude != longitude:
        raise UsageError("'latitude' and 'longitude' are numbers that must be there")
    return person.send_location(latitude, longitude, asked.get("number"), name=asked.get("name"))


def _unknown(person: Person, asked: Asked) -> Shown:
    return person.send_unknown(text(asked, "type"), asked.get("content", {}), asked.get("number"))


def _username(person: Person, asked: Asked) -> None:
    person.take_username(text(asked, "username"), hides_phone=bool(asked.get("hides_phone", True)))


_PERSON: dict[str, Callable[[Person, Asked], object]] = {
    "say": lambda who, asked: who.say(text(asked, "text"), asked.get("number"), reply_to=asked.get("reply_to")),
    "media": _media,
    "location": _location,
    "contact": lambda who, asked: who.send_contact(text(asked, "name"), text(asked, "phone"), asked.get("number")),
    "react": lambda who, asked: who.react(text(asked, "message_id"), asked.get("emoji", "")),
    "press": lambda who, asked: who.press(text(asked, "message_id"), text(asked, "title")),
    "choose": lambda who, asked: who.choose(text(asked, "message_id"), text(asked, "title")),
    "flow": lambda who, asked: who.fill_flow(text(asked, "message_id"), asked.get("answers", {})),
    "order": lambda who, asked: who.order(asked.get("items", []), asked.get("number")),
    "unsupported": lambda who, asked: who.send_unsupported(asked.get("number")),
    "unknown": _unknown,
    "read": lambda who, asked: who.read(asked.get("number")),
    "play": lambda who, asked: who.play(text(asked, "message_id")),
    "offline": lambda who, asked: who.offline(),
    "online": lambda who, asked: who.online(),
    "block": lambda who, asked: who.block(asked.get("number")),
    "unblock": lambda who, asked: who.unblock(asked.get("number")),
    "stop-marketing": lambda who, asked: who.stop_marketing(asked.get("number")),
    "resume-marketing": lambda who, asked: who.resume_marketing(asked.get("number")),
    "username": _username,
    "change-number": lambda who, asked: who.change_number(text(asked, "phone")),
}


def _person(cloud: MetaCloud, asked: Asked) -> Person:
    whom = text(asked, "person")
    person = cloud.people.get(whom) or cloud.person_at(whom)
    if person is None:
        raise LookupError("no such person")
    return person


def _quality(cloud: MetaCloud, number: Number, asked: Asked) -> None:
    wanted = text(asked, "quality").upper()
    quality = next((each for each in QUALITIES if each == wanted), None)
    if quality is None:
        raise UsageError(f"qualities are {', '.join(QUALITIES)}")
    cloud.set_quality(number, quality, limit_tier=asked.get("limit_tier"))


def _remember(cloud: MetaCloud, number: Number, asked: Asked) -> None:
    cloud.coexistence.remember(
        number,
        _person(cloud, asked),
        text(asked, "text"),
        datetime.fromisoformat(text(asked, "at")),
        from_me=bool(asked.get("from_me")),
    )


_NUMBER: dict[str, Callable[[MetaCloud, Number, Asked], object]] = {
    "quality": _quality,
    "lock": lambda cloud, number, asked: cloud.lock(number.waba, int(asked.get("code", 131031))),
    "unlock": lambda cloud, number, asked: cloud.lock(number.waba, None),
    "error": lambda cloud, number, asked: cloud.tell_error(number, int(asked.get("code", 130429))),
    "write": lambda cloud, number, asked: cloud.coexistence.write(number, _person(cloud, asked), text(asked, "text")),
    "history": _remember,
    "contact": lambda cloud, number, asked: cloud.coexistence.save_contact(number, _person(cloud, asked)),
    "offboard": lambda cloud, number, asked: cloud.coexistence.offboard(number),
    "reconnect": lambda cloud, number, asked: cloud.coexistence.reconnect(number),
}
