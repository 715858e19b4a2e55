"""
`client.chats`: what a person does to chats and messages for themselves, the same on all of the account's devices. Each
verb returns once the server took it; the facts that follow are those other devices would cause too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.appstate.pushing import push
from recado.events import MessageReceived, MessageSent
from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import Action, LastMessage, MessageKey

if TYPE_CHECKING:
    from recado.client.connection import Connection

Message = MessageReceived | MessageSent


class Chats:
    """
    The shared state of one account. `last`, where a verb takes it, is the chat's last message: what comes later is not
    concerned. All raise AppStateKeyMissing (the phone has not given its keys yet), AppStateConflict, and as `send`.
    """

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    async def archive(self, chat: JID, *, is_archived: bool = True, last: Message | None = None) -> None:
        """Put a chat away (which takes it off the top too), or bring it back."""
        await self.apply(actions.Archive(chat.bare, is_archived, _last(last)))

    async def pin(self, chat: JID, *, is_pinned: bool = True) -> None:
        """Keep a chat on top of the list, or no more."""
        await self.apply(actions.PinChat(chat.bare, is_pinned))

    async def mute(self, chat: JID, until: datetime | None = None) -> None:
        """Silence a chat until then; without a time, for good."""
        await self.apply(actions.Mute(chat.bare, True, until))

    async def unmute(self, chat: JID) -> None:
        """Let a chat be heard again."""
        await self.apply(actions.Mute(chat.bare, False))

    async def mark_read(self, chat: JID, *, last: Message | None = None) -> None:
        """Show a chat as read. Its authors are told by `Client.mark_read`, not by this."""
        await self.apply(actions.MarkRead(chat.bare, True, _last(last)))

    async def mark_unread(self, chat: JID, *, last: Message | None = None) -> None:
        """Show a chat as unread."""
        await self.apply(actions.MarkRead(chat.bare, False, _last(last)))

    async def lock(self, chat: JID, *, is_locked: bool = True) -> None:
        """Put a chat behind the phone's lock, or bring it back."""
        await self.apply(actions.Lock(chat.bare, is_locked))

    async def clear(
        self,
        chat: JID,
        *,
        keep_starred: bool = False,
        delete_media: bool = False,
        last: Message | None = None,
    ) -> None:
        """Empty a chat on the account's devices."""
        await self.apply(actions.ClearChat(chat.bare, keep_starred, delete_media, _last(last)))

    async def delete(self, chat: JID, *, delete_media: bool = True, last: Message | None = None) -> None:
        """Delete a chat from the account's devices."""
        await self.apply(actions.DeleteChat(chat.bare, delete_media, _last(last)))

    async def star(self, message: Message | MessageKey, *, is_starred: bool = True) -> None:
        """Put a star on a message, or take it off."""
        await self.apply(actions.Star(key_of(message), is_starred))

    async def delete_for_me(self, message: Message | MessageKey, *, delete_media: bool = True) -> None:
        """Delete a message from the account's devices alone."""
        sent_at = None if isinstance(message, MessageKey) else message.sent_at
        await self.apply(actions.DeleteForMe(key_of(message), delete_media, sent_at))

    async def name_contact(
        self, contact: JID, full_name: str, *, first_name: str | None = None, lid: JID | None = None
    ) -> None:
        """Save a person in the account's address book, or under another name."""
        await self.apply(actions.NameContact(contact.bare, full_name, first_name or full_name.split(" ")[0], lid))

    async def remove_contact(self, contact: JID) -> None:
        """Take a person out of the account's address book."""
        await self.apply(actions.NameContact(contact.bare, is_removed=True))

    async def set_push_name(self, name: str) -> None:
        """Have the account call itself by that name."""
        await self.apply(actions.SetPushName(name))

    async def edit_label(self, label: str, name: str, *, color: int = 0) -> None:
        """Make a label (a business account's), rename or recolour it."""
        await self.apply(actions.EditLabel(label, name, color))

    async def delete_label(self, label: str) -> None:
        """Delete a label."""
        await self.apply(actions.EditLabel(label, is_deleted=True))

    async def label_chat(self, label: str, chat: JID, *, is_labeled: bool = True) -> None:
        """Put a label on a chat, or take it off."""
        await self.apply(actions.LabelChat(label, chat.bare, is_labeled))

    async def label_message(self, label: str, message: Message | MessageKey, *, is_labeled: bool = True) -> None:
        """Put a label on a message, or take it off."""
        key = key_of(message)
        await self.apply(actions.LabelMessage(label, key.chat, key.id, is_labeled))

    async def edit_quick_reply(self, reply: str, shortcut: str, text: str, *, keywords: tuple[str, ...] = ()) -> None:
        """Keep a text at hand under a short word (a business account's), or change it; `reply` is its own id."""
        await self.apply(actions.EditQuickReply(reply, shortcut, text, keywords))

    async def delete_quick_reply(self, reply: str) -> None:
        """Keep it no longer."""
        await self.apply(actions.EditQuickReply(reply, is_deleted=True))

    async def choose_favorites(self, *chats: JID) -> None:
        """Make these chats, in this order, the favourites."""
        await self.apply(actions.ChooseFavorites(tuple(chat.bare for chat in chats)))

    async def mute_status(self, contact: JID, *, is_muted: bool = True) -> None:
        """Hide somebody's status posts, or show them again."""
        await self.apply(actions.MuteStatus(contact.bare, is_muted))

    async def change_setting(self, setting: str, value: str, *people: JID) -> None:
        """
        Change `unarchive_chats`, `link_previews`, `security_notifications` or `twenty_four_hours` ("on", "off"), the
        `locale`, or `status_privacy` ("contacts"; "allow_list" or "deny_list" of `people`).
        """
        await self.apply(actions.ChangeSetting(setting, value, tuple(person.bare for person in people)))

    async def apply(self, *given: Action) -> None:
        """Make these actions true, as one change; they must belong to one collection."""
        await push(self._account, await self._connected(), *given)


def key_of(message: Message | MessageKey) -> MessageKey:
    """How the shared state names a message."""
    match message:
        case MessageKey():
            return message
        case MessageReceived():
            author = None if message.from_me or message.chat.is_person else message.sender.bare
            return MessageKey(message.chat.bare, message.id, message.from_me, author)
        case _:
            return MessageKey(message.chat.bare, message.id, True)


def _last(message: Message | None) -> LastMessage | None:
    return None if message is None else LastMessage(message.sent_at, key_of(message))
