"""The state an account's devices share: read from the phone, written to it, in conflict, without keys, spoiled."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from recado.client.client import Client
from recado.emulator.whatsapp.faults import Fault
from recado.errors import AppStateConflict, AppStateKeyMissing, QueryError, UsageError
from recado.events import (
    AppStateRejected,
    ChatChanged,
    ChatCleared,
    ContactChanged,
    Fact,
    FavoritesChanged,
    LabelChanged,
    LabelPlaced,
    MessageHidden,
    MessageReceived,
    MessageStarred,
    PushNameChanged,
    QuickReplyChanged,
    SettingChanged,
    StatusMuted,
    UnknownReceived,
)
from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import MessageKey
from recado.protocol.appstate.collections import Collection
from recado.protocol.messages.appstate_keys import encode_key_request, encode_key_share
from recado.protocol.messages.software import AppStateKey
from recado.protocol.node import Node
from recado.store import MemoryStore

LOW = Collection.REGULAR_LOW
GROUP = JID("120000000000000001", "g.us")
MARK = JID("550000000099", "s.whatsapp.net")
UNTIL = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.fixture
def linked(desk, ana, told):
    """A client that has read what the phone shares; the last of it is that MARK is on top."""

    @asynccontextmanager
    async def linked(**options):
        ana.settings.pin(MARK)
        async with desk.connected(**options) as client:
            await told(client, ChatChanged)
            yield client

    return linked


async def standing(client: Client, name: Collection = LOW):
    async with client.store.transaction() as tx:
        return await tx.app_state.collection(name)


def bare(fact: Fact) -> dict[str, object]:
    """What a fact says, without when and whose, and without what it does not say."""
    told = {name: getattr(fact, name) for name in fact.__dataclass_fields__ if name not in ("account", "at")}
    return {name: value for name, value in told.items() if value is not None}


# ---- reading


async def test_what_the_phone_had_shared_before_is_told_after_linking(desk, ana, bia, told, recorded):
    ana.settings.name_contact(bia.jid, "Bia Souza", bia.lid)
    ana.settings.archive(bia.jid)
    ana.settings.apply(actions.Mute(GROUP, True), actions.EditLabel("5", "Novo", 3))
    async with desk.connected() as client:
        _, archived, unpinned = await told(client, ChatChanged, 3)
        assert (archived.chat, archived.is_archived, archived.chat_alt) == (bia.jid, True, bia.lid)
        assert (unpinned.chat, unpinned.is_pinned) == (bia.jid, False)
        named = [fact for fact in await recorded(client, ContactChanged) if fact.is_saved]
        assert (named[0].contact, named[0].full_name, named[0].lid) == (bia.jid, "Bia Souza", bia.lid)
        (label,) = await told(client, LabelChanged)
        assert (label.label, label.name, label.color) == ("5", "Novo", 3)


async def test_what_the_phone_does_now_is_told(linked, ana, bia, told, recorded):
    async with linked() as client:
        ana.settings.archive(bia.jid)
        ana.settings.apply(
            actions.Mute(bia.jid, True, UNTIL),
            actions.MarkRead(bia.jid, False),
            actions.Lock(bia.jid, True),
            actions.Star(MessageKey(bia.jid, "3EB0STAR", False), True),
            actions.DeleteForMe(MessageKey(GROUP, "3EB0GONE", False, bia.jid)),
            actions.ClearChat(bia.jid, keeps_starred=True),
            actions.DeleteChat(bia.jid),
            actions.LabelChat("5", bia.jid, True),
            actions.LabelMessage("5", bia.jid, "3EB0STAR", True),
            actions.ChangeSetting("unarchive_chats", "on"),
            actions.NameContact(bia.jid, is_removed=True),
            actions.SetPushName("Ana Lúcia"),
        )
        (starred,) = await told(client, MessageStarred)
        assert bare(starred) == {"id": "3EB0STAR", "chat": bia.jid, "from_me": False, "is_starred": True} | (
            {"chat_alt": bia.lid} if starred.chat_alt else {}
        )
        (hidden,) = await told(client, MessageHidden)
        assert bare(hidden) == {"id": "3EB0GONE", "chat": GROUP, "from_me": False, "author": bia.jid}
        cleared, deleted = await told(client, ChatCleared, 2)
        assert (cleared.is_deleted, cleared.keeps_starred, deleted.is_deleted) == (False, True, True)
        (setting,) = await told(client, SettingChanged)
        assert (setting.setting, setting.value) == ("unarchive_chats", "on")
        placed = await told(client, LabelPlaced, 2)
        assert [(each.label, each.message, each.is_placed) for each in placed] == [
            ("5", None, True),
            ("5", "3EB0STAR", True),
        ]
        changed = [fact for fact in await told(client, ChatChanged, 6) if fact.chat == bia.jid]
        assert {name for fact in changed for name in bare(fact) if name.startswith(("is_", "muted"))} == {
            "is_archived",
            "is_pinned",
            "is_muted",
            "muted_until",
            "is_read",
            "is_locked",
        }
        assert any(fact.muted_until == UNTIL for fact in changed)
        await told(client, PushNameChanged)
        saved = [fact.is_saved for fact in await recorded(client, ContactChanged) if fact.is_saved is not None]
        assert saved == [False]
        assert (await client.store.credentials()).push_name == "Ana Lúcia"


async def test_what_a_business_and_a_person_keep_at_hand_is_told(linked, ana, bia, told):
    async with linked() as client:
        ana.settings.apply(
            actions.EditQuickReply("17", "/oi", "olá!", ("oi",)),
            actions.ChooseFavorites((bia.jid, GROUP)),
            actions.MuteStatus(bia.jid, True),
            actions.ChangeSetting("status_privacy", "deny_list", (bia.jid,)),
            actions.EditQuickReply("17", is_deleted=True),
        )
        reply, deleted = await told(client, QuickReplyChanged, 2)
        assert (reply.reply, reply.shortcut, reply.text, reply.keywords) == ("17", "/oi", "olá!", ("oi",))
        assert (deleted.reply, deleted.is_deleted) == ("17", True)
        (favorites,) = await told(client, FavoritesChanged)
        assert favorites.chats == (bia.jid, GROUP)
        (muted,) = await told(client, StatusMuted)
        assert (muted.contact, muted.is_muted) == (bia.jid, True)
        (setting,) = await told(client, SettingChanged)
        assert (setting.setting, setting.value, setting.people) == ("status_privacy", "deny_list", (bia.jid,))


async def test_what_this_version_does_not_model_is_kept_raw(linked, ana, told, world):
    async with linked() as client:
        _write_raw(ana, ("nux", "some hint"))
        facts = [fact for fact in await told(client, UnknownReceived) if fact.tag == "app_state"]
        assert facts[0].problem == "nux"
        assert b"some hint" in facts[0].raw


def _write_raw(phone, index):
    """The phone writes an entry of a kind nobody here models."""
    from recado.protocol.appstate.keys import expand
    from recado.protocol.appstate.mutation import Write
    from recado.protocol.appstate.patches import make_patch
    from recado.protocol.proto import appstate_pb2 as wire
    from recado.protocol.queries.appstate import CollectionRequest

    settings, key = phone.settings, next(iter(phone.settings.keys.values()))
    settings.catch_up(LOW)
    write = Write(LOW, index, wire.SyncActionValue(timestamp=1), 1)
    before = settings._standings[LOW]
    patch, step = make_patch(LOW, before, [write], key=expand(key.id, key.data), known={}, entropy=phone.world.entropy)
    settings._ask(CollectionRequest(LOW, before.version, patch=patch.SerializeToString()))
    settings._move(LOW, step.standing, dict(step.macs))


async def test_what_happened_while_we_were_away_is_told_once(linked, desk, ana, bia, told, recorded):
    async with linked():
        pass
    ana.settings.pin(bia.jid)
    ana.settings.pin(bia.jid, is_pinned=False)
    async with desk.connected() as client:
        facts = await told(client, ChatChanged, 3)
        assert [(fact.chat, fact.is_pinned) for fact in facts[1:]] == [(bia.jid, True), (bia.jid, False)]
    async with desk.connected() as client:
        assert len(await recorded(client, ChatChanged)) == 3


async def test_many_changes_come_in_pages(linked, ana, bia, told):
    ana.account.app_state.page = 2
    async with linked() as client:
        await client.disconnect()
        for turn in range(5):
            ana.settings.pin(bia.jid, is_pinned=turn % 2 == 0)
        await client.connect()
        facts = await told(client, ChatChanged, 6)
        assert [fact.is_pinned for fact in facts[1:]] == [True, False, True, False, True]


async def test_a_dirty_mark_has_everything_looked_at_again(linked, ana, bia, told, world):
    async with linked() as client:
        (device,) = ana.account.companions
        ana.settings.pin(bia.jid)
        await told(client, ChatChanged, 2)
        dirty = Node("dirty", {"type": "syncd_app_state", "timestamp": str(world.seconds())})
        device.line.deliver(Node("ib", {"from": "@s.whatsapp.net"}, [dirty]))
        ana.settings.read.clear()
        await client.chats.pin(GROUP)
        assert (await ana.settings.expect(actions.PinChat)).chat == GROUP


# ---- snapshots


async def test_a_device_that_begins_is_given_a_snapshot(desk, ana, bia, told, recorded):
    ana.account.app_state.inline = 2
    for chat in (bia.jid, GROUP, MARK):
        ana.settings.pin(chat)
    ana.settings.pin(bia.jid, is_pinned=False)
    async with desk.connected() as client:
        facts = await told(client, ChatChanged, 3)
        assert {(fact.chat, fact.is_pinned) for fact in facts} == {(bia.jid, False), (GROUP, True), (MARK, True)}
        assert (await standing(client)).version == 4
        ana.settings.pin(bia.jid)
        assert (await told(client, ChatChanged, 4))[3].is_pinned
        assert await recorded(client, AppStateRejected) == []


async def test_a_snapshot_that_was_touched_is_refused_and_fetched_again(desk, ana, bia, told, recorded):
    ana.account.app_state.inline = 2
    for chat in (bia.jid, GROUP, MARK):
        ana.settings.pin(chat)
    ana.account.app_state[LOW].spoils = 1
    async with desk.connected() as client:
        await told(client, ChatChanged, 3)
        (rejected,) = await recorded(client, AppStateRejected)
        assert (rejected.collection, rejected.is_snapshot) == (LOW, True)


async def test_what_is_in_a_snapshot_no_more_was_removed(linked, ana, bia, told, recorded):
    """The patch that removed it was spoiled on its way; the snapshot does not say what it does not hold."""
    ana.account.app_state.inline = 0
    async with linked() as client:
        ana.settings.apply(actions.NameContact(bia.jid, "Bia"), actions.NameContact(MARK, "Mark"))
        await saved(client, told, {bia.jid: True, MARK: True})
        ana.account.app_state[Collection.CRITICAL_UNBLOCK_LOW].spoils = 1
        ana.settings.apply(actions.NameContact(bia.jid, is_removed=True))
        await saved(client, told, {bia.jid: False, MARK: True})
        assert len(await recorded(client, AppStateRejected)) == 1
        facts = [fact for fact in await recorded(client, ContactChanged) if fact.is_saved is not None]
        assert [fact.contact for fact in facts].count(MARK) == 1


async def saved(client: Client, told, wanted: dict[JID, bool]) -> None:
    """Wait until the facts say of these people that they are in the address book, or not."""
    count = 1
    while True:
        facts = await told(client, ContactChanged, count)
        if {fact.contact: fact.is_saved for fact in facts if fact.is_saved is not None} == wanted:
            return
        count += 1


async def test_an_entry_under_a_new_key_is_not_a_removed_one(linked, desk, ana, bia, told, recorded):
    """Its place in the collection is another one, and its index is the same."""
    ana.account.app_state.inline = 0
    async with linked() as client:
        ana.settings.apply(actions.NameContact(bia.jid, "Bia"))
        await saved(client, told, {bia.jid: True})
    ana.settings.apply(actions.NameContact(bia.jid, is_removed=True))
    ana.settings.new_key()
    ana.settings.share()
    ana.settings.apply(actions.NameContact(bia.jid, "Bia S."), actions.NameContact(MARK, "Mark"))
    ana.account.app_state[Collection.CRITICAL_UNBLOCK_LOW].spoils = 1
    async with desk.connected() as client:
        await saved(client, told, {bia.jid: True, MARK: True})
        assert len(await recorded(client, AppStateRejected)) == 1
        assert all(fact.is_saved is not False for fact in await recorded(client, ContactChanged))


async def test_entries_that_lie_on_the_servers_are_fetched(linked, ana, bia, told, recorded):
    async with linked() as client:
        ana.account.app_state[LOW].lies_outside = True
        ana.settings.apply(*(actions.PinChat(JID.phone(f"5500000001{n:02}"), True) for n in range(5)))
        facts = await told(client, ChatChanged, 6)
        assert all(fact.is_pinned for fact in facts[1:])
        assert await recorded(client, AppStateRejected) == []
        await client.chats.pin(GROUP)
        assert (await ana.settings.expect(actions.PinChat, chat=GROUP)).is_pinned


async def test_entries_on_the_servers_that_were_touched_are_not_believed(linked, ana, bia, told, recorded):
    async with linked() as client:
        stored = ana.account.app_state[LOW]
        stored.lies_outside, stored.spoils = True, 1
        ana.settings.pin(bia.jid)
        *_, fact = await told(client, ChatChanged, 2)
        assert fact.chat == bia.jid
        (rejected,) = await recorded(client, AppStateRejected)
        assert rejected.collection == LOW


# ---- what does not authenticate


def beginnings(traffic, client) -> list[Node]:
    """How often that client asked for all of the collection."""
    asked = [each for node in traffic.sent(client) for each in _answers(node)]
    return [each for each in asked if each.attrs["name"] == LOW and each.attrs["return_snapshot"] == "true"]


async def test_a_patch_that_was_touched_is_told_not_believed_and_all_is_fetched_anew(
    linked, ana, bia, told, world, traffic
):
    async with linked() as client:
        ana.account.app_state[LOW].spoils = 1
        ana.settings.pin(bia.jid)
        (rejected,) = await told(client, AppStateRejected)
        assert (rejected.collection, rejected.is_snapshot) == (LOW, False)
        await world.until(lambda: len(beginnings(traffic, client)) == 2, "it was not fetched anew")
        facts = await told(client, ChatChanged, 2)
        assert [(fact.chat, fact.is_pinned) for fact in facts] == [
            (MARK, True),
            (bia.jid, True),
        ]  # MARK is not told anew
        assert (await standing(client)).version == 2


async def test_what_never_authenticates_waits_for_the_next_word(linked, ana, bia, told, recorded):
    ana.settings.recovers = False
    async with linked() as client:
        ana.account.app_state[LOW].spoils = 2
        ana.settings.pin(bia.jid)
        await told(client, AppStateRejected, 2)
        assert (await standing(client)).version == 1
        assert len(await recorded(client, ChatChanged)) == 1
        ana.settings.pin(GROUP)
        facts = await told(client, ChatChanged, 3)
        assert [fact.chat for fact in facts[1:]] == [bia.jid, GROUP]


# ---- keys


async def test_without_keys_the_phone_is_asked_and_the_collection_waits(desk, ana, bia, told, clock):
    ana.settings.shares = False
    ana.settings.pin(bia.jid)
    async with desk.connected() as client:
        with pytest.raises(AppStateKeyMissing):
            await client.chats.pin(GROUP)
        (fact,) = await told(client, ChatChanged)
        assert fact.chat == bia.jid
        assert [request.ids for request in ana.settings.asked][:1] == [tuple(ana.settings.keys)]


async def test_a_device_whose_keys_never_came_asks_by_itself_after_a_while(desk, ana, bia, told, clock):
    ana.settings.shares = False
    ana.settings.pin(bia.jid)
    async with desk.connected() as client:
        await clock.advance(61)
        (fact,) = await told(client, ChatChanged)
        assert fact.chat == bia.jid


async def test_another_own_device_gives_what_the_phone_does_not(linked, world, clock, ana, bia, told):
    async with linked():
        ana.settings.shares, ana.settings.answers = False, False
        async with Client(MemoryStore(), server=world.server, clock=clock) as other:
            await ana.link(other)
            with pytest.raises(AppStateKeyMissing):
                await other.chats.pin(GROUP)
            assert (await told(other, ChatChanged))[0].chat == MARK
            await other.chats.pin(GROUP)


async def test_a_phone_that_does_not_answer_is_not_asked_again_and_again(desk, ana, bia, world, clock):
    ana.settings.shares, ana.settings.answers = False, False
    ana.settings.pin(bia.jid)
    async with desk.connected() as client:
        asked = []
        for seconds in (0, 3600, 24 * 3600):
            _turn(clock, seconds)
            with pytest.raises(AppStateKeyMissing):
                await client.chats.pin(GROUP)
            asked.append((await standing(client)).asked_at)
        assert asked[0] == asked[1] != asked[2]
        await world.until(lambda: bool(ana.settings.asked), "the phone was never asked")
        assert (await standing(client)).lacking == tuple(ana.settings.keys)


def _turn(clock, seconds):
    """Later, without the pings in between."""
    clock._elapsed += seconds


async def test_a_new_key_is_used_once_it_is_here(linked, ana, bia, told):
    async with linked() as client:
        ana.settings.new_key()
        ana.settings.share()
        ana.settings.pin(bia.jid)
        await told(client, ChatChanged, 2)
        await client.chats.pin(GROUP)
        assert (await ana.settings.expect(actions.PinChat, chat=GROUP)).is_pinned
        patch = ana.account.app_state[LOW].patches[-1]
        assert patch.key_id.id == list(ana.settings.keys)[-1]
        assert ana.settings.rejected == []


async def test_keys_from_somebody_else_are_not_kept(linked, ana, bia, told, craft):
    async with linked() as client:
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        forged = AppStateKey(b"\0\0\0\0\0\x09", bytes(32), 2**40)
        craft(bia, client, ana.lid, encode_key_share([forged]), "3EB0FORGED")
        await bia.say(ana, "and now")
        await told(client, MessageReceived, 2)
        async with client.store.transaction() as tx:
            assert set(await tx.app_state.keys()) == set(ana.settings.keys)


async def test_another_own_device_is_given_the_keys_it_lacks(linked, world, clock, ana, bia, told):
    ana.settings.answers = True
    async with linked() as client:
        ana.settings.shares = False
        async with Client(MemoryStore(), server=world.server, clock=clock) as other:
            await ana.link(other)
            ids = list(ana.settings.keys)
            from recado.client.peers import tell_peer

            connection = await other._connected()
            await tell_peer(other._account, connection, client.device, encode_key_request([*ids, b"unknown"]))
            assert (await told(other, ChatChanged))[0].chat == MARK
            assert ana.settings.asked == []


async def test_somebody_else_is_given_no_keys(linked, ana, bia, told, craft, traffic):
    async with linked() as client:
        await bia.say(ana, "oi")
        await told(client, MessageReceived)
        craft(bia, client, ana.lid, encode_key_request(list(ana.settings.keys)), "3EB0FORGED")
        await bia.say(ana, "and now")
        await told(client, MessageReceived, 2)
        assert [node for node in traffic.sent(client) if node.tag == "message"] == []


# ---- writing


async def test_each_verb_reaches_the_phone(linked, ana, bia, told):
    async with linked() as client:
        await bia.say(ana, "oi")
        (message,) = await told(client, MessageReceived)
        chats, chat = client.chats, bia.jid
        await chats.archive(chat, last=message)
        await chats.archive(chat, is_archived=False)
        await chats.pin(chat)
        await chats.mute(chat, UNTIL)
        await chats.mute(GROUP)
        await chats.unmute(chat)
        await chats.mark_unread(chat, last=message)
        await chats.mark_read(chat)
        await chats.lock(chat)
        await chats.star(message)
        await chats.delete_for_me(message)
        await chats.clear(chat, keep_starred=True, last=message)
        await chats.delete(chat)
        await chats.name_contact(chat, "Bia Souza", lid=bia.lid)
        await chats.remove_contact(chat)
        await chats.set_push_name("Ana Lúcia")
        await chats.edit_label("5", "Novo", color=3)
        await chats.label_chat("5", chat)
        await chats.label_message("5", message)
        await chats.delete_label("5")
        await chats.change_setting("locale", "pt_BR")
        await ana.settings.expect(actions.ChangeSetting, name="locale", value="pt_BR")
        read = ana.settings.read
        key = MessageKey(message.chat, message.id, False)
        assert actions.Mute(chat, True, UNTIL) in read
        assert actions.Mute(GROUP, True) in read
        assert actions.Star(key, True) in read
        assert actions.DeleteForMe(key, True, message.sent_at) in read
        assert actions.NameContact(chat, "Bia Souza", "Bia", bia.lid, chat) in read
        assert actions.NameContact(chat, is_removed=True) in read
        assert actions.SetPushName("Ana Lúcia") in read
        assert actions.EditLabel("5", is_deleted=True) in read
        assert {type(action) for action in read} >= {
            actions.Archive, actions.PinChat, actions.MarkRead, actions.Lock, actions.ClearChat, actions.DeleteChat,
            actions.LabelChat, actions.LabelMessage,
        }  # fmt: skip
        assert ana.settings.rejected == []
        starred = await told(client, MessageStarred)
        assert bare(starred[0])["id"] == message.id  # what we do ourselves is a fact too
        assert (await client.store.credentials()).push_name == "Ana Lúcia"


@pytest.fixture
def two(linked, world, clock, ana, told):
    """Two companions of one account."""

    @asynccontextmanager
    async def two():
        async with linked() as client, Client(MemoryStore(), server=world.server, clock=clock) as other:
            await ana.link(other)
            await told(other, ChatChanged)
            yield client, other

    return two


def conflicts(traffic) -> int:
    return sum(
        "error" in [child.tag for child in each.children] for _, _, node in traffic.seen for each in _answers(node)
    )


def _answers(node: Node) -> list[Node]:
    sync = node.child("sync") if node.tag == "iq" else None
    return list(sync.all("collection")) if sync is not None else []


async def test_two_devices_that_write_at_once_both_get_through(two, ana, bia, told, traffic):
    async with two() as (client, other):
        for turn in range(3):
            is_pinned = turn % 2 == 0
            done = await asyncio.gather(
                client.chats.pin(bia.jid, is_pinned=is_pinned),
                other.chats.pin(GROUP, is_pinned=is_pinned),
                return_exceptions=True,
            )
            assert done == [None, None]
        for each in (client, other):
            facts = await told(each, ChatChanged, 7)
            assert [fact.is_pinned for fact in facts if fact.chat == bia.jid] == [True, False, True]
            assert [fact.is_pinned for fact in facts if fact.chat == GROUP] == [True, False, True]
            assert (await standing(each)).version == 7
        assert conflicts(traffic) > 0
        assert ana.settings.rejected == []


async def test_who_is_never_fast_enough_is_told(two, bia, monkeypatch):
    monkeypatch.setattr("recado.client.appstate.pushing.TRIES", 1)
    async with two() as (client, other):
        results = await asyncio.gather(client.chats.pin(bia.jid), other.chats.pin(GROUP), return_exceptions=True)
        assert [type(each) for each in results if each is not None] == [AppStateConflict]


async def test_a_change_the_server_refuses_is_not_made(linked, bia, world, recorded):
    async with linked() as client:
        world.faults.plan(Fault.REFUSE_QUERY, client.device, code=500, about="w:sync:app:state")
        with pytest.raises(QueryError):
            await client.chats.pin(bia.jid)
        assert len(await recorded(client, ChatChanged)) == 1
        await client.chats.pin(bia.jid)
        assert (await standing(client)).version == 2


async def test_what_is_written_together_belongs_together(linked, bia):
    async with linked() as client:
        with pytest.raises(UsageError):
            await client.chats.apply(actions.PinChat(bia.jid, True), actions.Mute(bia.jid, True))
        await client.chats.apply(actions.PinChat(bia.jid, True), actions.PinChat(GROUP, True))
        assert (await standing(client)).version == 2
