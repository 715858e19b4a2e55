"""Trust: tokens kept, shown and given, what stands in for them, and the account that may not write first."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recado.client.people.tokens import derived_token
from recado.content import Text
from recado.errors import QueryError, Rejected, StanzaError
from recado.events import MessageId, MessageRejected, MessageSent, NewChatsCapped, ReachOutRestricted
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.caps import AskNewChatCap, NewChatCap
from recado.store import MemoryStore, Store
from recado.store.people import Tokens

WEEK = 7 * 24 * 3600
SALT = bytes(range(32))


def messages(traffic: Any, client: Any) -> list[Node]:
    return [node for node in traffic.sent(client) if node.tag == "message"]


def given(traffic: Any, client: Any) -> list[Node]:
    asked = [node for node in traffic.sent(client) if node.attrs.get("xmlns") == "privacy"]
    return [tokens for node in asked if (tokens := node.child("tokens", "token")) is not None]


async def held(client: Any, person: JID) -> Tokens:
    async with client.store.transaction() as tx:
        return await tx.people.tokens(person)


async def until_held(client: Any, person: JID) -> bytes:
    while True:
        token = (await held(client, person)).token
        if token:
            return token
        await client._account.clock.sleep(0)


async def test_a_token_somebody_gave_is_shown_to_them_and_to_nobody_else(desk, ana, bia, world, traffic, soon) -> None:
    async with desk.connected() as client, soon():
        bia.person.trust(ana)
        token = await until_held(client, bia.lid)
        assert token == bia.account.profile.given[ana.number]
        await client.send(bia.jid, Text("oi"))
        await client.send(world.phone("Caio").jid, Text("oi"))
        shown, other = messages(traffic, client)
        assert shown.child("tctoken") == Node("tctoken", None, token)
        assert other.child("tctoken") is None
        await client.people.watch(bia.jid)
        await client.people.picture(bia.jid)
        sent = traffic.sent(client)
        (subscribed,) = [node for node in sent if node.attrs.get("type") == "subscribe"]
        (asked,) = [node for node in sent if node.attrs.get("xmlns") == "w:profile:picture"]
        assert subscribed.child("tctoken").blob == asked.child("picture", "tctoken").blob == token


async def test_a_token_opens_what_is_shown_to_contacts_only(desk, ana, bia, soon) -> None:
    bia.person.set_picture(b"\xff\xd8\xff picture")
    bia.person.set_privacy("profile", "contacts")
    async with desk.connected() as client, soon():
        with pytest.raises(QueryError):
            await client.people.picture(bia.jid)
        bia.person.trust(ana)
        await until_held(client, bia.lid)
        assert await client.people.picture(bia.lid) is not None


async def test_people_written_to_are_given_a_token_once_a_week(desk, bia, world, traffic, clock) -> None:
    async with desk.connected() as client:
        for number in range(3):
            await client.send(bia.jid, Text(f"number {number}"))
        await world.until(lambda: bool(given(traffic, client)), "nothing was given")
        await client.send(bia.lid, Text("by the other address"))
        tokens = given(traffic, client)
        assert [token.attrs for token in tokens] == [
            {"jid": str(bia.jid), "t": tokens[0].attrs["t"], "type": "trusted_contact"}
        ]
    await clock.advance(WEEK)
    async with desk.connected() as client:
        await client.send(bia.jid, Text("a week later"))
        await world.until(lambda: len(given(traffic, client)) == 2, "nothing was given the second week")


async def test_the_stamp_of_a_token_is_there_exactly_when_the_message_counts_as_sent(desk, bia, recorded) -> None:
    class Watched(MemoryStore):
        async def commit(self, changes: Any) -> None:
            settled = any(isinstance(fact, MessageSent) for fact in changes.facts)
            stamped = any(key.startswith("tctoken-") for key in changes.values)
            scheduled = any(key.startswith("work-give-token") for key in changes.values)
            seen.append((settled, stamped, scheduled))
            await super().commit(changes)

    seen: list[tuple[bool, bool, bool]] = []
    desk.backend = Watched()
    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"))
        assert [each for each in seen if each[0]] == [(True, True, True)]
        assert (await held(client, bia.lid)).given_at is not None


async def test_an_account_locked_out_reaches_only_those_who_trust_it_and_says_until_when(
    desk, ana, bia, told, world, soon
) -> None:
    async with desk.connected() as client, soon():
        ana.person.lock(seconds=7200)
        (locked,) = await told(client, ReachOutRestricted)
        assert (locked.is_active, locked.until) == (True, desk.clock.now() + timedelta(hours=2))
        with pytest.raises(Rejected) as refused:
            await client.send(bia.jid, Text("buy now"), id=MessageId("3EB0AA"))
        assert refused.value.code == 463
        (fact,) = await told(client, MessageRejected)
        assert fact.code == 463
        asked = (await told(client, ReachOutRestricted, 2))[1]  # the server was asked because of it
        assert (asked.is_active, asked.until, asked.reason) == (True, locked.until, "DEFAULT")
        bia.person.trust(ana)
        await until_held(client, bia.lid)
        await client.send(bia.jid, Text("welcome"))
        ana.person.lock(seconds=None)
        assert not (await told(client, ReachOutRestricted, 3))[2].is_active
        assert not (await client.people.time_lock()).is_active


async def test_how_many_chats_may_be_begun_is_told_and_asked(desk, ana, told) -> None:
    async with desk.connected() as client:
        assert await client.people.new_chat_cap() == NewChatCap("NONE")
        ana.person.cap("FIRST_WARNING", quota=100, used=80)
        ana.person.cap("CAPPED", quota=100, used=100, seconds=7200)
        _, warned, capped = await told(client, NewChatsCapped, 3)
        assert (warned.is_active, warned.status, warned.quota, warned.used) == (False, "FIRST_WARNING", 100, 80)
        assert (capped.is_active, capped.until) == (True, desk.clock.now() + timedelta(hours=2))
        assert (await client.people.new_chat_cap()).is_reached


@pytest.mark.parametrize("said", [None, [], {"data": None}, {"errors": [{"extensions": {"error_code": 404}}]}, "{"])
async def test_a_cap_that_makes_no_sense_is_refused(said) -> None:
    blob = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    with pytest.raises((StanzaError, QueryError)):
        AskNewChatCap().parse(Node("iq", {"type": "result"}, [Node("result", None, blob)]))


def test_of_a_cap_only_what_makes_sense_is_taken() -> None:
    odd = {"capping_status": "CAPPED", "total_quota": True, "used_quota": -1, "cycle_end_timestamp": "1800000000000"}
    assert NewChatCap.read(odd) == NewChatCap("CAPPED", None, None, datetime.fromtimestamp(1_800_000_000, UTC))
    assert NewChatCap.read({"cycle_end_timestamp": "9" * 19}) == NewChatCap()


async def test_with_no_token_of_theirs_the_derived_one_stands_in(desk, ana, bia, world, traffic) -> None:
    ana.account.profile.salt = SALT
    async with desk.connected() as client:
        await client.people.on_whatsapp([bia.jid])
        ana.person.lock()
        with pytest.raises(Rejected):
            await client.send(bia.jid, Text("without the salt"))
        async with client.store.transaction() as tx:
            await tx.people.save_nct_salt(SALT)
        await client.send(bia.jid, Text("with it"))
        shown = messages(traffic, client)[-1]
        assert shown.child("cstoken").blob == hmac.digest(SALT, str(bia.lid).encode(), "sha256")
        assert shown.child("tctoken") is None
        async with client.store.transaction() as tx:
            await tx.people.save_nct_salt(None)
            assert await tx.people.nct_salt() is None


async def test_nothing_of_trust_goes_to_the_account_itself(desk, ana, traffic, world) -> None:
    async with desk.connected() as client:
        await client.send(ana.jid, Text("a note to myself"))
        await ana.expect("a note to myself")
        assert given(traffic, client) == []
        assert await held(client, ana.lid) == Tokens()


def test_a_token_is_good_for_its_week_and_three_more() -> None:
    start = datetime.fromtimestamp(3000 * WEEK, UTC)
    tokens = Tokens(b"token", start + timedelta(days=3))
    assert tokens.shown(start + timedelta(days=4)) == b"token"
    assert tokens.shown(start + timedelta(days=27, hours=23)) == b"token"
    assert tokens.shown(start + timedelta(days=28)) is None
    assert Tokens(b"", start).shown(start) is None
    assert replace(tokens, given_at=start).is_due(start + timedelta(days=6, hours=23)) is False
    assert replace(tokens, given_at=start + timedelta(days=6)).is_due(start + timedelta(days=7)) is True
    assert "token'" not in repr(tokens)


def test_an_older_token_replaces_no_newer_one() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    tokens = Tokens(b"new", start)
    assert tokens.with_token(b"old", start - timedelta(seconds=1)) is tokens
    assert tokens.with_token(b"newer", start + timedelta(seconds=1)).token == b"newer"


async def test_trust_kept_under_a_number_moves_to_the_lid_and_goes_when_it_is_old(bia) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    backend = MemoryStore()
    store = Store(backend)
    await store.open()
    async with store.transaction() as tx:
        await tx.people.save_tokens(bia.jid, Tokens(b"by number", at, given_at=at))
        await tx.people.save_tokens(bia.lid, Tokens(b"by lid", at - timedelta(days=1)))
        await tx.learn_lid(bia.jid, bia.lid)
    async with store.transaction() as tx:
        assert await tx.people.tokens(bia.jid) == Tokens(b"by number", at, given_at=at)
    assert len(await backend.scan("tctoken-")) == 1
    await store.purge(at + timedelta(days=29))
    assert await backend.scan("tctoken-") == []
    await store.close()


def test_the_derived_token_is_of_the_person_whatever_the_device() -> None:
    # HMAC-SHA256 of the LID's text under the salt, device left out.
    lid = JID.parse("100000000000002:7@lid")
    assert derived_token(SALT, lid) == hmac.digest(SALT, b"100000000000002@lid", "sha256")
