"""
From `recado.content` to the message that says it: the counterpart of `reading`. What another message is about is named
by its key, for which the chat is needed; a vote and an answer are sealed with the message's secret (`secrets`), and are
not written here.
"""

from __future__ import annotations

from datetime import datetime

from recado.content import (
    Album,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    Event,
    GroupInvite,
    Keep,
    LinkButton,
    LinkPreview,
    LiveLocation,
    Location,
    Media,
    MemberLabel,
    OptionList,
    PhoneNumberSharing,
    Pin,
    Poll,
    Product,
    Reaction,
    Revoke,
    SharingLimit,
    StickerPack,
    Text,
    Unsupported,
    content_kind,
)
from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.messages import choices
from recado.protocol.messages.files import write_file
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.previews import write_picture
from recado.protocol.messages.sticker_packs import write_pack
from recado.protocol.messages.targets import Target, write_key
from recado.protocol.messages.vcard import write_vcard
from recado.protocol.proto import e2e_pb2 as wire
from recado.protocol.proto.e2e_pb2 import Message, ProtocolMessage

_KEEP, _UNDO_KEEP = 1, 2
_QUIZ = 1
_CHAT_SETTING = 1


def write_content(content: Content, *, chat: JID | None = None, at: datetime | None = None) -> Message:
    """
    The message of `content`, said `at` that time. Raises UsageError for a kind that is not written, and for one about
    another message without a `chat`; DecodeError for an Unsupported that is not well-formed.
    """
    match content:
        case Text():
            return _text(content)
        case Media():
            return write_file(content)
        case StickerPack():
            return write_pack(content)
        case Reaction() | Edit() | Revoke() | Pin() | Keep():
            if chat is None:
                raise UsageError("what is about another message needs the chat")
            return _about(content, chat, 0 if at is None else int(at.timestamp() * 1000))
        case Poll():
            return _poll(content)
        case PhoneNumberSharing() | SharingLimit() | MemberLabel():
            return _agreement(content, at)
        case Event():
            return Message(event_message=write_event(content))
        case Unsupported(raw=raw):
            return parse_message(raw)
        case _:
            return _plain(content)


def write_event(event: Event) -> wire.EventMessage:
    """The part of a message that announces an event."""
    return wire.EventMessage(
        name=event.name,
        description=event.description,
        location=None if event.location is None else _location(event.location),
        join_link=event.join_link,
        start_time=int(event.starts_at.timestamp()),
        end_time=None if event.ends_at is None else int(event.ends_at.timestamp()),
        is_canceled=event.is_canceled,
        extra_guests_allowed=True,
    )


def _plain(content: Content) -> Message:
    match content:
        case Album(images=images, videos=videos):
            return Message(album_message=wire.AlbumMessage(expected_image_count=images, expected_video_count=videos))
        case Location():
            return Message(location_message=_location(content))
        case LiveLocation():
            return _live_location(content)
        case Contacts(cards=cards):
            return _contacts(cards)
        case GroupInvite():
            return _invite(content)
        case DisappearingTimer(seconds=seconds):
            return Message(
                protocol_message=ProtocolMessage(type=ProtocolMessage.EPHEMERAL_SETTING, ephemeral_expiration=seconds)
            )
        case Product():
            return choices.write_product(content)
        case Choice():
            return choices.write_choice(content)
        case Buttons() | LinkButton():
            return choices.write_buttons(content)
        case OptionList():
            return choices.write_list(content)
        case _:
            raise UsageError(f"{content_kind(content)} is not written as a message of its own over WhatsApp Web")


def _text(text: Text) -> Message:
    preview = text.preview
    if preview is None:
        return Message(conversation=text.body)
    return Message(extended_text_message=_previewed(text.body, preview))


def _previewed(body: str, preview: LinkPreview) -> wire.ExtendedTextMessage:
    shown = wire.ExtendedTextMessage(
        text=body,
        matched_text=preview.url,
        title=preview.title,
        description=preview.description or None,
        jpeg_thumbnail=preview.thumbnail,
        preview_type=0,
    )
    if preview.picture is not None:
        shown.MergeFrom(write_picture(preview.picture, preview.width, preview.height))
    return shown


