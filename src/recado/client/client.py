"""
`Client`: one account, for those who use it. Its public methods are a few lines each; what they do is in the modules
beside this one. `async with` owns every task: nothing of a client outlives its block.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from recado.client import sending, showing
from recado.client.account import Account
from recado.client.appstate.chats import Chats
from recado.client.connection import Connection
from recado.client.groups.groups import Groups
from recado.client.groups.newsletters import Newsletters
from recado.client.groups.statuses import Statuses
from recado.client.health import Health
from recado.client.linked_devices import LinkedDevices
from recado.client.listeners import Cursor, Handlers
from recado.client.media.files import Files, Received, Sink, Told
from recado.client.media.previews import Previews
from recado.client.media.sealed_file import Source
from recado.client.media.sticker_packs import StickerPacks
from recado.client.nodes import RawQuery
from recado.client.options import DeviceProfile, Limits
from recado.client.pairing import Pairing
from recado.client.past import History
from recado.client.people.business import Business
from recado.client.people.people import People
from recado.client.push import Push
from recado.client.reconnection import Close
from recado.client.sending import Sent
from recado.client.sending_again import send_until
from recado.client.signals import Signals
from recado.client.status import Status
from recado.client.supervisor import RefreshVersion, Supervisor, stopped
from recado.client.tally import Tally
from recado.client.transport import Connect, websocket
from recado.clock import Clock, SystemClock
from recado.content import Content, LinkPreview, Media, MediaKind
from recado.errors import (
    AlreadyOpen,
    CloseReason,
    ConnectionLost,
    LoggedOut,
    NotConnected,
    NotPaired,
    UsageError,
    before_sending,
)
from recado.events import ConnectionState, Fact, MessageId, MessageReceived, MessageSent, ReceiptKind, Signal
from recado.jid import JID
from recado.pairing import Paired, PairingStep
from recado.protocol.messages.encode import Quoting
from recado.protocol.messages.ids import new_message_id
from recado.protocol.node import Node
from recado.protocol.pairing.passkey import read_assertion
from recado.protocol.queries.account import RemoveCompanion
from recado.server import WHATSAPP, Server
from recado.store import Store
from recado.store.backend import Backend
from recado.store.records import Credentials

F = TypeVar("F", bound=Fact)
S = TypeVar("S", bound=Signal)


class Client:
    """
    One WhatsApp account on its store. Inside `async with` it keeps itself connected once it is linked.

    `server` says whom to trust and where; `mark_online` shows the account as online (its phone then stops ringing);
    `quiet` shows who writes to it the second tick only while it is online, as a browser in the background does;
    `refresh_version` finds out the current web version when ours is refused; `autoconnect=False` leaves connecting to
    `connect()`.
    """

    def __init__(
        self,
        store: Backend | Store,
        *,
        server: Server = WHATSAPP,
        clock: Clock | None = None,
        device: DeviceProfile | None = None,
        limits: Limits | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
        transport: Connect | None = None,
        refresh_version: RefreshVersion | None = None,
        mark_online: bool = False,
        quiet: bool = False,
        autoconnect: bool = True,
    ) -> None:
        limits = limits or Limits()
        self._account = Account(
            store=store if isinstance(store, Store) else Store(store),
            clock=clock or SystemClock(),
            entropy=entropy,
            server=server,
            profile=device or DeviceProfile(full_history=False),
            limits=limits,
            signals=Signals(limits.signal_ring),
            is_shown=mark_online,
            is_quiet=quiet,
        )
        connect = transport or websocket(proxy=server.proxy)
        self._supervisor = Supervisor(self._account, connect, refresh=refresh_version)
        self.chats = Chats(self._account, self._connected)
        self.people = People(self._account, self._connected)
        self.history = History(self._account, self._connected)
        """More of the past, from the own phone."""
        self._files = self._account.files = Files(self._account, self._connected)
        self.previews = Previews(self._files)
        self.sticker_packs = StickerPacks(self._files, limits, entropy)
        self.groups = Groups(self._account, self._connected)
        self.business = Business(self._account, self._connected, self._files)
        self.devices = LinkedDevices(self._account, self._connected)
        self.push = Push(self._connected)
        self.statuses = Statuses(self._account, self._connected)
        self.newsletters = Newsletters(self._account, self._connected, self._files)
        self._handlers = Handlers()
        self._autoconnect = autoconnect
        self._group: asyncio.TaskGroup | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Client:
        if self._group is not None:
            raise AlreadyOpen("this client is open already")
        await self._account.store.open()
        try:
            await self._account.reload()
            last = await self._account.store.last_fact()
        except BaseException:
            await self._account.store.close()
            raise
        self._group = await asyncio.TaskGroup().__aenter__()
        jobs = (
            self._account.batches.run(),
            self._account.look_ups.run(),
            self._handlers.run(self._account.store, last),
        )
        self._tasks = [self._group.create_task(job) for job in jobs]
        if self._account.is_paired and self._autoconnect:
            self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        tasks = [*self._tasks, *([self._running] if self._running is not None else [])]
        try:
            try:
                await self._halt()
            finally:
                for task in tasks:
                    task.cancel()
                # The block's own exception is not the group's business: it would come out wrapped.
                await group.__aexit__(None, None, None)
        finally:
            await self._files.close()
            await self._account.store.close()

    @property
    def account(self) -> JID | None:
        """The linked account (its number, without a device); None before linking."""
        return self._account.jid if self._account.is_paired else None

    @property
    def device(self) -> JID | None:
        """This linked device's own address."""
        return self._account.device if self._account.is_paired else None

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._account.status.state

    @property
    def status(self) -> Status:
        """Where the connection stands, why, and when the next attempt is due."""
        return self._account.status

    @property
    def store(self) -> Store:
        """The account's store."""
        return self._account.store

    @property
    def handler_failures(self) -> int:
        """How often a function given to `on` raised."""
        return self._handlers.failures

    @property
    def resends(self) -> Tally:
        """How often messages had to come again, both ways."""
        return self._account.resends

    def health(self) -> Health:
        """What is being waited for, and how long: nothing, when all is well or merely quiet."""
        connection = self._account.connection
        return self._account.pulse.read(connection.heard_at if connection is not None else None)

    def hand_over(self) -> None:
        """Another process goes on with this account: what is recorded at the close says that it reconnects."""
        self._supervisor.parts_as = ConnectionState.RECONNECTING

    async def cut(self) -> None:
        """Close the socket now, whatever the store does; the client is good for nothing then but to be closed."""
        await self._supervisor.cut()

    async def connect(self) -> None:
        """Start connecting, unless that is under way. Raises NotPaired."""
        if not self._account.is_paired:
            raise NotPaired
        if self._running is None or self._running.done():
            self._start()

    async def disconnect(self) -> None:
        """Close the connection and stay down until `connect`."""
        await self._halt()

    async def wait_for(self, *states: ConnectionState, timeout: float | None = None) -> None:
        """Return once the connection is in one of those states. Raises NotConnected after `timeout` seconds."""
        future = self._account.status.reached(lambda status: status.state in states)
        if timeout is None:
            await future
        else:
            await self._account.status.wait(self._account.clock, timeout, lambda status: status.state in states)

    async def pair(
        self, *, expect: JID | None = None, phone: JID | None = None, hold: bool = False
    ) -> AsyncIterator[PairingStep]:
        """
        Link this store to an account, step by step; `Paired` is the last. With `phone` a code is shown to be typed on
        that phone, not a QR code to be scanned. With `expect`, another number is refused and nothing of it is written;
        with `hold` too, `AnotherNumber` asks first.

        Raises PairingExpired, PairingRefused (CodeRefused, PasskeyRefused), WrongAccount, ConnectionLost, UsageError
        when it is linked already.
        """
        if self._account.is_paired:
            raise UsageError("this store is linked already; forget it first")
        await self._halt()
        await self._new_credentials()
        pairing = self._account.pairing = Pairing(self._account, expect=expect, phone=phone, hold=hold)
        self._start()
        paired = False
        try:
            async for step in pairing.steps():
                paired = isinstance(step, Paired)
                if paired:
                    self._account.pairing = None
                yield step
        finally:
            self._account.pairing = None
            if not paired:
                await self._halt()

    def sign_passkey(self, assertion: str) -> None:
        """
        Answer `NeedsPasskey` with what the browser gave, as JSON. Raises UsageError when none is asked for,
        DecodeError when it is no WebAuthn assertion.
        """
        read = read_assertion(assertion)
        if self._account.pairing is None:
            raise UsageError("no passkey is asked for right now")
        self._account.pairing.sign(read)

    def settle_number(self, *, keep: bool) -> None:
        """Answer `AnotherNumber`. Raises UsageError when no number is held."""
        if self._account.pairing is None:
            raise UsageError("no other number waits for a decision")
        self._account.pairing.settle_number(keep=keep)

    def listen(self, kind: type[F], *, after: int | None = None, name: str | None = None) -> Cursor[F]:
        """
        The facts of `kind`, in order, as they are recorded: from now on, or those after number `after` first. With a
        `name` the place is kept in the store and moves on after the loop's body. Ends by raising LoggedOut,
        ConnectionLost or StoreError once the connection is over for good and everything recorded was told.
        """
        return Cursor(self._account.store, self._account.status, kind, after=after, name=name)

    def on(self, kind: type[F]) -> Callable[[Callable[[F], Awaitable[None]]], Callable[[F], Awaitable[None]]]:
        """Call the decorated function for each fact of `kind` from now on; one that raises is logged and counted."""

        def add(handler: Callable[[F], Awaitable[None]]) -> Callable[[F], Awaitable[None]]:
            self._handlers.add(kind, handler)
            return handler

        return add

    def signals(self, kind: type[S]) -> AsyncIterator[S]:
        """The signals of `kind` from now on; the oldest are dropped for a listener that lags."""
        return self._account.signals.of(kind)

    def nodes(self, tag: str | None = None, **attrs: str) -> AsyncIterator[Node]:
        """
        Copies of the stanzas that come from now on, all or those with a tag and attributes; the oldest are dropped for
        a listener that lags. Nothing done with them changes what becomes of them.
        """
        return self._account.nodes.of(tag, attrs)

    async def query(self, node: Node, *, timeout: float | None = None) -> Node:
        """Ask the server a question made by hand (an <iq>); its answer. Raises UsageError, and as `people` do."""
        question = RawQuery(node)
        return await (await self._connected()).requests.ask(question, timeout=timeout)

    async def send(
        self,
        chat: JID,
        content: Content,
        *,
        quoting: MessageReceived | MessageSent | Quoting | None = None,
        id: MessageId | None = None,
        forward: int = 0,
        expires_in: int | None = None,
        patience: float = 0.0,
    ) -> Sent:
        """
        Send a message, and return once the server took it; waits a while for a connection in the making. `forward`
        marks it as forwarded (so many times), `expires_in` has it disappear after so many seconds, 0
        never; else the timer of the chat does. With `patience`, what was lost with a connection goes again on the next,
        for so many seconds.

        Raises NotPaired, LoggedOut, NotConnected, Rejected, NoRecipients; QueryTimeout when it did not go;
        ConnectionLost or AckTimeout when its fate is unknown. Send it again with the same `id`, and it stays one.
        """
        if isinstance(content, Media) and content.remote is not None and content.remote.is_open:
            raise UsageError("a file of a channel is not encrypted: upload it for people with client.upload")
        if patience > 0 and id is None:
            id = new_message_id(self._account.entropy)

        async def attempt() -> Sent:
            try:
                connection = await self._connected()
            except (ConnectionLost, LoggedOut) as error:
                raise before_sending(error) from error
            return await sending.send(
                self._account,
                connection,
                chat,
                content,
                quoting=quoting,
                id=id,
                forward=forward,
                expires_in=expires_in,
            )

        def is_over() -> bool:
            return self._running is None or self._account.status.over is not None

        with self._account.pulse.sending():
            return await send_until(attempt, self._account.clock, seconds=patience, is_over=is_over)

    async def upload(
        self, kind: MediaKind, source: Source, described: Media | None = None, *, known_as: str | None = None
    ) -> Media:
        """
        Put a file (a path, bytes, or pieces of bytes) on WhatsApp's servers, encrypted; the Media to send. What
        `described` leaves open (measures, duration, thumbnail, waveform) is looked up in the file, if it can be. With
        `known_as`, any name that stands for these very bytes, it goes up once in `Limits.keep_uploads`.

        Raises MediaTooLarge, MediaUnavailable, MediaError, and as `send`.
        """
        return await self._files.upload(kind, source, described, known_as=known_as)

    async def download(self, received: Received, to: Path | Sink, *, most: int | None = None) -> Media:
        """
        Bring the file of a message to a path, where it appears whole or not at all, or to a function that is given its
        bytes, and drops them when this raises. A file that is not on the servers any more is asked of the phone.

        Raises MediaGone, MediaCorrupted, MediaTooLarge (more than `most` bytes), MediaUnavailable.
        """
        return await self._files.download(received, to, most=most)

    def stream(self, received: Received, *, most: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes of a message's file as they come; drop them when it raises, at the end too. As `download`."""
        return self._files.stream(received, most=most)

    async def linked_picture(self, shown: Told | Content | LinkPreview) -> bytes:
        """
        The picture that a message shows by link: the larger thumbnail of its file, the large picture of its preview.
        Raises UsageError when there is none, and as `download`.
        """
        return await self._files.linked_picture(shown)

    async def delete_uploaded(self, uploaded: Media) -> None:
        """Take a file off WhatsApp's servers: nobody can fetch it any more. Raises MediaUnavailable, as `upload`."""
        await self._files.delete_uploaded(uploaded)

    async def uploaded_again(self, received: Told) -> Media:
        """Have the phone put a message's file on the servers again; where it is now. Raises MediaGone, as `send`."""
        return await self._files.uploaded_again(received)

    async def mark_read(self, chat: JID, ids: Sequence[MessageId], *, sender: JID | None = None) -> None:
        """
        Tell that messages in `chat` were read; in a group `sender` is their author. Only the own devices are told when
        the account shows nobody what it read. Raises as `send`, QueryError.
        """
        await showing.show_read(self._account, await self._connected(), chat, ids, sender=sender)

    async def mark_played(self, chat: JID, ids: Sequence[MessageId], *, sender: JID | None = None) -> None:
        """Tell that voice messages in `chat` were played; in a group `sender` is their author. Raises as `send`."""
        played = ReceiptKind.PLAYED
        await showing.show_read(self._account, await self._connected(), chat, ids, sender=sender, kind=played)

    async def show_typing(self, chat: JID, *, is_typing: bool = True, is_audio: bool = False) -> None:
        """Show, or stop showing, that a message is being written (or recorded, `is_audio`). Raises as `send`."""
        connection = await self._connected()
        await showing.show_typing(self._account, connection, chat, is_typing=is_typing, is_audio=is_audio)

    async def show_online(self, *, is_online: bool = True) -> None:
        """Show the account as online or away, now and after reconnections. Raises as `send`."""
        await showing.show_online(self._account, await self._connected(), is_online=is_online)

    async def log_out(self) -> None:
        """Unlink this device and stay down. What is stored stays until `forget`. Raises as `send`, QueryError."""
        connection = await self._connected()
        try:
            await connection.requests.ask(RemoveCompanion(self._account.device))
        except LoggedOut:
            pass  # the server ended the stream before it answered: done all the same
        connection.end(Close(CloseReason.LOGGED_OUT))
        if self._running is not None:
            await asyncio.wait([self._running])

    async def forget(self) -> None:
        """Delete the account's keys and records, so that another can be linked; facts stay. Back them up before."""
        await self._halt()
        async with self._account.store.transaction() as tx:
            await tx.forget_all()
        await self._account.reload()
        self._account.status.become(ConnectionState.DISCONNECTED)

    async def _connected(self) -> Connection:
        """The open connection, waiting a while for one that is being made."""
        if not self._account.is_paired:
            raise NotPaired
        status = self._account.status
        if self._running is None or self._running.done():
            raise status.over or NotConnected()
        await status.wait(
            self._account.clock,
            self._account.limits.connect,
            lambda now: now.state is ConnectionState.CONNECTED or now.over is not None or self._running is None,
        )
        if status.over is not None:
            raise status.over
        return self._account.logged_in()

    async def _new_credentials(self) -> None:
        if self._account.credentials is None:
            async with self._account.store.transaction() as tx:
                await tx.save_credentials(Credentials.new(self._account.entropy))
            await self._account.reload()

    def _start(self) -> None:
        if self._group is None:
            raise UsageError("a client works inside `async with` only")
        self._account.status.become(ConnectionState.CONNECTING)
        self._running = self._group.create_task(self._supervisor.run())

    async def _halt(self) -> None:
        task, self._running = self._running, None
        if task is None or task.done():
            return
        await stopped(task, self._supervisor)
        if self._account.status.over is None:
            self._account.status.become(self._supervisor.parts_as)
