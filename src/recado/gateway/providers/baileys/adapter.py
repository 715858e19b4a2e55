"""
WhatsApp Web behind the provider seam: one `Client` on one mentorado's PostgreSQL store. The client records its facts
there itself; what this adds is the seam's verbs, and the order of forgetting: unlink, back up, delete.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from recado.client.client import Client
from recado.client.groups.groups import Groups
from recado.client.groups.newsletters import Newsletters
from recado.client.options import DeviceProfile, Limits
from recado.client.past import Before
from recado.client.status import Status
from recado.client.supervisor import RefreshVersion
from recado.client.tally import Resends
from recado.clock import Clock
from recado.content import Content, Edit, LinkPreview, Media, MediaKind, StickerPack, Text
from recado.errors import (
    CloseReason,
    ConnectionLost,
    LoggedOut,
    MediaError,
    MediaTooLarge,
    NotConnected,
    QueryError,
    RateLimited,
    TooLarge,
    UsageError,
)
from recado.events import ConnectionState, MessageId, Quote, Signal
from recado.gateway import metrics
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.backend import PostgresBackend
from recado.gateway.providers.baileys.browser import Browser
from recado.gateway.providers.baileys.files import WebFiles
from recado.gateway.providers.baileys.posts import is_post, post
from recado.gateway.providers.baileys.shared_state import WebChats, WebDevices, WebProfile
from recado.gateway.providers.baileys.sticker_packs import uploaded_pack
from recado.gateway.providers.provider import Found, Health, MakeProvider, Provider, Setback
from recado.gateway.runtime.leases import Lease
from recado.jid import JID, NEWSLETTER
from recado.pairing import PairingStep
from recado.protocol.messages.encode import Quoting
from recado.protocol.pairing.version import parse_version
from recado.server import WHATSAPP, Server

_AGAIN = timedelta(seconds=30)


class BaileysProvider:
    """One mentorado on WhatsApp Web."""

    def __init__(
        self, client: Client, backend: PostgresBackend, lease: Lease, *, clock: Clock, files: WebFiles | None = None
    ) -> None:
        self._client = client
        self._backend = backend
        self._lease = lease
        self._clock = clock
        self._files = files
        self._open = AsyncExitStack()

    @property
    def is_linked(self) -> bool:
        """Is this device linked to an account?"""
        return self._client.account is not None

    async def open(self) -> None:
        """Open the store and, when linked, connect. Raises StoreError, AlreadyOpen, AnotherBrowser."""
        await self._open.enter_async_context(self._client)
        if self._files is not None:
            self._files.running.add(self._lease.mentorado_id, self._client)
            self._open.callback(self._files.running.remove, self._lease.mentorado_id, self._client)

    async def close(self) -> None:
        """Close the connection; the device stays linked."""
        await self._open.aclose()

    async def hand_over(self) -> None:
        """Close as one who goes on elsewhere."""
        self._client.hand_over()
        await self.close()

    async def cut(self) -> None:
        """Close the socket, whatever the database does."""
        await self._client.cut()

    def health(self) -> Health:
        """What the client is waiting for."""
        read = self._client.health()
        return Health(
            receiving_for=read.receiving_for,
            sending_for=read.sending_for,
            unanswered_for=read.unanswered_for,
            working_for=read.working_for,
            silent_for=read.silent_for,
        )

    async def link(self, *, expect: JID | None, phone: JID | None = None) -> AsyncIterator[PairingStep]:
        """Show codes until a phone answers one. Raises PairingError, ConnectionLost."""
        async for step in self._client.pair(expect=expect, phone=phone, hold=True):
            yield step

    def sign_passkey(self, assertion: str) -> None:
        """The signature a person brought. Raises UsageError, DecodeError."""
        self._client.sign_passkey(assertion)

    def settle_number(self, *, keep: bool) -> None:
        """What a person decided about the other number. Raises UsageError."""
        if keep:
            self._backend.allow_any_number()
        self._client.settle_number(keep=keep)

    async def setbacks(self) -> AsyncIterator[Setback]:
        """The attempts that failed, as they do; the restart that ends a link is none."""
        status = self._client.status
        told: datetime | None = None

        def is_news(now: Status) -> bool:
            return now.retry_at is not None and now.retry_at != told

        while True:
            await status.reached(is_news)
            told = status.retry_at
            if told is not None and status.reason is not None and status.reason is not CloseReason.RESTART_REQUIRED:
                yield Setback(status.reason, told)

    def events(self) -> AsyncIterator[Signal]:
        """Typing and presence."""
        return self._client.signals(Signal)

    async def until_ready(self) -> None:
        """Return when the client is connected."""
        await self._client.wait_for(ConnectionState.CONNECTED)

    async def until_over(self) -> None:
        """Wait for the end, and raise it."""
        status = self._client.status
        while status.over is None:
            await status.reached(lambda now: now.over is not None)
        raise status.over

    async def send(self, chat: JID, content: Content, *, id: MessageId, quoting: Quote | None = None) -> datetime:
        """Send through the client, a file uploaded first. Raises SendError, UsageError, ConnectionLost, QueryError."""
        return await self.send_marked(chat, content, id=id, quoting=quoting)

    async def send_marked(
        self,
        chat: JID,
        content: Content,
        *,
        id: MessageId,
        quoting: Quote | None = None,
        forwarded: int = 0,
        expires_in: int | None = None,
    ) -> datetime:
        """The same, passed on so often, or disappearing after so many seconds. Raises what `send` raises."""
        is_open = chat.server == NEWSLETTER
        if isinstance(content, Media) and content.remote is None:
            content = await self._uploaded(content, is_open=is_open)
        elif isinstance(content, Edit) and isinstance(content.content, Media) and content.content.remote is None:
            content = replace(content, content=await self._uploaded(content.content, is_open=is_open))
        elif isinstance(content, StickerPack) and content.remote is None:
            content = await self._packed(content)
        elif isinstance(content, Text) and content.preview is not None and not content.preview.title:
            content = replace(content, preview=await self._preview(content.preview.url))
        if is_post(chat):
            return (await post(self._client, chat, content, id=id)).at
        quoted = self._quoting(quoting)
        sent = await self._client.send(chat, content, id=id, quoting=quoted, forward=forwarded, expires_in=expires_in)
        return sent.at

    async def _preview(self, url: str) -> LinkPreview | None:
        """What the page says of itself; None, too late or not at all, costs nothing but the preview."""
        if self._files is None or self._files.fetch_page is None:
            return None
        return await self._client.previews.make(url, self._files.fetch_page)

    async def _uploaded(self, media: Media, *, is_open: bool) -> Media:
        """The file from where it is kept, on WhatsApp's servers (`is_open`: readable for all). Raises as `_packed`."""
        if self._files is None:
            raise UsageError("files are not sent from here")
        async with self._files.load(self._lease, media.reference) as file:
            if file is None:
                raise UsageError("the file is not here any more")
            known = replace(
                media,
                mime_type=media.mime_type or file.mime_type,
                file_name=media.file_name or (file.file_name if media.kind is MediaKind.DOCUMENT else None),
            )
            # A file that is kept here is the same each time; what lies at an address may not be.
            name = media.reference if media.reference.startswith("media:") else None
            try:
                if is_open:
                    return await self._client.newsletters.upload(media.kind, file.chunks, known)
                return await self._client.upload(media.kind, file.chunks, known, known_as=name)
            except MediaTooLarge:
                raise TooLarge from None
            except MediaError:  # nothing left: it is tried again by itself
                raise RateLimited(self._clock.now() + _AGAIN) from None

    async def _packed(self, pack: StickerPack) -> StickerPack:
        """The stickers from where they are kept, packed, there too. Raises TooLarge, RateLimited, UsageError."""
        if self._files is None:
            raise UsageError("files are not sent from here")
        try:
            return await uploaded_pack(self._client, self._files.load, self._lease, pack)
        except MediaTooLarge:
            raise TooLarge from None
        except MediaError:  # nothing left: it is tried again by itself
            raise RateLimited(self._clock.now() + _AGAIN) from None

    async def forget(self, reason: str) -> None:
        """Unlink, back up, delete. A device the phone still lists, as we were not heard, is one without keys."""
        if self.is_linked:
            try:
                await self._client.log_out()
            except (NotConnected, ConnectionLost, LoggedOut, QueryError):
                pass
        await self._backend.back_up(reason)
        await self._client.forget()

    async def mark_read(self, chat: JID, ids: list[MessageId]) -> None:
        """Tell that messages were read. Raises NotConnected."""
        await self._client.mark_read(chat, ids)

    async def look_up(self, phones: list[JID]) -> list[Found]:
        """Ask which numbers are on WhatsApp. Raises NotConnected, QueryError."""
        told = await self._client.people.on_whatsapp(phones)
        return [
            Found(each.asked, bool(each.is_on_whatsapp), each.phone, each.lid, each.verified_name)
            for each in told.values()
        ]

    async def set_blocked(self, person: JID, *, is_blocked: bool) -> None:
        """Block or unblock. Raises NotConnected, QueryError."""
        await (self._client.people.block(person) if is_blocked else self._client.people.unblock(person))

    async def watch(self, person: JID) -> None:
        """Subscribe to a person's presence. Raises NotConnected."""
        await self._client.people.watch(person)

    async def set_about(self, about: str) -> None:
        """Change the account's about. Raises NotConnected, QueryError."""
        await self._client.people.set_about(about)

    async def reject_call(self, id: str, caller: JID) -> None:
        """Refuse a call. Raises NotConnected, QueryError."""
        await self._client.people.reject_call(id, caller)

    async def request_past(
        self, chat: JID, before: MessageId, *, from_me: bool, sent_at: datetime, count: int, request: str
    ) -> None:
        """Ask the phone for older messages. Raises NotConnected, QueryError, SendError."""
        await self._client.history.request(chat, Before(before, from_me, sent_at), count, id=MessageId(request))

    @property
    def groups(self) -> Groups:
        """What can be done with groups."""
        return self._client.groups

    @property
    def channels(self) -> Newsletters:
        """What can be done with channels."""
        return self._client.newsletters

    @property
    def chats(self) -> WebChats:
        """How the account's own devices show chats."""
        return WebChats(self._client)

    @property
    def profile(self) -> WebProfile:
        """The account's own profile and settings."""
        return WebProfile(self._client)

    @property
    def devices(self) -> WebDevices:
        """The account's linked devices."""
        return WebDevices(self._client)

    async def show_typing(self, chat: JID, *, is_typing: bool) -> None:
        """Show that a message is being written, or not any more. Raises NotConnected."""
        if not is_post(chat):  # nobody sees anybody write there
            await self._client.show_typing(chat, is_typing=is_typing)

    def _quoting(self, quote: Quote | None) -> Quoting | None:
        if quote is None:
            return None
        sender = quote.sender or self._client.account
        if sender is None:
            raise UsageError("nobody is linked whose message could be quoted")
        return Quoting(quote.id, sender, Text(quote.text) if quote.text is not None else None)


