"""
The behaviour every backend is held to, written once: run `CONTRACT` against each of them.

A check gets a `Factory`: given an account's name it answers a closed backend on that account, which is empty the first
time and holds what was committed the next. Checks open and close what they take, raise AssertionError, and need
nothing of a test framework. A backend that can refuse a value is held to `check_a_refused_commit_leaves_nothing` too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from recado.content import Text, Unsupported
from recado.errors import CloseReason, StoreRefused
from recado.events import (
    AboutChanged,
    AppStateRejected,
    BlocklistChanged,
    CallReceived,
    CallState,
    ChatChanged,
    ChatCleared,
    ChatRemembered,
    ConnectionChanged,
    ConnectionState,
    ContactChanged,
    DeviceUnlinked,
    DisappearingDefaultChanged,
    EnvelopeUnreadable,
    Fact,
    FavoritesChanged,
    GroupChanged,
    HistoryMissed,
    HistoryOffered,
    HistoryReceived,
    LabelChanged,
    LabelPlaced,
    MessageHidden,
    MessageId,
    MessageReceived,
    MessageRejected,
    MessageSent,
    MessageStarred,
    NewChatsCapped,
    NewsletterChanged,
    NumberChanged,
    PeerIdentityChanged,
    PersonFound,
    PictureChanged,
    PrivacyChanged,
    PushNameChanged,
    QuickReplyChanged,
    Quote,
    ReachOutRestricted,
    ReceiptKind,
    ReceiptReceived,
    SettingChanged,
    Source,
    StatusMuted,
    UnknownReceived,
)
from recado.groups import GroupChange
from recado.jid import JID
from recado.newsletters import NewsletterChange
from recado.store.backend import Backend, Changes

Factory = Callable[[str], Backend]
Check = Callable[[Factory], Awaitable[None]]

NOW = datetime(2026, 11, 2, 12, 30, 15, 250000, tzinfo=UTC)
_ACCOUNT = JID("550000000001", "s.whatsapp.net")
_NEWSLETTER = JID("120363000000000001", "newsletter")
_GROUP = JID("120360000000000001", "g.us")
_ANA = JID("77000000000001", "lid")
_ANA_PHONE = JID("550000000002", "s.whatsapp.net")
_HOUR = timedelta(hours=1)


def facts_of_every_kind() -> list[Fact]:
    """One invented fact of each kind, or more where there are forms."""
    id, other, lost = [MessageId(f"3EB000000000000000000{number}") for number in (1, 2, 3)]
    quote = Quote(other, _ANA, "What day?")
    received = MessageReceived(
        account=_ACCOUNT,
        at=NOW,
        id=id,
        chat=_ANA,
        sender=_ANA.with_device(3),
        from_me=False,
        content=Text("Até amanhã, às 9h 👋\n"),
        sent_at=NOW - _HOUR,
        source=Source.OFFLINE,
        chat_alt=_ANA_PHONE,
        push_name="Ana",
        quoted=quote,
    )
    unread = EnvelopeUnreadable(
        account=_ACCOUNT, at=NOW, id=lost, chat=_ANA, sender=_ANA, reason="BadMac", sent_at=NOW, raw=b"\x00\xff"
    )
    receipt = ReceiptReceived(account=_ACCOUNT, at=NOW, ids=(id, other), chat=_ANA, sender=_ANA, kind=ReceiptKind.READ)
    return [
        received,
        MessageReceived(
            account=_ACCOUNT,
            at=NOW,
            id=other,
            chat=_ANA,
            sender=_ACCOUNT,
            from_me=True,
            content=Unsupported("stickerMessage", bytes(range(256))),
            sent_at=NOW,
        ),
        MessageSent(account=_ACCOUNT, at=NOW, id=id, chat=_ANA, content=Text("Oi"), sent_at=NOW, quoted=quote),
        MessageRejected(account=_ACCOUNT, at=NOW, id=id, chat=_ANA, code=479),
        receipt,
        unread,
        ConnectionChanged(account=_ACCOUNT, at=NOW, state=ConnectionState.CONNECTED),
        ConnectionChanged(
            account=_ACCOUNT, at=NOW, state=ConnectionState.RECONNECTING, reason=CloseReason.LOST, retry_at=NOW + _HOUR
        ),
        ContactChanged(account=_ACCOUNT, at=NOW, contact=_ANA, phone=_ANA_PHONE, lid=_ANA, push_name="Ana"),
        PersonFound(account=_ACCOUNT, at=NOW, asked=_ANA_PHONE, is_on_whatsapp=True, phone=_ANA_PHONE, lid=_ANA),
        NumberChanged(account=_ACCOUNT, at=NOW, old=_ANA_PHONE, new=JID.phone("550000000009"), lid=_ANA),
        PictureChanged(account=_ACCOUNT, at=NOW, contact=_ANA, picture="1700000001"),
        AboutChanged(account=_ACCOUNT, at=NOW, contact=_ANA, about="At sea"),
        BlocklistChanged(account=_ACCOUNT, at=NOW, blocked=(_ANA,)),
        PrivacyChanged(account=_ACCOUNT, at=NOW, setting="last", value="contacts"),
        DisappearingDefaultChanged(account=_ACCOUNT, at=NOW, contact=_ANA, seconds=86400),
        ReachOutRestricted(account=_ACCOUNT, at=NOW, is_active=True, until=NOW + _HOUR, reason="DEFAULT"),
        NewChatsCapped(account=_ACCOUNT, at=NOW, is_active=True, status="CAPPED", quota=9, used=9, until=NOW + _HOUR),
        CallReceived(account=_ACCOUNT, at=NOW, id="CALL1", caller=_ANA, state=CallState.OFFERED, is_video=True),
        PeerIdentityChanged(account=_ACCOUNT, at=NOW, contact=_ANA.with_device(3)),
        GroupChanged(account=_ACCOUNT, at=NOW, group=_GROUP, what=GroupChange.REMOVED, by=_ACCOUNT, people=(_ANA,)),
        HistoryReceived(account=_ACCOUNT, at=NOW, kind="recent", chunk=1, conversations=2, messages=30, progress=60),
        HistoryMissed(account=_ACCOUNT, at=NOW, kind="full", chunk=2, reason="MediaGone"),
        ChatRemembered(account=_ACCOUNT, at=NOW, chat=_ANA, chat_alt=_ANA_PHONE, unread=2, muted_until=NOW + _HOUR),
        ContactChanged(account=_ACCOUNT, at=NOW, contact=_ANA, full_name="Ana Lima", first_name="Ana", is_saved=True),
        ChatChanged(account=_ACCOUNT, at=NOW, chat=_ANA, chat_alt=_ANA_PHONE, is_muted=True, muted_until=NOW + _HOUR),
        ChatCleared(account=_ACCOUNT, at=NOW, chat=_ANA, is_deleted=True, until=NOW - _HOUR),
        MessageStarred(account=_ACCOUNT, at=NOW, id=id, chat=_ANA, from_me=False, is_starred=True, author=_ANA),
        MessageHidden(account=_ACCOUNT, at=NOW, id=id, chat=_ANA, from_me=True),
        LabelChanged(account=_ACCOUNT, at=NOW, label="5", name="New", color=3),
        LabelPlaced(account=_ACCOUNT, at=NOW, label="5", chat=_ANA, is_placed=True, message=id),
        QuickReplyChanged(account=_ACCOUNT, at=NOW, reply="17", shortcut="/hi", text="hello", keywords=("hi",)),
        FavoritesChanged(account=_ACCOUNT, at=NOW, chats=(_ANA,)),
        StatusMuted(account=_ACCOUNT, at=NOW, contact=_ANA, is_muted=True),
        PushNameChanged(account=_ACCOUNT, at=NOW, name="Ana"),
        SettingChanged(account=_ACCOUNT, at=NOW, setting="locale", value="pt_BR"),
        AppStateRejected(account=_ACCOUNT, at=NOW, collection="regular_low", version=7, is_snapshot=True),
        DeviceUnlinked(account=_ACCOUNT, at=NOW, reason=CloseReason.LOGGED_OUT),
        UnknownReceived(account=_ACCOUNT, at=NOW, tag="sticker-pack", raw=b"\x00\x01", problem="unknown tag"),
        NewsletterChanged(
            account=_ACCOUNT, at=NOW, newsletter=_NEWSLETTER, what=NewsletterChange.NAME, value="Novidades"
        ),
        HistoryOffered(account=_ACCOUNT, at=NOW, part="0a" * 16, kind="recent", chunk=1, size=900_000, progress=60),
    ]


@asynccontextmanager
async def opened(backend: Backend) -> AsyncIterator[Backend]:
    """The backend, open for the length of a block."""
    await backend.open()
    try:
        yield backend
    finally:
        await backend.close()


async def check_values_are_read_back_as_they_were_written(factory: Factory) -> None:
    values = {"creds": b"\x00\xff\x00", "session-77_1.0": b"", "pre-key-1": bytes(range(256)) * 4096}
    async with opened(factory("a")) as backend:
        assert await backend.read(["creds"]) == {}
        assert await backend.read([]) == {}
        await backend.commit(Changes(values=dict(values)))
        assert await backend.read(["creds"]) == {"creds": b"\x00\xff\x00"}
        assert await backend.read([*values, "creds", "absent"]) == values


async def check_the_last_write_wins_and_none_deletes(factory: Factory) -> None:
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values={"a-1": b"old", "a-2": b"old", "a-3": b"old"}))
        await backend.commit(Changes(values={"a-1": b"new", "a-2": None, "never-there": None}))
        assert await backend.read(["a-1", "a-2", "a-3", "never-there"]) == {"a-1": b"new", "a-3": b"old"}
        assert await backend.scan("") == ["a-1", "a-3"]


async def check_what_was_committed_is_there_when_opened_again(factory: Factory) -> None:
    facts = facts_of_every_kind()[:2]
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values={"creds": b"1"}, facts=facts))
        numbers = [number for number, _ in await backend.facts(after=0, limit=10)]
    async with opened(factory("a")) as backend:
        assert await backend.read(["creds"]) == {"creds": b"1"}
        assert await backend.facts(after=0, limit=10) == list(zip(numbers, facts, strict=True))
        await backend.commit(Changes(facts=facts_of_every_kind()[2:3]))
        assert await backend.last_fact() > numbers[-1]


async def check_accounts_do_not_meet(factory: Factory) -> None:
    async with opened(factory("a")) as one, opened(factory("b")) as other:
        await one.commit(Changes(values={"creds": b"1"}, facts=facts_of_every_kind()[:1]))
        assert await other.read(["creds"]) == {}
        assert await other.scan("") == []
        assert await other.facts(after=0, limit=10) == []
        await other.commit(Changes(values={"creds": None}))
        assert await one.read(["creds"]) == {"creds": b"1"}


async def check_many_keys_are_read_and_written_at_once(factory: Factory) -> None:
    values = {f"pre-key-{id}": b"%d" % id for id in range(2500)}
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values=dict(values)))
        assert await backend.read(list(values)) == values
        await backend.commit(Changes(values=dict.fromkeys(values)))
        assert await backend.read(list(values)) == {}


async def check_a_scan_takes_its_prefix_literally(factory: Factory) -> None:
    names = ["session-7.0", "session-7_1.0", "session-7_1.12", "session-7_1.2", "sessionX7", "SESSION-7.0", "s%"]
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values=dict.fromkeys(names, b"x")))
        assert await backend.scan("session-7_") == ["session-7_1.0", "session-7_1.12", "session-7_1.2"]
        assert await backend.scan("session-") == ["session-7.0", "session-7_1.0", "session-7_1.12", "session-7_1.2"]
        assert await backend.scan("s%") == ["s%"]
        both = await backend.scan("session-7_1.1", "s%", "session-7_1.12")
        assert both == sorted(["s%", "session-7_1.12"]), "of several prefixes, each key once"
        assert await backend.scan("work-") == []
        assert await backend.scan("") == sorted(names)


async def check_facts_are_numbered_in_the_order_recorded(factory: Factory) -> None:
    facts = facts_of_every_kind()
    async with opened(factory("a")) as backend:
        assert await backend.last_fact() == 0
        assert await backend.facts(after=0, limit=10) == []
        await backend.commit(Changes(facts=facts[:1]))
        await backend.commit(Changes(facts=facts[1:]))
        found = await backend.facts(after=0, limit=100)
        numbers = [number for number, _ in found]
        assert [fact for _, fact in found] == facts
        # Gaps are allowed, but never a number twice or one that comes late.
        assert numbers[0] > 0
        assert all(one < next_one for one, next_one in pairwise(numbers))
        assert await backend.last_fact() == numbers[-1]


async def check_facts_are_read_from_a_number_on_and_in_pages(factory: Factory) -> None:
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(facts=facts_of_every_kind()[:5]))
        found = await backend.facts(after=0, limit=100)
        assert await backend.facts(after=found[1][0], limit=2) == found[2:4]
        assert await backend.facts(after=found[3][0], limit=2) == found[4:]
        assert await backend.facts(after=found[-1][0], limit=2) == []


async def check_values_and_facts_are_one_commit(factory: Factory) -> None:
    facts = facts_of_every_kind()[:2]
    async with opened(factory("a")) as backend:
        await backend.commit(Changes())
        await backend.commit(Changes(values={"session-7.0": b"2"}, facts=list(facts)))
        assert await backend.read(["session-7.0"]) == {"session-7.0": b"2"}
        assert [found for _, found in await backend.facts(after=0, limit=10)] == facts


async def check_only_what_has_expired_is_purged(factory: Factory) -> None:
    values = {"seen-1": b"1", "seen-2": b"2", "seen-3": b"3", "creds": b"4"}
    expires = {"seen-1": NOW - _HOUR, "seen-2": NOW, "seen-3": NOW + _HOUR}
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values=dict(values), expires=expires, facts=facts_of_every_kind()[:1]))
        assert await backend.read(list(values)) == values  # what has expired is there until it is purged
        assert await backend.purge(NOW) == 2
        assert await backend.purge(NOW) == 0
        assert await backend.read(list(values)) == {"seen-3": b"3", "creds": b"4"}
        assert len(await backend.facts(after=0, limit=10)) == 1


async def check_a_value_written_again_has_the_new_expiry_or_none(factory: Factory) -> None:
    soon, later = {"a-1": NOW, "a-2": NOW, "a-3": NOW}, {"a-2": NOW + _HOUR}
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values=dict.fromkeys(soon, b"old"), expires=soon))
        await backend.commit(Changes(values={"a-1": b"new", "a-2": b"new", "a-3": None}, expires=later))
        assert await backend.purge(NOW) == 0
        assert await backend.read(["a-1", "a-2", "a-3"]) == {"a-1": b"new", "a-2": b"new"}
        assert await backend.purge(NOW + _HOUR) == 1


CONTRACT: list[tuple[str, Check]] = [
    ("values_are_read_back_as_they_were_written", check_values_are_read_back_as_they_were_written),
    ("the_last_write_wins_and_none_deletes", check_the_last_write_wins_and_none_deletes),
    ("what_was_committed_is_there_when_opened_again", check_what_was_committed_is_there_when_opened_again),
    ("accounts_do_not_meet", check_accounts_do_not_meet),
    ("many_keys_are_read_and_written_at_once", check_many_keys_are_read_and_written_at_once),
    ("a_scan_takes_its_prefix_literally", check_a_scan_takes_its_prefix_literally),
    ("facts_are_numbered_in_the_order_recorded", check_facts_are_numbered_in_the_order_recorded),
    ("facts_are_read_from_a_number_on_and_in_pages", check_facts_are_read_from_a_number_on_and_in_pages),
    ("values_and_facts_are_one_commit", check_values_and_facts_are_one_commit),
    ("only_what_has_expired_is_purged", check_only_what_has_expired_is_purged),
    ("a_value_written_again_has_the_new_expiry_or_none", check_a_value_written_again_has_the_new_expiry_or_none),
]
"""Every check by name, for every backend."""


async def check_a_refused_commit_leaves_nothing(factory: Factory, refused: Changes) -> None:
    """`refused`: changes this backend can never take (U+0000 in a text, …); the next commit must work again."""
    async with opened(factory("a")) as backend:
        await backend.commit(Changes(values={"creds": b"1"}))
        values = {"creds": b"2", "session-7.0": b"2", **refused.values}
        try:
            await backend.commit(Changes(values, refused.expires, [facts_of_every_kind()[0], *refused.facts]))
        except StoreRefused:
            pass
        else:
            raise AssertionError("the commit was not refused")
        assert await backend.read(["creds", "session-7.0"]) == {"creds": b"1"}
        assert await backend.facts(after=0, limit=10) == []
        await backend.commit(Changes(values={"creds": b"3"}))
        assert await backend.read(["creds"]) == {"creds": b"3"}
