"""What lies in the table: nothing that was sent can be read there, though it is kept for resends."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from recado.events import MessageId
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.providers.baileys.backend import PostgresBackend
from recado.gateway.security import Principal
from recado.jid import JID
from recado.store import Store
from recado.store.records import SentMessage

WORDS = b"the spare key is under the third pot"
PEER = JID.phone("550000000002")


async def test_the_plaintext_kept_for_resends_is_sealed_and_kept_long_enough(
    database: Database, vault: Vault, database_url: str, ana: Principal, new_lease: Any
) -> None:
    now = datetime.now(UTC)
    store = Store(PostgresBackend(database, vault, await new_lease(ana)))
    await store.open()
    async with store.transaction() as tx:
        await tx.remember_sent(SentMessage(MessageId("3EB0AA"), PEER, WORDS, now), now + timedelta(days=14))
    async with store.transaction() as tx:
        kept = await tx.sent("3EB0AA")
        assert kept is not None and kept.body == WORDS
    await store.close()
    with psycopg.connect(database_url) as owner:
        ((value, expires_at),) = owner.execute(
            "SELECT value, expires_at FROM baileys_sessions WHERE key = 'sent-3EB0AA'"
        ).fetchall()
        dump = owner.execute("SELECT string_agg(row_to_json(s)::text, '') FROM baileys_sessions s").fetchone()
    assert expires_at >= now + timedelta(days=14)
    assert dump is not None and dump[0]
    for shape in (WORDS, base64.b64encode(WORDS)[:-4], WORDS.hex().encode(), PEER.user.encode()):
        assert shape not in value and shape.decode() not in dump[0]
