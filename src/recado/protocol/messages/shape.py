"""
What the stanza around a message tells the server of it, which cannot look inside: text, media, poll, reaction or event,
the kind of file, whether it changes another message, and whether to keep still when it cannot be opened.
docs/protocol/stanzas.md
"""

from __future__ import annotations

from dataclasses import dataclass

from recado.protocol.messages.parsing import unwrap
from recado.protocol.proto import e2e_pb2 as wire
from recado.protocol.proto.e2e_pb2 import Message, ProtocolMessage

EDIT, PIN, EVENT_EDIT, REVOKE, ADMIN_REVOKE = "1", "2", "3", "7", "8"
_UNDO_KEEP = 2

_POLLS = (
    "poll_creation_message",
    "poll_creation_message_v2",
    "poll_creation_message_v3",
    "poll_creation_message_v5",
)
_MEDIATYPES = {
    "image_message": "image",
    "document_message": "document",
    "contact_message": "vcard",
    "contacts_array_message": "contact_array",
    "live_location_message": "livelocation",
    "location_message": "location",
    "sticker_message": "sticker",
    "sticker_pack_message": "sticker_pack",
    "ptv_message": "ptv",
    "list_message": "list",
    "list_response_message": "list_response",
    "buttons_response_message": "buttons_response",
    "order_message": "order",
    "product_message": "product",
    "interactive_response_message": "native_flow_response",
    "group_invite_message": "url",
}
_BUSINESS = {
    "buttons_message": "buttons",
    "buttons_response_message": "buttons_response",
    "list_response_message": "list_response",
    "interactive_response_message": "interactive_response",
}
_NO_REPORT = ("reaction_message", "enc_reaction_message", "enc_event_response_message", "poll_update_message")


@dataclass(frozen=True, slots=True)
class Shape:
    """`type`, `mediatype`, `edit`, `decrypt-fail`, `<meta>`; whether it can be reported; what `<biz>` names."""

    kind: str = "text"
    mediatype: str | None = None
    edit: str | None = None
    hides_failure: bool = False
    meta: tuple[tuple[str, str], ...] = ()
    can_be_reported: bool = True
    business: tuple[str, tuple[tuple[str, str], ...]] | None = None


TEXT = Shape()


def shape_of(message: Message) -> Shape:
    """The shape of a message, wrapped or not. Raises DecodeError when it is wrapped too often."""
    inner = unwrap(message)
    mediatype = _mediatype(inner)
    edit = _edit(inner)
    kind: str = "text"
    meta: tuple[tuple[str, str], ...] = ()
    if inner.HasField("reaction_message") or inner.HasField("enc_reaction_message"):
        kind = "reaction"
    elif any(inner.HasField(name) for name in _POLLS):
        kind, meta = "poll", (("polltype", "creation"),)
    elif inner.HasField("poll_update_message"):
        kind, meta = "poll", (("polltype", "vote"),)
    elif inner.HasField("event_message"):
        kind, meta = "event", (("event_type", "creation"),)
    elif inner.HasField("enc_event_response_message"):
        kind, meta = "event", (("event_type", "response"),)
    elif mediatype is not None:
        kind = "media"
    elif inner.protocol_message.type == ProtocolMessage.GROUP_MEMBER_LABEL_CHANGE:
        meta = (("tag_reason", "user_update"), ("appdata", "member_tag"))
    adds = any(inner.HasField(name) for name in _NO_REPORT)
    is_sealed = adds or inner.HasField("enc_comment_message") or inner.HasField("secret_encrypted_message")
    return Shape(kind, mediatype, edit, adds or edit is not None, meta, not is_sealed, _business(inner))


def _mediatype(message: Message) -> str | None:
    if message.HasField("video_message"):
        return "gif" if message.video_message.gif_playback else "video"
    if message.HasField("audio_message"):
        return "ptt" if message.audio_message.ptt else "audio"
    if message.HasField("extended_text_message"):
        return "url" if message.extended_text_message.title else None
    return next((name for field, name in _MEDIATYPES.items() if message.HasField(field)), None)


def _business(message: Message) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    if message.HasField("list_message"):
        return "list", (("v", "2"), ("type", wire.ListMessage.ListType.Name(message.list_message.list_type).lower()))
    return next(((name, ()) for field, name in _BUSINESS.items() if message.HasField(field)), None)


def _edit(message: Message) -> str | None:
    if message.HasField("secret_encrypted_message"):
        of_event = message.secret_encrypted_message.secret_enc_type == wire.SecretEncryptedMessage.EVENT_EDIT
        return EVENT_EDIT if of_event else EDIT
    if message.HasField("protocol_message") and message.protocol_message.HasField("key"):
        protocol = message.protocol_message
        if protocol.type == ProtocolMessage.REVOKE:
            return REVOKE if protocol.key.from_me else ADMIN_REVOKE
        return EDIT if protocol.type == ProtocolMessage.MESSAGE_EDIT else None
    if message.HasField("reaction_message") and not message.reaction_message.text:
        return REVOKE
    if message.HasField("keep_in_chat_message"):
        keep = message.keep_in_chat_message
        return REVOKE if keep.key.from_me and keep.keep_type == _UNDO_KEEP else None
    return PIN if message.HasField("pin_in_chat_message") else None
