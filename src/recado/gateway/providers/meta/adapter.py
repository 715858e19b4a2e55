"""
The Cloud API behind the provider seam. There is no connection to keep: "connected" is that the number answers for the
token, asked now and then. A message is one request with our id in it; when its answer is lost it is unconfirmed, never
sent again, and settled by the webhook that brings our id back (intake.py), in whatever process that arrives.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NoReturn

from recado.clock import Clock
from recado.content import Content, Media, Reaction, Template
from recado.errors import (
    AlreadyOpen,
    CloseReason,
    ConnectionLost,
    NotConnected,
    QueryError,
    RateLimited,
    RecadoError,
    Rejected,
    SendUnconfirmed,
)
from recado.events import ConnectionState, MessageId, Quote, Signal
from recado.gateway.connections import repository as connections
from recado.gateway.db.notify import CONNECTIONS, Watch
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers import ids
from recado.gateway.providers.credentials import MetaCredentials, load_credentials
from recado.gateway.providers.meta import repository, windows
from recado.gateway.providers.meta.api import GraphApi, Unanswered
from recado.gateway.providers.meta.errors import Action, GraphError, NotGraph, as_send_error
from recado.gateway.providers.meta.journal import Journal
from recado.gateway.providers.meta.wire import Json, build_message, build_read, read_sent
from recado.gateway.providers.provider import MakeProvider, Provider
from recado.gateway.providers.roads import META
from recado.gateway.refusals import AccountTaken
from recado.gateway.runtime.leases import Lease
from recado.gateway.security import Principal
from recado.jid import JID, PHONE

_log = logging.getLogger(__name__)

ANOTHER_NUMBER = "another_number"
ACCOUNT_TAKEN = "account_taken"
WINDOW_CLOSED = 131047
_FIRST_PAUSE, _LONGEST_PAUSE = 3.0, 30.0
_TEMPLATES_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class File:
    """A file kept here, to be given to Meta."""

    data: bytes = field(repr=False)
    mime_type: str
    name: str
    uploaded: str | None = None
    """Meta has a copy by this reference already."""
    note_uploaded: Callable[[str], Awaitable[None]] | None = None
    """Told what Meta calls its copy."""


LoadFile = Callable[[Lease, str, str], Awaitable[File | None]]
"""The file of a reference `media:<id>`, for that number's id; None when it is gone."""


@dataclass(frozen=True, slots=True)
class MetaOptions:
    """The operator's part: where Meta is, which version is spoken, and how often a number is asked for."""

    base_url: str = "https://graph.facebook.com"
    graph_version: str = "v26.0"
    poll_seconds: float = 60.0
    answer_seconds: float = 30.0


