"""
From an unwrapped message to `recado.content`: one table from the part of a message to what it says. A part that is
known but cannot be read as its kind (a time that is none, a key that names nothing) is left to the caller, who keeps it
as it came; nothing here raises for what a peer wrote.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from recado.content import (
    Album,
    ContactCard,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    Event,
    GroupInvite,
    Keep,
    LiveLocation,
    Location,
    Media,
    MemberLabel,
    PhoneNumberSharing,
    Pin,
    Poll,
    Reaction,
    Revoke,
    SharingLimit,
    Text,
    Unsupported,
)
from recado.errors import DecodeError
from recado.protocol.messages import choices
from recado.protocol.messages.context import read_context
from recado.protocol.messages.files import read_file
from recado.protocol.messages.previews import read_preview
from recado.protocol.messages.sticker_packs import read_pack
from recado.protocol.messages.targets import read_key
from recado.protocol.messages.vcard import read_vcard
from recado.protocol.proto import e2e_pb2 as wire
from recado.protocol.proto.e2e_pb2 import Message, ProtocolMessage

DAY = 86_400
_KEPT = 1
_MOST_OPTIONS = 256


def read_part(message: Message, name: str) -> Content | None:
    """What the part `name` of an unwrapped message says; None when it cannot be read as a kind of ours."""
    read = _READERS.get(name)
    if read is None:
        return None
    try:
        return read(message, getattr(message, name))
    except (DecodeError, ValueError, OverflowError, OSError):
        return None


def is_read(name: str) -> bool:
    """Is there a reader for that part?"""
    return name in _READERS


def visible_kind(protocol: ProtocolMessage) -> str | None:
    """What a person sees although software says it: its wire name; None for what is for software alone."""
    # A type left out is the zeroth, a deletion, by the rules of protobuf; but then it has the key of its target.
    if not protocol.HasField("type") and not protocol.HasField("key"):
        return None
    return _VISIBLE.get(protocol.type)


def _extended(message: Message, part: wire.ExtendedTextMessage) -> Content:
    preview = None
    if part.matched_text and (part.title or part.description or part.jpeg_thumbnail):
        preview = read_preview(part)
    context = read_context(message)
    return Text(part.text, context.mentions, preview, mentions_all=context.mentions_all)


def _file(message: Message, part: Any) -> Content:
    media, context = read_file(part), read_context(message)
    association = message.message_context_info.message_association
    album = association.parent_message_key.id if association.association_type == association.MEDIA_ALBUM else ""
    return replace(
        media,
        mentions=context.mentions,
        mentions_all=context.mentions_all,
        is_round=message.HasField("ptv_message"),
        album=album or None,
    )


def _location(message: Message, part: wire.LocationMessage) -> Content:
    if part.is_live:
        return LiveLocation(
            *_degrees(part), part.accuracy_in_meters or None, _finite(part.speed_in_mps), caption=part.comment or None
        )
    return _place(part)


def _place(part: wire.LocationMessage) -> Location:
    return Location(*_degrees(part), part.name or None, part.address or None)


def _live_location(message: Message, part: wire.LiveLocationMessage) -> Content:
    heading = part.degrees_clockwise_from_magnetic_north
    return LiveLocation(
        *_degrees(part),
        accuracy=part.accuracy_in_meters or None,
        speed=_finite(part.speed_in_mps) if part.HasField("speed_in_mps") else None,
        heading=heading if part.HasField("degrees_clockwise_from_magnetic_north") else None,
        caption=part.caption or None,
        sequence=part.sequence_number,
    )


def _card(part: wire.ContactMessage) -> ContactCard:
    name, phones = read_vcard(part.vcard)
    return ContactCard(part.display_name or name, phones, part.vcard or None)


def _poll(message: Message, part: wire.PollCreationMessage) -> Content:
    options = tuple(option.option_name for option in part.options[:_MOST_OPTIONS])
    correct = part.correct_answer.option_name if part.HasField("correct_answer") else None
    return Poll(part.name, options, part.selectable_options_count, correct)


def read_event(part: wire.EventMessage) -> Event:
    """An event. Raises ValueError, OverflowError or OSError for a time that is none."""
    return Event(
        name=part.name,
        starts_at=_time(part.start_time),
        ends_at=_time(part.end_time) if part.end_time else None,
        description=part.description or None,
        location=_place(part.location) if part.HasField("location") else None,
        join_link=part.join_link or None,
        is_canceled=part.is_canceled,
    )


def _reaction(message: Message, part: wire.ReactionMessage) -> Content:
    target = read_key(part.key)
    return Reaction(target.id, part.text, target.from_me, target.author)


def _keep(message: Message, part: wire.KeepInChatMessage) -> Content:
    target = read_key(part.key)
    return Keep(target.id, part.keep_type == _KEPT, target.from_me, target.author)


def _pin(message: Message, part: wire.PinInChatMessage) -> Content:
    target = read_key(part.key)
    is_pinned = part.type == part.PIN_FOR_ALL
    seconds = message.message_context_info.message_add_on_duration_in_secs or DAY
    return Pin(target.id, is_pinned, seconds if is_pinned else 0, target.from_me, target.author)


def _rich(message: Message, part: wire.RichResponseMessage) -> Content | None:
    """A machine's answer in several pieces: the words and the code of it."""
    pieces = [
        each.message_text or "".join(block.code_content for block in each.code_metadata.code_blocks)
        for each in part.submessages
    ]
    said = "\n".join(piece for piece in pieces if piece)
    return Text(said) if said else None


