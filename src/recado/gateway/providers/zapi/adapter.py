"""
Z-API behind the provider seam. What is kept open is only the belief of where the instance stands: `status` is asked
every so often, and at once when a callback hints at a change. A message is one request; when its answer is lost it is
unconfirmed, never sent again, and settled by what Z-API tells later (recording.py), in whatever process that arrives.

When it is opened the instance is told where to call, and to take nothing while its phone is not connected: what waits
in Z-API's own queue would all go out when it comes back, however stale.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recado.clock import Clock
from recado.content import Content, Media, Reaction
from recado.errors import (
    AlreadyOpen,
    CloseReason,
    ConnectionLost,
    LoggedOut,
    NotConnected,
    RateLimited,
    Rejected,
    SendUnconfirmed,
    StoreError,
    TooLarge,
    UsageError,
    WrongAccount,
)
from recado.events import (
    ConnectionChanged,
    ConnectionState,
    DeviceUnlinked,
    Fact,
    MessageId,
    MessageRejected,
    Quote,
    Signal,
)
from recado.gateway.connections import repository as connections
from recado.gateway.db.notify import CONNECTIONS, Watch
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers import ids
from recado.gateway.providers.credentials import ZapiCredentials, load_credentials
from recado.gateway.providers.hooks import show_hook
from recado.gateway.providers.provider import MakeProvider, Provider, Setback
from recado.gateway.providers.roads import ZAPI
from recado.gateway.providers.zapi import recognition, wire
from recado.gateway.providers.zapi.api import BASE, RefusedByZapi, Unanswered, ZapiApi
from recado.gateway.providers.zapi.errors import Meaning
from recado.gateway.providers.zapi.journal import Journal
from recado.gateway.providers.zapi.linking import Linking, reason_of
from recado.gateway.providers.zapi.wire import Standing, Taken, Unsendable
from recado.gateway.runtime.leases import Lease
from recado.gateway.security import Principal
from recado.jid import JID, PHONE
from recado.pairing import Paired, PairingStep

_log = logging.getLogger(__name__)

ANOTHER_NUMBER = "another_number"

_ABSENT_MOST = 3
"""So often "not connected" in a row: the phone has let go of the instance."""
_FIRST_PAUSE, _LONGEST_PAUSE = 3.0, 30.0
_MOST_RESTORES = 10
_BUSY_FOR = timedelta(seconds=60)
_TYPING_SECONDS = 3
_NOT_SENDABLE = 0

LoadFile = Callable[[Lease, str], Awaitable[str | None]]
"""A file kept here as Z-API takes it: an address it can fetch, or a data URI; None when it is gone."""


@dataclass(frozen=True, slots=True)
class ZapiOptions:
    """The operator's part: where Z-API is, where this gateway is seen from outside, and how often `status` is asked."""

    base_url: str = BASE
    public_base_url: str | None = None
    poll_seconds: float = 30.0
    answer_seconds: float = 30.0


