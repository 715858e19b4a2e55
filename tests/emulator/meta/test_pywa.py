"""
A client written by others, unmodified: pywa's sends, uploads and downloads work against the emulated API, and its
webhook handler reads what the emulated API posts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web
from pywa_async import WhatsApp, errors, types
from pywa_async.types import templates

from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.people import File

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@dataclass
class Heard:
    """What pywa's handlers were given."""

    everything: list[Any] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.everything if isinstance(each, kind)]


@pytest.fixture
async def pywa(cloud: MetaCloud) -> AsyncIterator[WhatsApp]:
    """pywa as it comes, pointed at the emulator: it has no public setting for the address."""
    async with httpx.AsyncClient() as session:
        client = WhatsApp(
            phone_id=cloud.number().id,
            waba_id=cloud.number().waba.id,
            token=cloud.token.value,
            session=session,
            server=None,
            verify_token=cloud.world.verify_token,
            app_secret=cloud.world.app_secret,
        )
        session.base_url = httpx.URL(f"{cloud.url}/v26.0")
        yield client


@pytest.fixture
async def heard(cloud: MetaCloud, pywa: WhatsApp) -> AsyncIterator[Heard]:
    """A receiver that only hands over to pywa."""
    hearing = Heard()

    async def hear(_: WhatsApp, update: Any) -> None:
        hearing.everything.append(update)

    for register in (
        pywa.on_message(),
        pywa.on_message_status(),
        pywa.on_callback_button(),
        pywa.on_callback_selection(),
        pywa.on_user_marketing_preferences(),
        pywa.on_template_status_update(),
    ):
        register(hear)

    async def verify(request: web.Request) -> web.Response:
        query = request.query
        text, status = await pywa.webhook_challenge_handler(query["hub.verify_token"], query["hub.challenge"])
        return web.Response(text=text, status=status)

    async def take(request: web.Request) -> web.Response:
        raw = await request.read()
        refused = await pywa.webhook_update_validator(raw, request.headers.get("X-Hub-Signature-256"))
        text, status = refused or await pywa.webhook_update_handler(raw)
        return web.Response(text=text, status=status)

    app = web.Application()
    app.router.add_get("/hook", verify)
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await cloud.subscribe(f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
    try:
        yield hearing
    finally:
        await runner.cleanup()


async def test_it_sends_every_kind_and_they_show(cloud: MetaCloud, pywa: WhatsApp) -> None:
    ana = cloud.person("Ana")
    asked = ana.say("oi")
    sent = await pywa.send_message(ana.phone, "olá", reply_to_message_id=asked.id, tracker="m1")
    assert sent.id == ana.messages[-1].id
    assert (ana.messages[-1].reply_to, ana.messages[-1].opaque) == (asked.id, "m1")
    await pywa.send_message(
        ana.phone, "quer?", buttons=[types.Button("Sim", callback_data="yes"), types.Button("Não", callback_data="no")]
    )
    rows = [types.SectionRow(title="Um", callback_data="1", description="o primeiro")]
    await pywa.send_message(
        ana.phone, "qual?", buttons=types.SectionList("Ver", sections=[types.Section(title="Todos", rows=rows)])
    )
    await pywa.send_message(ana.phone, "site", buttons=types.URLButton(title="Abrir", url="https://example.com"))
    await pywa.send_location(ana.phone, latitude=-23.5, longitude=-46.6, name="Sé")
    await pywa.send_contact(ana.phone, types.Contact(name=types.Contact.Name(formatted_name="Beto", first_name="Beto")))
    await pywa.send_reaction(ana.phone, "👍", message_id=asked.id)
    await pywa.send_image(ana.phone, "https://example.com/a.png", caption="veja")
    kinds = [each.kind for each in ana.messages if not each.from_me]
    assert kinds == ["text", "interactive", "interactive", "interactive", "location", "contacts", "image"]
    assert asked.reactions == {"business": "👍"}


async def test_it_sends_by_user_id(cloud: MetaCloud, pywa: WhatsApp) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    await pywa.send_message(ana.user_id, "olá")
    assert ana.messages[-1].text == "olá"


async def test_it_makes_and_sends_a_template(cloud: MetaCloud, pywa: WhatsApp) -> None:
    ana = cloud.person("Ana")
    made = await pywa.create_template(
        templates.Template(
            name="lembrete",
            category=templates.TemplateCategory.UTILITY,
            language=templates.TemplateLanguage.PORTUGUESE_BR,
            components=[templates.BodyText("Oi {{1}}, sua aula é {{2}}", "Ana", "hoje")],
        )
    )
    language = templates.TemplateLanguage.PORTUGUESE_BR
    params = [templates.BodyText.params("Ana", "amanhã")]
    with pytest.raises(errors.TemplateNotExists):
        await pywa.send_template(ana.phone, "lembrete", language, params)
    cloud.templates.judge(cloud.templates.all[made.id], "APPROVED")
    await pywa.send_template(ana.phone, "lembrete", language, params)
    assert ana.messages[-1].text == "Oi Ana, sua aula é amanhã"
    assert [each.name for each in await pywa.get_templates()] == ["lembrete"]


async def test_it_uploads_and_downloads(cloud: MetaCloud, pywa: WhatsApp, tmp_path) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    media = await pywa.upload_media(PNG, mime_type="image/png", filename="a.png")
    await pywa.send_image(ana.phone, media.id, caption="veja")
    assert ana.messages[-1].content["id"] == media.id
    url = await pywa.get_media_url(media.id)
    assert url.file_size == len(PNG)
    saved = await pywa.download_media(url=url.url, path=tmp_path, filename="a.png")
    assert saved.read_bytes() == PNG


async def test_it_marks_read_types_and_reads_the_number(cloud: MetaCloud, pywa: WhatsApp) -> None:
    ana = cloud.person("Ana")
    asked = ana.say("oi")
    assert await pywa.mark_message_as_read(asked.id)
    assert asked.is_read
    await pywa.indicate_typing(asked.id)
    assert ana.sees_typing()
    number = await pywa.get_business_phone_number()
    assert (number.id, number.display_phone_number) == (cloud.number().id, cloud.number().display)


@pytest.mark.parametrize(
    "code, error",
    [
        (131047, errors.ReEngagementMessage),
        (131056, errors.TooManyMessages),
        (130429, errors.RateLimitHit),
        (131026, errors.MessageUndeliverable),
        (131031, errors.AccountLocked),
        (368, errors.TemporarilyBlocked),
        (190, errors.AuthorizationError),
    ],
)
async def test_it_knows_the_errors(cloud: MetaCloud, pywa: WhatsApp, code: int, error: type[Exception]) -> None:
    cloud.faults.plan(Fault.REFUSE, code=code)
    with pytest.raises(error):
        await pywa.send_message(cloud.person("Ana").phone, "oi")


async def test_its_handlers_read_what_people_do(cloud: MetaCloud, pywa: WhatsApp, heard: Heard) -> None:
    ana = cloud.person("Ana")
    ana.say("oi")
    ana.send_media("image", File(PNG, "image/png", caption="veja"))
    ana.send_location(-23.5, -46.6, name="Sé")
    ana.send_contact("Beto", "5511955550199")
    await pywa.send_message(ana.phone, "quer?", buttons=[types.Button("Sim", callback_data="yes")])
    ana.press(ana.messages[-1].id, "Sim")
    ana.stop_marketing()
    await cloud.settled()
    text, image, place, card = heard.of(types.Message)
    assert (text.text, text.from_user.wa_id, text.from_user.bsuid) == ("oi", ana.wa_id, ana.user_id)
    assert (image.caption, place.location.name, card.contacts[0].name.formatted_name) == ("veja", "Sé", "Beto")
    assert await image.image.get_bytes() == PNG
    (button,) = heard.of(types.CallbackButton)
    assert (button.data, button.title) == ("yes", "Sim")
    (wish,) = heard.of(types.UserMarketingPreferences)
    assert wish.value == types.MarketingPreference.STOP
    assert [each.answers for each in cloud.webhooks.deliveries] == [[200]] * len(cloud.webhooks.deliveries)


async def test_its_handlers_read_statuses_and_people_without_a_phone(
    cloud: MetaCloud, pywa: WhatsApp, heard: Heard
) -> None:
    ana = cloud.person("Ana")
    ana.take_username("ana.b")
    ana.say("oi")
    await pywa.send_message(ana.user_id, "olá", tracker="m1")
    ana.read()
    await cloud.settled()
    (text,) = heard.of(types.Message)
    assert (text.from_user.wa_id, text.from_user.bsuid, text.from_user.username) == (None, ana.user_id, "ana.b")
    assert [(each.status, each.tracker) for each in heard.of(types.MessageStatus)] == [
        (types.MessageStatusType.SENT, "m1"),
        (types.MessageStatusType.DELIVERED, "m1"),
        (types.MessageStatusType.READ, "m1"),
    ]


async def test_its_handler_reads_a_template_that_was_judged(cloud: MetaCloud, pywa: WhatsApp, heard: Heard) -> None:
    template = cloud.templates.add(cloud.number().waba, "aviso", "Oi", state="PENDING")
    cloud.templates.judge(template, "REJECTED", "INVALID_FORMAT")
    await cloud.settled()
    (told,) = heard.everything
    assert (told.template_name, told.new_status.value) == ("aviso", "REJECTED")
