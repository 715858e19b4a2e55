"""People, at the client: look-ups, the own profile and settings, presence and calls, and what others change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from recado.client.options import Limits
from recado.content import Text
from recado.errors import QueryError, RateLimited, UsageError
from recado.events import (
    AboutChanged,
    BlocklistChanged,
    CallReceived,
    CallState,
    ConnectionState,
    ContactChanged,
    DisappearingDefaultChanged,
    MessageReceived,
    NumberChanged,
    PeerIdentityChanged,
    PictureChanged,
    PresenceChanged,
    PrivacyChanged,
    TypingChanged,
    UnknownReceived,
)
from recado.jid import JID
from recado.protocol.messages.migration import encode_mappings
from recado.protocol.node import Node

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"
NOBODY = JID.phone("+1 555 0199")
LIMITS = Limits(first_prekeys=12, more_prekeys=8, look_up_people=3)


def questions(traffic: Any, client: Any, about: str) -> list[Node]:
    return [node for node in traffic.sent(client) if node.tag == "iq" and node.attrs.get("xmlns") == about]


def look_ups(traffic: Any, client: Any) -> list[Node]:
    asked = questions(traffic, client, "usync")
    return [node for node in asked if node.child("usync", "query", "devices") is None]


# Look-ups


async def test_numbers_are_on_whatsapp_or_not_and_their_lids_are_kept(desk, bia, recorded) -> None:
    bia.person.become_business("Bia Teaches")
    async with desk.connected() as client:
        told = await client.people.on_whatsapp([bia.jid, NOBODY])
        assert (told[bia.jid].is_on_whatsapp, told[bia.jid].lid) == (True, bia.lid)
        assert told[bia.jid].verified_name == "Bia Teaches"
        assert told[NOBODY].is_on_whatsapp is False
        (learnt,) = [fact for fact in await recorded(client, ContactChanged) if fact.contact == bia.lid]
        assert learnt.phone == bia.jid
        async with client.store.transaction() as tx:
            assert await tx.lid_of(bia.jid) == bia.lid


async def test_what_a_person_shows_is_told_column_by_column(desk, ana, bia) -> None:
    bia.person.set_privacy("status", "all")
    bia.person.set_about("At sea")
    bia.person.set_picture(JPEG)
    bia.person.set_timer(86_400)
    async with desk.connected() as client:
        told = (await client.people.look_up([bia.lid]))[bia.lid]
        assert (told.about, told.picture, told.timer) == ("At sea", bia.account.profile.picture_id, 86_400)
        assert told.is_business is False
        assert told.problems == {}
        bia.person.set_privacy("status", "none")
        bia.person.set_privacy("profile", "none")
        await desk.clock.advance(31)
        hidden = (await client.people.look_up([bia.lid]))[bia.lid]
        assert (hidden.about, hidden.picture) == ("", None)
        assert hidden.problems["picture"].code == 404


async def test_many_who_ask_for_the_same_people_share_one_question(desk, world, bia, traffic) -> None:
    others = [world.phone(f"Person {number}").jid for number in range(3)]
    async with desk.connected(limits=LIMITS) as client:
        asked = [client.people.on_whatsapp([other]) for other in others for _ in range(20)]
        answers = await asyncio.gather(*asked)
        assert all(told.is_on_whatsapp for answer in answers for told in answer.values())
        assert len(look_ups(traffic, client)) == 1
        await client.people.on_whatsapp(others)
        assert len(look_ups(traffic, client)) == 1
        await desk.clock.advance(31)
        await client.people.on_whatsapp([*others, bia.jid])
        assert len(look_ups(traffic, client)) == 3  # three of them, and one


async def test_who_gives_up_waiting_takes_the_answer_from_nobody(desk, world, bia) -> None:
    async with desk.connected() as client:
        world.faults.slow_answer(5, about="usync")
        first = asyncio.create_task(client.people.on_whatsapp([bia.jid]))
        second = asyncio.create_task(client.people.on_whatsapp([bia.jid]))
        while not client._account.look_ups._out:
            await desk.clock.sleep(0)
        first.cancel()
        await world.until(lambda: bool(world.faults.happened), "nobody asked")
        await desk.clock.advance(6)
        await asyncio.wait([first, second])
        assert (first.cancelled(), second.cancelled()) == (True, False)
        assert second.result()[bia.jid].is_on_whatsapp


async def test_look_ups_are_paced_once_the_first_few_are_spent(desk, world, traffic) -> None:
    people = [world.phone(f"Person {number}").jid for number in range(8)]
    async with desk.connected(limits=Limits(first_prekeys=12, look_up_people=1, look_ups=2)) as client:
        async with asyncio.TaskGroup() as group:
            told = group.create_task(client.people.on_whatsapp(people))
            while len(look_ups(traffic, client)) < 2:
                await desk.clock.sleep(0)
            for _ in range(200):
                await desk.clock.sleep(0)
            assert len(look_ups(traffic, client)) == 2
            while not told.done():
                await desk.clock.advance(1)
        assert len(told.result()) == 8


async def test_after_too_many_nothing_is_asked_for_a_while_and_who_asks_is_told_until_when(
    desk, world, bia, traffic
) -> None:
    async with desk.connected() as client:
        world.faults.refuse_query(429, about="usync")
        with pytest.raises(RateLimited):
            await client.people.on_whatsapp([bia.jid])
        asked = len(look_ups(traffic, client))
        with pytest.raises(RateLimited) as refused:
            await client.people.on_whatsapp([NOBODY])
        assert refused.value.retry_at == desk.clock.now() + timedelta(seconds=60)
        assert len(look_ups(traffic, client)) == asked
        await desk.clock.advance(61)
        assert (await client.people.on_whatsapp([bia.jid]))[bia.jid].is_on_whatsapp


async def test_a_refused_look_up_is_a_typed_error_for_all_who_wait_and_the_next_works(desk, world, bia) -> None:
    async with desk.connected() as client:
        world.faults.refuse_query(500, about="usync")
        results = await asyncio.gather(
            *(client.people.on_whatsapp([bia.jid]) for _ in range(3)), return_exceptions=True
        )
        assert [type(each) for each in results] == [QueryError] * 3
        assert await client.people.on_whatsapp([bia.jid])


@pytest.mark.parametrize("people", [[JID.parse("1-2@g.us")], [JID.parse("BR.1@bsuid")]])
async def test_a_look_up_is_of_people(desk, people) -> None:
    async with desk.connected() as client:
        with pytest.raises(UsageError):
            await client.people.look_up(people)
        with pytest.raises(UsageError):
            await client.people.look_up([client.account], [])
        with pytest.raises(UsageError):
            await client.people.on_whatsapp([JID.parse("1@lid")])


# Pictures, businesses, the own profile


async def test_a_picture_is_found_where_it_can_be_fetched(desk, bia) -> None:
    async with desk.connected() as client:
        assert await client.people.picture(bia.lid) is None
        bia.person.set_picture(JPEG)
        found = await client.people.picture(bia.lid, preview=True)
        assert found is not None and found.is_preview
        assert found.url.endswith(f"/pictures/{found.id}.jpg")
        assert "pictures" not in repr(found)
        assert await client.people.picture(bia.lid, known=found.id) is None
        bia.person.set_privacy("profile", "contacts")
        with pytest.raises(QueryError) as refused:
            await client.people.picture(bia.lid)
        assert refused.value.code == 401


async def test_a_business_tells_of_itself(desk, bia, world) -> None:
    async with desk.connected() as client:
        assert await client.people.business(bia.jid) is None
        bia.person.become_business("Bia Teaches")
        profile = await client.people.business(bia.jid)
        assert profile is not None
        assert profile.description == "Bia Teaches, at your service"
        assert (profile.categories, profile.hours[0].day, profile.timezone) == (
            ("Education",),
            "mon",
            "America/Sao_Paulo",
        )


async def test_the_own_profile_is_changed_and_the_others_hear_of_it(desk, ana, bia, world) -> None:
    async with desk.connected() as client:
        await client.people.set_about("Back soon")
        id = await client.people.set_picture(JPEG)
        assert (ana.account.about, ana.account.profile.picture) == ("Back soon", JPEG)
        assert (await client.people.picture(client.account)).id == id
        await client.people.remove_picture()
        assert await client.people.picture(client.account) is None
        await client.people.set_name("Ana B.")
        assert (await client.store.credentials()).push_name == "Ana B."
        await client.people.set_default_timer(604_800)
        assert await client.people.default_timer() == 604_800
        for wrong in (
            client.people.set_about("x" * 140),
            client.people.set_picture(b"GIF89a"),
            client.people.set_name(""),
            client.people.set_name("two\nlines"),
            client.people.set_default_timer(5),
            client.people.set_privacy("last", "nobody"),
            client.people.set_privacy("colour", "all"),
        ):
            with pytest.raises(UsageError):
                await wrong


# Privacy and the blocklist


async def test_privacy_settings_are_read_and_changed_and_each_change_is_a_fact(desk, ana, told) -> None:
    async with desk.connected() as client:
        assert (await client.people.privacy())["status"] == "contacts"
        await client.people.set_privacy("last", "none")
        assert ana.account.privacy["last"] == "none"
        ana.person.set_privacy("readreceipts", "none")
        facts = await told(client, PrivacyChanged, 2)
        assert [(fact.setting, fact.value) for fact in facts] == [("last", "none"), ("readreceipts", "none")]


async def test_people_are_blocked_by_lid_with_their_number_and_the_phone_may_unblock_them(
    desk, ana, bia, told, traffic, world, recorded
) -> None:
    async with desk.connected() as client:
        await client.people.block(bia.jid)
        (order,) = [each for each in questions(traffic, client, "blocklist") if each.attrs["type"] == "set"]
        assert order.child("item").attrs == {"action": "block", "jid": str(bia.lid), "pn_jid": str(bia.jid)}
        assert await client.people.blocked() == {bia.lid}
        await bia.say(ana, "hello?")
        ana.person.block(bia, blocked=False)
        facts = await told(client, BlocklistChanged, 2)
        assert [(fact.blocked, fact.unblocked) for fact in facts] == [((bia.lid,), ()), ((), (bia.lid,))]
        await bia.say(ana, "again")
        assert [fact.content for fact in await told(client, MessageReceived)] == [Text("again")]
        assert await client.people.blocked() == frozenset()
        for nobody in (client.account, JID.parse("1-2@g.us")):
            with pytest.raises(UsageError):
                await client.people.block(nobody)


async def test_what_changed_while_the_client_was_away_is_told_at_the_next_login(desk, ana, bia, told) -> None:
    async with desk.connected() as client:
        await client.people.privacy()
    device = next(iter(ana.account.companions))
    ana.person.block(bia)
    ana.person.set_privacy("online", "match_last_seen")
    device.mailbox.clear()  # as if the server had not kept it
    async with desk.connected() as client:
        assert [fact.blocked for fact in await told(client, BlocklistChanged)] == [(bia.lid,)]
        assert [fact.setting for fact in await told(client, PrivacyChanged)] == ["online"]


async def test_a_dirty_account_is_asked_for_again_and_only_then_called_clean(desk, ana, world, told, traffic) -> None:
    async with desk.connected() as client:
        await client.people.privacy()
        ana.account.privacy["profile"] = "none"
        line = ana.account.companions[0].line
        line.deliver(Node("ib", None, [Node("dirty", {"type": "account_sync", "timestamp": "1"})]))
        assert [fact.setting for fact in await told(client, PrivacyChanged)] == ["profile"]
        await world.until(lambda: bool(questions(traffic, client, "urn:xmpp:whatsapp:dirty")), "never cleaned")
        order = [node.attrs.get("xmlns") for node in traffic.sent(client) if node.tag == "iq"]
        assert order[-2:] == ["privacy", "urn:xmpp:whatsapp:dirty"]


# What others change


async def test_what_somebody_shows_is_told_as_it_changes(desk, ana, bia, told, recorded) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"))
        bia.person.set_about("At sea")
        bia.person.set_picture(JPEG)
        bia.person.set_picture(None)
        bia.person.set_timer(86_400)
        ana.person.set_about("Home")
        about, own = await told(client, AboutChanged, 2)
        assert (about.contact, about.about) == (bia.lid, "At sea")
        assert (own.contact, own.about) == (client.account, None)
        pictures = await told(client, PictureChanged, 2)
        assert [(fact.contact, fact.picture is None) for fact in pictures] == [(bia.lid, False), (bia.lid, True)]
        (timer,) = await told(client, DisappearingDefaultChanged)
        assert (timer.contact, timer.seconds) == (bia.lid, 86_400)
        assert await recorded(client, UnknownReceived) == []


async def test_a_person_with_another_number_is_the_same_person(desk, bia, told, recorded) -> None:
    old, new = bia.jid, JID.phone("+1 555 0142")
    async with desk.connected() as client:
        await client.send(old, Text("to the old number"))
        bia.person.change_number("+1 555 0142")
        (fact,) = await told(client, NumberChanged)
        assert (fact.old, fact.new, fact.lid) == (old, new, bia.lid)
        await client.send(new, Text("to the new number"))
        await bia.expect("to the new number")
        assert bia.repeats == {}
        async with client.store.transaction() as tx:
            assert await tx.lid_of(new) == bia.lid
            assert await tx.lid_of(old) is None


async def test_a_new_phone_is_told_and_given_trust_anew(desk, bia, told, world) -> None:
    async with desk.connected() as client:
        await client.send(bia.jid, Text("oi"))
        await world.until(lambda: bia.account.number in desk.phone.account.profile.given, "no token was given")
        given = desk.phone.account.profile.given_times
        bia.reinstall()
        (fact,) = await told(client, PeerIdentityChanged)
        assert fact.contact == bia.lid
        await world.until(lambda: desk.phone.account.profile.given_times == given + 1, "not given again")
        await client.send(bia.jid, Text("still there?"))
        await bia.expect("still there?")


async def test_when_the_account_moves_to_lids_sessions_go_along(desk, ana, bia, told, world) -> None:
    async with desk.connected() as client:
        number, lid = JID.phone("+1 555 0111"), JID.parse("100000000777777@lid")
        ana._speech.tell_device(client._account.lid, client.device, encode_mappings(((number, lid),)))
        facts = await told(client, ContactChanged)
        assert (facts[-1].phone, facts[-1].lid) == (number, lid)
        async with client.store.transaction() as tx:
            assert await tx.lid_of(number) == lid


# Presence and calls


async def presence_of(client: Any, wanted: Callable[[PresenceChanged], bool]) -> PresenceChanged:
    async for signal in client.signals(PresenceChanged):
        if wanted(signal):
            return signal
    raise AssertionError


async def test_somebody_watched_is_seen_coming_and_going_again_after_a_reconnection(desk, bia, world, soon) -> None:
    async with desk.connected() as client, soon(), asyncio.TaskGroup() as group:
        seen = group.create_task(presence_of(client, lambda signal: signal.is_available))
        await desk.clock.sleep(0)
        await client.people.watch(bia.jid)
        bia._send(Node("presence", {"type": "available"}))
        assert (await seen).contact == bia.lid
        world.disconnect(client.device)
        await client.wait_for(ConnectionState.RECONNECTING)
        gone = group.create_task(presence_of(client, lambda signal: not signal.is_available))
        bia.account.watchers.clear()
        await desk.clock.advance(4)
        await world.until(lambda: str(client.device) in bia.account.watchers, "did not watch again")
        bia._send(Node("presence", {"type": "unavailable"}))
        assert (await gone).last_seen is not None
        client.people.unwatch(bia.jid)
        assert not client._account.watched


async def test_recording_is_told_apart_from_typing_both_ways(desk, ana, bia, world, soon, traffic) -> None:
    async with desk.connected() as client, soon():
        signals = client.signals(TypingChanged)
        async with asyncio.TaskGroup() as group:
            heard = group.create_task(anext(signals))
            await desk.clock.sleep(0)
            await bia.typing(ana, recording=True)
            assert (await heard).is_audio
        await signals.aclose()
        await client.show_typing(bia.jid, is_audio=True)
        await world.until(lambda: bia.inbox.typing.get(ana.jid) is True, "nobody recorded")
        (state,) = [node for node in traffic.sent(client) if node.tag == "chatstate"]
        assert state.child("composing").attrs == {"media": "audio"}


async def test_calls_are_facts_and_one_can_be_refused(desk, ana, bia, told, world) -> None:
    async with desk.connected() as client:
        id = bia.person.call(ana, is_video=True)
        (offered,) = await told(client, CallReceived)
        assert (offered.id, offered.caller, offered.state, offered.is_video) == (id, bia.lid, CallState.OFFERED, True)
        assert offered.caller_alt == bia.jid
        await client.people.reject_call(id, offered.caller)
        assert bia.person.calls[id] == "rejected"
        missed = bia.person.call(ana)
        bia.person.hang_up(missed, unanswered=True)
        facts = await told(client, CallReceived, 3)
        assert [(fact.id, fact.state) for fact in facts[1:]] == [
            (missed, CallState.OFFERED),
            (missed, CallState.MISSED),
        ]
        await world.expect_nothing_pending(client.device)


async def test_a_call_of_another_shape_is_kept_as_unknown(desk, ana, told, world) -> None:
    async with desk.connected() as client:
        line = ana.account.companions[0].line
        line.deliver(Node("call", {"from": "1@lid", "id": "C1", "t": "1"}, [Node("hologram", {"call-id": "1"})]))
        (unknown,) = await told(client, UnknownReceived)
        assert (unknown.tag, unknown.problem) == ("call", "call")
