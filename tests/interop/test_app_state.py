"""
The state an account's devices share: the unmodified Baileys (with its check of MACs switched on) and our client are
linked to one account, and each reads what the other wrote. The phone, an emulated one, reads and checks both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from recado import Client, MemoryStore
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import (
    ChatChanged,
    ChatCleared,
    ContactChanged,
    Fact,
    LabelChanged,
    LabelPlaced,
    MessageHidden,
    MessageStarred,
    PushNameChanged,
    SettingChanged,
)
from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import MessageKey
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]
F = TypeVar("F", bound=Fact)

CHAT = JID("550000000077", "s.whatsapp.net")
OTHER = JID("550000000099", "s.whatsapp.net")
MARK = actions.EditLabel("99", "there before")
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
STAR = MessageKey(CHAT, "3EB0STAR", False)
KEY = {"remoteJid": str(CHAT), "fromMe": False, "id": "3EB0STAR"}
LAST = [{"key": KEY, "messageTimestamp": 1795000000}]


@asynccontextmanager
async def two_devices(world: World, baileys: Peers) -> AsyncIterator[tuple[Client, Any, Phone]]:
    """Our client and Baileys, both linked to Ana."""
    ana = world.phone("Ana")
    ana.settings.apply(MARK)
    peer = await baileys("Ana", world.server)
    await peer.link(world)
    await peer.expect("label", id=MARK.id)
    async with Client(MemoryStore(), server=world.server) as client:
        await ana.link(client)
        await first(client, LabelChanged, lambda fact: fact.label == MARK.id)
        yield client, peer, ana
    assert ana.settings.rejected == []


async def first(client: Client, kind: type[F], wanted: Callable[[F], bool]) -> F:
    async for fact in client.listen(kind, after=0):
        if wanted(fact):
            return fact
    raise AssertionError("the client ended")


async def change(peer: Any, change: dict[str, Any], chat: JID | None = CHAT) -> None:
    """Have Baileys write a change, and wait until the server took it."""
    before = peer.mark
    await peer.tell("modify", change=change, chat=str(chat or ""), ref=before)
    await peer.expect("modified", after=before, ref=before)


@pytest.mark.capability("app state: archive, pin, mute, read, star, labels, names", "Baileys → recado")
async def test_recado_reads_what_baileys_writes(world: World, baileys: Peers) -> None:
    async with two_devices(world, baileys) as (client, peer, _):
        await change(peer, {"archive": True, "lastMessages": LAST})
        await first(client, ChatChanged, lambda fact: fact.chat == CHAT and fact.is_archived is True)
        await change(peer, {"pin": True})
        await first(client, ChatChanged, lambda fact: fact.chat == CHAT and fact.is_pinned is True)
        await change(peer, {"mute": int(UNTIL.timestamp() * 1000)})
        muted = await first(client, ChatChanged, lambda fact: fact.is_muted is True)
        assert muted.muted_until == UNTIL
        await change(peer, {"markRead": False, "lastMessages": LAST})
        await first(client, ChatChanged, lambda fact: fact.is_read is False)
        await change(peer, {"star": {"messages": [KEY], "star": True}})
        starred = await first(client, MessageStarred, lambda fact: fact.is_starred)
        assert (starred.chat, starred.id, starred.from_me) == (CHAT, "3EB0STAR", False)
        await change(peer, {"deleteForMe": {"key": KEY, "timestamp": 1795000000, "deleteMedia": True}})
        assert (await first(client, MessageHidden, lambda fact: True)).id == "3EB0STAR"
        await change(peer, {"clear": True, "lastMessages": LAST})
        await change(peer, {"delete": True, "lastMessages": LAST})
        await first(client, ChatCleared, lambda fact: fact.is_deleted)
        await change(peer, {"contact": {"fullName": "Bia Souza", "firstName": "Bia"}})
        named = await first(client, ContactChanged, lambda fact: fact.is_saved is True)
        assert (named.contact, named.full_name, named.first_name) == (CHAT, "Bia Souza", "Bia")
        await change(peer, {"addLabel": {"id": "5", "name": "Novo", "color": 3, "deleted": False}}, None)
        assert (await first(client, LabelChanged, lambda fact: fact.label == "5")).name == "Novo"
        await change(peer, {"addChatLabel": {"labelId": "5"}})
        assert (await first(client, LabelPlaced, lambda fact: fact.is_placed)).chat == CHAT
        await change(peer, {"disableLinkPreviews": {"isPreviewsDisabled": True}}, None)
        assert (await first(client, SettingChanged, lambda fact: True)).value == "off"
        await change(peer, {"contact": None})
        await first(client, ContactChanged, lambda fact: fact.is_saved is False)


@pytest.mark.capability("app state: archive, pin, mute, read, star, labels, names", "recado → Baileys")
async def test_baileys_reads_what_recado_writes(world: World, baileys: Peers) -> None:
    async with two_devices(world, baileys) as (client, peer, _):
        chat = str(CHAT)
        await client.chats.archive(CHAT)
        await peer.expect("chat", chat=chat, archived=True)
        await client.chats.pin(CHAT)
        await peer.expect("chat", chat=chat, pinned=True)
        await client.chats.mute(CHAT, UNTIL)
        await peer.expect("chat", chat=chat, muteEnd=int(UNTIL.timestamp() * 1000))
        await client.chats.mark_unread(CHAT)
        await peer.expect("chat", chat=chat, unread=-1)
        await client.chats.lock(CHAT)
        await peer.expect("locked", chat=chat, locked=True)
        await client.chats.star(STAR)
        await peer.expect("starred", chat=chat, id="3EB0STAR", starred=True)
        await client.chats.delete_for_me(STAR)
        await peer.expect("hidden", chat=chat, id="3EB0STAR")
        await client.chats.name_contact(CHAT, "Bia Souza")
        await peer.expect("contact", contact=chat, name="Bia Souza")
        await client.chats.edit_label("5", "Novo", color=3)
        await peer.expect("label", id="5", name="Novo", color=3)
        await client.chats.label_chat("5", CHAT)
        await peer.expect("labeled", how="add", chatId=chat, labelId="5")
        await client.chats.change_setting("locale", "pt_BR")
        await peer.expect("setting", setting="locale", value="pt_BR")
        await client.chats.change_setting("unarchive_chats", "on")
        await peer.expect("setting", setting="unarchiveChats", value=True)
        await client.chats.delete(CHAT)
        await peer.expect("chat-deleted", chat=chat)
        await client.chats.archive(CHAT, is_archived=False)
        await peer.expect("chat", chat=chat, archived=False)


@pytest.mark.capability("app state: push name", "both")
async def test_a_new_push_name_reaches_the_other_device(world: World, baileys: Peers) -> None:
    async with two_devices(world, baileys) as (client, peer, _):
        await client.chats.set_push_name("Ana Lúcia")
        await peer.expect("renamed", name="Ana Lúcia")
        await peer.tell("rename", name="Ana L.", ref="r")
        await peer.expect("modified", ref="r")
        await first(client, PushNameChanged, lambda fact: fact.name == "Ana L.")


@pytest.mark.capability("app state: in turns, on top of each other", "both")
async def test_they_write_in_turns_and_the_phone_believes_both(world: World, baileys: Peers) -> None:
    async with two_devices(world, baileys) as (client, peer, ana):
        for turn in range(4):
            await client.chats.pin(CHAT, is_pinned=turn % 2 == 0)
            await peer.expect("chat", after=0, chat=str(CHAT), pinned=turn % 2 == 0)
            await change(peer, {"archive": turn % 2 == 0, "lastMessages": LAST}, OTHER)
        await first(client, ChatChanged, lambda fact: fact.chat == OTHER and fact.is_archived is False)
        pinned = [
            read.is_pinned for read in ana.settings.read if isinstance(read, actions.PinChat) and read.chat == CHAT
        ]
        assert pinned == [True, False, True, False]


@pytest.mark.capability("app state: from a snapshot", "both")
async def test_each_reads_a_snapshot_of_what_the_other_wrote(world: World, baileys: Peers) -> None:
    async with two_devices(world, baileys) as (client, peer, ana):
        for id in ("10", "11", "12"):
            await change(peer, {"addLabel": {"id": id, "name": f"by Baileys {id}", "color": 1, "deleted": False}}, None)
            await client.chats.edit_label(f"2{id}", f"by recado {id}")
        ana.account.app_state.inline = 3
        late = await baileys("Late", world.server)
        await late.tell("start")
        await ana.scan((await late.expect("qr"))["qr"])
        await late.expect("label", id="212", name="by recado 12")
        async with Client(MemoryStore(), server=world.server) as other:
            await ana.link(other)
            label = await first(other, LabelChanged, lambda fact: fact.label == "12")
            assert label.name == "by Baileys 12"
        assert [method for method, _, _ in world.files.requests] == ["GET", "GET"]
