"""Our requests, held against facts of Meta's published description (PROVENANCE.md), and Meta's limits."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recado.content import (
    KINDS,
    WEB_KINDS,
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
    TemplateButton,
    Text,
    Unsupported,
    content_kind,
)
from recado.errors import UsageError
from recado.gateway.providers.meta.wire import OverLimit, build_message, build_read, read_sent
from recado.gateway.providers.roads import META, ROADS
from recado.jid import JID

FACTS_OF = "c7148d5e2aeff32f2effc3d3557795d7eddd07abf8b017c9e40e86bb3312c116"
"""The description they were taken from."""
FACTS: dict[str, Any] = json.loads((Path(__file__).parent / "facts.json").read_text())
ANA = JID("5511955550101", "s.whatsapp.net")
OPTIONS = (Option("a", "A", "first"), Option("b", "B"))
LIST = OptionList("which?", "open", (OptionSection("one", OPTIONS),), "head", "foot")
BUTTONS = Buttons("go?", (Button("y", "yes"), Button("n", "no")), "head", "foot")
LINK = LinkButton("look", "open", "https://example.org/a", "head", "foot")
IMAGE = Media(MediaKind.IMAGE, "https://example.org/a.jpg", "image/jpeg", "me")
TEMPLATE = Template(
    "offer",
    "pt_BR",
    ("Ana", "10"),
    header_media=Media(MediaKind.DOCUMENT, "meta:77", file_name="a.pdf"),
    buttons=(
        TemplateButton(0, "quick_reply", "p"),
        TemplateButton(1, "url", "x"),
        TemplateButton(2, "copy_code", "C1"),
    ),
)
CONTENTS: list[Content] = [
    Text("oi https://example.org"),
    IMAGE,
    replace(IMAGE, kind=MediaKind.VIDEO, reference="meta:5"),
    Media(MediaKind.AUDIO, "meta:6", is_voice=True),
    Media(MediaKind.DOCUMENT, "meta:7", caption="paper", file_name="a.pdf"),
    Media(MediaKind.STICKER, "https://example.org/a.webp"),
    Location(-23.5, -46.6, "SP", "Av. 1"),
    Contacts((ContactCard("Bia", ("+5511955550102",)),)),
    Reaction("wamid.X", "👍"),
    Reaction("wamid.X", ""),
    BUTTONS,
    LIST,
    LINK,
    TEMPLATE,
    Template("hello", "en_US"),
    Template("hi", "en_US", ("a",), header="Ana"),
]


def sent(content: Content, **options: Any) -> dict[str, Any]:
    return build_message(ANA, content, **options)


def test_every_kind_this_road_is_said_to_carry_has_a_builder() -> None:
    assert {content_kind(content) for content in CONTENTS} == ROADS[META].sends == KINDS - WEB_KINDS - {"choice"}


@pytest.mark.parametrize("content", CONTENTS, ids=content_kind)
def test_a_request_has_the_fields_meta_describes_and_no_others(content: Content) -> None:
    message = sent(content, id="OURS", quoting="wamid.Q")
    facts = FACTS["message"]
    assert set(facts["required"]) <= set(message)
    kind = message["type"]
    assert set(message) <= {*facts["required"], *facts["also"], kind}
    assert message["messaging_product"] == "whatsapp"
    assert message["recipient_type"] in facts["recipient_type"]
    assert list(_wrong(message[kind], FACTS["types"][kind], kind)) == []
    assert json.loads(json.dumps(message)) == message


def _wrong(said: Any, facts: Mapping[str, Any], at: str) -> Iterator[str]:
    """What of a value is not as the description has it: a field, a limit, a word."""
    if isinstance(said, list):
        if not facts.get("at_least", 1) <= len(said) <= facts.get("at_most", 10**9):
            yield f"{at}: {len(said)} of them"
        for one in said:
            yield from _wrong(one, facts["each"], f"{at}[]")
    elif isinstance(said, dict):
        fields = facts.get("fields", {})
        yield from (f"{at}.{name} is missing" for name in facts.get("required", ()) if name not in said)
        if "one_of" in facts and sum(name in said for name in facts["one_of"]) != 1:
            yield f"{at}: not one of {facts['one_of']}"
        for name, value in said.items():
            if name not in fields:
                yield f"{at}.{name} is not described"
            else:
                yield from _wrong(value, fields[name], f"{at}.{name}")
    elif isinstance(said, str):
        if "words" in facts and said not in facts["words"]:
            yield f"{at} is {said}"
        if len(said) > facts.get("longest", 10**9):
            yield f"{at} is too long"


@pytest.mark.parametrize(
    ("content", "most"),
    [
        (Text("x" * 4097), 4096),
        (replace(IMAGE, caption="x" * 1025), 1024),
        (replace(BUTTONS, body="x" * 1025), 1024),
        (replace(BUTTONS, header="x" * 61), 60),
        (replace(BUTTONS, footer="x" * 61), 60),
        (replace(BUTTONS, buttons=tuple(Button(str(n), str(n)) for n in range(4))), 3),
        (replace(BUTTONS, buttons=(Button("a", "x" * 21),)), 20),
        (replace(BUTTONS, buttons=(Button("x" * 257, "a"),)), 256),
        (replace(LIST, button="x" * 21), 20),
        (replace(LIST, sections=(OptionSection("s", tuple(Option(str(n), "t") for n in range(11))),)), 10),
        (replace(LIST, sections=(OptionSection("x" * 25, OPTIONS),)), 24),
        (replace(LIST, sections=(OptionSection("s", (Option("a", "x" * 25),)),)), 24),
        (replace(LIST, sections=(OptionSection("s", (Option("a", "t", "x" * 73),)),)), 72),
        (replace(LIST, sections=(OptionSection("s", (Option("x" * 201, "t"),)),)), 200),
        (replace(LINK, title="x" * 21), 20),
        (Contacts((ContactCard("a", ("1",)),) * 6), 5),
    ],
)
def test_what_meta_would_refuse_for_its_size_is_refused_before_it_leaves(content: Content, most: int) -> None:
    with pytest.raises(OverLimit) as refused:
        sent(content)
    assert refused.value.most == most


@pytest.mark.parametrize(
    "content",
    [
        Text(""),
        Buttons("b", ()),
        replace(BUTTONS, buttons=(Button("a", "same"), Button("b", "same"))),
        replace(BUTTONS, buttons=(Button("a", "x"), Button("a", "y"))),
        OptionList("b", "open", ()),
        replace(LIST, sections=(OptionSection("one", OPTIONS), OptionSection("", (Option("c", "C"),)))),
        replace(LIST, sections=(OptionSection("one", OPTIONS), OptionSection("two", OPTIONS))),
        replace(LINK, url="javascript:alert(1)"),
        Media(MediaKind.IMAGE, "media:00000000-0000-0000-0000-000000000000"),
        Media(MediaKind.IMAGE, "file:///etc/passwd"),
        Location(91.0, 0.0),
        replace(TEMPLATE, header_media=Media(MediaKind.AUDIO, "meta:1")),
        replace(TEMPLATE, buttons=(TemplateButton(10, "url", "x"),)),
        replace(TEMPLATE, buttons=(TemplateButton(0, "flow", "x"),)),
        Choice("a", "A"),
        Unsupported("hologram", b""),
    ],
)
def test_what_is_no_message_of_metas_is_refused_before_it_leaves(content: Content) -> None:
    with pytest.raises(UsageError):
        sent(content)


def test_our_id_and_what_is_quoted_are_in_the_request() -> None:
    message = sent(Text("oi"), id="OURS", quoting="wamid.Q")
    assert (message["biz_opaque_callback_data"], message["context"]) == ("OURS", {"message_id": "wamid.Q"})


def test_a_reaction_quotes_nothing_beside_what_it_is_to() -> None:
    assert "context" not in sent(Reaction("wamid.X", "👍"), quoting="wamid.Q")


def test_a_person_is_addressed_by_number_or_by_user_id_and_nobody_else_is() -> None:
    assert sent(Text("oi"))["to"] == "5511955550101"
    message = build_message(JID("BR.1502", "bsuid"), Text("oi"))
    assert message["recipient"] == "BR.1502"
    assert "to" not in message
    for nobody in (JID("1-2", "g.us"), JID("77", "lid")):
        with pytest.raises(UsageError):
            build_message(nobody, Text("oi"))


def test_reading_and_typing_are_one_request() -> None:
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}
    assert build_read("wamid.A") == read
    assert build_read("wamid.A", is_typing=True) == {**read, "typing_indicator": {"type": "text"}}


def test_the_answer_names_the_message() -> None:
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "5511955550101", "wa_id": "551155550101"}],
        "messages": [{"id": "wamid.1", "message_status": "held_for_quality_assessment"}],
    }
    read = read_sent(answer)
    assert read is not None
    assert (read.external_id, read.wa_id, read.status) == ("wamid.1", "551155550101", "held_for_quality_assessment")


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"messages": []}, {"messages": [{}]}, {"messages": [{"id": 5}]}, "ok"]
)
def test_an_answer_that_names_no_message_is_no_answer(answer: object) -> None:
    assert read_sent(answer) is None


def test_the_facts_are_those_of_the_description_where_it_is_at_hand() -> None:
    """RECADO_META_OPENAPI names a copy of the description; without one, the facts that were written down count."""
    path = os.environ.get("RECADO_META_OPENAPI")
    if not path:
        assert FACTS["described_by"]["sha256"] == FACTS_OF
        return
    import yaml  # type: ignore[import-untyped]

    described = yaml.load(Path(path).read_text(), Loader=yaml.CSafeLoader)["components"]["schemas"]
    base = described["BaseMessageProperties"]
    assert sorted(base["required"]) == sorted(set(FACTS["message"]["required"]))
    sent_types = set(described["Message"]["discriminator"]["mapping"])
    assert set(FACTS["types"]) <= sent_types
    for name, limit in re.findall(r"(\w+)=(\d+)", FACTS["described_by"]["limits"]):
        schema, field = name.split("__")
        assert described[schema]["properties"][field]["maxLength"] == int(limit), name
