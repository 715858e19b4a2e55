"""People between the unmodified Baileys and our client: presence, profiles, privacy, blocks, trust and calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.interop.test_baileys_with_recado import Peers, conversation, first, heard

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.world import World
from recado.errors import Rejected
from recado.events import (
    AboutChanged,
    BlocklistChanged,
    CallReceived,
    CallState,
    DisappearingDefaultChanged,
    NewChatsCapped,
    PictureChanged,
    PresenceChanged,
    PrivacyChanged,
    ReachOutRestricted,
    Signal,
    TypingChanged,
)
from recado.protocol.node import Node

BOTH = "both"
JPEG = b"\xff\xd8\xff\xe0 a small picture"


async def call(peer: Any, name: str, *args: Any) -> Any:
    """Call a function of Baileys' socket; what it came to."""
    before = peer.mark
    await peer.tell("people", call=name, args=list(args), ref=name)
    return (await peer.expect("people", after=before, ref=name))["result"]


@asynccontextmanager
async def signalled(client: Client, kind: type[Signal]) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """`await seen()`: the next signal of a kind, from now on, waited for a while."""
    heard: asyncio.Queue[Signal] = asyncio.Queue()

    async def listen() -> None:
        async for signal in client.signals(kind):
            heard.put_nowait(signal)

    async def seen() -> Signal:
        async with asyncio.timeout(20):
            return await heard.get()

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen())
        yield seen
        listening.cancel()


@pytest.mark.capability("presence", BOTH)
@pytest.mark.capability("typing and recording", BOTH)
async def test_presence_and_typing_go_both_ways(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui), signalled(client, PresenceChanged) as seen:
        ana, them = world.phone("Ana"), world.phone("Rui")
        await them.say(ana, "I am Rui")  # Baileys shows no presence before it knows its own name
        await rui.expect("message", text="I am Rui", fromMe=True)
        await client.people.watch(them.jid)
        assert not (await seen()).is_available
        while not them.account.is_available:
            await call(rui, "sendPresenceUpdate", "available")
        assert (await seen()).is_available
        await call(rui, "sendPresenceUpdate", "unavailable")
        gone = await seen()
        assert (gone.is_available, gone.contact, gone.last_seen is not None) == (False, them.lid, True)

        await call(rui, "presenceSubscribe", str(ana.jid))
        await client.show_online()
        await rui.expect("presence", state="available")
        async with signalled(client, TypingChanged) as typed:
            for state, is_audio in (("composing", False), ("recording", True), ("paused", False)):
                await call(rui, "sendPresenceUpdate", state, str(ana.lid))
                signal = await typed()
                assert (signal.is_typing, signal.is_audio) == (state != "paused", is_audio)
        await client.show_typing(them.lid)
        await rui.expect("presence", state="composing")
        await client.show_typing(them.lid, is_audio=True)
        await rui.expect("presence", state="recording")


