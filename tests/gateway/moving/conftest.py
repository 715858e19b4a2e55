"""A cohort on rows: connections stand where a test says, nobody runs them, and the clock is turned by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from recado.clock import ManualClock
from recado.gateway.connections import repository as connections
from recado.gateway.conversations.service import queue_message
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.vault import Vault
from recado.gateway.moving import service
from recado.gateway.moving.probing import Probed
from recado.gateway.moving.service import Options, Plan, Wanted
from recado.gateway.providers.credentials import ZapiCredentials, save_credentials
from recado.gateway.runtime.leases import Leases
from recado.gateway.runtime.moving import MoveJob
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

ADMIN = Principal.admin("a test")
OWN = "550000000001"
BIA = "550000000002"


@dataclass
class House:
    """Mentorados by name, each on WhatsApp Web, with an instance at Z-API that nobody has connected yet."""

    database: Database
    vault: Vault
    clock: ManualClock
    job: MoveJob
    leases: Leases
    people: dict[str, Principal] = field(default_factory=dict)

    async def hire(self, name: str) -> Principal:
        async with self.database.unit(ADMIN) as unit:
            rows = await unit.tuples(
                Query("hire", b"INSERT INTO mentorados (name) VALUES (%(name)s) RETURNING id"), name=name
            )
            ((id,),) = rows
            await unit.run(Query("head", b"INSERT INTO stream_heads (mentorado_id) VALUES (%(id)s)"), id=id)
        principal = self.people[name] = Principal.runtime(id)
        await self.stand(name, "baileys", "connected")
        async with self.database.unit(principal) as unit:
            await save_credentials(unit, self.vault, ZapiCredentials(f"3C{len(self.people):02}", "token", "client"))
        return principal

    async def stand(self, name: str, provider: str, state: str, *, phone: str = OWN) -> None:
        """A connection that is wanted stands there, as if somebody ran it."""
        async with self.database.unit(self.people[name]) as unit:
            if await connections.find_connection(unit, provider) is None:
                await connections.save_desired(unit, provider, "connected", state="connecting")
            await connections.save_state(unit, provider, state)
            await connections.save_account(unit, provider, phone=phone, lid=None)
        await self.leases.claim(self.people[name].mentorado_id, provider)  # type: ignore[arg-type]

    async def plan(self, *names: str, to: str = "zapi", test_to: str | None = None, **options: bool) -> Plan:
        return await service.dry_run(
            self.database,
            self.vault,
            Settings(),
            ADMIN,
            to=to,
            cohort=[Wanted(name, test_to) for name in names],
            options=Options(**options),
            now=self.clock.now(),
        )

    async def apply(self, plan: Plan) -> Plan:
        return await service.apply(self.database, ADMIN, plan.move.id, approved_by="Rita", now=self.clock.now())

    async def go_on(self, plan: Plan) -> Plan:
        return await service.go_on(self.database, ADMIN, plan.move.id, now=self.clock.now())

    async def roll_back(self, plan: Plan) -> Plan:
        return await service.roll_back(self.database, ADMIN, plan.move.id, now=self.clock.now())

    async def look(self, plan: Plan) -> Plan:
        async with self.database.unit(ADMIN) as unit:
            return await service.get_plan(unit, plan.move.id)

    async def states(self, plan: Plan) -> list[str]:
        return [person.state for person in (await self.look(plan)).people]

    async def reason(self, plan: Plan, place: int = 0) -> str | None:
        return (await self.look(plan)).people[place].reason

    async def rows(self, name: str, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        async with self.database.unit(self.people[name]) as unit:
            return await unit.tuples(Query("of a test", sql.encode()), **parameters)

    async def pin(self, name: str) -> str | None:
        async with self.database.unit(self.people[name]) as unit:
            return await connections.find_pin(unit)

    async def wanted(self, name: str, provider: str) -> str | None:
        async with self.database.unit(self.people[name]) as unit:
            found = await connections.find_connection(unit, provider)
            return found.desired if found is not None else None

    async def say(self, name: str, text: str = "oi", **more: Any) -> str:
        async with self.database.unit(self.people[name]) as unit:
            accepted = await queue_message(unit, now=self.clock.now(), text=text, **({"to": BIA} | more))
            return accepted.queued.message_id

    async def arrives(self, name: str, status: str = "delivered") -> None:
        """What the test of the new connection came to, as a webhook tells it."""
        await self.rows(
            name,
            "WITH o AS (UPDATE outbox SET state = 'server_ack', settled_at = now(), may_have_left = true"
            " WHERE message_id IN (SELECT test_message FROM move_people) RETURNING message_id)"
            " UPDATE whatsapp_messages SET status = %(status)s::message_status"
            " WHERE provider_message_id IN (SELECT message_id FROM o) RETURNING id",
            status=status,
        )

    async def until(self, plan: Plan, name: str, *states: str) -> None:
        """Steps, with everything well at the other end, until that mentorado stands there."""
        id = self.people[name].mentorado_id
        for _ in range(12):
            person = next(person for person in (await self.look(plan)).people if person.mentorado_id == id)
            if person.state in states:
                return
            if person.state == "connecting":
                await self.stand(name, "zapi", "connected")
            if person.state == "testing":
                await self.arrives(name)
            if person.state in ("settling", "restoring"):
                await self.clock.advance(20)
            await self.job.look()
        raise AssertionError(f"{name} stands at {person.state} ({person.reason})")

    async def audited(self, name: str) -> list[str]:
        rows = await self.rows(name, "SELECT action FROM audit_log WHERE action LIKE 'move.%%' ORDER BY id")
        return [action.removeprefix("move.") for (action,) in rows]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Z-API answers when it is asked, without Z-API; a test may change it."""
    said: dict[str, Any] = {"probed": Probed(phone=OWN)}

    async def probe(credentials: object, settings: object) -> Any:
        return said["probed"]

    monkeypatch.setattr(service, "probe", probe)
    return said


@pytest.fixture
async def house(database: Database, vault: Vault, leases: Leases, answers: dict[str, Any]) -> House:
    clock = ManualClock(datetime.now(UTC))
    made = House(database, vault, clock, MoveJob(database, clock=clock), leases)
    await made.hire("Ana")
    return made