class Pauses:
    """Who may not be asked before when, shared by all numbers of this process: an app's limit is everybody's."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def add(self, name: str, until: datetime) -> None:
        """Not before then."""
        self._until[name] = max(until, self._until.get(name, until))

    def until(self, *names: str, now: datetime) -> datetime | None:
        """The latest that holds any of these."""
        held = [until for name in names if (until := self._until.get(name)) is not None and until > now]
        return max(held, default=None)


class MetaProvider:
    """One mentorado's number."""

    def __init__(
        self,
        lease: Lease,
        database: Database,
        vault: Vault,
        *,
        clock: Clock,
        options: MetaOptions,
        pauses: Pauses,
        load_file: LoadFile | None = None,
    ) -> None:
        self._lease = lease
        self._database = database
        self._vault = vault
        self._clock = clock
        self._options = options
        self._pauses = pauses
        self._load_file = load_file
        self._journal = Journal(lease, database, clock=clock)
        self._open = AsyncExitStack()
        self._opened: GraphApi | None = None
        self._credentials: MetaCredentials | None = None
        self._names: tuple[str, str, str] = ("", "", "")
        self._account = JID("", PHONE)
        self._ready = asyncio.Event()
        self._over: ConnectionLost | None = None
        self._bell: Watch | None = None
        self._templates_at: datetime | None = None
        self._failures = 0
        self._told: ConnectionState | None = None

    # ---- the five verbs

    async def open(self) -> None:
        """Read the credentials; `until_over` asks for the number. Raises StoreError, NoCredentials, AlreadyOpen."""
        if self._opened is not None:
            raise AlreadyOpen
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            await self._lease.check(unit)
            credentials = await load_credentials(unit, self._vault, MetaCredentials)
            connection = await connections.find_connection(unit, META)
        known = connection.account_phone if connection is not None else None
        self._account = JID(known or "", PHONE)
        self._credentials = credentials
        self._names = ("app", f"waba {credentials.waba_id}", f"number {credentials.phone_number_id}")
        self._over = None
        api = GraphApi(
            credentials,
            base=self._options.base_url,
            version=self._options.graph_version,
            seconds=self._options.answer_seconds,
        )
        self._opened = await self._open.enter_async_context(api)

    async def close(self) -> None:
        """Let go; webhooks still arrive, and are taken."""
        await self._leave(ConnectionState.DISCONNECTED)

    async def hand_over(self) -> None:
        """Let go as one who goes on elsewhere."""
        await self._leave(ConnectionState.RECONNECTING)

    async def events(self) -> AsyncIterator[Signal]:
        """Meta tells of no typing and no presence: here is never any."""
        await asyncio.Event().wait()
        none: tuple[Signal, ...] = ()
        for signal in none:
            yield signal

    async def until_ready(self) -> None:
        """Return once the number answered for the token."""
        await self._ready.wait()

    async def until_over(self) -> None:
        """Ask for the number again and again. Raises ConnectionLost (token or account closed), StoreError."""
        with self._database.hints.watching(CONNECTIONS, self._lease.mentorado_id) as bell:
            self._bell = bell
            while True:
                until = self._clock.monotonic() + await self._look()
                while (left := until - self._clock.monotonic()) > 0:
                    await bell.wait(left)
                    await self._check_over()

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        """
        Send it in one request, and return when Meta took it. Raises NotConnected, RateLimited, QueryError (nothing
        left), Rejected, TooLarge, UsageError (it never will), SendUnconfirmed.
        """
        if not self._ready.is_set():
            raise NotConnected("the number does not answer for its token")
        self._check_pauses()
        message = await self._message(chat, content, id, quoting)
        try:
            sent = read_sent(await self._api.send(message))
        except Unanswered as error:
            raise SendUnconfirmed(str(error)) from None
        except NotGraph as error:
            raise QueryError(error.status, str(error)) from None
        except GraphError as error:
            raise await self._refusal(error, chat, id) from None
        if sent is None:
            raise SendUnconfirmed("Meta's answer names no message")
        return await self._journal.save_sent(self._account, id, sent, quoting)

    async def forget(self, reason: str) -> None:
        """There is nothing to unlink at Meta's. The credentials stay: a person gave them, and takes them away."""
        self._ready.clear()

    # ---- what it can beside that

    async def mark_read(self, chat: JID, ids: list[MessageId]) -> None:
        """Tell that messages were read: of the last, and so of those before it. Raises NotConnected."""
        if not self._ready.is_set():
            raise NotConnected
        if ids:
            await self._tell_read(build_read(ids[-1]))

    async def show_typing(self, chat: JID, *, is_typing: bool) -> None:
        """Show it, for at most 25 s; Meta shows it only with a message of theirs, which it marks as read."""
        if not self._ready.is_set():
            raise NotConnected
        if not is_typing:
            return
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            last = await repository.find_last_inbound(unit, chat, since=self._clock.now() - windows.LASTS)
        if last is not None:
            await self._tell_read(build_read(last, is_typing=True))

    async def upload(self, file: File) -> str:
        """Give Meta a file; the reference that a message names it by. Raises NotConnected, GraphError, Unanswered."""
        return await self._api.upload(file.data, mime_type=file.mime_type, file_name=file.name)

    async def download(self, reference: str, *, most: int) -> bytes:
        """The file of a reference `meta:<id>`. Raises MediaError, NotConnected, GraphError, Unanswered."""
        return await self._api.download(reference.removeprefix("meta:"), most=most)

    async def _tell_read(self, body: Json) -> None:
        try:
            await self._api.send(body)
        except (Unanswered, NotGraph):
            raise NotConnected("Meta did not answer") from None
        except GraphError as error:
            if error.meaning.action is not Action.REJECT:  # of a message it does not know: nobody to tell
                raise NotConnected("Meta did not take it") from None

    # ---- sending

    async def _message(self, chat: JID, content: Content, id: MessageId, quoting: Quote | None) -> Json:
        """The request, with Meta's ids in it. Raises Rejected when the window is closed, UsageError, TooLarge."""
        quoted: str | None = None
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            if not isinstance(content, Template):
                last = await repository.find_last_inbound(unit, chat, since=self._clock.now() - windows.LASTS)
                is_open = last is not None
            else:
                is_open = True
            if quoting is not None:
                quoted = await ids.find_external_id(unit, META, quoting.id)
            if isinstance(content, Reaction):
                to = await ids.find_external_id(unit, META, content.to)
                content = replace(content, to=to or content.to)
        if not is_open:
            raise await self._refusal(GraphError(WINDOW_CLOSED), chat, id)
        return build_message(chat, await self._with_file(content), id=id, quoting=quoted)

    async def _with_file(self, content: Content) -> Content:
        """The same with its file, or the one in a template's header, at Meta's, when it is one kept here."""
        if isinstance(content, Template) and content.header_media is not None:
            return replace(content, header_media=await self._uploaded(content.header_media))
        return await self._uploaded(content) if isinstance(content, Media) else content

    async def _uploaded(self, media: Media) -> Media:
        if not media.reference.startswith("media:") or self._load_file is None:
            return media
        file = await self._load_file(self._lease, media.reference, self._names[2])
        if file is None:
            return media  # gone: the request says that it has to be uploaded
        if file.uploaded is not None:
            return replace(media, reference=file.uploaded)
        try:
            uploaded = await self.upload(file)
        except (Unanswered, NotGraph) as error:
            raise QueryError(500, str(error)) from None
        except GraphError as error:
            raise as_send_error(error, self._clock.now()) from None
        if file.note_uploaded is not None:
            await file.note_uploaded(uploaded)
        return replace(media, reference=uploaded)

    def _check_pauses(self) -> None:
        held = self._pauses.until(*self._names, now=self._clock.now())
        if held is not None:
            raise RateLimited(held)

    async def _refusal(self, error: GraphError, chat: JID, id: MessageId) -> RecadoError:
        """What the seam is to raise; what Meta's code asks for is done first. Raises StoreError."""
        now, action = self._clock.now(), error.meaning.action
        place = {Action.WAIT_APP: 0, Action.WAIT_ACCOUNT: 1, Action.WAIT_NUMBER: 2}.get(action)
        if place is not None:
            self._pauses.add(self._names[place], now + error.meaning.lasts)
        if action is Action.WAIT_NUMBER:
            await self._journal.save_restriction(error.code, until=now + error.meaning.lasts)
        elif action in (Action.PAUSE, Action.SIGN_IN):
            await self._give_up(error)
        refusal = as_send_error(error, now)
        if isinstance(refusal, Rejected):
            await self._journal.save_rejected(self._account, id, chat, error.code)
            return RejectedByMeta(error)
        return refusal

    # ---- where it stands

    async def _look(self) -> float:
        """Ask for the number and tell what is new; in how many seconds to ask again. Raises what ends it."""
        try:
            number = await self._api.number()
        except GraphError as error:
            if error.meaning.action in (Action.SIGN_IN, Action.PAUSE, Action.REJECT):
                await self._give_up(error)
            return self._pause()
        except (NotConnected, Unanswered, NotGraph):
            # That Meta cannot be asked says nothing of the token: what is sent waits, and nothing is given up.
            return await self._is_away()
        self._failures = 0
        if not self._ready.is_set():
            if self._account.user and number.phone and number.phone != self._account.user:
                await self._refuse(ANOTHER_NUMBER, "the number is another one than this history's")
            self._account = JID(number.phone or self._account.user, PHONE)
            await self._prove()
            self._ready.set()
        await self._refresh_templates()
        return self._options.poll_seconds

    async def _prove(self) -> None:
        """The number answered for its token: what webhooks tell of it is this mentorado's, and it is connected."""
        assert self._credentials is not None
        try:
            await self._journal.save_proven(self._account, self._credentials)
        except AccountTaken:
            await self._refuse(ACCOUNT_TAKEN, "the number is connected for another mentorado")
        self._told = ConnectionState.CONNECTED

    async def _refuse(self, reason: str, words: str) -> NoReturn:
        """The number answers, and is not one to be connected here."""
        await self._journal.save_failed(reason)
        self._told = ConnectionState.FAILED
        raise ConnectionLost(CloseReason.CLIENT, words)

    async def _refresh_templates(self) -> None:
        now = self._clock.now()
        if self._templates_at is not None and now - self._templates_at < _TEMPLATES_EVERY:
            return
        try:
            templates = await self._api.templates()
        except (NotConnected, Unanswered, NotGraph, GraphError) as error:
            _log.info("the templates of a number were not read (%s)", type(error).__name__)
            return
        assert self._credentials is not None
        await self._journal.save_templates(self._credentials, templates)
        self._templates_at = now

    async def _is_away(self) -> float:
        self._ready.clear()
        pause = self._pause()
        self._failures += 1
        await self._tell(ConnectionState.RECONNECTING, CloseReason.UNREACHABLE, retry_in=pause)
        return pause

    async def _give_up(self, error: GraphError) -> None:
        """Nothing goes here until a person has looked: told once, and `until_over` raises."""
        self._ready.clear()
        self._told = ConnectionState.FAILED
        await self._journal.save_closed(self._account, error)
        self._over = ConnectionLost(CloseReason.FORBIDDEN, str(error))
        if self._bell is not None:
            self._bell.ring()

    def _pause(self) -> float:
        return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self._failures, self._options.poll_seconds))

    async def _check_over(self) -> None:
        """Raises ConnectionLost when it was closed: here, or by what a webhook told in any process."""
        if self._over is None and await self._journal.is_closed():
            self._ready.clear()
            self._told = ConnectionState.FAILED
            self._over = ConnectionLost(CloseReason.FORBIDDEN, "Meta closed the account")
        if self._over is not None:
            raise self._over

    async def _tell(
        self, state: ConnectionState, reason: CloseReason | None = None, *, retry_in: float | None = None
    ) -> None:
        """Record a change; the same again is none."""
        if self._told is not state:
            self._told = state
            await self._journal.save_state(self._account, state, reason, retry_in=retry_in)

    async def _leave(self, state: ConnectionState) -> None:
        was_over, self._opened = self._told in (ConnectionState.FAILED, None), None
        self._ready.clear()
        try:
            await self._open.aclose()
        finally:
            if not was_over:
                await self._tell(state)

    @property
    def _api(self) -> GraphApi:
        if self._opened is None:
            raise NotConnected
        return self._opened


class RejectedByMeta(Rejected):
    """Meta refused the message, or would."""

    def __init__(self, error: GraphError) -> None:
        super().__init__(error.code)
        self.args = (str(error),)


def meta(
    database: Database,
    vault: Vault,
    *,
    clock: Clock,
    options: MetaOptions | None = None,
    load_file: LoadFile | None = None,
) -> MakeProvider:
    """Providers on the Cloud API; what holds the app or a business account holds all of them."""
    pauses = Pauses()

    def make(lease: Lease) -> Provider:
        return MetaProvider(
            lease,
            database,
            vault,
            clock=clock,
            options=options or MetaOptions(),
            pauses=pauses,
            load_file=load_file,
        )

    return make
