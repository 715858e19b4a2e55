"""What a mentorado's database holds of the messages of a run, read as any unit of the gateway reads."""

from __future__ import annotations

from dataclasses import dataclass

from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.security import Principal

_MISSING = Query(
    "missing",
    b"""
    SELECT id FROM unnest(%(came)s::text[]) AS came (id)
    WHERE NOT EXISTS (SELECT FROM whatsapp_messages WHERE provider_message_id = came.id AND NOT is_placeholder)
    UNION ALL
    SELECT id FROM unnest(%(queued)s::text[]) AS queued (id)
    WHERE NOT EXISTS (SELECT FROM outbox WHERE message_id = queued.id AND settled_at IS NOT NULL)
    """,
)
_MESSAGES = Query(
    "messages",
    b"""
    SELECT provider_message_id AS id, text, direction, status::text, is_placeholder FROM whatsapp_messages
    WHERE text = ANY (%(texts)s) OR provider_message_id = ANY (%(ids)s)
    """,
)
_OUTBOX = Query(
    "outbox",
    b"""
    SELECT message_id AS id, content->>'body' AS text, state::text, settled_at IS NOT NULL AS is_settled FROM outbox
    WHERE content->>'body' = ANY (%(texts)s)
    """,
)
_EVENTS = Query(
    "events",
    b"""
    SELECT kind, body->>'id' AS id, body->'content'->>'body' AS text FROM events
    WHERE body->>'id' = ANY (%(ids)s) OR body->'content'->>'body' = ANY (%(texts)s) ORDER BY seq
    """,
)


_TOLD = Query("told", b"SELECT count(*) FROM events WHERE kind = %(kind)s")


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the messages people look at."""

    id: str
    text: str | None
    direction: str
    status: str | None
    is_placeholder: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox."""

    id: str
    text: str
    state: str
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the stream that is about a message."""

    kind: str
    id: str | None
    text: str | None


class Records:
    """The rows of one mentorado; `ids` and `texts` say which messages they are about: either is enough."""

    def __init__(self, database: Database, principal: Principal) -> None:
        self._database = database
        self._principal = principal

    async def missing(self, came: list[str], queued: list[str]) -> list[str]:
        """Of what came, what is not stored; of what was queued, what has no fate yet."""
        async with self._database.unit(self._principal) as unit:
            return [id for (id,) in await unit.tuples(_MISSING, came=came, queued=queued)]

    async def messages(self, ids: list[str], texts: list[str]) -> list[Stored]:
        async with self._database.unit(self._principal) as unit:
            return await unit.all(Stored, _MESSAGES, ids=ids, texts=texts)

    async def outbox(self, texts: list[str]) -> list[Outgoing]:
        async with self._database.unit(self._principal) as unit:
            return await unit.all(Outgoing, _OUTBOX, texts=texts)

    async def told(self, kind: str) -> int:
        """How many events of a kind there are."""
        async with self._database.unit(self._principal) as unit:
            return int(await unit.value(_TOLD, kind=kind))

    async def events(self, ids: list[str], texts: list[str]) -> list[Told]:
        """In the order they are told."""
        async with self._database.unit(self._principal) as unit:
            return await unit.all(Told, _EVENTS, ids=ids, texts=texts)
