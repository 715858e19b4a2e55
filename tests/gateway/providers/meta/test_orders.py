"""Any order, any batch, any duplication of what webhooks tell comes to the same rows in the database."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.gateway.conftest import NewMentorado
from tests.gateway.providers.meta.bodies import ANA, ANA_ID, PHONE, body, contact, message, status, value

from recado.clock import SystemClock
from recado.gateway.connections import repository as connections
from recado.gateway.conversations.service import open_conversation
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.vault import Vault
from recado.gateway.providers.ids import save_external_id
from recado.gateway.providers.meta.intake import Delivery, take
from recado.gateway.providers.meta.items import Malformed
from recado.gateway.providers.meta.webhook import parse
from recado.gateway.security import Principal
from recado.jid import JID

BIA, BIA_ID = "5511955550102", "BR.1502576394655899"
OURS = ("OURS1", "OURS2", "OURS3", "OURS4", "OURS5")


def _told() -> list[tuple[str, dict[str, Any]]]:
    """Changes that are whole by themselves: two people by number, id or both, and five messages of ours."""

    def from_ana(*, by: str, **more: Any) -> dict[str, Any]:
        phone, user_id = (ANA if by != "id" else None), (ANA_ID if by != "number" else None)
        return value(messages=[message(phone=phone, user_id=user_id, **more)], contacts=[contact(phone, user_id)])

    def of(number: int, word: str, at: int, **more: Any) -> dict[str, Any]:
        said = status(
            f"wamid.O{number}", word, at=1_790_000_000 + at, biz_opaque_callback_data=OURS[number - 1], **more
        )
        return value(statuses=[said])

    failed = {"errors": [{"code": 131026}]}
    echo = {
        "from": PHONE,
        "to": BIA,
        "id": "wamid.E",
        "timestamp": "1790000007",
        "type": "text",
        "text": {"body": "eu"},
    }
    changes = [
        from_ana(id="wamid.1", by="both", at=1_790_000_001),
        from_ana(id="wamid.2", by="number", at=1_790_000_002),
        from_ana(id="wamid.3", by="id", at=1_790_000_003),
        from_ana(id="wamid.4", by="id", kind="reaction", body={"message_id": "wamid.O1", "emoji": "👍"}),
        from_ana(id="wamid.5", by="both", at=1_790_000_005, context={"id": "wamid.O2", "from": PHONE}),
        value(messages=[message("wamid.6", phone=BIA, user_id=BIA_ID)], contacts=[contact(BIA, BIA_ID, "Bia")]),
        value(messages=[message("wamid.7", "hologram", {"a": 1}, phone=BIA, user_id=BIA_ID)]),
        of(1, "sent", 1), of(1, "delivered", 2), of(1, "read", 3),
        of(2, "sent", 1), of(2, "failed", 2, **failed),
        of(3, "failed", 1, **failed), of(3, "delivered", 2),
        of(4, "sent", 1),
        of(5, "read", 3),
    ]  # fmt: skip
    return [("messages", change) for change in changes] + [("smb_message_echoes", value(message_echoes=[echo]))]


async def _queue(database: Database, who: Principal) -> None:
    """Five messages of ours on the wire: of each nobody knows yet whether it arrived."""
    async with database.unit(who) as unit:
        await connections.save_desired(unit, "meta", "connected", state="connected")
        conversation = await open_conversation(unit, JID.phone(ANA))
        for number, id in enumerate(OURS, 1):
            for sql in (
                "INSERT INTO outbox (conversation_id, provider, chat, message_id, content, origin, due_at, state)"
                ' VALUES (%(c)s, \'meta\', %(chat)s, %(id)s, \'{"type": "text", "body": "t"}\', \'person\', now(),'
                " %(state)s::message_status)",
                "INSERT INTO whatsapp_messages (conversation_id, provider, provider_message_id, direction,"
                " content_type, text, status, source, sent_at)"
                " VALUES (%(c)s, 'meta', %(id)s, 'out', 'text', 't', %(state)s::message_status, 'live', now())",
            ):
                state = "server_ack" if number == 2 else "unknown" if number == 4 else "on_wire"
                chat = f"{ANA}@s.whatsapp.net"
                await unit.run(Query("of a test", sql.encode()), c=conversation, chat=chat, id=id, state=state)
            await save_external_id(unit, "meta", f"wamid.O{number}", id)


async def _rows(database: Database, who: Principal) -> list[list[tuple[Any, ...]]]:
    """Everything people look at, without the ids that are thrown."""
    queries = (
        "SELECT m.provider_message_id, m.direction, m.content_type, m.text, m.status::text, m.failure, m.source,"
        " m.quoted_message_id, p.phone, p.bsuid, CASE WHEN m.direction = 'in' THEN m.sent_at END"
        " FROM whatsapp_messages m JOIN conversations c ON c.id = m.conversation_id"
        " JOIN whatsapp_contacts p ON p.id = c.contact_id ORDER BY 1",
        "SELECT phone, bsuid, push_name FROM whatsapp_contacts ORDER BY 1",
        "SELECT p.phone, c.unread_count FROM conversations c JOIN whatsapp_contacts p ON p.id = c.contact_id"
        " ORDER BY 1",
        "SELECT message_id, state::text FROM outbox ORDER BY 1",
        "SELECT external_id, message_id FROM provider_message_ids ORDER BY 1",
        "SELECT kind, count(*) FROM events WHERE kind IN ('message.received', 'unknown.received')"
        " GROUP BY 1 ORDER BY 1",
    )
    async with database.unit(who) as unit:
        return [await unit.tuples(Query("of a test", sql.encode())) for sql in queries]


async def _tell(database: Database, vault: Vault, who: Principal, changes: list[tuple[str, Any]]) -> None:
    """One body with all of these."""
    by_field: dict[str, list[Any]] = {}
    for field, change in changes:
        by_field.setdefault(field, []).append(change)
    for field, values in by_field.items():
        said = body(*values, field=field)
        parts = parse(said)
        assert not isinstance(parts, Malformed)
        items = tuple(item for part in parts for item in part.items)
        async with database.unit(who) as unit:
            await take(unit, vault, [Delivery(said, PHONE, items)], now=SystemClock().now())


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_any_batch_any_duplication_is_the_same_rows(
    database: Database, vault: Vault, new_mentorado: NewMentorado, seed: int
) -> None:
    dice = random.Random(seed)
    first, other = await new_mentorado("in order"), await new_mentorado("in disorder")
    told = _told()
    for who in (first, other):
        await _queue(database, who)
    for change in told:
        await _tell(database, vault, first, [change])
    again = [*told, *dice.choices(told, k=12)]
    dice.shuffle(again)
    while again:
        size = dice.randint(1, 6)
        batch, again = again[:size], again[size:]
        await _tell(database, vault, other, batch)
    in_order = await _rows(database, first)
    assert await _rows(database, other) == in_order
    states = {id: status for id, direction, _, _, status, *_ in in_order[0] if direction == "out"}
    assert [states[id] for id in OURS] == ["read", "failed", "delivered", "server_ack", "read"]
    assert in_order[1] == [(ANA, ANA_ID, "Ana"), (BIA, BIA_ID, "Bia")]
