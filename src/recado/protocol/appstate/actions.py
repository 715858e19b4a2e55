"""
What entries of the shared state say: one frozen value per kind, each with its row in a table (collection, form, how it
is read and written). What has no row, or does not read, is an OtherAction: kept as it came.

Addresses in an index are texts; "0" stands for nobody. Times inside are milliseconds, in message ranges seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.message import DecodeError as ProtobufError

from recado.jid import JID
from recado.protocol.appstate.mutation import Mutation
from recado.protocol.proto import appstate_pb2 as wire


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A message, as an index names it: its chat, its id, whose it is; `author` in groups, when it is not ours."""

    chat: JID
    id: str
    from_me: bool
    author: JID | None = None


@dataclass(frozen=True, slots=True)
class LastMessage:
    """How far a chat went when something was done to all of it: what came later is not concerned."""

    at: datetime
    key: MessageKey | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A chat was put away, or brought back."""

    chat: JID
    is_archived: bool
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class PinChat:
    """A chat stays on top, or does no more."""

    chat: JID
    is_pinned: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """A chat is silent: until a time, or (None) for good."""

    chat: JID
    is_muted: bool
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarkRead:
    """A chat was marked as read, or as unread."""

    chat: JID
    is_read: bool
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """A chat is behind the phone's lock, or no more."""

    chat: JID
    is_locked: bool


@dataclass(frozen=True, slots=True)
class ClearChat:
    """A chat was emptied."""

    chat: JID
    keeps_starred: bool = False
    deletes_media: bool = False
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class DeleteChat:
    """A chat was deleted."""

    chat: JID
    deletes_media: bool = False
    last: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class Star:
    """A message is marked with a star, or no more."""

    message: MessageKey
    is_starred: bool


@dataclass(frozen=True, slots=True)
class DeleteForMe:
    """A message was deleted on the account's own devices."""

    message: MessageKey
    deletes_media: bool = False
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NameContact:
    """A person in the address book, or (removed) no longer there."""

    contact: JID
    full_name: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    lid: JID | None = None
    phone: JID | None = None
    username: str | None = field(default=None, repr=False)
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class PairAddresses:
    """A chat with a LID is with this phone number."""

    lid: JID
    phone: JID


@dataclass(frozen=True, slots=True)
class SetPushName:
    """The name the account gives itself."""

    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EditLabel:
    """A label of a business account was made, changed or deleted."""

    id: str
    name: str = field(default="", repr=False)
    color: int = 0
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class LabelChat:
    """A label was put on a chat, or taken off."""

    label: str
    chat: JID
    is_labeled: bool


@dataclass(frozen=True, slots=True)
class LabelMessage:
    """A label was put on a message, or taken off."""

    label: str
    chat: JID
    id: str
    is_labeled: bool


@dataclass(frozen=True, slots=True)
class MuteStatus:
    """Somebody's status posts are hidden, or shown again."""

    contact: JID
    is_muted: bool


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    """A setting of the account, by a name of ours: see `SETTINGS`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class NewSalt:
    """The salt that privacy tokens are made with when there is none of theirs; None when it was taken back."""

    salt: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An entry this version does not model, whole."""

    index: tuple[str, ...] = field(repr=False)
    is_set: bool
    data: bytes = field(repr=False)


Action = (
    Archive
    | PinChat
    | Mute
    | MarkRead
    | Lock
    | ClearChat
    | DeleteChat
    | Star
    | DeleteForMe
    | NameContact
    | PairAddresses
    | SetPushName
    | EditLabel
    | LabelChat
    | LabelMessage
    | MuteStatus
    | ChangeSetting
    | NewSalt
    | OtherAction
)

Value = wire.SyncActionValue


def read_action(mutation: Mutation) -> Action:
    """What an entry says; nothing is lost when it is not understood."""
    read = _READERS.get(mutation.kind)
    action: Action | None = None
    if read is not None:
        try:
            value = wire.SyncActionData.FromString(mutation.data).value
            action = read(mutation, value) if mutation.is_set else _removed(mutation, value)
        except (ProtobufError, ValueError, IndexError, OverflowError):
            action = None
    return action or OtherAction(mutation.index, mutation.is_set, mutation.data)


def _removed(mutation: Mutation, value: Value) -> Action | None:
    match mutation.kind:
        case "contact" | "lid_contact":
            return NameContact(JID.parse(mutation.index[1]).bare, is_removed=True)
        case "nct_salt_sync":
            return NewSalt(None)
        case _:
            return None


def _archive(mutation: Mutation, value: Value) -> Action:
    said = value.archive_chat_action
    return Archive(_chat(mutation), said.archived, _last(said.message_range))


def _pin(mutation: Mutation, value: Value) -> Action:
    return PinChat(_chat(mutation), value.pin_action.pinned, _millis(value.timestamp))


def _mute(mutation: Mutation, value: Value) -> Action:
    said = value.mute_action
    end = said.mute_end_timestamp
    return Mute(_chat(mutation), said.muted, _millis(end) if said.muted and end > 0 else None)


def _mark_read(mutation: Mutation, value: Value) -> Action:
    said = value.mark_chat_as_read_action
    return MarkRead(_chat(mutation), said.read, _last(said.message_range))


def _lock(mutation: Mutation, value: Value) -> Action:
    return Lock(_chat(mutation), value.lock_chat_action.locked)


