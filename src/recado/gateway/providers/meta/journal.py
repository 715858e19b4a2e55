"""What the owner of a number at Meta's writes: in units that hold its lease, done again when writers meet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from recado.clock import Clock
from recado.errors import CloseReason, StoreUnavailable
from recado.events import ConnectionChanged, ConnectionState, MessageId, MessageRejected, MessageSent, Quote
from recado.gateway.connections import repository as connections
from recado.gateway.db.failures import Collided
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.pacing import restrictions
from recado.gateway.providers.credentials import MetaCredentials, note_proven, note_waba_proven
from recado.gateway.providers.meta import consequences, repository
from recado.gateway.providers.meta.errors import GraphError
from recado.gateway.providers.meta.facts import spelt
from recado.gateway.providers.meta.wire import Sent
from recado.gateway.providers.roads import META
from recado.gateway.runtime.leases import Lease
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.stream.notices import tell
from recado.jid import JID

_TRIES = 4


class Journal:
    """Writes for one lease. Each of these raises LeaseLost and other StoreErrors."""

    def __init__(self, lease: Lease, database: Database, *, clock: Clock) -> None:
        self._lease = lease
        self._database = database
        self._clock = clock

    async def save_sent(self, account: JID, id: MessageId, said: Sent, quoting: Quote | None) -> datetime:
        """Meta took it, and calls it so. When a webhook was faster, that it was taken is known, or that it failed."""
        now = self._clock.now()

        async def work(unit: Unit) -> None:
            ours = (await repository.find_ours(unit, [id])).get(id)
            await repository.save_external_ids(unit, {said.external_id: id})
            if ours is not None and ours.is_open:
                sent = MessageSent(
                    account=account, at=now, id=id, chat=ours.chat, content=ours.content, sent_at=now, quoted=quoting
                )
                reached = said.wa_id if said.wa_id and said.wa_id.isdigit() else None
                if reached is not None and await repository.is_spelt(unit, ours.chat, reached):
                    reached = None
                await record(unit, META, [*spelt(account, ours.chat, [reached], now), sent])

        await self._write(work)
        return now

    async def save_rejected(self, account: JID, id: MessageId, chat: JID, code: int) -> None:
        """Meta refused it, or would; what the code asks for is done."""
        now = self._clock.now()
        rejected = MessageRejected(account=account, at=now, id=id, chat=chat, code=code)

        async def work(unit: Unit) -> None:
            await record(unit, META, [rejected])
            await consequences.follow(unit, account, [], [rejected], now=now)

        await self._write(work)

    async def save_restriction(self, code: int, *, until: datetime) -> None:
        """The guardrails hold everything on this number until then."""

        async def work(unit: Unit) -> None:
            learnt = await restrictions.learn(unit, META, code, at=self._clock.now(), until=until)
            if learnt is not None:
                await tell(unit, learnt)

        await self._write(work)

    async def save_closed(self, account: JID, error: GraphError) -> None:
        """Nothing goes until a person has looked; they are told why."""

        async def work(unit: Unit) -> None:
            notices = await consequences.follow_code(unit, account, error.code, now=self._clock.now())
            if not notices:  # the number is not there, or not for this token
                await connections.save_state(unit, META, ConnectionState.FAILED.value, reason=f"meta_{error.code}")
                unit.tell(CONNECTIONS)
            else:
                await tell(unit, *notices)

        await self._write(work)

    async def save_failed(self, reason: str) -> None:
        """The connection failed for a reason that no fact has a word for."""

        async def work(unit: Unit) -> None:
            await connections.save_state(unit, META, ConnectionState.FAILED.value, reason=reason)
            unit.tell(CONNECTIONS)

        await self._write(work)

    async def save_state(
        self, account: JID, state: ConnectionState, reason: CloseReason | None, *, retry_in: float | None
    ) -> None:
        """Where the connection stands."""
        now = self._clock.now()
        retry_at = now + timedelta(seconds=retry_in) if retry_in is not None else None
        changed = ConnectionChanged(account=account, at=now, state=state, reason=reason, retry_at=retry_at)

        async def work(unit: Unit) -> None:
            found = await connections.find_connection(unit, META)
            is_parting = state in (ConnectionState.DISCONNECTED, ConnectionState.RECONNECTING)
            if is_parting and found is not None and found.state in connections.CLOSED:
                return  # told by a webhook, perhaps in another process: that word stays
            await record(unit, META, [changed])

        await self._write(work)

    async def is_closed(self) -> bool:
        """Has somebody noted that nothing goes here until a person asks?"""
        async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
            await self._lease.check(unit)
            found = await connections.find_connection(unit, META)
        return found is not None and found.state in connections.CLOSED

    async def save_proven(self, account: JID, proven: MetaCredentials) -> None:
        """Meta answers for the number: it is theirs, and connected. Raises AccountTaken: it is another's by now."""
        now = self._clock.now()

        async def work(unit: Unit) -> None:
            await note_proven(unit, proven, now=now)
            connected = ConnectionState.CONNECTED
            await record(unit, META, [ConnectionChanged(account=account, at=now, state=connected, reason=None)])

        await self._write(work)

    async def save_templates(self, proven: MetaCredentials, templates: Sequence[repository.Template]) -> None:
        """These are all there are; who may list them is of the business account."""
        now = self._clock.now()

        async def work(unit: Unit) -> None:
            await note_waba_proven(unit, proven, now=now)
            await repository.save_templates(unit, templates, now=now)

        await self._write(work)

    async def _write(self, work: Callable[[Unit], Awaitable[None]]) -> None:
        for _ in range(_TRIES):
            try:
                async with self._database.unit(Principal.runtime(self._lease.mentorado_id)) as unit:
                    await self._lease.check(unit)
                    await work(unit)
                return
            except Collided:
                continue
        raise StoreUnavailable("the database is too busy with this mentorado")
