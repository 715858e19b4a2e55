"""Groups of three: two unmodified Baileys and our client, made by either; what each says reaches the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import pytest

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.world import World
from recado.events import EnvelopeUnreadable, Fact, GroupChanged, MessageReceived, ReceiptKind, ReceiptReceived, Source
from recado.groups import GroupChange
from recado.jid import JID
from recado.server import Server

Peers = Callable[[str, Server], Awaitable[Any]]

F = TypeVar("F", bound=Fact)

BOTH = "both"


class Three(NamedTuple):
    """Our client is linked as Ana; Baileys as Rui and as Bia."""

    client: Client
    rui: Any
    bia: Any


@asynccontextmanager
async def three(world: World, baileys: Peers) -> AsyncIterator[Three]:
    rui, bia = await baileys("Rui", world.server), await baileys("Bia", world.server)
    await rui.link(world)
    await bia.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        yield Three(client, rui, bia)


async def first(client: Client, kind: type[F], wanted: Callable[[F], bool]) -> F:
    async for fact in client.listen(kind, after=0):
        if wanted(fact):
            return fact
    raise AssertionError("the client ended")


async def heard(client: Client, text: str) -> MessageReceived:
    return await first(client, MessageReceived, lambda fact: fact.content == Text(text))


async def changed(client: Client, what: GroupChange) -> GroupChanged:
    return await first(client, GroupChanged, lambda fact: fact.what is what)


async def ask(peer: Any, call: str, *args: Any) -> Any:
    """One of Baileys' own functions, and what it answered."""
    before = peer.mark
    await peer.tell("group", call=call, args=args, ref=call)
    return (await peer.expect("group", after=before, ref=call))["result"]


async def says(peer: Any, group: JID, text: str) -> str:
    sent: str = await peer.send(str(group), text)
    return sent


@pytest.mark.capability("group made, and texts in it", BOTH)
@pytest.mark.capability("receipts in a group", BOTH)
@pytest.mark.capability("retry in a group", BOTH)
async def test_a_group_made_here_carries_texts_receipts_and_resends(world: World, baileys: Peers) -> None:
    async with three(world, baileys) as (client, rui, bia):
        people = [world.phone("Rui").jid, world.phone("Bia").jid]
        group = (await client.groups.create("Three", people)).jid
        for peer in (rui, bia):
            await peer.expect("joined", id=str(group))
        await _texts(client, rui, bia, group)
        assert world.phone("Ana").repeats == {}
        await _receipts(world, client, rui, group)
        await _resends(world, client, rui, bia, group)


async def _texts(client: Client, rui: Any, bia: Any, group: JID) -> None:
    for turn in range(12):
        if turn % 3 == 0:
            sent = await client.send(group, Text(f"text {turn}"))
            for peer in (rui, bia):
                event = await peer.expect("message", text=f"text {turn}", chat=str(group))
                assert event["id"] == sent.id
        else:
            author, other = ((rui, bia), (bia, rui))[turn % 3 - 1]
            id = await says(author, group, f"text {turn}")
            assert (await heard(client, f"text {turn}")).id == id
            await other.expect("message", text=f"text {turn}")


async def _receipts(world: World, client: Client, rui: Any, group: JID) -> None:
    ours = await client.send(group, Text("seen?"))
    there = await rui.expect("message", text="seen?", fromMe=False)
    for who in (world.phone("Rui").lid, world.phone("Bia").lid):

        def is_theirs(fact: ReceiptReceived, who: JID = who) -> bool:
            return ours.id in fact.ids and fact.sender == who and fact.kind is ReceiptKind.DELIVERED

        await first(client, ReceiptReceived, is_theirs)
    await rui.tell("read", key=there["key"])
    read = await first(client, ReceiptReceived, lambda fact: fact.kind is ReceiptKind.READ)
    assert (read.sender, read.chat) == (world.phone("Rui").lid, group)
    theirs = await says(rui, group, "and you?")
    message = await heard(client, "and you?")
    await client.mark_read(group, [message.id], sender=message.sender)
    await rui.expect("receipt", id=theirs, read=True, by=str(world.phone("Ana").lid))


async def _resends(world: World, client: Client, rui: Any, bia: Any, group: JID) -> None:
    """What reached Baileys damaged is sent to it again, and what came damaged from there is asked for again."""
    opened = await rui.expect("open")
    world.faults.corrupt_next(str(opened["me"]))
    sent = await client.send(group, Text("damaged on the way"))
    assert (await rui.expect("message", text="damaged on the way"))["id"] == sent.id
    assert [planned.fault for planned in world.faults.happened] == [Fault.CORRUPT]
    await client.send(group, Text("and on"))
    for peer in (rui, bia):
        await peer.expect("message", text="and on")
    world.faults.corrupt_next(str(client.device))
    theirs = await says(rui, group, "damaged from there")
    unreadable = await first(client, EnvelopeUnreadable, lambda fact: fact.id == theirs)
    assert unreadable.reason == "BadMac"
    message = await heard(client, "damaged from there")
    assert (message.id, message.chat, message.source) == (theirs, group, Source.RESEND)
    await says(rui, group, "and on from there")
    await heard(client, "and on from there")
    await bia.expect("message", text="and on from there")