def _invite(message: Message, part: wire.GroupInviteMessage) -> Content:
    return GroupInvite(
        part.group_jid,
        part.invite_code,
        part.group_name,
        _time(part.invite_expiration) if part.invite_expiration else None,
        part.caption or None,
    )


def _protocol(message: Message, part: ProtocolMessage) -> Content | None:
    match visible_kind(part):
        case "revoke":
            target = read_key(part.key)
            return Revoke(target.id, target.from_me, target.author)
        case "messageEdit":
            return _edit(part)
        case "ephemeralSetting":
            return DisappearingTimer(part.ephemeral_expiration)
        case "sharePhoneNumber":
            return PhoneNumberSharing(is_shared=True)
        case "limitSharing":
            return SharingLimit(part.limit_sharing.sharing_limited)
        case "memberLabel":
            return MemberLabel(part.member_label.label)
        case _:
            return None


def _edit(part: ProtocolMessage) -> Content | None:
    target = read_key(part.key)
    return edited(target.id, part.edited_message, from_me=target.from_me, author=target.author)


def edited(to: str, message: Message, *, from_me: bool, author: str | None) -> Edit | None:
    """That `to` says what is in `message` from now on; None when that is no kind that replaces another."""
    names = [field.name for field, _ in message.ListFields()]
    said = next((read_part(message, name) for name in names if name in _READERS), None)
    if not isinstance(said, Text | Media | Event | LiveLocation):
        return None
    return Edit(to, said, from_me, author)


def _degrees(part: Any) -> tuple[float, float]:
    latitude, longitude = part.degrees_latitude, part.degrees_longitude
    if not (abs(latitude) <= 90 and abs(longitude) <= 360):  # not so for what is no number either
        raise ValueError("not a place")
    return latitude, longitude


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_VISIBLE = {
    ProtocolMessage.REVOKE: "revoke",
    ProtocolMessage.MESSAGE_EDIT: "messageEdit",
    ProtocolMessage.EPHEMERAL_SETTING: "ephemeralSetting",
    ProtocolMessage.SHARE_PHONE_NUMBER: "sharePhoneNumber",
    ProtocolMessage.LIMIT_SHARING: "limitSharing",
    ProtocolMessage.GROUP_MEMBER_LABEL_CHANGE: "memberLabel",
}

Reader = Callable[[Message, Any], Content | None]

_READERS: dict[str, Reader] = {
    "conversation": lambda _, words: Text(words),
    "extended_text_message": _extended,
    "image_message": _file,
    "video_message": _file,
    "ptv_message": _file,
    "audio_message": _file,
    "document_message": _file,
    "sticker_message": _file,
    "sticker_pack_message": lambda _, part: read_pack(part),
    "request_phone_number_message": lambda _, part: PhoneNumberSharing(is_shared=False),
    "album_message": lambda _, part: Album(part.expected_image_count, part.expected_video_count),
    "location_message": _location,
    "live_location_message": _live_location,
    "contact_message": lambda _, part: Contacts((_card(part),)),
    "contacts_array_message": lambda _, part: Contacts(tuple(_card(each) for each in part.contacts)),
    "poll_creation_message": _poll,
    "poll_creation_message_v2": _poll,
    "poll_creation_message_v3": _poll,
    "poll_creation_message_v5": _poll,
    "event_message": lambda _, part: read_event(part),
    "reaction_message": _reaction,
    "keep_in_chat_message": _keep,
    "pin_in_chat_message": _pin,
    "group_invite_message": _invite,
    "rich_response_message": _rich,
    "protocol_message": _protocol,
    "product_message": lambda _, part: choices.read_product(part),
    "buttons_message": lambda _, part: choices.read_buttons(part),
    "list_message": lambda _, part: choices.read_list(part),
    "template_message": lambda _, part: choices.read_template(part),
    "interactive_message": lambda _, part: choices.read_interactive(part),
    "buttons_response_message": lambda _, part: choices.read_choice(part),
    "list_response_message": lambda _, part: choices.read_choice(part),
    "template_button_reply_message": lambda _, part: choices.read_choice(part),
    "interactive_response_message": lambda _, part: choices.read_choice(part),
}


def unread(kind: str, raw: bytes, message: Message) -> Unsupported:
    """What is kept as it came, with the words in it that a person would look for."""
    return Unsupported(kind, raw, _words(message))


_WORDED = (
    "hydrated_content_text",
    "content_text",
    "text",
    "caption",
    "description",
    "body",
    "message",
    "title",
    "order_title",
    "name",
    "newsletter_name",
    "conversation",
)


def _words(part: Any, depth: int = 0) -> str | None:
    """The likeliest words in a part nobody reads: by the names such fields have, the outermost first."""
    said = {field.name: value for field, value in part.ListFields()}
    for name in _WORDED:
        if isinstance(said.get(name), str) and said[name]:
            words: str = said[name]
            return words
    if depth < 4:
        for name, value in said.items():
            if name not in ("context_info", "message_context_info", "key") and hasattr(value, "ListFields"):
                found = _words(value, depth + 1)
                if found is not None:
                    return found
    return None