def _clear(mutation: Mutation, value: Value) -> Action:
    words = (*mutation.index, "1", "0")
    last = _last(value.clear_chat_action.message_range)
    return ClearChat(_chat(mutation), keeps_starred=words[2] == "0", deletes_media=words[3] == "1", last=last)


def _delete(mutation: Mutation, value: Value) -> Action:
    words = (*mutation.index, "0")
    return DeleteChat(_chat(mutation), words[2] == "1", _last(value.delete_chat_action.message_range))


def _star(mutation: Mutation, value: Value) -> Action:
    return Star(_message(mutation), value.star_action.starred)


def _delete_for_me(mutation: Mutation, value: Value) -> Action:
    said = value.delete_message_for_me_action
    at = said.message_timestamp
    # Clients do not agree on the unit: milliseconds are a thousand times further on.
    sent_at = None if at <= 0 else _millis(at) if at > _MILLIS else _seconds(at)
    return DeleteForMe(_message(mutation), said.delete_media, sent_at)


def _contact(mutation: Mutation, value: Value) -> Action:
    said = value.contact_action
    contact = _chat(mutation)
    return NameContact(
        contact,
        full_name=said.full_name or None,
        first_name=said.first_name or None,
        lid=_jid(said.lid_jid),
        phone=contact if contact.is_phone else _jid(said.pn_jid),
        username=said.username or None,
    )


def _lid_contact(mutation: Mutation, value: Value) -> Action:
    said = value.lid_contact_action
    lid = _chat(mutation)
    return NameContact(lid, said.full_name or None, said.first_name or None, lid, username=said.username or None)


def _pair(mutation: Mutation, value: Value) -> Action | None:
    phone = _jid(value.pn_for_lid_chat_action.pn_jid)
    return None if phone is None else PairAddresses(_chat(mutation), phone)


def _push_name(mutation: Mutation, value: Value) -> Action:
    return SetPushName(value.push_name_setting.name)


def _edit_label(mutation: Mutation, value: Value) -> Action:
    said = value.label_edit_action
    return EditLabel(mutation.index[1], said.name, said.color, said.deleted)


def _label_chat(mutation: Mutation, value: Value) -> Action:
    labeled = value.label_association_action.labeled
    return LabelChat(mutation.index[1], JID.parse(mutation.index[2]).bare, labeled)


def _label_message(mutation: Mutation, value: Value) -> Action:
    labeled = value.label_association_action.labeled
    return LabelMessage(mutation.index[1], JID.parse(mutation.index[2]).bare, mutation.index[3], labeled)


def _mute_status(mutation: Mutation, value: Value) -> Action:
    return MuteStatus(_chat(mutation), value.user_status_mute_action.muted)


def _unarchive(mutation: Mutation, value: Value) -> Action:
    return ChangeSetting("unarchive_chats", _switch(value.unarchive_chats_setting.unarchive_chats))


def _locale(mutation: Mutation, value: Value) -> Action:
    return ChangeSetting("locale", value.locale_setting.locale)


def _time_format(mutation: Mutation, value: Value) -> Action:
    is_on = value.time_format_action.is_twenty_four_hour_format_enabled
    return ChangeSetting("twenty_four_hours", _switch(is_on))


def _link_previews(mutation: Mutation, value: Value) -> Action:
    is_off = value.privacy_setting_disable_link_previews_action.is_previews_disabled
    return ChangeSetting("link_previews", _switch(not is_off))


def _relay_calls(mutation: Mutation, value: Value) -> Action:
    return ChangeSetting("relay_calls", _switch(value.privacy_setting_relay_all_calls.is_enabled))


def _salt(mutation: Mutation, value: Value) -> Action:
    return NewSalt(value.nct_salt_sync_action.salt or None)


_READERS = {
    "archive": _archive,
    "pin_v1": _pin,
    "mute": _mute,
    "markChatAsRead": _mark_read,
    "lock": _lock,
    "clearChat": _clear,
    "deleteChat": _delete,
    "star": _star,
    "deleteMessageForMe": _delete_for_me,
    "contact": _contact,
    "lid_contact": _lid_contact,
    "pnForLidChat": _pair,
    "setting_pushName": _push_name,
    "label_edit": _edit_label,
    "label_jid": _label_chat,
    "label_message": _label_message,
    "userStatusMute": _mute_status,
    "setting_unarchiveChats": _unarchive,
    "setting_locale": _locale,
    "time_format": _time_format,
    "setting_disableLinkPreviews": _link_previews,
    "setting_relayAllCalls": _relay_calls,
    "nct_salt_sync": _salt,
}

SETTINGS = ("unarchive_chats", "locale", "twenty_four_hours", "link_previews", "relay_calls")
"""What a ChangeSetting may be about; switches are "on" and "off"."""

_MILLIS = 10**11


def _chat(mutation: Mutation) -> JID:
    return JID.parse(mutation.index[1]).bare


def _message(mutation: Mutation) -> MessageKey:
    _, _, id, from_me, *author = mutation.index
    return MessageKey(_chat(mutation), id, from_me == "1", _jid(author[0]) if author and author[0] != "0" else None)


def _last(range: wire.SyncActionMessageRange) -> LastMessage | None:
    at = range.last_message_timestamp
    return LastMessage(_seconds(at)) if at > 0 else None


def _jid(text: str) -> JID | None:
    return JID.parse(text).bare if text else None


def _switch(is_on: bool) -> str:
    return "on" if is_on else "off"


def _millis(stamp: int) -> datetime | None:
    return datetime.fromtimestamp(stamp / 1000, UTC) if stamp > 0 else None


def _seconds(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
