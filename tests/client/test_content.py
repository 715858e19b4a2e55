"""What is sent beside texts: its stanza, what is refused before anything leaves, and the timer of a chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from recado import Client, MemoryStore
from recado.content import (
    Button,
    Buttons,
    Choice,
    Comment,
    ContactCard,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    Event,
    LinkButton,
    Location,
    Media,
    MediaKind,
    MemberLabel,
    Option,
    OptionList,
    OptionSection,
    PhoneNumberSharing,
    Poll,
    Reaction,
    Revoke,
    SharingLimit,
    Template,
    Text,
    Unsupported,
)
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError
from recado.events import MessageReceived, MessageSent
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.shape import shape_of


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as started:
        yield started


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        yield client


async def sent(client: Client, id: str) -> MessageSent:
    async for fact in client.listen(MessageSent, after=0):
        if fact.id == id:
            return fact
    raise AssertionError("the client ended")


@pytest.mark.parametrize(
    "content",
    [
        Text(""),
        Text("a\0b"),
        Text("half of \ud83d"),
        Edit("3EB0AAAA", Text("")),
        Location(1.0, 2.0, "a\0b"),
        Contacts((ContactCard("a\0b", ()),)),
        Poll("half of \ud83d", ("a",)),
        Media(MediaKind.IMAGE),
        Template("welcome", "en"),
        MemberLabel("only in groups"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_anything_leaves(
    world: World, client: Client, content: Content
) -> None:
    with pytest.raises(UsageError):
        await client.send(world.phone("Rui").jid, content)
    await client.send(world.phone("Rui").jid, Text("then this"))
    await world.phone("Rui").expect("then this")
    assert len(world.phone("Rui").messages) == 1


async def test_a_groups_timer_is_no_message(client: Client) -> None:
    with pytest.raises(UsageError, match="group"):
        await client.send(JID.parse("120000000000000001@g.us"), DisappearingTimer(86_400))


async def test_a_reaction_quotes_nothing(world: World, client: Client) -> None:
    shown = await world.phone("Rui").say("Ana", "hello")
    async for fact in client.listen(MessageReceived, after=0):
        if fact.id == shown.id:
            with pytest.raises(UsageError):
                await client.send(fact.chat, Reaction(fact.id, "👍"), quoting=fact)
            break


async def test_a_change_of_a_message_leaves_as_one(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    first = await client.send(rui.jid, Text("teh words"))
    edit = await client.send(rui.jid, Edit(first.id, Text("the words")))
    revoke = await client.send(rui.jid, Revoke(first.id))
    assert (await rui.expect(id=edit.id)).content == Edit(first.id, Text("the words"), from_me=False)
    assert (await rui.expect(id=revoke.id)).content == Revoke(first.id, from_me=False)
    assert (await sent(client, edit.id)).content == Edit(first.id, Text("the words"))


async def test_what_is_written_takes_the_timer_of_the_chat(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    timer = await client.send(rui.jid, DisappearingTimer(86_400))
    await rui.expect(id=timer.id)
    goes = await client.send(rui.jid, Text("for a day"))
    assert (await sent(client, goes.id)).expires_in == 86_400
    stays = await client.send(rui.jid, Text("for ever"), expires_in=0)
    assert (await sent(client, stays.id)).expires_in is None
    poll = await client.send(rui.lid, Poll("Days?", ("a", "b")))
    assert (await sent(client, poll.id)).expires_in == 86_400


async def test_the_other_side_sets_the_timer_too(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    first = await client.send(rui.jid, Text("before"))
    assert (await sent(client, first.id)).expires_in is None
    timer = await rui.say("Ana", DisappearingTimer(604_800))
    async for fact in client.listen(MessageReceived, after=0):
        if fact.id == timer.id:
            break
    goes = await client.send(rui.jid, Text("for a week"))
    assert (await sent(client, goes.id)).expires_in == 604_800
    off = await client.send(rui.jid, DisappearingTimer(0))
    await rui.expect(id=off.id)
    stays = await client.send(rui.jid, Text("for ever"))
    assert (await sent(client, stays.id)).expires_in is None


async def test_what_is_forwarded_says_how_often(world: World, client: Client) -> None:
    forwarded = await client.send(world.phone("Rui").jid, Location(1.5, 2.5), forward=4)
    assert (await sent(client, forwarded.id)).forwarded == 4


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (Buttons("Coming?", (Button("b1", "Yes"),)), "buttons"),
        (OptionList("Day?", "Days", (OptionSection("Week", (Option("r1", "Monday"),)),)), "list"),
        (LinkButton("Look", "Open", "https://example.invalid"), None),
        (Choice("b1", "Yes"), "buttons_response"),
        (PhoneNumberSharing(is_shared=False), None),
        (PhoneNumberSharing(is_shared=True), None),
        (SharingLimit(is_limited=True), None),
        (Text("look, everybody", mentions_all=True), None),
    ],
)
async def test_what_is_seldom_said_arrives(world: World, client: Client, content: Content, named: str | None) -> None:
    rui = world.phone("Rui")
    sent = await client.send(rui.jid, content)
    assert (await rui.expect(id=sent.id)).content == content
    body = encode_message(content)
    told = shape_of(parse_message(body)).business
    assert (None if told is None else told[0]) == named
    back = await rui.say("Ana", content)
    assert (await received(client, back.id)).content == content


async def test_comments_and_sealed_reactions_go_both_ways(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    ours = await client.send(rui.jid, Text("what do you think?"))
    await rui.expect(id=ours.id)
    comment = await rui.say("Ana", Comment(ours.id, "good"))
    assert (await received(client, comment.id)).content == Comment(ours.id, "good", from_me=True)
    theirs = await rui.say("Ana", "and this?")
    await received(client, theirs.id)
    answer = await client.send(rui.jid, Comment(theirs.id, "better"))
    assert (await rui.expect(id=answer.id)).content == Comment(theirs.id, "better", from_me=True)
    heart = await client.send(rui.jid, Reaction(theirs.id, "❤️", is_encrypted=True))
    assert (await rui.expect(id=heart.id)).content == Reaction(theirs.id, "❤️", from_me=True, is_encrypted=True)
    thumb = await rui.say("Ana", Reaction(ours.id, "👍", is_encrypted=True))
    assert (await received(client, thumb.id)).content == Reaction(ours.id, "👍", from_me=True, is_encrypted=True)


async def test_an_edit_is_sealed_with_the_secret_of_what_it_changes(world: World, client: Client) -> None:
    rui, sent_nodes = world.phone("Rui"), []
    world.log = lambda direction, whose, node: sent_nodes.append(node) if node.tag == "message" else None
    for chat in (rui.jid, rui.lid):
        first = await client.send(chat, Text("teh words"))
        await rui.expect(id=first.id)
        edit = await client.send(chat, Edit(first.id, Text("the words"), is_encrypted=True))
        shown = (await rui.expect(id=edit.id)).content
        assert shown == Edit(first.id, Text("the words"), from_me=False, is_encrypted=True)
        assert (await sent(client, edit.id)).content == Edit(first.id, Text("the words"), is_encrypted=True)
        (stanza,) = [node for node in sent_nodes if node.attrs["id"] == edit.id and "to" in node.attrs]
        assert stanza.attrs["edit"] == "1" and stanza.child("reporting") is None
    theirs = await rui.say("Ana", "teh words there")
    await received(client, theirs.id)
    change = await rui.say("Ana", Edit(theirs.id, Text("the words there"), is_encrypted=True))
    heard = (await received(client, change.id)).content
    assert heard == Edit(theirs.id, Text("the words there"), from_me=False, is_encrypted=True)


async def test_an_event_s_edit_is_sealed_as_one(world: World, client: Client) -> None:
    rui, at = world.phone("Rui"), datetime(2026, 12, 24, tzinfo=UTC)
    first = await client.send(rui.jid, Event("Dinner", at))
    await rui.expect(id=first.id)
    edit = await client.send(rui.jid, Edit(first.id, Event("Late dinner", at), is_encrypted=True))
    shown = (await rui.expect(id=edit.id)).content
    assert isinstance(shown, Edit) and isinstance(shown.content, Event) and shown.content.name == "Late dinner"


async def test_a_sealed_edit_of_what_is_not_ours_is_not_believed(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    ours = await client.send(rui.jid, Text("I pay"))
    await rui.expect(id=ours.id)
    forged = await rui.say("Ana", Edit(ours.id, Text("I pay double"), from_me=False, is_encrypted=True))
    fact = await received(client, forged.id)
    assert isinstance(fact.content, Unsupported)


async def test_a_comment_on_what_nobody_saw_is_not_sent(world: World, client: Client) -> None:
    with pytest.raises(UsageError, match="not known here"):
        await client.send(world.phone("Rui").jid, Comment("3EB0AAAA", "good"))
    assert world.phone("Rui").messages == []


def test_a_label_in_a_group_is_told_the_server_as_one() -> None:
    body = encode_message(MemberLabel("treasurer"))
    assert decode_message(body).content == MemberLabel("treasurer")
    assert dict(shape_of(parse_message(body)).meta) == {"tag_reason": "user_update", "appdata": "member_tag"}


async def received(client: Client, id: str) -> MessageReceived:
    async for fact in client.listen(MessageReceived, after=0):
        if fact.id == id:
            return fact
    raise AssertionError("the client ended")
