"""Requests to Z-API and its answers: the documented bodies, and what its refusals mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.content import (
    Button,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    LinkButton,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    Reaction,
    Template,
    Text,
    content_kind,
)
from recado.gateway.providers.roads import ROADS, ZAPI
from recado.gateway.providers.zapi import wire
from recado.gateway.providers.zapi.addresses import read_address, write_address
from recado.gateway.providers.zapi.errors import Meaning, read_refusal
from recado.gateway.providers.zapi.wire import Standing, Taken, Unsendable, build_send
from recado.jid import GROUP, JID, LID

BETO = JID.phone("550000000002")
FILE = "https://files.example.org/1"
PAGE = b"<html><head><title>502 Bad Gateway</title></head></html>"

SENDS: list[tuple[Content, str, dict[str, Any]]] = [
    (Text("oi"), "send-text", {"message": "oi"}),
    (Media(MediaKind.IMAGE, FILE, caption="veja"), "send-image", {"image": FILE, "caption": "veja"}),
    (Media(MediaKind.VIDEO, FILE), "send-video", {"video": FILE}),
    (Media(MediaKind.STICKER, FILE), "send-sticker", {"sticker": FILE}),
    (Media(MediaKind.AUDIO, FILE, is_voice=True), "send-audio", {"audio": FILE, "waveform": True}),
    (
        Media(MediaKind.DOCUMENT, FILE, "application/pdf", caption="leia", file_name="a.b.PDF"),
        "send-document/pdf",
        {"document": FILE, "fileName": "a.b.PDF", "caption": "leia"},
    ),
    (
        Media(MediaKind.DOCUMENT, FILE, "application/pdf"),
        "send-document/pdf",
        {"document": FILE, "fileName": "document"},
    ),
    (
        Location(-23.5, -46.6, "Sé", "Praça"),
        "send-location",
        {"title": "Sé", "address": "Praça", "latitude": "-23.5", "longitude": "-46.6"},
    ),
    (
        Location(-23.5, -46.6),
        "send-location",
        {"title": "-23.5, -46.6", "address": "-23.5, -46.6", "latitude": "-23.5", "longitude": "-46.6"},
    ),
    (
        Contacts((ContactCard("Ana", ("+55 0000-0003",)),)),
        "send-contact",
        {"contactName": "Ana", "contactPhone": "5500000003"},
    ),
    (
        Contacts((ContactCard("Ana", ("1", "2")), ContactCard("Bia", ("3",)))),
        "send-contacts",
        {"contacts": [{"name": "Ana", "phones": ["1", "2"]}, {"name": "Bia", "phones": ["3"]}]},
    ),
    (Reaction("3EB0", "❤️"), "send-reaction", {"reaction": "❤️", "messageId": "3EB0"}),
    (Reaction("3EB0", ""), "send-remove-reaction", {"messageId": "3EB0"}),
    (
        Buttons("Qual?", (Button("1", "Este"),), header="H", footer="f"),
        "send-button-list",
        {"message": "*H*\n\nQual?\n\nf", "buttonList": {"buttons": [{"id": "1", "label": "Este"}]}},
    ),
    (
        OptionList("Qual?", "Abrir", (OptionSection("Todos", (Option("1", "Um", "d"), Option("2", "Dois"))),)),
        "send-option-list",
        {
            "message": "Qual?",
            "optionList": {
                "title": "Todos",
                "buttonLabel": "Abrir",
                "options": [
                    {"id": "1", "title": "Um", "description": "d"},
                    {"id": "2", "title": "Dois", "description": ""},
                ],
            },
        },
    ),
    (
        OptionList(
            "?", "Abrir", (OptionSection("A", (Option("1", "Um"),)), OptionSection("B", (Option("2", "Dois"),)))
        ),
        "send-option-list",
        {
            "message": "?",
            "optionList": {
                "title": "Abrir",
                "buttonLabel": "Abrir",
                "options": [
                    {"id": "1", "title": "Um", "description": "A"},
                    {"id": "2", "title": "Dois", "description": "B"},
                ],
            },
        },
    ),
    (
        LinkButton("Veja", "Abrir", "https://example.org/x"),
        "send-link",
        {
            "message": "Veja\nhttps://example.org/x",
            "image": "https://example.org/x",
            "linkUrl": "https://example.org/x",
            "title": "Abrir",
            "linkDescription": "Abrir",
        },
    ),
]


@pytest.mark.parametrize(("content", "path", "body"), SENDS)
def test_a_message_is_one_request(content: Content, path: str, body: dict[str, Any]) -> None:
    request = build_send(BETO, content)
    assert (request.method, request.path) == ("POST", path)
    assert request.body == {"phone": "550000000002", **body}


def test_every_kind_the_road_carries_has_a_request() -> None:
    assert {content_kind(content) for content, _, _ in SENDS} == ROADS[ZAPI].sends


def test_a_quote_is_a_message_id_and_a_reaction_keeps_its_own() -> None:
    assert (build_send(BETO, Text("oi"), answers="Q").body or {})["messageId"] == "Q"
    assert (build_send(BETO, Reaction("3EB0", "x"), answers="Q").body or {})["messageId"] == "3EB0"


@pytest.mark.parametrize(("asked", "shown"), [(0, None), (3, 3), (60, 15)])
def test_typing_is_shown_for_as_long_as_it_may_be(asked: int, shown: int | None) -> None:
    assert (build_send(BETO, Text("oi"), typing=asked).body or {}).get("delayTyping") == shown


def test_a_file_goes_as_what_it_was_resolved_to() -> None:
    request = build_send(BETO, Media(MediaKind.IMAGE, "media:1"), file="data:image/png;base64,AA==")
    assert request.body == {"phone": "550000000002", "image": "data:image/png;base64,AA=="}


@pytest.mark.parametrize(
    ("chat", "content"),
    [
        (BETO, Template("x", "pt_BR")),
        (BETO, Choice("1", "Um")),
        (BETO, Media(MediaKind.IMAGE, "media:1")),
        (BETO, Media(MediaKind.IMAGE, "file:///etc/passwd")),
        (BETO, Contacts(())),
        (BETO, Contacts((ContactCard("Ana", ("none",)),))),
        (JID("BR.1502", "bsuid"), Text("oi")),
        (JID("1", "newsletter"), Text("oi")),
    ],
)
def test_what_has_no_request_is_said_so(chat: JID, content: Content) -> None:
    with pytest.raises(Unsendable):
        build_send(chat, content)


@pytest.mark.parametrize(
    "jid", [BETO, JID("81896604192873", LID), JID("120363019502650977", GROUP), JID("550000000001-1623281429", GROUP)]
)
def test_an_address_is_read_as_it_was_written(jid: JID) -> None:
    assert read_address(write_address(jid)) == jid


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = read_address(text)
    assert found is None or (found.user and found.server)


def test_no_request_and_no_answer_shows_a_word_or_a_number() -> None:
    shown = repr([build_send(BETO, Text("segredo")), wire.set_callbacks("https://example.org/secret")])
    assert not any(secret in shown for secret in ("segredo", BETO.user, "example.org"))


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, b'{"error": "You are not connected."}', Meaning.NOT_CONNECTED),
        (200, b'{"error": "You need to restore the session."}', Meaning.NOT_CONNECTED),
        (400, b'{"error": "null not allowed"}', Meaning.CREDENTIALS),
        (403, b'{"error": "null not allowed"}', Meaning.CREDENTIALS),
        (403, b'{"error": "Client-Token X not allowed"}', Meaning.CREDENTIALS),
        (401, b'{"error": "Unauthorized"}', Meaning.CREDENTIALS),
        (401, PAGE, Meaning.CREDENTIALS),
        (404, b'{"error": "Instance not found"}', Meaning.CREDENTIALS),
        (404, PAGE, Meaning.CREDENTIALS),
        (302, b"", Meaning.CREDENTIALS),
        (404, b'{"error": "NOT_FOUND", "message": "Unable to find"}', Meaning.REFUSED),
        (405, b'{"error": "Method Not Allowed"}', Meaning.REFUSED),
        (415, b"", Meaning.REFUSED),
        (400, b'{"error": "Invalid phone"}', Meaning.REFUSED),
        (413, b"", Meaning.TOO_LARGE),
        (429, b"", Meaning.BUSY),
        (400, b'{"error": "The queue is full"}', Meaning.BUSY),
        (502, PAGE, Meaning.UNCLEAR),
        (503, b'{"error": "You are not connected."}', Meaning.UNCLEAR),
        (500, b'{"error": "x"}', Meaning.UNCLEAR),
        (408, b"", Meaning.UNCLEAR),
        (200, b"<!doctype html><p>ok", Meaning.UNCLEAR),
        (200, b"{}", Meaning.UNCLEAR),
        (200, b'{"error": "Something"}', Meaning.REFUSED),
    ],
)
def test_a_refusal_says_who_can_act(status: int, body: bytes, meaning: Meaning) -> None:
    assert read_refusal(status, body).meaning is meaning


@given(st.integers(100, 599), st.binary(max_size=100))
def test_any_answer_has_a_meaning_and_none_of_the_gateways_is_sure(status: int, body: bytes) -> None:
    found = read_refusal(status, body)
    assert (status < 500) or found.meaning is Meaning.UNCLEAR
    assert body.decode(errors="replace") not in repr(found) or len(body) < 4


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ({"zaapId": "Z", "messageId": "M", "id": "M"}, Taken("M", "Z")),
        ({"id": "M"}, Taken("M", None)),
        ({"zaapId": "Z"}, Taken(None, "Z")),
        ({"messageId": 7}, None),
        ({"value": True}, None),
        ({}, None),
    ],
)
def test_what_was_taken_has_an_id(answer: dict[str, Any], taken: Taken | None) -> None:
    assert wire.read_taken(answer) == taken


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        ({"connected": True, "error": "You are already connected.", "smartphoneConnected": True}, Standing(True)),
        ({"connected": False, "error": "You need to restore the session."}, Standing(False, True)),
        ({"connected": False, "error": "You are not connected."}, Standing(False, False)),
        ({"connected": "yes"}, None),
        ({}, None),
    ],
)
def test_where_an_instance_stands(answer: dict[str, Any], standing: Standing | None) -> None:
    assert wire.read_standing(answer) == standing


@given(st.binary(max_size=200))
def test_any_body_is_an_object_or_none(body: bytes) -> None:
    found = wire.read_object(body)
    assert found is None or isinstance(found, dict)
