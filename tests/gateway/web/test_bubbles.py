"""What a thread shows of each kind of message, in both languages; and that what somebody wrote stays a text."""

from __future__ import annotations

import re
from uuid import UUID

import httpx2
import pytest
from tests.gateway.web.gallery import BIA, facts
from tests.gateway.web.test_pages import MARKUP, add

from recado.content import ContactCard, Contacts, Content, GroupInvite, Location, Poll, Reaction, Text
from recado.events import Fact, MessageReceived
from recado.gateway.app import Gateway
from recado.gateway.connections import repository as connections
from recado.gateway.conversations import repository
from recado.gateway.providers.meta.api import read_template
from recado.gateway.providers.meta.repository import save_templates
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal

PICTURE = "media:11111111-1111-4111-8111-111111111111"


async def tell(gateway: Gateway, mentorado: str, *told: Fact) -> dict[str, str]:
    """Record these; the conversations by kind."""
    principal = Principal.runtime(UUID(mentorado))
    async with gateway.database.unit(principal) as unit:
        await record(unit, "baileys", told)
    async with gateway.database.unit(principal) as unit:
        return {one.kind: str(one.id) for one in await repository.list_conversations(unit)}


@pytest.fixture
async def thread(browser: httpx2.AsyncClient, gateway: Gateway) -> tuple[str, dict[str, str]]:
    id = await add(browser, "Clara")
    return id, await tell(gateway, id, *facts(PICTURE, PICTURE, PICTURE))


async def bubbles(browser: httpx2.AsyncClient, mentorado: str, conversation: str) -> dict[str, str]:
    """Each bubble's markup, by the message's id."""
    answer = await browser.get(f"/mentorados/{mentorado}", params={"c": conversation})
    assert answer.status_code == 200
    return {
        found[2]: found[0]
        for found in re.finditer(r'<li id="m-(\d+)" class="bubble[^>]*data-id="(\w+)".*?</li>\s*(?=<li id="m-|</ol>)',
                                 answer.text, re.S)
    }  # fmt: skip


async def test_every_kind_is_shown_for_what_it_is(
    browser: httpx2.AsyncClient, thread: tuple[str, dict[str, str]]
) -> None:
    mentorado, conversations = thread
    shown = await bubbles(browser, mentorado, conversations["person"])
    media = f"/v1/mentorados/{mentorado}/media/11111111-1111-4111-8111-111111111111"
    expected = {
        "K01": [f'<img src="{media}"', "O quadro de ontem", "Forwarded many times", "👍"],
        "K02": [f'<img src="{media}"', "❤️", 'data-status="read"'],
        "K03": [f'<audio class="shown" src="{media}"', "Voice message", "0:07"],
        "K04": [f'<video class="shown" src="{media}"', "A sala", "3.2 MB"],
        "K05": ["contrato.pdf", "180 kB", "application/pdf", 'title="Pinned"'],
        "K07": ["To be viewed once"],
        "K08": ["Praça da Sé", "Centro, São Paulo", "openstreetmap.org/?mlat=-23.55"],
        "K09": ["Live place", "a caminho"],
        "K10": ["Dra. Lia", "+55 00 0000-0009", "Ôtto"],
        "K11": ["Qual dia é melhor?", 'max="1" value="1"', 'max="1" value="0"', "Bia"],
        "K12": ["Aula aberta", "Sala 3", "comes +1"],
        "K13": ["Confirma?", "Sim", "Não"],
        "K14": ["This message was deleted."],
        "K15": ["O material está aqui", "Abrir"],
        "K16": ["Chosen", "Sim"],
        "K17": ["lembrete (pt_BR)", "Ana · quinta"],
        "K18": ["Album: 2 pictures, 1 videos"],
        "K19": ["disappear from the phones after 7 days"],
        "K20": ["Invitation to a group", "Turma de 2027"],
        "K21": ["Product", "Caderno", "39.90 BRL"],
        "K22": ["an order", "2 itens"],
        "K23": ["newThingMessage"],
    }
    missing = {id: [each for each in words if each not in shown[id]] for id, words in expected.items()}
    assert {id: words for id, words in missing.items() if words} == {}
    assert "sexta?" in shown["K00"] and "quinta" not in shown["K00"] and "edited" in shown["K00"]
    assert "Escolha um horário" not in shown["K14"]
    assert [id for id in shown if id.startswith("A")] == []


