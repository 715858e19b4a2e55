"""Finding people and machines, at the client: user names, links, bots, pictures, who is left out, and reports."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recado.content import Text
from recado.errors import QueryError, UsageError
from recado.events import DisappearingDefaultChanged, MessageReceived, PrivacyChanged
from recado.jid import JID
from recado.protocol.messages.parsing import parse_message

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"


async def test_a_user_name_is_told_where_there_is_one(desk, ana, bia) -> None:
    bia.account.profile.username = "bia.teaches"
    async with desk.connected() as client:
        told = await client.people.look_up([bia.lid, ana.lid])
        assert (told[bia.lid].username, told[ana.lid].username) == ("bia.teaches", None)
        assert "bia.teaches" not in repr(told)


async def test_the_own_contact_link_leads_to_the_account_until_it_is_renewed(desk, ana) -> None:
    async with desk.connected() as client:
        link = await client.people.contact_link()
        assert await client.people.contact_link() == link
        found = await client.people.link_target(link)
        assert (found.jid, found.name, found.is_business) == (ana.jid, "Ana", False)
        assert (await client.people.link_target(link.rpartition("/")[2])) == found
        renewed = await client.people.contact_link(renew=True)
        assert renewed != link
        assert await client.people.link_target(link) is None


async def test_a_businesss_link_says_with_which_words_one_begins(desk, bia) -> None:
    bia.person.become_business("Bia Teaches")
    bia.account.profile.message_links["ABC1"] = "I would like a lesson"
    async with desk.connected() as client:
        found = await client.people.link_target("https://wa.me/message/ABC1?src=qr")
        assert (found.jid, found.message, found.verified_name) == (bia.jid, "I would like a lesson", "Bia Teaches")
        for no_link in ("https://example.org/qr/ABC1", "", "https://wa.me/qr/"):
            with pytest.raises(UsageError):
                await client.people.link_target(no_link)


async def test_machines_tell_what_they_can(desk) -> None:
    async with desk.connected() as client:
        (bot,) = await client.people.bots()
        assert bot.jid == JID.parse("15550142@bot")
        assert (bot.name, bot.is_default, bot.commands) == ("Helper", True, (("ask", "Ask something"),))
        assert bot.prompts == ("💡 An idea",)


async def test_a_picture_hidden_from_strangers_is_shown_to_who_shares_a_group(desk, ana, bia, world) -> None:
    bia.person.set_picture(JPEG)
    bia.person.set_privacy("profile", "contacts")
    group = world.groups.create("Choir", bia.account, [ana.account], at=1)
    other = world.groups.create("Others", bia.account, [], at=1)
    group.photo = "77"
    async with desk.connected() as client:
        with pytest.raises(QueryError):
            await client.people.picture(bia.lid, common_group=other.jid)
        found = await client.people.picture(bia.lid, common_group=group.jid)
        assert found is not None and found.id == bia.account.profile.picture_id
        whole = await client.people.picture(group.jid, is_community=True)
        assert whole is not None and whole.id == "77"


async def test_a_setting_leaves_out_exactly_those_who_are_named(desk, ana, bia, world, recorded) -> None:
    rui = world.phone("Rui")
    async with desk.connected() as client:
        await client.people.on_whatsapp([bia.jid, rui.jid])
        await client.people.leave_out("status", [bia.jid, rui.jid])
        assert await client.people.left_out("status") == {bia.lid, rui.lid}
        assert ana.account.privacy["status"] == "contact_blacklist"
        await client.people.leave_out("status", [rui.lid])
        assert ana.account.profile.left_out["status"] == [str(rui.lid)]
        assert [(fact.setting, fact.value) for fact in await recorded(client, PrivacyChanged)] == [
            ("status", "contact_blacklist")
        ]
        with pytest.raises(UsageError):
            await client.people.leave_out("readreceipts", [bia.jid])


async def test_an_about_goes_the_newer_road_where_the_older_is_closed(desk, ana, world) -> None:
    async with desk.connected() as client:
        world.faults.refuse_query(400, about="status")
        await client.people.set_about("By the other road")
        assert ana.account.about == "By the other road"
        world.faults.refuse_query(429, about="status")
        with pytest.raises(QueryError):
            await client.people.set_about("Too often")
        assert ana.account.about == "By the other road"


async def test_somebody_is_reported_with_the_messages_that_are_the_reason(desk, ana, bia, told) -> None:
    async with desk.connected() as client:
        await bia.say(ana, "buy now")
        (message,) = await told(client, MessageReceived)
        await client.people.report(message.chat, [message])
        await client.people.report(bia.lid)
        assert ana.account.profile.reported == [[str(message.chat), message.id], [str(bia.lid)]]


async def test_a_link_to_a_call_is_made(desk, traffic) -> None:
    async with desk.connected() as client:
        link = await client.people.create_call_link(is_video=True, starts_at=datetime(2026, 12, 1, 15, 0, tzinfo=UTC))
        assert link.startswith("https://call.whatsapp.com/video/")
        (sent,) = [node for node in traffic.sent(client) if node.tag == "call"]
        assert sent.child("link_create", "event").attrs == {"start_time": "1796137200"}
        assert (await client.people.create_call_link()).startswith("https://call.whatsapp.com/voice/")


async def test_a_chat_we_begin_has_our_default_timer_and_one_that_is_there_keeps_its_own(
    desk, ana, bia, world, told
) -> None:
    rui, caio = world.phone("Rui"), world.phone("Caio")

    async def timer(client, sent) -> int:
        async with client.store.transaction() as tx:
            body = (await tx.sent(sent.id)).body
        return parse_message(body).extended_text_message.context_info.expiration

    async with desk.connected() as client:
        await rui.say(ana, "we write already")
        await told(client, MessageReceived)
        await client.people.set_default_timer(86_400)
        assert await timer(client, await client.send(bia.jid, Text("one"))) == 86_400
        assert await timer(client, await client.send(rui.lid, Text("two"))) == 0
    async with desk.connected() as client:
        assert await timer(client, await client.send(bia.lid, Text("still"))) == 86_400
        ana.person.set_timer(0)
        await told(client, DisappearingDefaultChanged)
        assert await timer(client, await client.send(caio.jid, Text("three"))) == 0
