"""Templates: made, judged, paused; a send fills exactly their parameters, outside the window too."""

from __future__ import annotations

from typing import Any

import pytest

from recado.emulator.meta.cloud import MetaCloud

BODY = [{"type": "BODY", "text": "Oi {{1}}, até {{2}}"}]

IMAGE = {"type": "image", "image": {"link": "https://example.com/i.png"}}


def named(name: str = "aviso", *parameters: object, language: str = "pt_BR", **more: Any) -> dict[str, Any]:
    components = [{"type": "body", "parameters": [{"type": "text", "text": each} for each in parameters]}]
    return {"name": name, "language": {"code": language}, "components": more.get("components", components)}


async def test_made_it_waits_is_approved_and_told_of(cloud: MetaCloud, graph, receiver) -> None:
    waba, ana = graph.number.waba, cloud.person("Ana")
    made = {"name": "aviso", "language": "pt_BR", "category": "UTILITY", "components": BODY}
    status, said = await graph.post(f"{waba.id}/message_templates", **made)
    assert (status, said["status"], said["category"]) == (200, "PENDING", "UTILITY")
    template = cloud.templates.all[said["id"]]
    status, refused = await graph.send(ana.phone, "template", template=named("aviso", "Ana", "já"))
    assert (status, refused["error"]["code"]) == (404, 132001)
    cloud.templates.judge(template, "APPROVED")
    status, sent = await graph.send(ana.phone, "template", template=named("aviso", "Ana", "já"))
    assert status == 200
    assert sent["messages"][0]["message_status"] == "accepted"
    assert ana.messages[-1].text == "Oi Ana, até já"
    await cloud.settled()
    (told,) = receiver.of("message_template_status_update")
    assert (told["event"], told["message_template_id"], told["reason"]) == ("APPROVED", int(template.id), "NONE")
    assert receiver.statuses[0]["pricing"] == {
        "billable": True,
        "pricing_model": "PMP",
        "category": "utility",
        "type": "regular",
    }


@pytest.mark.parametrize("state, code", [("REJECTED", 132001), ("PAUSED", 132015), ("DISABLED", 132016)])
async def test_states_that_cannot_be_sent(cloud: MetaCloud, graph, state, code) -> None:
    cloud.templates.add(graph.number.waba, "aviso", "Oi", state=state)
    _, said = await graph.send(cloud.person("Ana").phone, "template", template=named("aviso"))
    assert said["error"]["code"] == code


@pytest.mark.parametrize(
    "template, code",
    [
        (named("aviso", "Ana"), 132000),
        (named("aviso", "Ana", "já", "mais"), 132000),
        (named("aviso", "Ana", "a\nb"), 132007),
        (named("aviso", "Ana", ""), 131008),
        (named("aviso", "Ana", "x" * 1100), 132005),
        (named("outro", "Ana", "já"), 132001),
        (named("aviso", "Ana", "já", language="en"), 132001),
        (named(components=[{"type": "body", "parameters": [IMAGE, IMAGE]}]), 132012),
        (named(components=[{"type": "body", "parameters": [{"type": "image"}]}]), 131008),
    ],
)
async def test_parameters_that_do_not_fit(cloud: MetaCloud, graph, template, code: int) -> None:
    cloud.templates.add(graph.number.waba, "aviso", BODY[0]["text"])
    ana = cloud.person("Ana")
    _, said = await graph.send(ana.phone, "template", template=template)
    assert said["error"]["code"] == code
    assert ana.messages == []


async def test_names_instead_of_places(cloud: MetaCloud, graph) -> None:
    cloud.templates.add(graph.number.waba, "aviso", "Oi {{nome}}")
    ana = cloud.person("Ana")
    parameter = {"type": "text", "text": "Ana", "parameter_name": "nome"}
    template = named(components=[{"type": "body", "parameters": [parameter]}])
    assert (await graph.send(ana.phone, "template", template=template))[0] == 200
    assert ana.messages[-1].text == "Oi Ana"
    parameter["parameter_name"] = "outro"
    assert (await graph.send(ana.phone, "template", template=template))[1]["error"]["code"] == 132008


