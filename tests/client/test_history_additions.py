"""What was added to messages before this device was linked, and what is added to them since."""

from __future__ import annotations

from datetime import UTC, datetime

from recado.client.options import Limits
from recado.content import Answer, Event, EventAnswer, Poll, PollVote, Reaction
from recado.emulator.whatsapp.archive import Invented
from recado.events import HistoryReceived, MessageReceived, Source

LUNCH = Poll("Lunch?", ("pizza", "soup", "salad"), 2)
PARTY = Event("Party", datetime(2026, 12, 24, 20, tzinfo=UTC))


async def test_reactions_votes_and_answers_of_the_past_are_told(desk, ana, bia, told):
    hello = await bia.say(ana, "long ago")
    poll = await ana.say(bia, LUNCH)
    party = await bia.say(ana, PARTY)
    await bia.expect(id=poll.id)
    await ana.expect(id=party.id)
    await ana.say(bia, Reaction(hello.id, "👍"))
    await bia.say(ana, PollVote(poll.id, ("soup",)))
    await ana.say(bia, EventAnswer(party.id, Answer.GOING, 2))
    await bia.expect(text=None, from_me=False, id=ana.messages[-1].id)
    async with desk.connected() as client:
        facts = await told(client, MessageReceived, 6)
        assert {fact.source for fact in facts} == {Source.HISTORY}
        said = {type(fact.content): fact for fact in facts}
        reaction, vote, answer = said[Reaction], said[PollVote], said[EventAnswer]
        assert (reaction.content, reaction.from_me) == (Reaction(hello.id, "👍"), True)
        assert vote.content == PollVote(poll.id, ("soup",), from_me=True)
        assert (vote.from_me, vote.sender.bare, vote.chat) == (False, bia.lid, bia.lid)
        assert (answer.content, answer.from_me) == (EventAnswer(party.id, Answer.GOING, 2), True)
        order = [fact.id for fact in facts]
        assert order.index(vote.id) == order.index(poll.id) + 1


async def test_votes_and_answers_that_come_later_open_with_the_secrets_of_the_past(desk, ana, bia, told):
    poll = await bia.say(ana, LUNCH)
    own = await ana.say(bia, Poll("Who pays?", ("Ana", "Bia")))
    party = await ana.say(bia, PARTY)
    await ana.expect(id=poll.id)
    await bia.expect(id=party.id)
    async with desk.connected() as client:
        await told(client, MessageReceived, 3)
        await bia.say(ana, PollVote(poll.id, ("pizza", "salad"), from_me=True))
        await bia.say(ana, PollVote(own.id, ("Ana",)))
        await bia.say(ana, EventAnswer(party.id, Answer.MAYBE))
        facts = await told(client, MessageReceived, 6)
        assert [fact.content for fact in facts[3:]] == [
            PollVote(poll.id, ("pizza", "salad"), from_me=False),
            PollVote(own.id, ("Ana",), from_me=True),
            EventAnswer(party.id, Answer.MAYBE, from_me=True),
        ]


async def test_a_part_of_five_thousand_messages_is_recorded_whole(desk, ana, bia, told):
    ana.archive.as_files, ana.archive.invented = True, Invented(50, 100)
    async with desk.connected(limits=Limits(first_prekeys=12, more_prekeys=8)) as client:
        _, whole = await told(client, HistoryReceived, 2)
        assert (whole.messages, whole.conversations, whole.progress) == (5000, 50, 100)