class ZapiProvider:
    """One mentorado's instance."""

    def __init__(
        self,
        lease: Lease,
        database: Database,
        vault: Vault,
        *,
        clock: Clock,
        options: ZapiOptions,
        load_file: LoadFile | None = None,
    ) -> None:
        self._lease = lease
        self._database = database
        self._vault = vault
        self._clock = clock
        self._options = options
        self._load_file = load_file
        self._journal = Journal(lease, database)
        self._open = AsyncExitStack()
        self._opened: ZapiApi | None = None
        self._callbacks_to: str | None = None
        self._credentials: ZapiCredentials | None = None
        self._is_set_up = False
        self._is_linked = False
        self._account = JID("", PHONE)
        self._told: tuple[ConnectionState, CloseReason | None] | None = None
        self._ready = asyncio.Event()
        self._absent = 0
        self._failures = 0
        self._missed: asyncio.Queue[Setback] = asyncio.Queue()
        self._typing: set[JID] = set()

    # ---- the five verbs

    async def open(self) -> None:
        """Read the credentials and look where the instance stands. Raises StoreError, NoCredentials, AlreadyOpen."""
        if self._opened is not None:
            raise AlreadyOpen
        known = await self._read_settings()
        self._account = JID(known or "", PHONE)
        self._is_linked = await self._is_linked_to(known) if known else False

    async def close(self) -> None:
        """Let go; the instance stays linked with its phone, and its callbacks still arrive."""
        await self._leave(ConnectionState.DISCONNECTED)

    async def hand_over(self) -> None:
        """Let go as one who goes on elsewhere."""
        await self._leave(ConnectionState.RECONNECTING)

    async def events(self) -> AsyncIterator[Signal]:
        """Typing and presence come with the callbacks, and are told where those arrive: here is never any."""
        await asyncio.Event().wait()
        none: tuple[Signal, ...] = ()
        for signal in none:
            yield signal

    async def until_ready(self) -> None:
        """Return once `status` says connected."""
        await self._ready.wait()

    async def until_over(self) -> None:
        """Ask `status` again and again. Raises LoggedOut, ConnectionLost, WrongAccount, StoreError."""
        with self._watching() as bell:
            while True:
                await bell.wait(await self._look())

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        """
        Send it in one request, and return when Z-API took it. Raises NotConnected, RateLimited (nothing left),
        Rejected, TooLarge (it never will), SendUnconfirmed.
        """
        if not self._ready.is_set():
            raise NotConnected("the instance is not connected with its phone")
        request = await self._request(chat, content, id, quoting)
        try:
            taken = wire.read_taken(await self._api.ask(request))
        except Unanswered as error:
            raise SendUnconfirmed(str(error)) from None
        except RefusedByZapi as refused:
            raise await self._refusal(refused, chat, id) from None
        if taken is None:
            raise SendUnconfirmed("Z-API's answer names no message")
        return await self._save_taken(id, taken, quoting)

    async def forget(self, reason: str) -> None:
        """Have the instance let go of its phone. The credentials stay: a person gave them, and takes them away."""
        try:
            await self._api.ask(wire.DISCONNECT)
        except (NotConnected, Unanswered, RefusedByZapi):
            _log.info("an instance of Z-API was not told to disconnect")
        self._is_linked = False
        self._ready.clear()

    # ---- what it can beside that

    @property
    def is_linked(self) -> bool:
        """Is the instance connected with the phone it is known for, as far as that can be said?"""
        return self._is_linked

    async def link(self, *, expect: JID | None, phone: JID | None = None) -> AsyncIterator[PairingStep]:
        """Show codes until a phone is there. Raises PairingExpired, WrongAccount, ConnectionLost."""
        await self._set_up()
        with self._watching() as bell:
            number = phone.user if phone is not None else self._number
            linking = Linking(self._api, bell, self._clock, number=number, missed=self._note_setback)
            was_shown = False
            async for step in linking.steps():
                was_shown = True
                yield step
        answered = await self._ask_phone()
        if answered is None:
            raise ConnectionLost(CloseReason.SERVER_ERROR)
        if expect is not None and expect.user != answered:
            if was_shown:
                await self.forget(ANOTHER_NUMBER)  # it came by our code: nothing of it is kept
            raise WrongAccount
        self._account, self._is_linked = JID(answered, PHONE), True
        yield Paired(self._account)

    async def setbacks(self) -> AsyncIterator[Setback]:
        """Each time Z-API could not be asked while linking."""
        while True:
            yield await self._missed.get()

    async def mark_read(self, chat: JID, ids: list[MessageId]) -> None:
        """Tell that messages were read. Raises NotConnected."""
        if not self._ready.is_set():
            raise NotConnected
        for id in ids:
            try:
                await self._api.ask(wire.read_message(chat, id))
            except Unanswered:
                raise NotConnected("Z-API did not answer") from None
            except RefusedByZapi as refused:
                if refused.refusal.meaning is not Meaning.REFUSED:  # of a message it does not know: nobody to tell
                    raise NotConnected("Z-API did not take it") from None

    async def show_typing(self, chat: JID, *, is_typing: bool) -> None:
        """With the next message to that chat: Z-API shows it only before one. Raises NotConnected."""
        if not self._ready.is_set():
            raise NotConnected
        if is_typing:
            self._typing.add(chat)
        else:
            self._typing.discard(chat)

    async def restart(self) -> None:
        """Have the instance started anew, without a new code. Raises NotConnected."""
        try:
            await self._api.ask(wire.RESTART)
        except (Unanswered, RefusedByZapi):
            raise NotConnected("the instance was not restarted") from None

    def _note_setback(self, pause: float) -> None:
        self._missed.put_nowait(Setback(CloseReason.UNREACHABLE, self._clock.now() + timedelta(seconds=pause)))

    # ---- where it stands

    async def _read_settings(self) -> str | None:
        """
        Take the credentials and the address to call as they are now, which a person may have changed; whose phone it
        was. Raises StoreError, NoCredentials.
        """
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            await self._lease.check(unit)
            credentials = await load_credentials(unit, self._vault, ZapiCredentials)
            hook = await show_hook(unit, self._vault, ZAPI)
            connection = await connections.find_connection(unit, ZAPI)
        base = self._options.public_base_url
        callbacks_to = f"{base.rstrip('/')}/webhooks/zapi/{hook}" if base and hook else None
        if (credentials, callbacks_to) != (self._credentials, self._callbacks_to):
            self._is_set_up = False
        if credentials != self._credentials:
            await self._open.aclose()
            api = ZapiApi(credentials, base=self._options.base_url, seconds=self._options.answer_seconds)
            self._opened = await self._open.enter_async_context(api)
        self._credentials, self._callbacks_to = credentials, callbacks_to
        return connection.account_phone if connection is not None else None

    async def _look(self) -> float:
        """Ask `status` and tell what is new; in how many seconds to ask again. Raises what ends the connection."""
        await self._read_settings()
        try:
            standing = await self._api.standing()
            if standing.is_connected:
                return await self._is_there()
        except (NotConnected, Unanswered):
            # That Z-API cannot be asked says nothing of the phone: what is sent waits, and nothing is given up.
            return await self._is_away(CloseReason.UNREACHABLE)
        except RefusedByZapi as refused:
            if refused.refusal.meaning is Meaning.BUSY:
                return self._pause()
            reason = reason_of(refused)
            await self._tell(ConnectionState.FAILED, reason)
            raise ConnectionLost(reason) from None
        return await self._bring_back(standing)

    async def _is_there(self) -> float:
        if not self._ready.is_set():
            phone = await self._ask_phone() or self._account.user
            if self._account.user and phone != self._account.user:
                await self._journal.save_failed(ANOTHER_NUMBER)
                raise WrongAccount
            self._account = JID(phone, PHONE)
        self._absent = self._failures = 0
        await self._set_up()
        await self._tell(ConnectionState.CONNECTED)
        self._ready.set()
        return self._options.poll_seconds if self._is_set_up else self._pause()

    async def _bring_back(self, standing: Standing) -> float:
        """There is a session to be restored; or there is none, and when that stays so it is over."""
        if not standing.can_be_restored:
            self._absent += 1
            if self._absent >= _ABSENT_MOST:
                gone = DeviceUnlinked(account=self._account, at=self._clock.now(), reason=CloseReason.LOGGED_OUT)
                await self._journal.record(gone)
                raise LoggedOut
        elif self._failures >= _MOST_RESTORES:
            await self._tell(ConnectionState.FAILED, CloseReason.LOST)
            raise ConnectionLost(CloseReason.LOST)
        pause = await self._is_away(CloseReason.LOST)
        if standing.can_be_restored:
            # The first tries ask for the session again, the later ones start the instance anew.
            again = wire.RESTORE if self._failures <= _ABSENT_MOST else wire.RESTART
            try:
                await self._api.ask(again)
            except (NotConnected, Unanswered, RefusedByZapi):
                _log.info("an instance of Z-API was not brought back")
        return pause

    async def _is_away(self, reason: CloseReason) -> float:
        self._ready.clear()
        pause = self._pause()
        self._failures += 1
        await self._tell(ConnectionState.RECONNECTING, reason, retry_in=pause)
        return pause

    def _pause(self) -> float:
        return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self._failures, self._options.poll_seconds))

    async def _is_linked_to(self, known: str) -> bool:
        """Is the instance still that phone's? When it cannot be asked it is believed: `until_over` finds out."""
        try:
            standing = await self._api.standing()
            if not standing.is_connected:
                return standing.can_be_restored
            return await self._ask_phone() in (None, known)
        except (NotConnected, Unanswered, RefusedByZapi):
            return True

    async def _ask_phone(self) -> str | None:
        try:
            return wire.read_phone(await self._api.ask(wire.DEVICE))
        except (NotConnected, Unanswered, RefusedByZapi):
            return None

    async def _set_up(self) -> None:
        """Tell the instance where to call and to queue nothing; what it did not take is told it again later."""
        if self._is_set_up:
            return
        try:
            if self._callbacks_to is not None:
                await self._api.ask(wire.set_callbacks(self._callbacks_to))
            await self._api.ask(wire.keep_no_queue())
            self._is_set_up = True
        except (NotConnected, Unanswered, RefusedByZapi) as error:
            _log.warning("an instance of Z-API was not set up (%s)", type(error).__name__)

    async def _tell(
        self, state: ConnectionState, reason: CloseReason | None = None, *, retry_in: float | None = None
    ) -> None:
        """Record a change; the same again is none."""
        if self._told == (state, reason):
            return
        now = self._clock.now()
        retry_at = now + timedelta(seconds=retry_in) if retry_in is not None else None
        await self._journal.record(
            ConnectionChanged(account=self._account, at=now, state=state, reason=reason, retry_at=retry_at)
        )
        self._told = state, reason

    async def _leave(self, state: ConnectionState) -> None:
        self._ready.clear()
        if self._told is not None and self._told[0] is ConnectionState.CONNECTED:
            try:
                await self._tell(state)
            except StoreError:
                _log.info("that a connection to Z-API ended was not recorded")
        self._opened = self._credentials = None
        await self._open.aclose()

    # ---- one message

    async def _request(self, chat: JID, content: Content, id: MessageId, quoting: Quote | None) -> wire.Request:
        """The request, in Z-API's names for our messages. Raises Rejected."""
        typing = _TYPING_SECONDS if chat in self._typing else 0
        self._typing.discard(chat)
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            answers = await ids.find_external_id(unit, ZAPI, quoting.id) if quoting is not None else None
            if isinstance(content, Reaction):
                to = await ids.find_external_id(unit, ZAPI, content.to)
                content = replace(content, to=to or content.to)
        try:
            return wire.build_send(chat, content, answers=answers, file=await self._file(content), typing=typing)
        except Unsendable:
            await self._reject(id, chat, _NOT_SENDABLE)
            raise Rejected(_NOT_SENDABLE) from None

    async def _file(self, content: Content) -> str | None:
        if not isinstance(content, Media) or self._load_file is None or not content.reference.startswith("media:"):
            return None
        return await self._load_file(self._lease, content.reference)

    async def _refusal(self, refused: RefusedByZapi, chat: JID, id: MessageId) -> Exception:
        """What a refusal is to the outbox. Of the instance's own troubles the next look tells."""
        match refused.refusal.meaning:
            case Meaning.NOT_CONNECTED | Meaning.CREDENTIALS:
                self._ready.clear()
                self._database.hints.ring(CONNECTIONS, self._lease.mentorado_id)
                return NotConnected("Z-API took nothing")
            case Meaning.BUSY:
                return RateLimited(self._clock.now() + _BUSY_FOR)
            case Meaning.TOO_LARGE:
                return TooLarge()
            case _:
                await self._reject(id, chat, refused.refusal.status)
                return Rejected(refused.refusal.status)

    async def _reject(self, id: MessageId, chat: JID, code: int) -> None:
        now = self._clock.now()
        await self._journal.record(MessageRejected(account=self._account, at=now, id=id, chat=chat, code=code))

    async def _save_taken(self, id: MessageId, taken: Taken, quoting: Quote | None) -> datetime:
        """Its names, that it was taken, and what was told of it meanwhile; the echo may have been faster."""
        now = self._clock.now()

        async def save(unit: Unit) -> list[Fact]:
            await recognition.hold_still(unit)
            named = [name for name in (taken.message_id, taken.zaap_id) if name is not None]
            for name in named:
                await ids.save_external_id(unit, ZAPI, name, id)
            ours = await recognition.find_ours(unit, named)
            if ours is None:
                return []
            receipts, is_failed = await recognition.take_early(unit, named[0], id, account=self._account)
            if is_failed:
                return [recognition.rejected(ours, account=self._account, at=now), *receipts]
            sent = recognition.sent(ours, account=self._account, at=now, sent_at=now)
            return [*([replace(sent, quoted=quoting)] if ours.is_open else []), *receipts]

        await self._journal.write(save)
        return now

    def _watching(self) -> AbstractContextManager[Watch]:
        return self._database.hints.watching(CONNECTIONS, self._lease.mentorado_id)

    @property
    def _number(self) -> str | None:
        """Whose phone is linked by a code."""
        return self._credentials.code_for or None if self._credentials is not None else None

    @property
    def _api(self) -> ZapiApi:
        if self._opened is None:
            raise UsageError("this connection is not open")
        return self._opened


def zapi(
    database: Database,
    vault: Vault,
    *,
    clock: Clock,
    options: ZapiOptions | None = None,
    load_file: LoadFile | None = None,
) -> MakeProvider:
    """Providers at Z-API."""

    def make(lease: Lease) -> Provider:
        return ZapiProvider(lease, database, vault, clock=clock, options=options or ZapiOptions(), load_file=load_file)

    return make