@pytest.mark.capability("group made, and texts in it", BOTH)
@pytest.mark.capability("group's name, description, rules and timer", "Baileys → recado")
@pytest.mark.capability("group member added, and one removed with new keys", BOTH)
@pytest.mark.capability("group joined by its code", BOTH)
async def test_a_group_made_by_baileys_is_known_here_and_its_changes_reach_us(world: World, baileys: Peers) -> None:
    async with three(world, baileys) as (client, rui, bia):
        ana, lost = str(world.phone("Ana").lid), str(world.phone("Bia").lid)
        group = JID.parse((await ask(rui, "groupCreate", "Rui's", [ana, lost]))["id"])
        created = await changed(client, GroupChange.CREATED)
        assert (created.group, created.value, created.by) == (group, "Rui's", world.phone("Rui").lid)
        await client.send(group, Text("for three"))
        for peer in (rui, bia):
            await peer.expect("message", text="for three")
        await ask(rui, "groupUpdateSubject", str(group), "Renamed")
        await ask(rui, "groupUpdateDescription", str(group), "what it is about")
        await ask(rui, "groupSettingUpdate", str(group), "locked")
        await ask(rui, "groupToggleEphemeral", str(group), 86400)
        await ask(rui, "groupParticipantsUpdate", str(group), [ana], "promote")
        await ask(rui, "groupParticipantsUpdate", str(group), [lost], "remove")
        assert (await changed(client, GroupChange.REMOVED)).people == (world.phone("Bia").lid,)
        kept = await client.groups.get(group)
        assert (kept.subject, kept.description) == ("Renamed", "what it is about")
        assert (kept.is_locked, kept.expires_in) == (True, 86400)
        assert [str(member.jid) for member in kept.members if member.is_admin] == [str(world.phone("Rui").lid), ana]
        await client.send(group, Text("for two"))
        await rui.expect("message", text="for two")
        await says(rui, group, "between us")
        await heard(client, "between us")
        code = await ask(rui, "groupInviteCode", str(group))
        assert (await client.groups.invited_to(f"https://chat.example/{code}")).jid == group
        await ask(bia, "groupAcceptInvite", code)
        await changed(client, GroupChange.ADDED)
        await client.send(group, Text("for three again"))
        await bia.expect("message", text="for three again")
        assert not [event for event in bia.events if event.get("text") in ("for two", "between us")]


@pytest.mark.capability("group's name, description, rules and timer", "recado → Baileys")
@pytest.mark.capability("group member added, and one removed with new keys", BOTH)
async def test_with_an_addition_and_a_removal_here_the_keys_follow(world: World, baileys: Peers) -> None:
    async with three(world, baileys) as (client, rui, bia):
        group = (await client.groups.create("Two", [world.phone("Rui").jid])).jid
        await client.send(group, Text("for two"))
        await rui.expect("message", text="for two")
        await says(rui, group, "also for two")
        await heard(client, "also for two")
        await client.groups.add(group, [world.phone("Bia").jid])
        await bia.expect("joined", id=str(group))
        await client.send(group, Text("for three"))
        await bia.expect("message", text="for three")
        await says(rui, group, "also for three")
        await heard(client, "also for three")
        await bia.expect("message", text="also for three")
        await client.groups.rename(group, "Renamed here")
        await client.groups.describe(group, "described here")
        there = await ask(rui, "groupMetadata", str(group))
        assert (there["subject"], there["desc"], there["size"]) == ("Renamed here", "described here", 3)
        await client.groups.remove(group, [world.phone("Bia").jid])
        await rui.expect("members", action="remove")
        await changed(client, GroupChange.REMOVED)
        await client.send(group, Text("for two again"))
        await rui.expect("message", text="for two again")
        await says(rui, group, "yes")
        await heard(client, "yes")
        assert not [event for event in bia.events if event.get("text") in ("for two", "for two again", "yes")]


@pytest.mark.capability("status post", BOTH)
@pytest.mark.capability("channel: made, followed, posted to", BOTH)
async def test_status_posts_and_channels_go_both_ways(world: World, baileys: Peers) -> None:
    rui = await baileys("Rui", world.server)
    await rui.link(world)
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        await client.statuses.post(Text("my day"), [world.phone("Rui").jid])
        await rui.expect("message", text="my day", chat="status@broadcast")
        audience = {"statusJidList": [str(world.phone("Ana").jid)]}
        await ask(rui, "sendMessage", "status@broadcast", {"text": "and mine"}, audience)
        status = await heard(client, "and mine")
        assert (str(status.chat), status.sender) == ("status@broadcast", world.phone("Rui").lid)

        ours = await client.newsletters.create("Ana's news", "all of it")
        seen = await ask(rui, "newsletterMetadata", "jid", str(ours.jid))
        assert seen["thread_metadata"]["name"]["text"] == "Ana's news"
        await ask(rui, "newsletterFollow", str(ours.jid))
        await client.newsletters.post(ours.jid, Text("to all who follow"))
        await rui.expect("message", text="to all who follow", chat=str(ours.jid))

        theirs = JID.parse((await ask(rui, "newsletterCreate", "Rui's news", "some"))["id"])
        await client.newsletters.follow(theirs)
        assert (await client.newsletters.get(theirs)).name == "Rui's news"
        await ask(rui, "sendMessage", str(theirs), {"text": "from Rui's channel"})
        assert (await heard(client, "from Rui's channel")).chat == theirs