def shown_as(browser: str, os: str, *, full_history: bool = False, version: str | None = None) -> DeviceProfile:
    """
    The device that phones show among those linked; `full_history` is asked at linking, `version` is the operator's word
    on which WhatsApp Web to be. Raises DecodeError.
    """
    device = DeviceProfile(os=os, browser=browser, full_history=full_history)
    return device if version is None else replace(device, version=parse_version(version))


def whatsapp_web(
    database: Database,
    vault: Vault,
    *,
    clock: Clock,
    server: Server = WHATSAPP,
    device: DeviceProfile | None = None,
    limits: Limits | None = None,
    full_history: bool = False,
    force_identity: bool = False,
    files: WebFiles | None = None,
    refresh_version: RefreshVersion | None = None,
) -> MakeProvider:
    """
    Providers on WhatsApp Web at `server`, all with the same stable device; `full_history` is asked at linking. One that
    was linked as another device does not open (AnotherBrowser) unless `force_identity`. Files go with `files` only.
    """
    device = device or DeviceProfile(full_history=full_history)

    browser = Browser(f"{device.browser} on {device.os}", forced=force_identity)

    def make(lease: Lease) -> Provider:
        backend = PostgresBackend(database, vault, lease, browser=browser)
        client = Client(
            backend, server=server, clock=clock, device=device, limits=limits, refresh_version=refresh_version
        )
        client.resends.told = _count
        return BaileysProvider(client, backend, lease, clock=clock, files=files)

    return make


def _count(what: Resends) -> None:
    metrics.RESENDS.labels(what.value).inc()
