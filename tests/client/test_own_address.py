"""Which address the account has in a chat: its LID in groups that go by LIDs, its number in others."""

from __future__ import annotations

import pytest

from recado import Client, MemoryStore
from recado.client.understanding import find_secret
from recado.content import Poll, PollVote, Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageSent
from recado.protocol.messages.parsing import parse_message


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_in_a_group_we_are_who_the_group_says(clock, addressing) -> None:
    async with (
        World.start(clock=clock, seed=9, addressing=addressing) as world,
        Client(MemoryStore(), server=world.server, clock=clock) as client,
    ):
        ana, bia = world.phone("Ana"), world.phone("Bia")
        await ana.link(client)
        own = ana.lid if addressing == "lid" else ana.jid
        group = await client.groups.create("Family", [bia.jid])
        poll = await client.send(group.jid, Poll("When?", ("today", "later")))
        async with client.store.transaction() as tx:
            kept = await find_secret(client._account, tx, group.jid, ana.jid, poll.id)
        assert kept.author == own

        text = await client.send(group.jid, Text("one"))
        sent = await anext(client.listen(MessageSent, after=0))
        assert sent.id in (poll.id, text.id)
        quoting = await client.send(group.jid, Text("two"), quoting=sent)
        async with client.store.transaction() as tx:
            body = (await tx.sent(quoting.id)).body
        context = parse_message(body).extended_text_message.context_info
        assert (context.stanza_id, context.participant) == (sent.id, str(own))

        await client.send(group.jid, PollVote(poll.id, ("later",), from_me=True))
        await client.send(bia.lid, Text("alone"))
        await bia.expect(text="alone")