async def test_in_a_group_each_bubble_says_who_wrote_it(
    browser: httpx2.AsyncClient, thread: tuple[str, dict[str, str]]
) -> None:
    mentorado, conversations = thread
    shown = await bubbles(browser, mentorado, conversations["group"])
    assert (
        '<p class="sender" dir="auto">Bia</p>' in shown["G0"] and '<p class="sender" dir="auto">Caio</p>' in shown["G1"]
    )
    page = await browser.get(f"/mentorados/{mentorado}", params={"c": conversations["group"]})
    assert '<p class="soft" dir="auto">Bia, Caio</p>' in page.text
    alone = await bubbles(browser, mentorado, conversations["person"])
    assert not any('class="sender"' in each for each in alone.values())


async def test_the_kinds_are_named_in_portuguese_too(
    browser: httpx2.AsyncClient, thread: tuple[str, dict[str, str]]
) -> None:
    mentorado, conversations = thread
    await browser.get("/language/pt-BR")
    shown = await bubbles(browser, mentorado, conversations["person"])
    assert "um pedido" in shown["K22"] and "Esta mensagem foi apagada." in shown["K14"] and "editada" in shown["K00"]


async def test_what_a_phone_may_do_with_a_message_the_page_offers_and_no_more(
    browser: httpx2.AsyncClient, thread: tuple[str, dict[str, str]]
) -> None:
    mentorado, conversations = thread
    shown = await bubbles(browser, mentorado, conversations["person"])
    assert 'data-do="revoke"' in shown["K02"] and 'data-do="edit"' not in shown["K02"]  # ours, and no text
    assert 'data-do="react"' in shown["K01"] and 'data-do="revoke"' not in shown["K01"]  # theirs
    assert "data-do" not in shown["K14"]  # deleted


@pytest.mark.parametrize(
    "content",
    [
        Contacts((ContactCard(MARKUP, (MARKUP,)),)),
        Location(1, 2, MARKUP, MARKUP),
        Poll(MARKUP, (MARKUP, "b")),
        GroupInvite("1@g.us", MARKUP, MARKUP, caption=MARKUP),
        Reaction("X0", MARKUP),
    ],
    ids=lambda content: type(content).__name__,
)
async def test_what_somebody_wrote_into_any_kind_stays_a_text(
    browser: httpx2.AsyncClient, gateway: Gateway, content: Content
) -> None:
    id, at = await add(browser, "Clara"), facts(PICTURE, PICTURE, PICTURE)[0].at
    told = [
        MessageReceived(account=BIA, at=at, id=f"X{number}", chat=BIA, sender=BIA, from_me=False, content=each,  # type: ignore[arg-type]
                        sent_at=at)
        for number, each in enumerate((Text("oi"), content))
    ]  # fmt: skip
    conversations = await tell(gateway, id, *told)
    page = (await browser.get(f"/mentorados/{id}", params={"c": conversations["person"]})).text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


async def test_the_start_page_lists_every_road_of_a_mentorado(browser: httpx2.AsyncClient, gateway: Gateway) -> None:
    id = await add(browser, "Clara")
    page = (await browser.get("/")).text
    assert "Meta: " not in page
    async with gateway.database.unit(Principal.runtime(UUID(id))) as unit:
        for road, state in (("meta", "connected"), ("zapi", "failed")):
            await connections.save_desired(unit, road, "disconnected", state=state)
    page = (await browser.get("/")).text
    assert "Meta Cloud API: " in page and "Z-API: " in page and "WhatsApp Web: " not in page


async def test_over_meta_a_new_number_is_offered_the_templates_with_a_field_for_every_value(
    browser: httpx2.AsyncClient, gateway: Gateway
) -> None:
    id = await add(browser, "Clara")
    page = (await browser.get(f"/mentorados/{id}")).text
    assert 'id="new-template"' not in page and '<form id="new-message" class="stack">' in page
    said = {
        "name": "aviso", "language": "pt_BR", "status": "APPROVED",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Olá {{1}}"}, {"type": "BODY", "text": "Até {{1}} às {{2}}"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Ok"},
                                            {"type": "URL", "text": "Ver", "url": "https://example.org/{{1}}"}]},
        ],
    }  # fmt: skip
    template = read_template(said)
    assert template is not None
    async with gateway.database.unit(Principal.runtime(UUID(id))) as unit:
        await connections.save_desired(unit, "meta", "connected", state="connecting")
        await save_templates(unit, [template], now=gateway.clock.now())
    page = (await browser.get(f"/mentorados/{id}")).text
    form = page[page.index('id="new-template"') :]
    assert '<form id="new-message" class="stack" hidden>' in page
    assert 'name="to"' in form and 'data-places="2"' in form and 'data-header="TEXT"' in form
    assert 'data-header-places="1"' in form and "&#34;index&#34;: 1, &#34;kind&#34;: &#34;url&#34;" in form
