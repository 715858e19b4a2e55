"""What a person does with groups, verb by verb: each reaches the server, and what changed comes back as a fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recado.content import Reaction, Revoke, Text
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.line import Deliver
from recado.errors import QueryError, UsageError
from recado.events import ContactChanged, GroupChanged, MessageReceived, MessageSent, PictureChanged
from recado.groups import GroupChange, Role
from recado.jid import JID, STATUS
from recado.protocol.node import Node
from recado.protocol.queries.statuses import StatusAudience


@pytest.fixture
def rui(world):
    return world.phone("Rui")


async def change(client, what):
    async for fact in client.listen(GroupChanged, after=0):
        if fact.what is what:
            return fact
    raise AssertionError("the client ended")


async def test_a_group_is_made_with_its_rules_and_found_again(desk, bia, soon):
    async with desk.connected() as client, soon():
        made = await client.groups.create(
            "Family", [bia.jid], expires_in=timedelta(days=1), is_announcement=True, is_locked=True, needs_approval=True
        )
        (listed,) = await client.groups.all()
        assert listed == made == await client.groups.get(made.jid, anew=True)
        assert (made.subject, made.expires_in, made.by_lid) == ("Family", 86400, True)
        assert made.is_announcement and made.is_locked and made.needs_approval
        assert {member.jid: member.role for member in made.members} == {
            desk.phone.lid: Role.OWNER,
            bia.lid: Role.MEMBER,
        }
        assert made.member(bia.jid) == made.member(bia.lid)
        with pytest.raises(UsageError):
            await client.groups.create("  ", [bia.jid])


async def test_its_name_description_and_rules_change_and_the_kept_group_follows(desk, bia, soon):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [bia.jid])).jid
        await client.groups.rename(group, "Us")
        await client.groups.describe(group, "about us\nin two lines")
        await client.groups.describe(group, "shorter")
        await client.groups.set_announcement(group, True)
        await client.groups.set_locked(group, True)
        await client.groups.set_admins_add_only(group, True)
        await client.groups.set_approval(group, True)
        await client.groups.set_expiration(group, timedelta(days=7))
        await change(client, GroupChange.EXPIRATION)
        kept = await client.groups.get(group)
        assert (kept.subject, kept.description, kept.expires_in) == ("Us", "shorter", 604800)
        assert kept.is_announcement and kept.is_locked and kept.admins_add_only and kept.needs_approval
        assert kept == await client.groups.get(group, anew=True)
        await client.groups.set_expiration(group, None)
        await client.groups.describe(group, "")
        assert (await client.groups.get(group, anew=True)).description is None


async def test_roles_are_given_and_taken(desk, bia, rui, soon):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [bia.jid, rui.jid])).jid
        await client.groups.promote(group, [bia.lid])
        await change(client, GroupChange.PROMOTED)
        assert (await client.groups.get(group)).member(bia.jid).is_admin
        await client.groups.demote(group, [bia.lid])
        await change(client, GroupChange.DEMOTED)
        assert not (await client.groups.get(group)).member(bia.jid).is_admin
        (outcome,) = await client.groups.remove(group, [JID.phone("550000000099")])
        assert outcome.error == 404


async def test_who_may_not_be_added_is_sent_an_invitation(desk, bia, rui, soon, world):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [bia.jid])).jid
        rui.account.privacy["groupadd"] = "none"
        (outcome,) = await client.groups.add(group, [rui.lid])
        assert outcome.error == 403 and outcome.invite_code
        assert outcome.invite_expires_at is not None
        assert outcome.invite_code not in repr(outcome)
        await client.groups.withdraw_invitations(group, [rui.lid])
        attrs = {"code": outcome.invite_code, "expiration": "1", "admin": str(desk.phone.lid)}
        with pytest.raises(UsageError):
            await rui.groups.set(group, Node("accept", attrs))


async def test_we_accept_an_invitation_and_join_by_a_code(desk, bia, rui, soon, world):
    async with desk.connected() as client, soon():
        group = await bia.groups.create("Bia's", rui)
        desk.phone.account.privacy["groupadd"] = "none"
        answer = await bia.groups.add(group, desk.phone)
        request = answer.child("add", "participant", "add_request")
        joined = await client.groups.accept(
            group, request.attrs["code"], expires_at=datetime.fromtimestamp(1, UTC), admin=bia.lid
        )
        assert (joined.group, joined.is_waiting) == (group, False)
        await client.send(group, Text("here I am"))
        await rui.expect(text="here I am")
        await client.groups.leave(group)
        left = await change(client, GroupChange.LEFT)
        assert left.people == (desk.phone.lid,)
        with pytest.raises(QueryError):
            await client.groups.get(group)

        code = (await bia.groups.set(group, Node("invite"))).child("invite").attrs["code"]
        assert (await client.groups.invited_to(code)).jid == group
        assert (await client.groups.join(f"https://chat.example/{code}/")).group == group
        assert code not in repr(await client.groups.invited_to(code))


async def test_requests_are_listed_answered_and_told(desk, bia, rui, soon):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [], needs_approval=True)).jid
        code = await client.groups.invite_code(group)
        for phone in (bia, rui):
            await phone.groups.set(JID("", "g.us"), Node("invite", {"code": code}))
        asked = await change(client, GroupChange.JOIN_REQUESTED)
        assert asked.people == (bia.lid,)
        assert [request.person for request in await client.groups.join_requests(group)] == [bia.lid, rui.lid]
        await client.groups.approve(group, [bia.lid])
        await client.groups.reject(group, [rui.lid])
        await change(client, GroupChange.JOIN_REQUEST_ENDED)
        assert await client.groups.join_requests(group) == []
        assert {member.jid for member in (await client.groups.get(group)).members} == {desk.phone.lid, bia.lid}
        assert await client.groups.invite_code(group, is_new=True) != code


async def test_a_community_has_groups_under_it(desk, bia, rui, soon):
    async with desk.connected() as client, soon():
        community = (await client.groups.create("Street", [bia.jid], is_community=True)).jid
        other = (await client.groups.create("Garden", [rui.jid])).jid
        inside = (await client.groups.create("Music", [bia.jid], parent=community)).jid
        await client.groups.link(community, [other])
        linked = await change(client, GroupChange.LINKED)
        assert (linked.group, linked.value) == (other, str(community))
        found = {group.subject: group for group in await client.groups.subgroups(community)}
        assert {name: group.is_default for name, group in found.items()} == {
            "Street": True,
            "Garden": False,
            "Music": False,
        }
        assert (await client.groups.get(other)).parent == community
        people = {member.jid for member in await client.groups.community_members(community)}
        assert people == {desk.phone.lid, bia.lid, rui.lid}
        await client.groups.unlink(community, [other])
        await change(client, GroupChange.UNLINKED)
        assert {group.jid for group in await client.groups.subgroups(community)} >= {inside}
        assert (await client.groups.get(other)).parent is None


async def test_a_status_is_seen_by_those_it_is_for(desk, bia, rui, soon, traffic):
    async with desk.connected() as client, soon():
        await client.statuses.post(Text("for both"), [bia.jid, rui.jid])
        await bia.expect(text="for both")
        await client.statuses.post(Text("for Bia alone"), [bia.jid])
        await bia.expect(text="for Bia alone")
        assert [shown.text for shown in rui.messages if shown.text] == ["for both"]
        sent = [node for node in traffic.sent(client) if node.tag == "message"]
        posts = [node for node in sent if node.attrs["to"] == "status@broadcast"]
        assert [post.child("meta").attrs["status_setting"] for post in posts] == ["allowlist", "allowlist"]
        assert all("addressing_mode" not in post.attrs for post in posts)
        listed = posts[1].child("participants")
        assert str(rui.lid) not in [part.attrs["jid"] for part in listed.all("to")]
        with pytest.raises(UsageError):
            await client.statuses.post(Text("nobody"), [])


async def test_the_status_of_somebody_else_is_received(desk, world, clock, bia, told, soon):
    from recado import Client, MemoryStore

    async with desk.connected() as client, Client(MemoryStore(), server=world.server, clock=clock) as theirs, soon():
        await bia.link(theirs)
        await theirs.statuses.post(Text("my day"), [desk.phone.jid])
        (message,) = await told(client, MessageReceived)
        assert (message.content, message.sender, str(message.chat)) == (Text("my day"), bia.lid, "status@broadcast")


async def test_a_picture_is_given_and_taken_away(desk, bia, told, soon):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [bia.jid])).jid
        await client.groups.set_photo(group, b"\xff\xd8\xff\xe0 a picture")
        (changed,) = await told(client, PictureChanged)
        assert (changed.contact, changed.author) == (group, desk.phone.lid)
        found = await client.people.picture(group)
        assert found is not None and found.id == changed.picture
        await client.groups.set_photo(group, None)
        assert [fact.picture for fact in await told(client, PictureChanged, 2)][1] is None
        with pytest.raises(UsageError):
            await client.groups.set_photo(group, b"no picture")


async def test_a_device_without_keys_is_left_alone_for_a_while(desk, bia, rui, world, traffic, clock, soon):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [bia.jid, rui.jid])).jid
        rui.asks_again = False  # else it would send its keys along
        world.faults.plan(Fault.KEY_ERROR, rui.number, times=-1, code=404)
        for text in ("one", "two"):
            await client.send(group, Text(text))
        await bia.expect(text="two")

        def asked() -> int:
            return sum(1 for node in traffic.sent(client) if "reason" in str(keys_wanted(node)))

        before = asked()
        await client.send(group, Text("three"))
        assert asked() == before
        world.faults.clear()
        await clock.advance(3700)
        await client.send(group, Text("four"))
        await rui.expect(text="four")


def keys_wanted(node):
    wanted = node.child("key") if node.tag == "iq" and node.attrs.get("xmlns") == "encrypt" else None
    return [user.attrs for user in wanted.children] if wanted is not None else []


async def test_what_the_server_calls_dirty_is_asked_for_anew(desk, bia, world, traffic, soon):
    async with desk.connected() as client, soon():
        group = (await client.groups.create("Family", [bia.jid])).jid
        gone = (await client.groups.create("Gone", [bia.jid])).jid
        await world.expect_nothing_pending(client.device)
        world.groups.find(group).subject = "Renamed in silence"
        world.groups.find(gone).put_out(desk.phone.account)
        line = world.directory.device(client.device).line
        dirty = Node("ib", {"from": "@s.whatsapp.net"}, [Node("dirty", {"type": "groups", "timestamp": "1"})])
        world.transmit([Deliver(line, dirty)])
        async with client.store.transaction() as tx:
            assert (await tx.groups.find(group)).subject == "Family"

        def is_cleaned() -> bool:
            return any(node.attrs.get("xmlns") == "urn:xmpp:whatsapp:dirty" for node in traffic.sent(client))

        await world.until(is_cleaned, "the client never said that it is clean")
        assert (await client.groups.get(group)).subject == "Renamed in silence"
        async with client.store.transaction() as tx:
            assert await tx.groups.find(gone) is None


async def test_a_status_is_for_whom_the_account_chose(desk, bia, rui, ana, soon, told, recorded, traffic):
    async with desk.connected() as client, soon():
        with pytest.raises(UsageError):
            await client.statuses.post(Text("nobody is in the address book"))
        ana.settings.name_contact(bia.lid, "Bia")
        ana.settings.name_contact(rui.lid, "Rui")
        while len(await client.statuses.audience()) < 2:
            await told(client, ContactChanged, 2)
        assert set(await client.statuses.audience()) == {bia.lid, rui.lid}
        ana.account.status_for, ana.account.status_people = "blacklist", [str(rui.jid)]
        assert (await client.statuses.privacy()).audience is StatusAudience.CONTACTS_WITHOUT
        sent = await client.statuses.post(Text("not for Rui"))
        await bia.expect(text="not for Rui")
        ana.account.status_for = "whitelist"
        assert await client.statuses.audience() == [rui.lid]
        await client.statuses.revoke(sent.id)
        await desk.world.expect_nothing_pending(client.account)
        assert rui.messages == []
        revoked = (await recorded(client, MessageSent))[-1]
        assert (revoked.content, str(revoked.chat)) == (Revoke(sent.id), "status@broadcast")
        await client.statuses.post(Text("for Rui alone"))
        ana.account.status_for, ana.account.status_people = "contacts", []
        await client.statuses.post(Text("for everybody"))
        await client.send(STATUS, Reaction(sent.id, "👍", author=str(ana.lid)))
        sent = [node for node in traffic.sent(client) if node.attrs.get("to") == "status@broadcast"]
        metas = [node.child("meta") for node in sent if node.tag == "message"]
        said = [None if meta is None else meta.attrs.get("status_setting") for meta in metas]
        assert said == ["denylist", None, "allowlist", "contacts", None]


async def test_a_revoked_status_is_taken_back_from_who_saw_it(desk, world, clock, bia, told, traffic, soon):
    from recado import Client, MemoryStore

    async with desk.connected() as client, Client(MemoryStore(), server=world.server, clock=clock) as theirs, soon():
        await bia.link(theirs)
        post = await theirs.statuses.post(Text("my day"), [desk.phone.jid])
        await theirs.statuses.revoke(post.id)
        _, revoke = await told(client, MessageReceived, 2)
        assert isinstance(revoke.content, Revoke) and revoke.content.to == post.id
        (node,) = [each for each in traffic.sent(theirs) if each.attrs.get("edit") == "7"]
        assert node.attrs["to"] == "status@broadcast"
