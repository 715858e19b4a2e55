"""What the API refuses: shapes, lengths and counts, each with Graph's code; and what just fits."""

from __future__ import annotations

from typing import Any

import pytest

from recado.emulator.meta.errors import KINDS, GraphError
from recado.emulator.meta.messages import parse


def asked(type: str = "text", **content: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": "5511955550101", "type": type, **content}


def text(body: object) -> dict[str, Any]:
    return asked(text={"body": body})


def buttons(*titles: str, body: str = "b", **more: Any) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": f"i{place}", "title": title}} for place, title in enumerate(titles)]
    return interactive("button", {"buttons": replies}, body=body, **more)


def rows(count: int, **more: Any) -> dict[str, Any]:
    listed = [{"id": str(place), "title": f"t{place}"} for place in range(count)]
    return interactive("list", {"button": "Ver", "sections": [{"rows": listed}]}, **more)


def interactive(form: str, action: dict[str, Any], body: str = "b", **more: Any) -> dict[str, Any]:
    return asked("interactive", interactive={"type": form, "action": action, "body": {"text": body}, **more})


URL = {"name": "cta_url", "parameters": {"display_text": "Abrir", "url": "https://example.com"}}
FLOW = {"name": "flow", "parameters": {"flow_id": "1", "flow_cta": "Abrir"}}

FITS = [
    text("x" * 4096),
    asked("image", image={"link": "https://example.com/a", "caption": "c" * 1024}),
    asked("document", document={"id": "1", "filename": "a.pdf"}),
    buttons("a", "b", "t" * 20, body="b" * 1024, footer={"text": "f" * 60}, header={"type": "text", "text": "h" * 60}),
    buttons("a", header={"type": "image", "image": {"id": "1"}}),
    rows(10, body="b" * 4096),
    interactive("cta_url", URL),
    interactive("flow", FLOW),
    interactive("location_request_message", {"name": "send_location"}),
    asked("location", location={"latitude": -23.5, "longitude": "-46.6"}),
    asked("contacts", contacts=[{"name": {"formatted_name": "Beto", "first_name": "Beto"}}]),
    asked("reaction", reaction={"message_id": "wamid.x", "emoji": "👍"}),
    asked("reaction", reaction={"message_id": "wamid.x", "emoji": ""}),
    asked("template", template={"name": "a", "language": {"code": "pt_BR"}}),
    {**text("a"), "context": {"message_id": "wamid.x"}, "biz_opaque_callback_data": "o" * 512},
    {"messaging_product": "whatsapp", "recipient": "BR.1234567890", "text": {"body": "a"}},
    {"messaging_product": "whatsapp", "to": "+55 (11) 95555-0101", "text": {"body": "a"}},
]

REFUSED = [
    ({"to": "5511955550101", "text": {"body": "a"}}, 100),
    ({"messaging_product": "whatsapp", "text": {"body": "a"}}, 100),
    ({**text("a"), "to": "ana"}, 100),
    ({**text("a"), "to": 5511955550101}, 100),
    ({**text("a"), "recipient_type": "group"}, 131009),
    ({"messaging_product": "whatsapp", "recipient": "5511955550101", "text": {"body": "a"}}, 100),
    ({**text("a"), "type": "hologram"}, 100),
    (asked("image", text={"body": "a"}), 131008),
    (asked(text="a"), 100),
    (asked(text={}), 131008),
    (text(""), 100),
    (text(7), 100),
    (text("x" * 4097), 100),
    ({**text("a"), "context": {}}, 100),
    ({**text("a"), "biz_opaque_callback_data": "o" * 513}, 100),
    (asked("image", image={}), 131009),
    (asked("image", image={"id": "1", "link": "https://example.com/a"}), 131009),
    (asked("image", image={"link": "file:///a"}), 131009),
    (asked("image", image={"id": "1", "caption": "c" * 1025}), 100),
    (asked("audio", audio={"id": "1", "caption": "c"}), 100),
    (asked("image", image={"id": "1", "filename": "a"}), 100),
    (buttons("a", "b", "c", "d"), 131009),
    (buttons(), 131009),
    (buttons("t" * 21), 100),
    (buttons("a", "a"), 131009),
    (buttons("a", body="b" * 1025), 100),
    (buttons("a", body=""), 100),
    (buttons("a", footer={"text": "f" * 61}), 100),
    (buttons("a", header={"type": "text", "text": "h" * 61}), 100),
    (buttons("a", header={"type": "audio"}), 131009),
    (rows(11), 131009),
    (rows(1, header={"type": "image", "image": {"id": "1"}}), 131009),
    (interactive("list", {"button": "b" * 21, "sections": [{"rows": [{"id": "1", "title": "t"}]}]}), 100),
    (interactive("list", {"button": "b", "sections": [{"rows": [{"id": "1", "title": "t" * 25}]}]}), 100),
    (interactive("list", {"button": "b", "sections": [{"rows": [{"id": "1", "title": "t"}]}] * 2}), 131008),
    (interactive("wheel", {}), 131009),
    (interactive("cta_url", {**URL, "name": "url"}), 131009),
    (interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "a", "url": "ftp://a"}}), 131009),
    (interactive("flow", {"name": "flow", "parameters": {"flow_cta": "a"}}), 131008),
    (asked("location", location={"latitude": 91, "longitude": 0}), 131009),
    (asked("location", location={"latitude": 1}), 131008),
    (asked("location", location={"latitude": "x", "longitude": 0}), 131009),
    (asked("contacts", contacts=[]), 131009),
    (asked("contacts", contacts=[{"name": {}}]), 131008),
    (asked("reaction", reaction={"message_id": "x", "emoji": "no"}), 131009),
    (asked("reaction", reaction={"emoji": "👍"}), 131008),
    (asked("template", template={"name": "a"}), 131008),
]


@pytest.mark.parametrize("body", FITS, ids=[f"{place}-{each.get('type', 'text')}" for place, each in enumerate(FITS)])
def test_what_fits(body: dict[str, Any]) -> None:
    parse(body)


@pytest.mark.parametrize("body, code", REFUSED, ids=[f"{place}-{code}" for place, (_, code) in enumerate(REFUSED)])
def test_what_does_not(body: dict[str, Any], code: int) -> None:
    with pytest.raises(GraphError) as refused:
        parse(body)
    assert refused.value.code == code


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_error_has_graphs_shape(code: int) -> None:
    error = GraphError(code)
    said = error.body("trace")["error"]
    assert (said["code"], said["fbtrace_id"], said["type"]) == (code, "trace", "OAuthException")
    assert 400 <= error.status <= 599 and said["message"]
    if 130000 <= code < 140000:
        assert said["error_data"] == {"messaging_product": "whatsapp", "details": KINDS[code].details}
