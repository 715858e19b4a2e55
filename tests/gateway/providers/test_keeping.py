"""What is kept for providers beside messages: found again, taken away by retention and with a person, sealed anew."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import psycopg
import pytest

from recado.content import Text
from recado.events import MessageId, MessageReceived, MessageSent
from recado.gateway.contacts import repository as contacts
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.db.rotation import Rotation
from recado.gateway.db.vault import Vault
from recado.gateway.providers import hooks, ids, payloads
from recado.gateway.providers.credentials import MetaCredentials, ZapiCredentials, load_credentials, save_credentials
from recado.gateway.refusals import NoCredentials
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.jid import BSUID, JID

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ME, BIA, CAIO = JID.phone("550000000001"), JID.phone("550000000002"), JID.phone("550000000003")
BIA_ID = JID("BR.15020000000001", BSUID)
META = MetaCredentials("1066", "2077", "EAAtoken-of-meta", app_secret="app")


def wamid(person: JID, mark: bytes, before: int) -> str:
    """An id as Meta makes them: with the number inside."""
    return "wamid." + b64encode(b"\x1d" * before + b"\x0c" + person.user.encode() + b"\x15\x02" + mark * 8).decode()


def received(id: str, chat: JID = BIA) -> MessageReceived:
    return MessageReceived(
        account=ME, at=NOW, id=MessageId(id), chat=chat, sender=chat, from_me=False, content=Text("oi"), sent_at=NOW
    )


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_with_a_person_go_the_bodies_that_name_them_and_ids_made_of_their_number(
    database: Database, vault: Vault, database_url: str, ana: Principal, before: int
) -> None:
    theirs, ours, other = wamid(BIA, b"a", before), wamid(BIA, b"b", before), wamid(CAIO, b"c", before)
    sent = MessageSent(account=ME, at=NOW, id=MessageId("3EB01"), chat=BIA, content=Text("olá"), sent_at=NOW)
    async with database.unit(ana) as unit:
        await record(unit, "meta", [received(theirs), received(other, CAIO), sent])
        await ids.save_external_id(unit, "meta", ours, "3EB01")
        await payloads.add_payload(unit, vault, "meta", b"{}", people=[BIA, BIA_ID, CAIO], now=NOW)
        kept = await payloads.add_payload(unit, vault, "meta", b"[]", people=[CAIO], now=NOW)
    async with database.unit(ana) as unit:
        (bia,) = [each for each in await contacts.list_contacts(unit) if each.phone == BIA.user]
        erasure = await contacts.erase_contact(unit, bia.id, reason="asked for")
        left = [payload.id for payload in await payloads.list_payloads(unit, vault, "meta")]
        assert await ids.find_external_id(unit, "meta", other) == other
    assert erasure.remaining == 0 and left == [kept]
    with psycopg.connect(database_url) as owner:
        for table in ("whatsapp_messages", "events", "provider_message_ids", "message_steps"):
            text = str(owner.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t").fetchone())  # type: ignore[arg-type]
            assert theirs not in text and ours not in text and BIA.user not in text


async def test_ids_are_found_both_ways_with_the_chat_they_went_to(database: Database, ana: Principal) -> None:
    sent = MessageSent(account=ME, at=NOW, id=MessageId("3EB01"), chat=BIA, content=Text("olá"), sent_at=NOW)
    async with database.unit(ana) as unit:
        await record(unit, "meta", [sent, received("wamid.in")])
        for _ in range(2):
            await ids.save_external_id(unit, "meta", "wamid.out", "3EB01")
    async with database.unit(ana) as unit:
        assert await ids.find_message_ids(unit, "meta", ["wamid.out", "wamid.no"]) == {"wamid.out": "3EB01"}
        assert (await ids.find_sent(unit, "meta", ["wamid.out"]))["wamid.out"].chat == BIA
        assert await ids.find_external_id(unit, "meta", "3EB01") == "wamid.out"
        assert await ids.find_external_id(unit, "meta", "wamid.in") == "wamid.in"
        assert await ids.find_external_id(unit, "zapi", "3EB01") is None


async def test_a_change_of_keys_leaves_everything_readable(database: Database, vault: Vault, ana: Principal) -> None:
    async with database.unit(ana) as unit:
        await save_credentials(unit, vault, META)
        hook = await hooks.make_hook(unit, vault, "meta")
        await payloads.add_payload(unit, vault, "meta", b"{}", people=[BIA], now=NOW, is_unknown=True)
    assert ana.mentorado_id is not None
    changed = await Rotation(database, vault).rotate(ana.mentorado_id)
    assert changed.values == 3
    async with database.unit(ana) as unit:
        assert await load_credentials(unit, vault, MetaCredentials) == META
        assert await hooks.show_hook(unit, vault, "meta") == hook
        assert [each.body for each in await payloads.list_payloads(unit, vault, "meta", only_unknown=True)] == [b"{}"]
        with pytest.raises(NoCredentials):
            await load_credentials(unit, vault, ZapiCredentials)
    async with database.unit(Principal.worker()) as unit:
        assert await hooks.find_hook(unit, "meta", hook) == ana.mentorado_id
        assert await hooks.find_hook(unit, "zapi", hook) is None
        assert await hooks.find_hook(unit, "meta", hook + "x") is None


async def test_bodies_go_with_the_other_raw_bytes(database: Database, vault: Vault, ana: Principal) -> None:
    async with database.unit(ana) as unit:
        await payloads.add_payload(unit, vault, "meta", b"{}", people=[], now=NOW)
        forgotten = await unit.value(Query("forget", b"SELECT forget_payloads('2026-11-03', 10)"))
        assert (forgotten, await payloads.list_payloads(unit, vault, "meta")) == (1, [])
