"""A phone says more than texts, and shows what others say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from recado import Client, MemoryStore
from recado.content import (
    Answer,
    Content,
    Edit,
    Event,
    EventAnswer,
    Location,
    Poll,
    PollVote,
    Reaction,
    Revoke,
    Text,
    Unsupported,
)
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError
from recado.events import Fact, MessageReceived, MessageSent, UnknownReceived

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
F = TypeVar("F", bound=Fact)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as started:
        yield started


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with Client(MemoryStore(), server=world.server) as client:
        await world.phone("Ana").link(client)
        yield client


async def first(client: Client, kind: type[F], wanted: Callable[[F], bool]) -> F:
    async for fact in client.listen(kind, after=0):
        if wanted(fact):
            return fact
    raise AssertionError("the client ended")


async def heard(client: Client, id: str) -> MessageReceived:
    return await first(client, MessageReceived, lambda fact: fact.id == id)


@pytest.mark.parametrize("content", [Location(1.5, 2.5, "A square"), Poll("Days?", ("a", "b"), 0), Event("A walk", AT)])
async def test_what_a_phone_says_arrives_as_it_was(world: World, client: Client, content: Content) -> None:
    shown = await world.phone("Rui").say("Ana", content)
    assert (await heard(client, shown.id)).content == content


async def test_votes_go_both_ways_and_have_names(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    poll = await rui.say("Ana", Poll("Days?", ("monday", "friday"), 0))
    await heard(client, poll.id)
    sent = await client.send(rui.jid, PollVote(poll.id, ("friday",)))
    vote = await rui.expect(id=sent.id)
    assert vote.content == PollVote(poll.id, ("friday",), from_me=True)
    ours = await client.send(rui.jid, Poll("Where?", ("here", "there"), 1))
    await rui.expect(id=ours.id)
    theirs = await rui.say("Ana", PollVote(ours.id, ("there",)))
    assert (await heard(client, theirs.id)).content == PollVote(ours.id, ("there",), from_me=True)


async def test_answers_to_events_go_both_ways(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    event = await rui.say("Ana", Event("A walk", AT))
    await heard(client, event.id)
    sent = await client.send(rui.jid, EventAnswer(event.id, Answer.MAYBE))
    shown = await rui.expect(id=sent.id)
    assert shown.content == EventAnswer(event.id, Answer.MAYBE, from_me=True)
    ours = await client.send(rui.jid, Event("A swim", AT))
    await rui.expect(id=ours.id)
    theirs = await rui.say("Ana", EventAnswer(ours.id, Answer.GOING, 2))
    assert (await heard(client, theirs.id)).content == EventAnswer(ours.id, Answer.GOING, 2, from_me=True)


async def test_the_own_phone_and_this_device_see_each_others_votes(world: World, client: Client) -> None:
    ana, rui = world.phone("Ana"), world.phone("Rui")
    poll = await rui.say("Ana", Poll("Days?", ("monday", "friday"), 0))
    await heard(client, poll.id)
    await ana.expect(id=poll.id)
    sent = await client.send(rui.jid, PollVote(poll.id, ("monday",)))
    assert (await ana.expect(id=sent.id)).content == PollVote(poll.id, ("monday",))
    own = await ana.say("Rui", PollVote(poll.id, ("friday",)))
    echo = await heard(client, own.id)
    assert (echo.content, echo.from_me) == (PollVote(poll.id, ("friday",)), True)


async def test_a_vote_is_opened_after_a_restart(world: World) -> None:
    store, rui = MemoryStore(), world.phone("Rui")
    async with Client(store, server=world.server) as client:
        await world.phone("Ana").link(client)
        ours = await client.send(rui.jid, Poll("Where?", ("here", "there"), 1))
        await rui.expect(id=ours.id)
    vote = await rui.say("Ana", PollVote(ours.id, ("here",)))
    async with Client(store, server=world.server) as client:
        assert (await heard(client, vote.id)).content == PollVote(ours.id, ("here",), from_me=True)


async def test_a_vote_in_a_poll_nobody_knows_is_kept_as_it_came(world: World, client: Client) -> None:
    rui, leo = world.phone("Rui"), world.phone("Leo")
    poll = await rui.say("Leo", Poll("Where?", ("here", "there"), 1))
    await leo.expect(id=poll.id)
    vote = await rui.say("Ana", PollVote(poll.id, ("here",), from_me=True))
    content = (await heard(client, vote.id)).content
    assert isinstance(content, Unsupported) and content.kind == "pollUpdateMessage"
    with pytest.raises(UsageError, match="not known"):
        await client.send(rui.jid, PollVote(poll.id, ("here",)))


async def test_a_vote_for_what_was_not_asked_is_not_sent(world: World, client: Client) -> None:
    poll = await world.phone("Rui").say("Ana", Poll("Where?", ("here", "there"), 1))
    await heard(client, poll.id)
    with pytest.raises(UsageError, match="option"):
        await client.send(world.phone("Rui").jid, PollVote(poll.id, ("elsewhere",)))


async def test_reactions_say_whose_message_they_are_on(world: World, client: Client) -> None:
    rui = world.phone("Rui")
    theirs = await rui.say("Ana", "hello")
    await heard(client, theirs.id)
    sent = await client.send(rui.jid, Reaction(theirs.id, "👍"))
    assert (await rui.expect(id=sent.id)).content == Reaction(theirs.id, "👍", from_me=True)
    own = await first(client, MessageSent, lambda fact: fact.id == sent.id)
    assert own.content == Reaction(theirs.id, "👍")


@pytest.mark.parametrize("change", [Edit("3EB0AAAA", Text("other words"), from_me=False), Revoke("3EB0AAAA", False)])
async def test_nobody_changes_somebody_elses_message(world: World, client: Client, change: Content) -> None:
    shown = await world.phone("Rui").say("Ana", change)
    later = await world.phone("Rui").say("Ana", "later")
    told = []
    async for fact in client.listen(MessageReceived, after=0):
        told.append(fact.id)
        if fact.id == later.id:
            break
    assert shown.id not in told
    unknown = await first(client, UnknownReceived, lambda fact: "somebody else" in fact.problem)
    assert unknown.raw
