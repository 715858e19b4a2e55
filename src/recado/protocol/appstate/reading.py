"""
Reading entries of the shared state: a table from the first word of an index to how its value reads. What has no row, or
does not read, comes as an OtherAction. An entry that was removed says what it then is (not named, not labeled, …).

Addresses in an index are texts; "0" stands for nobody. Times inside are milliseconds, in message ranges seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.message import DecodeError as ProtobufError

from recado.jid import JID
from recado.protocol.appstate.actions import (
    STATUS_PRIVACY,
    Action,
    Archive,
    ChangeSetting,
    ChooseFavorites,
    ClearChat,
    DeleteChat,
    DeleteForMe,
    EditLabel,
    EditQuickReply,
    ExpireKeys,
    LabelChat,
    LabelMessage,
    LastMessage,
    Lock,
    MarkRead,
    MessageKey,
    Mute,
    MuteStatus,
    NameContact,
    NewSalt,
    OtherAction,
    PairAddresses,
    PinChat,
    SetPushName,
    Star,
)
from recado.protocol.appstate.mutation import Mutation
from recado.protocol.proto import appstate_pb2 as wire

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
    """What it comes to that an entry is no longer there; None when it says nothing of itself."""
    index = mutation.index
    match mutation.kind:
        case "contact" | "lid_contact":
            return NameContact(_chat(mutation), is_removed=True)
        case "nct_salt_sync":
            return NewSalt(None)
        case "archive":
            return Archive(_chat(mutation), False)
        case "pin_v1":
            return PinChat(_chat(mutation), False)
        case "mute":
            return Mute(_chat(mutation), False)
        case "lock":
            return Lock(_chat(mutation), False)
        case "star":
            return Star(_message(mutation), False)
        case "userStatusMute":
            return MuteStatus(_chat(mutation), False)
        case "label_edit":
            return EditLabel(index[1], is_deleted=True)
        case "label_jid":
            return LabelChat(index[1], JID.parse(index[2]).bare, False)
        case "label_message":
            return LabelMessage(index[1], JID.parse(index[2]).bare, index[3], False)
        case "quick_reply":
            return EditQuickReply(index[1], is_deleted=True)
        case "favorites":
            return ChooseFavorites(())
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


def _security(mutation: Mutation, value: Value) -> Action:
    return ChangeSetting("security_notifications", _switch(value.security_notification_setting.show_notification))


def _status_privacy(mutation: Mutation, value: Value) -> Action:
    said = value.status_privacy
    if said.mode < 0:
        raise ValueError("not a privacy of status posts")
    return ChangeSetting("status_privacy", STATUS_PRIVACY[said.mode], tuple(JID.parse(each) for each in said.user_jid))


def _quick_reply(mutation: Mutation, value: Value) -> Action:
    said = value.quick_reply_action
    return EditQuickReply(mutation.index[1], said.shortcut, said.message, tuple(said.keywords), said.deleted)


def _favorites(mutation: Mutation, value: Value) -> Action:
    return ChooseFavorites(tuple(JID.parse(each.id).bare for each in value.favorites_action.favorites))


def _expire(mutation: Mutation, value: Value) -> Action | None:
    return ExpireKeys(value.key_expiration.expired_key_epoch) if value.HasField("key_expiration") else None


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
    "setting_securityNotification": _security,
    "status_privacy": _status_privacy,
    "quick_reply": _quick_reply,
    "favorites": _favorites,
    "sentinel": _expire,
    "nct_salt_sync": _salt,
}


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