async def test_a_header_with_an_image_and_buttons_that_answer(cloud: MetaCloud, graph, receiver) -> None:
    buttons = [{"type": "QUICK_REPLY", "text": "Sim"}, {"type": "URL", "text": "Ver", "url": "https://a.example/{{1}}"}]
    more = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BUTTONS", "buttons": buttons}]
    cloud.templates.add(graph.number.waba, "aviso", "Oi", components=more)
    ana = cloud.person("Ana")
    header = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/i.png"}}]}
    reply = {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"payload": "yes"}]}
    link = {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text", "text": "7"}]}
    for components, code in [([reply, link], 132000), ([header, reply], 132000), ([header, reply, link], None)]:
        status, said = await graph.send(ana.phone, "template", template=named(components=components))
        assert (said["error"]["code"] if status != 200 else None) == code
    shown = ana.messages[-1]
    ana.press(shown.id, "Sim")
    await cloud.settled()
    (pressed,) = receiver.messages
    assert (pressed["type"], pressed["button"]) == ("button", {"payload": "yes", "text": "Sim"})
    assert pressed["context"] == {"from": graph.number.digits, "id": shown.id}


async def test_whoever_stopped_marketing_gets_none(cloud: MetaCloud, graph, receiver) -> None:
    waba, ana = graph.number.waba, cloud.person("Ana")
    cloud.templates.add(waba, "oferta", "Oi", category="MARKETING")
    cloud.templates.add(waba, "aviso", "Oi")
    ana.stop_marketing()
    for name in ("oferta", "aviso"):
        await graph.send(ana.phone, "template", template=named(name))
    await cloud.settled()
    (wish,) = receiver.of("user_preferences")
    assert (wish["user_preferences"][0]["value"], wish["user_preferences"][0]["user_id"]) == ("stop", ana.user_id)
    failed = [each["errors"][0]["code"] for each in receiver.statuses if each["status"] == "failed"]
    assert failed == [131050] and len(ana.messages) == 1
    ana.resume_marketing()
    await graph.send(ana.phone, "template", template=named("oferta"))
    assert len(ana.messages) == 2


async def test_listed_by_pages_and_deleted_by_name(cloud: MetaCloud, graph) -> None:
    waba = graph.number.waba
    for place in range(5):
        cloud.templates.add(waba, f"t{place}", "Oi")
    cloud.templates.add(waba, "t0", "Hi", language="en")
    path = f"{waba.id}/message_templates"
    _, first = await graph.get(path, limit="4")
    _, second = await graph.get(path, limit="4", after=first["paging"]["cursors"]["after"])
    assert [len(first["data"]), len(second["data"])] == [4, 2]
    assert "next" in first["paging"] and "next" not in second["paging"]
    assert [each["name"] for each in (await graph.get(path, language="en"))[1]["data"]] == ["t0"]
    assert await graph.ask("DELETE", path, params={"name": "t0"}) == (200, {"success": True})
    assert "t0" not in [each["name"] for each in (await graph.get(path))[1]["data"]]
    assert (await graph.ask("DELETE", path, params={"name": "t0"}))[0] == 400


@pytest.mark.parametrize(
    "wrong, code",
    [
        ({"name": "Com Espaço"}, 100),
        ({"category": "OTHER"}, 100),
        ({"components": []}, 100),
        ({"components": [{"type": "HEADER"}]}, 100),
        ({"components": [{"type": "BODY", "text": "x" * 1025}]}, 100),
        ({"name": "ja_existe"}, 2388024),
    ],
)
async def test_templates_that_cannot_be_made(cloud: MetaCloud, graph, wrong, code: int) -> None:
    cloud.templates.add(graph.number.waba, "ja_existe", "Oi")
    good = {"name": "aviso", "language": "pt_BR", "category": "UTILITY", "components": BODY}
    status, said = await graph.post(f"{graph.number.waba.id}/message_templates", **{**good, **wrong})
    assert (status, said["error"]["code"]) == (400, code)
