"""WhatsApp Web behind the capabilities of providers/shared_state.py: the client's own verbs in the seam's words."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from recado.client.client import Client
from recado.errors import AppStateKeyMissing
from recado.gateway.providers.shared_state import NamedMessage, OwnDevice, OwnProfile, Shown
from recado.jid import JID
from recado.protocol.appstate.actions import DeleteForMe, MessageKey


class WebChats:
    """`client.chats`."""

    def __init__(self, client: Client) -> None:
        self._chats = client.chats

    async def archive(self, chat: JID, *, is_archived: bool) -> None:
        """Put a chat away, or bring it back."""
        await self._chats.archive(chat, is_archived=is_archived)

    async def pin(self, chat: JID, *, is_pinned: bool) -> None:
        """Keep a chat on top, or no more."""
        await self._chats.pin(chat, is_pinned=is_pinned)

    async def mute(self, chat: JID, until: datetime | None) -> None:
        """Silence a chat until then; without a time, for good."""
        await self._chats.mute(chat, until)

    async def unmute(self, chat: JID) -> None:
        """Let it be heard again."""
        await self._chats.unmute(chat)

    async def mark(self, chat: JID, *, is_read: bool) -> None:
        """Show a chat as read or unread."""
        await (self._chats.mark_read(chat) if is_read else self._chats.mark_unread(chat))

    async def clear(self, chat: JID, *, keep_starred: bool) -> None:
        """Empty a chat."""
        await self._chats.clear(chat, keep_starred=keep_starred)

    async def delete(self, chat: JID) -> None:
        """Delete a chat."""
        await self._chats.delete(chat)

    async def star(self, message: NamedMessage, *, is_starred: bool) -> None:
        """Put a star on a message, or take it off."""
        await self._chats.star(_key(message), is_starred=is_starred)

    async def hide(self, message: NamedMessage) -> None:
        """Delete a message for this account alone."""
        await self._chats.apply(DeleteForMe(_key(message), True, message.sent_at))

    async def edit_label(self, label: str, name: str, *, color: int) -> None:
        """Make or change a label."""
        await self._chats.edit_label(label, name, color=color)

    async def delete_label(self, label: str) -> None:
        """Delete a label."""
        await self._chats.delete_label(label)

    async def label(self, label: str, on: JID | NamedMessage, *, is_labeled: bool) -> None:
        """Put a label on a chat or message, or take it off."""
        if isinstance(on, JID):
            await self._chats.label_chat(label, on, is_labeled=is_labeled)
        else:
            await self._chats.label_message(label, _key(on), is_labeled=is_labeled)


class WebProfile:
    """`client.people`, of the account itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._people = client.people

    async def read(self) -> OwnProfile:
        """The profile, privacy, timer and blocklist."""
        me, people = self._client.account, self._people
        if me is None:
            return OwnProfile("", None, False, {}, 0, ())
        told = (await people.look_up([me.bare])).get(me.bare)
        privacy, blocked = await people.privacy(), await people.blocked()
        return OwnProfile(
            people.name,
            told.about if told is not None else None,
            bool(told is not None and told.picture),
            privacy,
            (told.timer or 0) if told is not None else 0,
            tuple(sorted(blocked, key=str)),
        )

    async def set_name(self, name: str) -> None:
        """A new name: on this device at once, and on the others through the shared state once there are keys for it."""
        await self._people.set_name(name)
        try:
            await self._client.chats.set_push_name(name)
        except AppStateKeyMissing:
            pass  # this device says it; the others hear of it when the phone has given its keys

    async def set_about(self, about: str) -> None:
        """What the account says of itself."""
        await self._people.set_about(about)

    async def set_picture(self, jpeg: bytes | None) -> None:
        """Show this picture, or none."""
        await (self._people.set_picture(jpeg) if jpeg is not None else self._people.remove_picture())

    async def set_privacy(self, setting: str, value: str) -> None:
        """Give one setting another value."""
        await self._people.set_privacy(setting, value)

    async def set_default_timer(self, seconds: int) -> None:
        """The timer of new chats."""
        await self._people.set_default_timer(seconds)

    async def business(self, person: JID) -> dict[str, Any] | None:
        """What a business tells of itself."""
        found = await self._people.business(person)
        return None if found is None else asdict(found) | {"jid": str(found.jid)}

    async def picture(self, person: JID, *, preview: bool) -> Shown | None:
        """Where a picture is."""
        found = await self._people.picture(person, preview=preview)
        return None if found is None else Shown(found.id, found.url)


class WebDevices:
    """`client.devices`."""

    def __init__(self, client: Client) -> None:
        self._devices = client.devices

    async def list(self) -> tuple[OwnDevice, ...]:
        """All of them."""
        told = await self._devices.list()
        return tuple(OwnDevice(each.number, each.is_this, each.is_hosted, each.is_vouched) for each in told.devices)

    async def remove(self, number: int) -> None:
        """Take one off."""
        await self._devices.remove(number)


def _key(message: NamedMessage) -> MessageKey:
    return MessageKey(message.chat.bare, message.id, message.from_me, message.author)
