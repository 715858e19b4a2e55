"""
Sealing for devices inside a transaction: the sessions advance in it, and begin in it from bundles that were fetched
before. What is sealed may leave only after the commit (law 1).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.drafts import Draft
from recado.errors import BadRecord, EnvelopeError, PeerError, QueryError
from recado.events import PeerIdentityChanged
from recado.jid import JID
from recado.protocol.messages.bots import for_machine
from recado.protocol.messages.padding import pad
from recado.protocol.queries.bundles import BundlesFor
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.session import Envelope, EnvelopeKind, SessionRecord, initiate, seal
from recado.protocol.stanzas.hosted import as_named, unhosted
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.connection import Connection

logger = logging.getLogger("recado.client")

Bundles = Mapping[JID, PreKeyBundle | None]
"""What was fetched, by canonical device address; None for a device that cannot be written to."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals plaintexts for devices, within one transaction."""

    account: Account
    tx: Transaction

    async def session(self, device: JID) -> SessionRecord | None:
        """The session with a device; one that cannot be read counts as none."""
        try:
            return await self.tx.session(device)
        except BadRecord:
            return None

    async def seal(self, device: JID, plaintext: bytes) -> Envelope | None:
        """Seal an unpadded message in the session there is; None without one."""
        record = await self.session(device)
        if record is None:
            return None
        record, envelope = seal(record, pad(plaintext, self.account.entropy), own=self.account.own)
        await self.tx.save_session(device, record)
        return envelope

    async def seal_for_machine(self, draft: Draft) -> list[tuple[JID, Envelope]]:
        """What the machine gets that is called in with a message, if one is. Raises UsageError."""
        if draft.machine is None:
            return []
        envelope = await self.seal(draft.machine, for_machine(draft.body))
        return [] if envelope is None else [(draft.machine, envelope)]

    async def begin(self, device: JID, bundle: PreKeyBundle) -> bool:
        """Begin a session from a bundle, older ones archived; False when the bundle is bad."""
        try:
            record = initiate(
                bundle, own=self.account.own, entropy=self.account.entropy, record=await self.session(device)
            )
        except (EnvelopeError, PeerError) as error:
            logger.warning("a device's keys are not usable: %s", type(error).__name__)
            return False
        known = await self.tx.identity(device)
        if known != bundle.identity:
            await self.tx.save_identity(device, bundle.identity)
            if known is not None:
                account = self.account
                await self.tx.record(PeerIdentityChanged(account=account.jid, at=account.now(), contact=device.bare))
        await self.tx.save_session(device, record)
        return True


def shows_identity(envelopes: Iterable[Envelope], account: Account) -> bytes | None:
    """The signed identity that goes along when an envelope may begin a session."""
    begins = any(envelope.kind is EnvelopeKind.PREKEY for envelope in envelopes)
    return account.credentials.signed_identity if begins and account.credentials is not None else None


async def fetch_bundles(connection: Connection, devices: Iterable[JID]) -> dict[JID, PreKeyBundle | None]:
    """
    Ask for the keys of devices (canonical addresses). A device the server has no keys for is None: one of them never
    spoils the rest. Raises QueryError, ConnectionLost when the whole question failed.
    """
    wanted = tuple(devices)
    if not wanted:
        return {}
    answer = await connection.requests.ask(BundlesFor(tuple(map(as_named, wanted)), force_identity=True))
    bundles: dict[JID, PreKeyBundle | None] = dict.fromkeys(wanted)
    for named, bundle in answer.items():
        device = unhosted(named)
        if isinstance(bundle, QueryError):
            logger.info("the server has no keys for a device: %s", bundle.code)
        else:
            bundles[device] = bundle
    return bundles
