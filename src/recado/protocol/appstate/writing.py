"""
Actions as entries to be written: which collection each belongs to, its index, its value and the version of its form, as
WhatsApp's own clients have them.
"""

from __future__ import annotations

from datetime import datetime

from recado.errors import UsageError
from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import Action, LastMessage, MessageKey
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.mutation import Write
from recado.protocol.proto import appstate_pb2 as wire

_FOR_GOOD = -1


def writes_of(action: Action, *, at: datetime) -> list[Write]:
    """The entries that make it so; they share a collection. Raises UsageError for what is only ever read."""
    writes = [_write(action, at)]
    if isinstance(action, actions.Archive) and action.is_archived:
        writes.append(_write(actions.PinChat(action.chat, False), at))  # what is put away does not stay on top
    for write in writes:
        write.value.timestamp = int(at.timestamp() * 1000)
    return writes


def _write(action: Action, at: datetime) -> Write:
    match action:
        case actions.Archive() | actions.PinChat() | actions.MarkRead() | actions.Lock():
            return _low(action, at)
        case actions.Mute() | actions.ClearChat() | actions.DeleteChat() | actions.MuteStatus():
            return _high(action, at)
        case actions.Star() | actions.DeleteForMe():
            return _message(action)
        case actions.NameContact():
            return _contact(action)
        case actions.EditQuickReply():
            return _quick_reply(action)
        case actions.ChooseFavorites(chats=chats):
            value = wire.SyncActionValue()
            for chat in chats:
                value.favorites_action.favorites.add().id = str(chat)
            return Write(Collection.REGULAR_HIGH, ("favorites",), value, 1)
        case actions.EditLabel() | actions.LabelChat() | actions.LabelMessage():
            return _label(action)
        case actions.SetPushName() | actions.ChangeSetting():
            return _setting(action)
        case _:
            raise UsageError("this kind of entry is read, not written")


def _low(action: actions.Archive | actions.PinChat | actions.MarkRead | actions.Lock, at: datetime) -> Write:
    value, chat = wire.SyncActionValue(), str(action.chat)
    match action:
        case actions.Archive(is_archived=is_archived, last=last):
            value.archive_chat_action.archived = is_archived
            value.archive_chat_action.message_range.CopyFrom(_range(last, at))
            index, version = ("archive", chat), 3
        case actions.PinChat(is_pinned=is_pinned):
            value.pin_action.pinned = is_pinned
            index, version = ("pin_v1", chat), 5
        case actions.MarkRead(is_read=is_read, last=last):
            value.mark_chat_as_read_action.read = is_read
            value.mark_chat_as_read_action.message_range.CopyFrom(_range(last, at))
            index, version = ("markChatAsRead", chat), 3
        case actions.Lock(is_locked=is_locked):
            value.lock_chat_action.locked = is_locked
            index, version = ("lock", chat), 7
    return Write(Collection.REGULAR_LOW, index, value, version)


def _high(action: actions.Mute | actions.ClearChat | actions.DeleteChat | actions.MuteStatus, at: datetime) -> Write:
    value = wire.SyncActionValue()
    index: tuple[str, ...]
    match action:
        case actions.Mute(chat=chat, is_muted=is_muted, until=until):
            value.mute_action.muted = is_muted
            if is_muted:
                value.mute_action.mute_end_timestamp = _FOR_GOOD if until is None else int(until.timestamp() * 1000)
            index, version = ("mute", str(chat)), 2
        case actions.ClearChat(chat=chat, keeps_starred=keeps, deletes_media=media, last=last):
            value.clear_chat_action.message_range.CopyFrom(_range(last, at))
            index, version = ("clearChat", str(chat), _digit(not keeps), _digit(media)), 6
        case actions.DeleteChat(chat=chat, deletes_media=media, last=last):
            value.delete_chat_action.message_range.CopyFrom(_range(last, at))
            index, version = ("deleteChat", str(chat), _digit(media)), 6
        case actions.MuteStatus(contact=contact, is_muted=is_muted):
            value.user_status_mute_action.muted = is_muted
            index, version = ("userStatusMute", str(contact)), 7
    return Write(Collection.REGULAR_HIGH, index, value, version)


def _message(action: actions.Star | actions.DeleteForMe) -> Write:
    value, words = wire.SyncActionValue(), _words(action.message)
    if isinstance(action, actions.Star):
        value.star_action.starred = action.is_starred
        return Write(Collection.REGULAR_HIGH, ("star", *words), value, 2)
    value.delete_message_for_me_action.delete_media = action.deletes_media
    if action.sent_at is not None:
        value.delete_message_for_me_action.message_timestamp = int(action.sent_at.timestamp())
    return Write(Collection.REGULAR_HIGH, ("deleteMessageForMe", *words), value, 3)


