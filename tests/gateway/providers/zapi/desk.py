"""One mentorado's rows at Z-API, without HTTP: callbacks told, messages queued and tried as the outbox does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from tests.gateway.providers.zapi.bodies import AT, BETO, CLARA, written

from recado.content import Content, Text, content_kind, content_text
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import repository
from recado.gateway.conversations.service import open_conversation
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.vault import Vault
from recado.gateway.providers import ids
from recado.gateway.providers.roads import ZAPI
from recado.gateway.providers.zapi import recording
from recado.gateway.providers.zapi.recording import Taken
from recado.gateway.providers.zapi.webhook import Callback, read_callback
from recado.gateway.security import Principal
from recado.jid import JID
from recado.store.facts import content_to_json

TRIED_AT = AT - timedelta(seconds=40)


def _query(text: str) -> Query:
    return Query("test", text.encode())


class Desk:
    """Clara's account at Z-API."""

    def __init__(self, database: Database, vault: Vault, principal: Principal) -> None:
        self.database, self.vault, self.principal = database, vault, principal

    async def link(self, phone: str = CLARA) -> None:
        async with self.database.unit(self.principal) as unit:
            await connections.save_desired(unit, ZAPI, "connected", state="connected")
            await connections.save_account(unit, ZAPI, phone=phone, lid=None)

    async def tell(self, *bodies: dict[str, Any], at: datetime = AT) -> list[Taken]:
        """Each body in a unit of its own."""
        return [(await self.tell_together(body, at=at))[0] for body in bodies]

    async def tell_together(self, *bodies: dict[str, Any], at: datetime = AT) -> list[Taken]:
        """All bodies in one unit."""
        while True:
            try:
                async with self.database.unit(self.principal) as unit:
                    taken = []
                    for body in bodies:
                        callback = read_callback(written(body), at=at)
                        assert isinstance(callback, Callback)
                        taken.append(await recording.take(unit, self.vault, callback, written(body), now=at))
                    return taken
            except Collided:
                continue

    async def tried(
        self,
        content: Content | str,
        id: str,
        *,
        to: str = BETO,
        state: str = "unknown",
        at: datetime = TRIED_AT,
        named: str | None = None,
    ) -> None:
        """A message that was claimed and sent, and of which this is known by now."""
        said = Text(content) if isinstance(content, str) else content
        chat = JID.parse(to) if "@" in to else JID.phone(to)
        async with self.database.unit(self.principal) as unit:
            conversation = await open_conversation(unit, chat)
            await unit.run(
                _query(
                    "INSERT INTO outbox (conversation_id, provider, chat, message_id, content, state, may_have_left,"
                    " settled_at) VALUES (%(conversation)s, 'zapi', %(chat)s, %(id)s, %(content)s,"
                    " %(state)s::text::message_status, true,"
                    " CASE WHEN %(state)s::text <> 'on_wire' THEN now() END)"
                ),
                conversation=conversation,
                chat=str(chat),
                id=id,
                content=Jsonb(content_to_json(said)),
                state=state,
            )
            await unit.run(
                _query(
                    "INSERT INTO whatsapp_messages (conversation_id, provider, provider_message_id, direction,"
                    " content_type, text, status, source, sent_at) VALUES (%(conversation)s, 'zapi', %(id)s, 'out',"
                    " %(kind)s, %(text)s, %(state)s::message_status, 'live', %(at)s)"
                ),
                conversation=conversation,
                id=id,
                kind=content_kind(said),
                text=content_text(said),
                state=state,
                at=at,
            )
            await unit.run(
                _query("INSERT INTO message_steps (message_id, at, step) VALUES (%(id)s, %(at)s, 'claimed')"),
                id=id,
                at=at,
            )
            if named is not None:
                await ids.save_external_id(unit, ZAPI, named, id)

    async def messages(self) -> list[tuple[str, str, str | None, str | None]]:
        """(id, direction, text, status) of all, by id."""
        return [row[:4] for row in await self.rows()]

    async def rows(self) -> list[tuple[Any, ...]]:
        """Everything people see of messages, in an order of their own; but for how each came."""
        async with self.database.unit(self.principal) as unit:
            return await unit.tuples(
                _query(
                    "SELECT m.provider_message_id, m.direction, m.text, m.status::text, m.content_type,"
                    " m.is_placeholder, m.quoted_message_id, m.sent_at, s.phone, s.lid, s.push_name, p.phone, p.lid,"
                    " c.kind, c.chat, c.unread_count FROM whatsapp_messages m JOIN conversations c"
                    " ON c.id = m.conversation_id LEFT JOIN whatsapp_contacts s ON s.id = m.sender_id"
                    " LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id ORDER BY 1, 2"
                )
            )

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The stream: kinds and bodies."""
        async with self.database.unit(self.principal) as unit:
            return await unit.tuples(_query("SELECT kind, body FROM events ORDER BY seq"))

    async def kinds(self) -> list[str]:
        return [kind for kind, _ in await self.events()]

    async def count(self, table: str, where: str = "true") -> int:
        async with self.database.unit(self.principal) as unit:
            return int(await unit.value(_query(f"SELECT count(*) FROM {table} WHERE {where}")))

    async def outbox(self, id: str) -> str:
        async with self.database.unit(self.principal) as unit:
            return str(await unit.value(_query("SELECT state::text FROM outbox WHERE message_id = %(id)s"), id=id))

    async def conversations(self) -> list[repository.Conversation]:
        async with self.database.unit(self.principal) as unit:
            return await repository.list_conversations(unit)
