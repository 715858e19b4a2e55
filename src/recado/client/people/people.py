"""
`client.people`: who is on WhatsApp and what they show; the own profile, privacy and blocklist; presence and calls. Each
verb is a question or an order and waits for the server's word. What changes by somebody else's hand is told as facts
(`PictureChanged`, `BlocklistChanged`, …) and signals (`PresenceChanged`, `TypingChanged`).

Every verb raises as `Client.send` does when there is no connection, and QueryError (RateLimited) when the server
refuses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from recado.client import sending
from recado.client.account import Account
from recado.client.people.lookups import keep_addresses
from recado.client.people.presence import watch
from recado.client.people.resync import keep_default_timer, resync_blocklist, resync_privacy, set_blocked, set_privacy
from recado.client.people.tokens import gets_tokens, record_cap, record_time_lock
from recado.client.sending import Sent
from recado.content import Text
from recado.errors import QueryError, UsageError
from recado.events import MessageId, MessageReceived
from recado.jid import JID
from recado.protocol.messages.ids import new_message_id
from recado.protocol.queries.bots import AskBotProfiles, AskBots, BotProfile
from recado.protocol.queries.business import BusinessProfile, BusinessProfileOf
from recado.protocol.queries.caps import AskNewChatCap, NewChatCap
from recado.protocol.queries.links import LinkTarget, OwnContactLink, TargetOfLink
from recado.protocol.queries.pictures import Picture, PictureOf, SetPicture
from recado.protocol.queries.privacy_lists import EXCEPT, AskLeftOut, LeaveOut
from recado.protocol.queries.profile import ChangeBlock, SetAbout, SetAboutByGraph, SetDefaultTimer, SetPrivacy
from recado.protocol.queries.reports import Report, ReportedMessage
from recado.protocol.queries.tokens import AskTimeLock, TimeLock
from recado.protocol.queries.usync import Column, LookUp, Told
from recado.protocol.stanzas.call import create_link, read_link, reject
from recado.protocol.stanzas.presence import available

if TYPE_CHECKING:
    from recado.client.connection import Connection

LONGEST_ABOUT = 139
LONGEST_NAME = 25
LARGEST_PICTURE = 2 * 1024 * 1024

WHO = (Column.CONTACT, Column.LID, Column.BUSINESS)
SHOWN = (Column.ABOUT, Column.PICTURE, Column.BUSINESS, Column.TIMER, Column.LID, Column.USERNAME)


class People:
    """The people verbs of one client."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]]) -> None:
        self._account = account
        self._connected = connected

    # Look-ups

    async def on_whatsapp(self, phones: Iterable[JID]) -> dict[JID, Told]:
        """
        Which of these numbers are on WhatsApp (`is_on_whatsapp`), under which LID, and the name WhatsApp certifies.
        A number may be another than the one asked for (`phone`): in Brazil the old and the new form are one person.
        """
        wanted = list(phones)
        if not all(phone.is_phone for phone in wanted):
            raise UsageError("who is on WhatsApp is asked by number")
        await self._connected()
        return await self._account.look_ups.ask(wanted, WHO)

    async def look_up(self, people: Iterable[JID], columns: Iterable[Column] = SHOWN) -> dict[JID, Told]:
        """What people show: about, the picture's id, the certified name, their default timer, their LID."""
        await self._connected()
        return await self._account.look_ups.ask(people, columns)

    async def picture(
        self,
        person: JID,
        *,
        preview: bool = False,
        known: str | None = None,
        common_group: JID | None = None,
        invite: str | None = None,
        is_community: bool = False,
    ) -> Picture | None:
        """
        Where the picture of a person or group can be fetched; None when there is none, or none but the `known` one.
        A `common_group`, or the `invite` to a group, may open what is closed else. Raises QueryError with 401 when they
        do not show it to this account.
        """
        connection = await self._connected()
        token = None
        if gets_tokens(self._account, person):
            async with self._account.store.transaction() as tx:
                token = (await tx.people.tokens(person)).shown(self._account.now())
        return await connection.requests.ask(
            PictureOf(person, preview, known, token, common_group, invite, is_community)
        )

    async def fetch_picture(self, picture: Picture, *, most: int = LARGEST_PICTURE) -> bytes:
        """The JPEG that `picture` found. Raises MediaGone (ask anew), MediaTooLarge, MediaUnavailable."""
        files = self._account.files
        if files is None:
            raise UsageError("the client is not open")
        return await files.fetch_public(picture.url, most=most)

    async def business(self, person: JID) -> BusinessProfile | None:
        """What a business tells of itself; None for who is none."""
        connection = await self._connected()
        return await connection.requests.ask(BusinessProfileOf(person))

    async def link_target(self, link: str) -> LinkTarget | None:
        """Whom a contact's or a business's short link (or its code alone) leads to; None when to nobody."""
        order = TargetOfLink(link)
        order.build()  # what is no such link is refused before anybody is asked
        return await (await self._connected()).requests.ask(order)

    async def contact_link(self, *, renew: bool = False) -> str:
        """The own contact link; with `renew` a new one, and the old one leads nowhere."""
        return await (await self._connected()).requests.ask(OwnContactLink(renew))

    async def bots(self) -> tuple[BotProfile, ...]:
        """The machines one can write to, and what they tell of themselves."""
        connection = await self._connected()
        listed = await connection.requests.ask(AskBots())
        return await connection.requests.ask(AskBotProfiles(listed)) if listed else ()

    async def call_in(
        self,
        machine: JID,
        chat: JID,
        text: Text,
        *,
        quoting: MessageReceived | None = None,
        id: MessageId | None = None,
    ) -> Sent:
        """
        Write in a group, or to a person, and have a machine read that one message and answer it there, for all to see.
        Raises as `Client.send`.
        """
        if not machine.is_bot:
            raise UsageError("only machines are called in")
        connection = await self._connected()
        return await sending.send(self._account, connection, chat, text, quoting=quoting, id=id, machine=machine.bare)

    # The own profile

    @property
    def name(self) -> str:
        """What the account calls itself, as this device last heard; "" before linking."""
        credentials = self._account.credentials
        return credentials.push_name if credentials is not None else ""

    async def set_about(self, about: str) -> None:
        """Say something else about oneself, up to 139 characters."""
        if len(about) > LONGEST_ABOUT:
            raise UsageError("an about has up to 139 characters")
        connection = await self._connected()
        try:
            await connection.requests.ask(SetAbout(about))
        except QueryError as error:
            if error.retryable:
                raise
            await connection.requests.ask(SetAboutByGraph(about))  # the older road is not open to every account

    async def set_picture(self, jpeg: bytes) -> str | None:
        """Show a JPEG (square, best 640 by 640) as the own picture; its id."""
        if not jpeg.startswith(b"\xff\xd8\xff"):
            raise UsageError("a picture is a JPEG")
        connection = await self._connected()
        return await connection.requests.ask(SetPicture(jpeg))

    async def remove_picture(self) -> None:
        """Show no picture any more."""
        connection = await self._connected()
        await connection.requests.ask(SetPicture(None))

    async def set_name(self, name: str) -> None:
        """Call oneself something else, up to 25 characters, as messages and presence show it from now on."""
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise UsageError("a name has 1 to 25 printable characters")
        connection = await self._connected()
        async with self._account.store.transaction() as tx:
            credentials = await tx.credentials()
            if credentials is None:
                return
            renamed = replace(credentials, push_name=name)
            await tx.save_credentials(renamed)
        self._account.credentials = renamed
        connection.send(available(name))
        await connection.flush()

    # Whom the account deals with, and who sees what

    async def blocked(self) -> frozenset[JID]:
        """Whom the account blocks."""
        return await resync_blocklist(self._account, await self._connected())

    async def block(self, person: JID) -> None:
        """Block a person: they cannot write or call, and see nothing of the account."""
        await self._change_block(person, is_blocked=True)

    async def unblock(self, person: JID) -> None:
        """Block a person no longer."""
        await self._change_block(person, is_blocked=False)

    async def privacy(self) -> dict[str, str]:
        """Who sees what, by setting: last, online, profile, status, readreceipts, groupadd, calladd, …"""
        return await resync_privacy(self._account, await self._connected())

    async def set_privacy(self, setting: str, value: str) -> None:
        """Give one setting another value. Raises UsageError for what cannot be."""
        order = SetPrivacy(setting, value)
        connection = await self._connected()
        await connection.requests.ask(order)
        async with self._account.store.transaction() as tx:
            known = await tx.people.privacy()
            await set_privacy(tx, self._account, {**(known or {}), setting: value})

    async def left_out(self, setting: str) -> frozenset[JID]:
        """Whom a setting leaves out when it is `contact_blacklist`. Raises UsageError when it never does."""
        return (await (await self._connected()).requests.ask(AskLeftOut(setting))).people

    async def leave_out(self, setting: str, people: Iterable[JID]) -> None:
        """Give a setting the value `contact_blacklist`, with exactly these people left out. Raises as `left_out`."""
        account, connection = self._account, await self._connected()
        listed = await connection.requests.ask(AskLeftOut(setting))
        async with account.store.transaction() as tx:
            wanted = {(await tx.canonical(person)).bare for person in people}
            phones = {person: await tx.phone_of(person) if person.is_lid else None for person in wanted}
            there = {(await tx.canonical(person)).bare: person for person in listed.people}
        added = {person: phones[person] for person in wanted - there.keys()}
        removed = frozenset(there[person] for person in there.keys() - wanted)
        await connection.requests.ask(LeaveOut(setting, added, removed, listed.hash))
        async with account.store.transaction() as tx:
            known = await tx.people.privacy()
            await set_privacy(tx, account, {**(known or {}), setting: EXCEPT})

    async def report(self, chat: JID, messages: Iterable[MessageReceived] = ()) -> None:
        """Report a person or group to WhatsApp, because of messages of theirs or as a whole."""
        reasons = tuple(
            ReportedMessage(each.id, each.chat, each.sent_at, each.sender if each.chat.is_group else None)
            for each in messages
        )
        await (await self._connected()).requests.ask(Report(chat, reasons))

    async def default_timer(self) -> int:
        """The seconds after which messages of new chats disappear; 0 is never."""
        me = self._account.jid
        told = await (await self._connected()).requests.ask(LookUp((me,), (Column.TIMER,)))
        seconds = told[me].timer or 0 if me in told else 0
        async with self._account.store.transaction() as tx:
            await keep_default_timer(tx, self._account, seconds)
        return seconds

    async def set_default_timer(self, seconds: int) -> None:
        """Have messages of new chats disappear after a day, a week or ninety days; 0 is never."""
        order = SetDefaultTimer(seconds)
        await (await self._connected()).requests.ask(order)
        async with self._account.store.transaction() as tx:
            await keep_default_timer(tx, self._account, seconds)

    async def time_lock(self) -> TimeLock:
        """Does WhatsApp forbid this account to write first, and until when? The answer is a fact too."""
        lock = await (await self._connected()).requests.ask(AskTimeLock())
        async with self._account.store.transaction() as tx:
            await record_time_lock(tx, self._account, lock)
        return lock

    async def new_chat_cap(self) -> NewChatCap:
        """With how many people may this account still begin to write? The answer is a fact too."""
        cap = await (await self._connected()).requests.ask(AskNewChatCap())
        async with self._account.store.transaction() as tx:
            await record_cap(tx, self._account, cap)
        return cap

    # Presence and calls

    async def watch(self, person: JID) -> None:
        """Be told (`PresenceChanged`) when a person comes and goes, on this connection and each later one."""
        connection = await self._connected()
        await watch(self._account, connection, person)
        await connection.flush()

    def unwatch(self, person: JID) -> None:
        """Ask for a person's presence no more on the next connection; this one goes on telling."""
        self._account.watched.pop(person.bare, None)

    async def reject_call(self, id: str, caller: JID) -> None:
        """Refuse a call that was told as `CallReceived`; the caller hears that nobody takes it."""
        connection = await self._connected()
        node = reject(id, caller, own=self._account.jid, id=new_message_id(self._account.entropy))
        await connection.requests.acknowledged(node, timeout=self._account.limits.query)

    async def create_call_link(self, *, is_video: bool = False, starts_at: datetime | None = None) -> str:
        """A link that people join a call by, planned for a time or for now. This client itself takes no call."""
        connection = await self._connected()
        node = create_link(id=new_message_id(self._account.entropy), is_video=is_video, starts_at=starts_at)
        answer = await connection.requests.acknowledged(node, timeout=self._account.limits.query)
        return read_link(answer, is_video=is_video)

    async def _change_block(self, person: JID, *, is_blocked: bool) -> None:
        connection, account = await self._connected(), self._account
        if not (person.is_phone or person.is_lid) or account.is_me(person):
            raise UsageError("people can be blocked, by number or LID, and not oneself")
        async with account.store.transaction() as tx:
            lid, phone = await tx.canonical(person.bare), person.bare
            phone = (await tx.phone_of(person) or person.bare) if person.is_lid else person.bare
        if not lid.is_lid or (is_blocked and not phone.is_phone):
            told = await connection.requests.ask(LookUp((person.bare,), WHO if person.is_phone else (Column.LID,)))
            await keep_addresses(account, list(told.values()))
            found = told.get(person.bare)
            lid, phone = (found.lid or lid, found.phone or phone) if found is not None else (lid, phone)
        await connection.requests.ask(ChangeBlock(lid, phone if phone.is_phone else None, is_blocked))
        async with account.store.transaction() as tx:
            known = await tx.people.blocked() or frozenset()
            await set_blocked(tx, account, known | {lid.bare} if is_blocked else known - {lid.bare, phone})