def _contact(action: actions.NameContact) -> Write:
    value = wire.SyncActionValue()
    if action.contact.is_lid:
        said_of_lid = value.lid_contact_action
        said_of_lid.full_name, said_of_lid.first_name = action.full_name or "", action.first_name or ""
        if action.username is not None:
            said_of_lid.username = action.username
        index = ("lid_contact", str(action.contact))
        return Write(Collection.CRITICAL_UNBLOCK_LOW, index, value, 2, is_removal=action.is_removed)
    said = value.contact_action
    said.save_on_primary_addressbook = True
    for name, text in (
        ("full_name", action.full_name),
        ("first_name", action.first_name),
        ("lid_jid", None if action.lid is None else str(action.lid)),
        ("username", action.username),
    ):
        if text is not None:
            setattr(said, name, text)
    index = ("contact", str(action.contact))
    return Write(Collection.CRITICAL_UNBLOCK_LOW, index, value, 2, is_removal=action.is_removed)


def _quick_reply(action: actions.EditQuickReply) -> Write:
    value = wire.SyncActionValue()
    said = value.quick_reply_action
    said.shortcut, said.message, said.count, said.deleted = action.shortcut, action.text, 0, action.is_deleted
    said.keywords.extend(action.keywords)
    return Write(Collection.REGULAR, ("quick_reply", action.id), value, 2)


def _label(action: actions.EditLabel | actions.LabelChat | actions.LabelMessage) -> Write:
    value = wire.SyncActionValue()
    match action:
        case actions.EditLabel(id=id, name=name, color=color, is_deleted=is_deleted):
            said = value.label_edit_action
            said.name, said.color, said.deleted = name, color, is_deleted
            index: tuple[str, ...] = ("label_edit", id)
        case actions.LabelChat(label=label, chat=chat, is_labeled=is_labeled):
            value.label_association_action.labeled = is_labeled
            index = ("label_jid", label, str(chat))
        case actions.LabelMessage(label=label, chat=chat, id=id, is_labeled=is_labeled):
            value.label_association_action.labeled = is_labeled
            index = ("label_message", label, str(chat), id, "0", "0")
    return Write(Collection.REGULAR, index, value, 3)


def _setting(action: actions.SetPushName | actions.ChangeSetting) -> Write:
    value = wire.SyncActionValue()
    if isinstance(action, actions.SetPushName):
        value.push_name_setting.name = action.name
        return Write(Collection.CRITICAL_BLOCK, ("setting_pushName",), value, 1)
    is_on = action.value == "on"
    match action.name:
        case "unarchive_chats":
            value.unarchive_chats_setting.unarchive_chats = is_on
            return Write(Collection.REGULAR_LOW, ("setting_unarchiveChats",), value, 4)
        case "link_previews":
            value.privacy_setting_disable_link_previews_action.is_previews_disabled = not is_on
            return Write(Collection.REGULAR, ("setting_disableLinkPreviews",), value, 8)
        case "locale":
            value.locale_setting.locale = action.value
            return Write(Collection.CRITICAL_BLOCK, ("setting_locale",), value, 3)
        case "twenty_four_hours":
            value.time_format_action.is_twenty_four_hour_format_enabled = is_on
            return Write(Collection.REGULAR_LOW, ("time_format",), value, 7)
        case "status_privacy":
            value.status_privacy.mode = actions.STATUS_PRIVACY.index(action.value)
            value.status_privacy.user_jid.extend(str(person) for person in action.people)
            return Write(Collection.REGULAR_HIGH, ("status_privacy",), value, 7)
        case "security_notifications":
            value.security_notification_setting.show_notification = is_on
            return Write(Collection.CRITICAL_BLOCK, ("setting_securityNotification",), value, 1)
        case _:
            raise UsageError("this setting is read, not written")


def _words(message: MessageKey) -> tuple[str, str, str, str]:
    author = message.author
    named = author is not None and not message.from_me and author.bare != message.chat
    return str(message.chat), message.id, _digit(message.from_me), str(author) if named else "0"


def _range(last: LastMessage | None, at: datetime) -> wire.SyncActionMessageRange:
    stamp = int((last.at if last is not None else at).timestamp())
    range = wire.SyncActionMessageRange(last_message_timestamp=stamp)
    if last is not None and last.key is not None:
        key = last.key
        is_named = key.author is not None and not key.from_me and key.author.bare != key.chat
        named = wire.MessageKey(
            remote_jid=str(key.chat), from_me=key.from_me, id=key.id, participant=str(key.author) if is_named else None
        )
        range.messages.append(wire.SyncActionMessage(key=named, timestamp=stamp))
    return range


def _digit(is_on: bool) -> str:
    return "1" if is_on else "0"
