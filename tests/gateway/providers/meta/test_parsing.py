"""What a webhook body is read as: each type, people with and without a number, and what is not modelled."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.gateway.providers.meta.bodies import (
    ANA,
    ANA_ID,
    NUMBER,
    PHONE,
    WABA,
    body,
    contact,
    message,
    status,
    value,
)

from recado.content import Choice, Contacts, Location, Media, MediaKind, Reaction, Text, Unsupported
from recado.events import ReceiptKind, Source
from recado.gateway.providers.meta.items import (
    AccountChanged,
    AccountError,
    ContactSynced,
    HistoryPart,
    Item,
    Malformed,
    Message,
    NumberChanged,
    Part,
    Preference,
    Status,
    TemplateChanged,
    Unknown,
    Who,
)
from recado.gateway.providers.meta.webhook import parse

AT = datetime.fromtimestamp(1_790_000_000, UTC)
SHA = hashlib.sha256(b"a picture").digest()


def parts(data: bytes) -> tuple[Part, ...]:
    read = parse(data)
    assert not isinstance(read, Malformed)
    return read


def items(data: bytes) -> list[Item]:
    return [item for part in parts(data) for item in part.items]


def only(data: bytes) -> Item:
    (item,) = items(data)
    return item


def test_a_text_is_read_with_whom_it_is_from_and_to_which_number() -> None:
    (part,) = parts(body(value(messages=[message()], contacts=[contact()])))
    assert (part.waba_id, part.phone_number_id, part.phone) == (WABA, NUMBER, PHONE)
    assert part.items == (Message(id="wamid.A1", chat=Who(ANA, ANA_ID, "Ana"), content=Text("oi"), sent_at=AT),)


@pytest.mark.parametrize(
    ("kind", "said", "content"),
    [
        ("text", {"body": "olá"}, Text("olá")),
        (
            "image",
            {"id": "77", "mime_type": "image/jpeg", "sha256": base64.b64encode(SHA).decode(), "caption": "eu"},
            Media(MediaKind.IMAGE, "meta:77", "image/jpeg", "eu", sha256=SHA.hex()),
        ),
        (
            "audio",
            {"id": "78", "mime_type": "audio/ogg; codecs=opus", "sha256": SHA.hex(), "voice": True},
            Media(MediaKind.AUDIO, "meta:78", "audio/ogg; codecs=opus", sha256=SHA.hex(), is_voice=True),
        ),
        (
            "document",
            {"id": "79", "mime_type": "application/pdf", "filename": "a.pdf"},
            Media(MediaKind.DOCUMENT, "meta:79", "application/pdf", file_name="a.pdf"),
        ),
        ("sticker", {"id": "80"}, Media(MediaKind.STICKER, "meta:80")),
        ("video", {"id": "81"}, Media(MediaKind.VIDEO, "meta:81")),
        ("location", {"latitude": -23.5, "longitude": "-46.6", "name": "SP"}, Location(-23.5, -46.6, "SP")),
        ("reaction", {"message_id": "wamid.X", "emoji": "👍"}, Reaction("wamid.X", "👍")),
        ("reaction", {"message_id": "wamid.X"}, Reaction("wamid.X", "")),
        ("button", {"payload": "p1", "text": "Sim"}, Choice("p1", "Sim")),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "A"}}, Choice("1", "A")),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "r", "title": "B"}}, Choice("r", "B")),
    ],
)
def test_each_modelled_type_is_read(kind: str, said: Any, content: object) -> None:
    read = only(body(value(messages=[message(kind=kind, body=said)])))
    assert isinstance(read, Message)
    assert read.content == content


def test_contact_cards_are_read() -> None:
    said = [{"name": {"formatted_name": "Bia"}, "phones": [{"phone": "+55 11 95555-0102", "wa_id": "5511955550102"}]}]
    read = only(body(value(messages=[message(kind="contacts", body=said)])))
    assert isinstance(read, Message)
    assert isinstance(read.content, Contacts)
    assert [(card.name, card.phones) for card in read.content.cards] == [("Bia", ("+55 11 95555-0102",))]


@pytest.mark.parametrize(
    "said",
    [
        message(kind="order", body={"catalog_id": "1"}),
        message(kind="interactive", body={"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}),
        message(kind="unsupported", body={}, errors=[{"code": 131051}]),
        message(kind="hologram", body={"new": True}),
        message(kind="text", body={"words": "another shape of it"}),
        message(kind="image", body=None) | {"image": None},
    ],
)
def test_a_message_that_is_not_modelled_is_a_message_with_its_json(said: dict[str, Any]) -> None:
    read = only(body(value(messages=[said])))
    assert isinstance(read, Message)
    assert isinstance(read.content, Unsupported)
    assert json.loads(read.content.raw) == said


def test_a_person_without_a_number_is_their_user_id() -> None:
    read = only(body(value(messages=[message(phone=None)], contacts=[contact(phone=None)])))
    assert isinstance(read, Message)
    assert read.chat == Who(None, ANA_ID, "Ana")


def test_a_body_from_before_user_ids_is_read() -> None:
    read = only(body(value(messages=[message(user_id=None)], contacts=[contact(user_id=None)])))
    assert isinstance(read, Message)
    assert read.chat == Who(ANA, None, "Ana")


def test_a_message_that_names_nobody_is_of_the_one_person_the_body_names() -> None:
    read = only(body(value(messages=[message(phone=None, user_id=None)], contacts=[contact()])))
    assert isinstance(read, Message)
    assert read.chat == Who(ANA, ANA_ID, "Ana")


def test_a_message_of_nobody_among_two_is_kept_and_given_to_neither() -> None:
    two = [contact(), contact("5511955550102", "BR.2", "Bia")]
    assert isinstance(only(body(value(messages=[message(phone=None, user_id=None)], contacts=two))), Unknown)


def test_each_of_several_people_keeps_their_own_name() -> None:
    two = [contact(), contact("5511955550102", "BR.2", "Bia")]
    said = [message("wamid.1"), message("wamid.2", phone="5511955550102", user_id="BR.2")]
    read = items(body(value(messages=said, contacts=two)))
    assert [each.chat.name for each in read if isinstance(each, Message)] == ["Ana", "Bia"]


def test_a_reply_says_what_it_answers() -> None:
    read = only(body(value(messages=[message(context={"from": PHONE, "id": "wamid.Q"})])))
    assert isinstance(read, Message)
    assert (read.quoted_id, read.quoted_phone) == ("wamid.Q", PHONE)


@pytest.mark.parametrize("word", ["sent", "delivered", "read", "played", "failed"])
def test_each_status_is_read(word: str) -> None:
    errors = [{"code": 131026, "title": "…"}] if word == "failed" else []
    read = only(body(value(statuses=[status(word=word, biz_opaque_callback_data="OURS", errors=errors)])))
    assert isinstance(read, Status)
    assert (read.external_id, read.status, read.our_id, read.to) == ("wamid.S1", word, "OURS", Who(ANA))
    assert read.codes == ((131026,) if word == "failed" else ())


def test_a_status_that_is_not_known_is_kept() -> None:
    assert isinstance(only(body(value(statuses=[status(word="teleported")]))), Unknown)


def test_messages_statuses_and_errors_of_one_body_are_all_read() -> None:
    said = value(messages=[message()], statuses=[status()], errors=[{"code": 131042}])
    assert [type(each) for each in items(body(said))] == [Message, Status, AccountError]


def test_a_changed_number_is_told_by_a_message_and_by_an_update() -> None:
    system = {"type": "user_changed_number", "body": "…", "wa_id": "5511955550199", "user_id": "BR.9"}
    read = items(body(value(messages=[message(kind="system", body=system)])))
    now = Who("5511955550199", "BR.9")
    assert read[1] == NumberChanged(before=Who(ANA, ANA_ID), now=now, at=AT)
    update = {
        "wa_id": "5511955550199",
        "user_id": {"previous": ANA_ID, "current": "BR.9"},
        "timestamp": "1790000000",
    }
    told = only(body(value(user_id_update=[update]), field="user_id_update"))
    assert told == NumberChanged(before=Who(None, ANA_ID), now=now, at=AT)


def test_a_wish_about_marketing_is_read() -> None:
    wish = {"wa_id": ANA, "user_id": ANA_ID, "category": "marketing_messages", "value": "stop", "timestamp": 1790000000}
    read = only(body(value(user_preferences=[wish]), field="user_preferences"))
    assert read == Preference(who=Who(ANA, ANA_ID), wish="stop", at=AT)


# ---- coexistence


def test_what_the_mentorado_writes_in_the_app_is_an_echo() -> None:
    echo = {
        "from": PHONE,
        "to": ANA,
        "id": "wamid.E",
        "timestamp": "1790000000",
        "type": "text",
        "text": {"body": "eu"},
    }
    read = only(body(value(message_echoes=[echo]), field="smb_message_echoes"))
    assert read == Message(
        id="wamid.E", chat=Who(ANA), content=Text("eu"), sent_at=AT, source=Source.ECHO, from_me=True
    )


def test_history_is_read_thread_by_thread_with_both_sides() -> None:
    past = [
        {"from": ANA, "id": "wamid.1", "timestamp": "1790000000", "type": "text", "text": {"body": "oi"}},
        {
            "from": PHONE,
            "to": ANA,
            "id": "wamid.2",
            "timestamp": "1790000000",
            "type": "text",
            "text": {"body": "olá"},
            "history_context": {"status": "READ"},
        },
        {"from": ANA, "id": "wamid.3", "timestamp": "1790000000", "type": "media_placeholder"},
    ]
    chunk = {
        "metadata": {"phase": 0, "chunk_order": 2, "progress": 55},
        "threads": [{"id": ANA, "messages": past}, {"id": "", "messages": []}, "no thread"],
    }
    read = items(body(value(history=[chunk]), field="history"))
    kinds = [(each.id, each.from_me, each.is_placeholder, each.status) for each in read if isinstance(each, Message)]
    assert kinds == [
        ("wamid.1", False, False, None),
        ("wamid.2", True, False, ReceiptKind.READ),
        ("wamid.3", False, True, None),
    ]
    assert {each.source for each in read if isinstance(each, Message)} == {Source.HISTORY}
    assert read[-1] == HistoryPart(phase="0", chunk=2, conversations=3, messages=3, progress=55)
    assert sum(isinstance(each, Unknown) for each in read) == 2


def test_the_file_of_a_placeholder_comes_later_and_is_another_item() -> None:
    first = {"threads": [{"id": ANA, "messages": [message("wamid.3", kind="media_placeholder", body={})]}]}
    placeholder = items(body(value(history=[first]), field="history"))[0]
    later = only(body(value(messages=[message("wamid.3", kind="image", body={"id": "9"})]), field="history"))
    assert isinstance(placeholder, Message)
    assert isinstance(later, Message)
    assert (later.source, placeholder.key == later.key) == (Source.HISTORY, False)


def test_history_that_is_not_shared_says_so() -> None:
    declined = {"errors": [{"code": 2593109, "message": "History sync is declined"}]}
    read = only(body(value(history=[declined]), field="history"))
    assert isinstance(read, HistoryPart)
    assert read.code == 2593109


@pytest.mark.parametrize(("action", "name"), [("add", "Ana Lima"), ("remove", None)])
def test_the_address_book_of_the_app_is_read(action: str, name: str | None) -> None:
    entry = {
        "type": "contact",
        "contact": {"full_name": "Ana Lima", "phone_number": ANA},
        "action": action,
        "metadata": {"timestamp": "1790000000"},
    }
    read = only(body(value(state_sync=[entry]), field="smb_app_state_sync"))
    assert read == ContactSynced(phone=ANA, name=name, at=AT)


# ---- the account


def test_a_templates_fate_is_read() -> None:
    said = {
        "event": "PAUSED",
        "message_template_id": 1689556908129832,
        "message_template_name": "oferta",
        "message_template_language": "pt_BR",
        "reason": "LOW_QUALITY",
    }
    (part,) = parts(body(said, field="message_template_status_update"))
    assert part.phone_number_id is None
    assert part.items == (
        TemplateChanged(
            name="oferta",
            language="pt_BR",
            at=None,
            template_id="1689556908129832",
            status="PAUSED",
            reason="LOW_QUALITY",
        ),
    )


def test_quality_and_account_updates_are_read() -> None:
    quality = {"display_phone_number": PHONE, "event": "DOWNGRADE", "current_limit": "TIER_1K"}
    read = only(body(quality, field="phone_number_quality_update"))
    assert isinstance(read, AccountChanged)
    assert (read.event, read.limit) == ("DOWNGRADE", "TIER_1K")
    gone = only(body({"event": "ACCOUNT_OFFBOARDED"}, field="account_update"))
    assert isinstance(gone, AccountChanged)
    assert gone.event == "ACCOUNT_OFFBOARDED"


# ---- what is wrong, or not known


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"<html>502</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"object":"page","entry":[]}',
        b'{"object":"whatsapp_business_account","entry":{}}',
        b'{"object":"whatsapp_business_account","entry":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b'{"object":"whatsapp_business_account","entry":[' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"]}",
    ],
)
def test_a_body_that_is_no_webhook_is_malformed(data: bytes) -> None:
    assert isinstance(parse(data), Malformed)


def test_a_field_that_is_not_known_is_kept_with_its_bytes() -> None:
    read = only(body({"something": "new"}, field="holograms"))
    assert isinstance(read, Unknown)
    assert read.what == "holograms"
    assert json.loads(read.raw) == {"field": "holograms", "value": {"something": "new"}}


def test_what_cannot_be_read_takes_no_neighbour_down() -> None:
    broken = [message("wamid.1"), {"id": 7}, "nothing", message("wamid.2", at=-4), message("wamid.3")]
    read = items(body(value(messages=broken)))
    assert [type(each) for each in read] == [Message, Unknown, Unknown, Unknown, Message]


def test_a_character_that_cannot_be_kept_is_replaced_and_the_message_stays() -> None:
    read = only(body(value(messages=[message(body={"body": "a\x00b"})], contacts=[contact(name="A\x00na")])))
    assert isinstance(read, Message)
    assert read.content == Text("a�b")
    assert read.chat.name == "A�na"


def test_reprs_show_no_word_and_no_number() -> None:
    (part,) = parts(body(value(messages=[message()], statuses=[status()], contacts=[contact()])))
    assert not [shown for shown in (ANA, "oi", "Ana", PHONE) if shown in repr(part)]