@pytest.mark.capability("on-WhatsApp look-up, about, picture", BOTH)
async def test_each_finds_the_other_and_sees_what_is_shown(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana, them = world.phone("Ana"), world.phone("Rui")
        told = await client.people.on_whatsapp([them.jid])
        assert told[them.jid].is_on_whatsapp and told[them.jid].lid == them.lid
        (found,) = await call(rui, "onWhatsApp", str(ana.jid))
        assert (found["exists"], found["jid"]) == (True, str(ana.jid))
        await client.send(them.jid, Text("oi"))
        await rui.expect("message", text="oi", fromMe=False)

        await client.people.set_about("Back soon")
        (shown,) = await call(rui, "fetchStatus", str(ana.jid))
        assert shown["status"]["status"] == "Back soon"
        await call(rui, "updateProfileStatus", "At sea")
        assert (await first(client, AboutChanged, lambda fact: fact.about == "At sea")).contact == them.lid
        assert (await client.people.look_up([them.lid]))[them.lid].about == "At sea"

        id = await client.people.set_picture(JPEG)
        await rui.expect("contact", imgUrl="changed")
        url = await call(rui, "profilePictureUrl", str(ana.jid), "image")
        assert url == f"https://{world.files.hosts[0]}/v/pictures/{id}.jpg"
        await client.people.remove_picture()
        await rui.expect("contact", imgUrl="removed")
        them.person.set_picture(JPEG)
        await first(client, PictureChanged, lambda fact: fact.contact == them.lid and bool(fact.picture))
        picture = await client.people.picture(them.lid, preview=True)
        assert picture is not None and picture.id == them.account.profile.picture_id
        await call(rui, "removeProfilePicture", str(them.jid))
        await first(client, PictureChanged, lambda fact: fact.contact == them.lid and fact.picture is None)


@pytest.mark.capability("blocklist, privacy settings, default timer", BOTH)
async def test_two_devices_of_one_account_hear_of_each_others_changes(world: World, baileys: Peers) -> None:
    ana, bia = world.phone("Ana"), world.phone("Bia")
    other = await baileys("Ana", world.server)
    await other.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await ana.link(client)
        await client.people.privacy()
        await bia.say(ana, "here I am")
        await heard(client, "here I am")
        await other.expect("message", text="here I am")

        await client.people.block(bia.jid)
        await other.expect("blocked", blocklist=[str(bia.lid)], type="add")
        assert await call(other, "fetchBlocklist") == [str(bia.lid)]
        await call(other, "updateBlockStatus", str(bia.lid), "unblock")
        await first(client, BlocklistChanged, lambda fact: fact.unblocked == (bia.lid,))
        assert await client.people.blocked() == frozenset()
        await call(other, "updateBlockStatus", str(bia.jid), "block")
        blocked = client.listen(BlocklistChanged, after=0)
        assert [(await anext(blocked)).blocked for _ in range(3)] == [(bia.lid,), (), (bia.lid,)]

        await call(other, "updateLastSeenPrivacy", "contacts")
        await first(client, PrivacyChanged, lambda fact: (fact.setting, fact.value) == ("last", "contacts"))
        await client.people.set_privacy("readreceipts", "none")
        assert (await call(other, "fetchPrivacySettings", True))["readreceipts"] == "none"

        await call(other, "updateDefaultDisappearingMode", 86_400)
        assert (await first(client, DisappearingDefaultChanged, lambda fact: True)).seconds == 86_400
        await client.people.set_default_timer(604_800)
        await other.expect("timer-default", seconds=604_800)


@pytest.mark.capability("privacy tokens, first contact refused", BOTH)
async def test_trust_is_given_shown_and_opens_the_door(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana, them = world.phone("Ana"), world.phone("Rui")
        await them.say(ana, "settled in")  # what Baileys is told during its first sync, it may lose
        await rui.expect("message", text="settled in", fromMe=True)
        await client.send(them.jid, Text("oi"))
        await world.until(lambda: them.number in ana.account.profile.given, "we gave no token")
        seen: list[Node] = []
        world.log = lambda direction, whose, node: seen.append(node) if node.tag == "message" else None
        for turn in range(3):  # what Baileys is told while it first syncs, it may lose
            await rui.send(str(ana.jid), f"turn {turn}")
            shown = next(node for node in reversed(seen) if node.attrs.get("to") == str(ana.jid)).child("tctoken")
            if shown is not None:
                break
            ana.person.trust(them)
        assert shown is not None and shown.blob == ana.account.profile.given[them.number]

        await rui.send(str(ana.jid), "and back")
        await world.until(lambda: ana.number in them.account.profile.given, "Baileys gave no token")
        token = them.account.profile.given[ana.number]
        await heard(client, "and back")
        ana.person.lock(seconds=600)
        await first(client, ReachOutRestricted, lambda fact: fact.is_active)
        ana.account.contacts.discard(them.number)  # as if they had never written with each other
        async with client.store.transaction() as tx:
            assert (await tx.people.tokens(them.lid)).token == token
        await client.send(them.jid, Text("by your leave"))
        await rui.expect("message", text="by your leave", fromMe=False)
        with pytest.raises(Rejected):
            await client.send(world.phone("Caio").jid, Text("a stranger"))


@pytest.mark.capability("calls refused", BOTH)
async def test_a_call_is_heard_and_refused_by_either(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana, them, bia = world.phone("Ana"), world.phone("Rui"), world.phone("Bia")
        id = bia.person.call(ana, is_video=True)
        offered = await first(client, CallReceived, lambda fact: fact.id == id)
        assert (offered.caller, offered.is_video, offered.state) == (bia.lid, True, CallState.OFFERED)
        await client.people.reject_call(id, offered.caller)
        assert bia.person.calls[id] == "rejected"

        other = bia.person.call(them)
        event = await rui.expect("call", id=other, status="offer")
        await call(rui, "rejectCall", other, event["from"])
        assert bia.person.calls[other] == "rejected"


@pytest.mark.capability("call link, list of bots, a contact's timer", BOTH)
async def test_what_is_asked_of_the_server_is_answered_alike(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana = world.phone("Ana")
        token = await call(rui, "createCallLink", "video", {"startTime": 1_796_137_200})
        link = await client.people.create_call_link(is_video=True)
        assert len(link.rpartition("/")[2]) == len(token)
        (bot,) = await call(rui, "getBotListV2")
        (ours,) = await client.people.bots()
        assert (bot["jid"], bot["personaId"]) == (str(ours.jid), ours.persona)
        await client.people.set_default_timer(86_400)
        (shown,) = await call(rui, "fetchDisappearingDuration", str(ana.jid))
        assert shown["disappearing_mode"]["duration"] == 86_400
        await call(rui, "updateDefaultDisappearingMode", 604_800)
        them = world.phone("Rui").lid
        assert (await client.people.look_up([them]))[them].timer == 604_800


@pytest.mark.capability("how many chats may be begun", BOTH)
async def test_the_cap_on_new_chats_is_told_alike(world: World, baileys: Peers) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana, them = world.phone("Ana"), world.phone("Rui")
        for phone in (ana, them):
            phone.person.cap("CAPPED", quota=50, used=50)
        await rui.expect("cap", status="CAPPED", used=50)
        told = await first(client, NewChatsCapped, lambda fact: fact.is_active)
        theirs = await call(rui, "fetchNewChatMessageCap")
        ours = await client.people.new_chat_cap()
        assert (theirs["total_quota"], theirs["used_quota"], theirs["capping_status"]) == (50, 50, "CAPPED")
        assert (ours.quota, ours.used, ours.status, ours.ends) == (50, 50, "CAPPED", told.until)
        assert told.until is not None and int(told.until.timestamp()) == int(theirs["cycle_end_timestamp"])
