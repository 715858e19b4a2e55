"""
What the parts of one account's client share: its store, clock, dice, options and who it is. Parts get this instead of
the client, so that none of them can reach the public methods, and each can be tested alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from recado.client.batches import Batches
from recado.client.bell import Bell
from recado.client.devices import Questions
from recado.client.health import Pulse
from recado.client.media.reupload import Reuploads
from recado.client.nodes import Nodes
from recado.client.options import DeviceProfile, Limits
from recado.client.people.lookups import LookUps
from recado.client.settlements import Settlements
from recado.client.signals import Signals
from recado.client.status import Status
from recado.client.tally import Tally
from recado.clock import Clock
from recado.errors import BadRecord, NotConnected, NotPaired
from recado.jid import JID
from recado.protocol.signal.session import OwnIdentity
from recado.server import Server
from recado.store.records import Credentials
from recado.store.store import Store

if TYPE_CHECKING:
    from recado.client.connection import Connection
    from recado.client.media.files import Files
    from recado.client.pairing import Pairing


@dataclass(slots=True)
class Account:
    """One account, as its own client knows it. `credentials` are those of the last commit."""

    store: Store
    clock: Clock
    entropy: Callable[[int], bytes]
    server: Server
    profile: DeviceProfile
    limits: Limits
    signals: Signals
    is_shown: bool = False
    """Whether the account shows itself as online."""
    is_quiet: bool = False
    """Whether deliveries are told as of somebody who is not there, while it does not."""
    status: Status = field(default_factory=Status)
    credentials: Credentials | None = None
    connection: Connection | None = None
    """The connection that is logged in right now."""
    pairing: Pairing | None = None
    """The linking that is under way."""
    work_waits: Bell = field(default_factory=Bell)
    """Rung when a commit scheduled work."""
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server said that this connection is logged in."""
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server has sent all that waited for us."""

    keyless: dict[JID, datetime] = field(default_factory=dict)
    """Devices of groups' members the server had no keys for, and when: not asked for again with every message."""

    nodes: Nodes = field(init=False)
    """Who listens to stanzas as they come."""
    default_timer: int = 0
    """The seconds after which messages of chats that we begin disappear."""
    device_questions: Questions = field(default_factory=Questions)
    """Whose devices are being asked for."""
    settlements: Settlements = field(default_factory=Settlements)
    """Which messages of ours are known to count as sent."""
    personas: dict[JID, str] | None = None
    """The machines the server lists and in which of their parts each is asked; None before it was asked."""
    reuploads: Reuploads = field(default_factory=Reuploads)
    """Who waits for the phone to upload a file again."""
    app_state: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by who fetches or changes the state the account's devices share."""
    batches: Batches = field(init=False)
    """The transactions that senders share."""
    look_ups: LookUps = field(init=False)
    """The questions about people that are waited for."""
    resends: Tally = field(default_factory=Tally)
    """How often messages had to come again."""
    files: Files | None = None
    """The servers for files, once there is a client."""
    watched: dict[JID, None] = field(default_factory=dict)
    """Whose presence we want to be told, again on every connection."""
    pulse: Pulse = field(init=False)
    """What is being waited for, and since when."""

    def __post_init__(self) -> None:
        self.batches = Batches(self.store, size=self.limits.batch)
        self.look_ups = LookUps(self)
        self.pulse = Pulse(self.clock)
        self.nodes = Nodes(self.limits.signal_ring)

    @property
    def jid(self) -> JID:
        """The account: its phone number, without a device. Raises NotPaired."""
        return self.device.bare

    @property
    def device(self) -> JID:
        """This linked device, in the phone number space. Raises NotPaired."""
        if self.credentials is None or self.credentials.account is None:
            raise NotPaired
        return self.credentials.account

    @property
    def lid(self) -> JID | None:
        """This linked device in the LID space, once the server has said so."""
        return self.credentials.lid if self.credentials is not None else None

    @property
    def own(self) -> OwnIdentity:
        """Our end of every Signal session. Raises NotPaired."""
        if self.credentials is None:
            raise NotPaired
        return OwnIdentity(self.credentials.registration_id, self.credentials.identity)

    @property
    def is_paired(self) -> bool:
        """Whether this store is linked to an account."""
        return self.credentials is not None and self.credentials.account is not None

    def is_me(self, who: JID) -> bool:
        """Is this the account itself, whatever the device and the address space?"""
        mine = self.credentials
        if mine is None or mine.account is None:
            return False
        return who.user == mine.account.user if who.is_phone else mine.lid is not None and who.user == mine.lid.user

    def is_this_device(self, who: JID) -> bool:
        """Is this the very device we are?"""
        return self.is_me(who) and who.device == self.device.device

    def now(self) -> datetime:
        """The time now."""
        return self.clock.now()

    def jitter(self) -> float:
        """A number from 0 up to 1, drawn anew."""
        return int.from_bytes(self.entropy(4), "big") / 2**32

    def logged_in(self) -> Connection:
        """The open connection. Raises NotConnected."""
        if self.connection is None or self.connection.is_over:
            raise NotConnected
        return self.connection

    async def reload(self) -> None:
        """Take the committed credentials as ours."""
        self.credentials = await self.store.credentials()
        async with self.store.transaction() as tx:
            try:
                self.default_timer = await tx.people.default_timer()
            except BadRecord:
                self.default_timer = 0