def _about(content: Reaction | Edit | Revoke | Pin | Keep, chat: JID, now: int) -> Message:
    key = write_key(Target(content.to, content.from_me, content.author), chat)
    match content:
        case Reaction(emoji=emoji):
            return Message(reaction_message=wire.ReactionMessage(key=key, text=emoji, sender_timestamp_ms=now))
        case Edit(content=said):
            return Message(
                protocol_message=ProtocolMessage(
                    key=key,
                    type=ProtocolMessage.MESSAGE_EDIT,
                    edited_message=_edited(said),
                    timestamp_ms=now,
                )
            )
        case Revoke():
            return Message(protocol_message=ProtocolMessage(key=key, type=ProtocolMessage.REVOKE))
        case Pin(is_pinned=is_pinned, seconds=seconds):
            kind = wire.PinInChatMessage.PIN_FOR_ALL if is_pinned else wire.PinInChatMessage.UNPIN_FOR_ALL
            message = Message(pin_in_chat_message=wire.PinInChatMessage(key=key, type=kind, sender_timestamp_ms=now))
            message.message_context_info.message_add_on_duration_in_secs = seconds if is_pinned else 0
            return message
        case Keep(is_kept=is_kept):
            kept = wire.KeepInChatMessage(key=key, keep_type=_KEEP if is_kept else _UNDO_KEEP, timestamp_ms=now)
            return Message(keep_in_chat_message=kept)


def _edited(said: Content) -> Message:
    message = write_content(said)
    if isinstance(said, Text):
        # Phones take the new words of a text in the extended form only.
        extended = message.extended_text_message
        if message.HasField("conversation"):
            extended.text = message.conversation
            message.ClearField("conversation")
        extended.context_info.mentioned_jid.extend(said.mentions)
    return message


def _poll(poll: Poll) -> Message:
    part = wire.PollCreationMessage(
        name=poll.question,
        options=[wire.PollCreationMessageOption(option_name=option) for option in poll.options],
        selectable_options_count=poll.selectable,
    )
    if poll.correct is not None:
        part.poll_type = _QUIZ
        part.correct_answer.option_name = poll.correct
        return Message(poll_creation_message_v5=part)
    return Message(poll_creation_message_v3=part) if poll.selectable == 1 else Message(poll_creation_message=part)


def _agreement(content: PhoneNumberSharing | SharingLimit | MemberLabel, at: datetime | None) -> Message:
    now = 0 if at is None else int(at.timestamp())
    match content:
        case PhoneNumberSharing(is_shared=False):
            return Message(request_phone_number_message=wire.RequestPhoneNumberMessage())
        case PhoneNumberSharing():
            return Message(protocol_message=ProtocolMessage(type=ProtocolMessage.SHARE_PHONE_NUMBER))
        case SharingLimit(is_limited=is_limited):
            limit = wire.LimitSharing(
                sharing_limited=is_limited,
                trigger=_CHAT_SETTING,
                limit_sharing_setting_timestamp=now * 1000,
                initiated_by_me=True,
            )
            return Message(protocol_message=ProtocolMessage(type=ProtocolMessage.LIMIT_SHARING, limit_sharing=limit))
        case MemberLabel(label=label):
            named = wire.MemberLabel(label=label, label_timestamp=now)
            kind = ProtocolMessage.GROUP_MEMBER_LABEL_CHANGE
            return Message(protocol_message=ProtocolMessage(type=kind, member_label=named))


def _location(location: Location) -> wire.LocationMessage:
    return wire.LocationMessage(
        degrees_latitude=location.latitude,
        degrees_longitude=location.longitude,
        name=location.name,
        address=location.address,
    )


def _live_location(location: LiveLocation) -> Message:
    return Message(
        live_location_message=wire.LiveLocationMessage(
            degrees_latitude=location.latitude,
            degrees_longitude=location.longitude,
            accuracy_in_meters=location.accuracy,
            speed_in_mps=location.speed,
            degrees_clockwise_from_magnetic_north=location.heading,
            caption=location.caption,
            sequence_number=location.sequence,
        )
    )


def _contacts(cards: tuple[ContactCard, ...]) -> Message:
    written = [
        wire.ContactMessage(display_name=card.name, vcard=card.vcard or write_vcard(card.name, card.phones))
        for card in cards
    ]
    if len(written) == 1:
        return Message(contact_message=written[0])
    shown = f"{len(written)} contacts"
    return Message(contacts_array_message=wire.ContactsArrayMessage(display_name=shown, contacts=written))


def _invite(invite: GroupInvite) -> Message:
    return Message(
        group_invite_message=wire.GroupInviteMessage(
            group_jid=invite.group,
            invite_code=invite.code,
            group_name=invite.name,
            invite_expiration=None if invite.expires_at is None else int(invite.expires_at.timestamp()),
            caption=invite.caption,
        )
    )
