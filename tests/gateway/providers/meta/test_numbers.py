"""Over Meta: a number dialled with the ninth digit that the account has not, and numbers that change."""

from __future__ import annotations

import pytest
from tests.gateway.providers.meta.conftest import VERIFY, Desk
from tests.gateway.providers.meta.test_adapter import queue

from recado.content import Template, Text
from recado.emulator.meta.cloud import MetaCloud

DIALLED, REACHED = "5511955550131", "551155550131"
THREADS = "SELECT count(DISTINCT conversation_id) FROM whatsapp_messages"


@pytest.fixture
async def linked(desk: Desk, cloud: MetaCloud) -> Desk:
    cloud.templates.add(desk.number.waba, "oferta", "Olá {{1}}, temos {{2}}")
    await desk.connect()
    await desk.until(lambda: desk.rows("SELECT 1 FROM meta_templates"))
    await cloud.subscribe(desk.url, verify_token=VERIFY)
    return desk


@pytest.mark.parametrize("writes_first", [False, True])
async def test_brazils_ninth_digit_is_one_conversation_whoever_writes_first(
    linked: Desk, cloud: MetaCloud, writes_first: bool
) -> None:
    ana = cloud.person("Ana", DIALLED, wa_id=REACHED)
    if writes_first:
        ana.say("oi")
        await linked.until(lambda: linked.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'oi'"))
    first = await queue(linked, Template("oferta", "pt_BR", ("Ana", "um lugar")), DIALLED)
    await linked.status(first, "delivered")
    ana.say("quero")
    await linked.until(lambda: linked.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'quero'"))
    second = await queue(linked, Text("combinado"), DIALLED)
    await linked.status(second, "delivered")
    ana.read()
    await linked.status(second, "read")
    assert await linked.rows(THREADS) == [(1,)]
    spelt = "SELECT count(*) FROM events WHERE kind = 'contact.changed' AND body ->> 'also' IS NOT NULL"
    assert await linked.rows(spelt) == [(1,)]


async def test_a_changed_number_without_a_user_id_keeps_the_conversation(linked: Desk, cloud: MetaCloud) -> None:
    cloud.rules.user_ids = False
    bia = cloud.person("Bia", "5511955550132")
    bia.say("oi")
    await linked.until(lambda: linked.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'oi'"))
    bia.change_number("5511955550133")
    bia.say("sou eu")
    await linked.until(lambda: linked.rows("SELECT 1 FROM whatsapp_messages WHERE text = 'sou eu'"))
    assert await linked.rows(THREADS) == [(1,)]
    assert await linked.rows("SELECT phone, is_former FROM contact_numbers") == [("5511955550132", True)]
