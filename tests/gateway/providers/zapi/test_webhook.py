"""Callbacks as values: every documented kind, the traps among them, and whatever else may come."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.providers.zapi.bodies import (
    AT,
    BETO,
    BETO_LID,
    CLARA,
    CLARA_LID,
    GROUP,
    INSTANCE,
    SENT,
    delivery,
    disconnected,
    echo,
    presence,
    received,
    status,
    written,
)

from recado.content import (
    Button,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    Reaction,
    Text,
    Unsupported,
)
from recado.events import ReceiptKind
from recado.gateway.providers.zapi.webhook import (
    MOST_IDS,
    Callback,
    Connection,
    Delivered,
    Heard,
    Ignored,
    Malformed,
    Placeholder,
    Presence,
    Read,
    Told,
    Unknown,
    read_callback,
)
from recado.jid import GROUP as GROUP_SERVER
from recado.jid import JID, LID

SENT_AT = datetime.fromtimestamp(SENT, UTC)
FILE = "https://files.example.org/1"


def read(body: Any) -> Read:
    return read_callback(written(body), at=AT)


def heard(body: Any) -> Heard:
    found = read(body)
    assert isinstance(found, Heard)
    return found


def test_a_text_of_somebody() -> None:
    assert heard(received()) == Heard(
        instance=INSTANCE,
        people=(JID.phone(BETO), JID("81896604192873", LID)),
        id="A20DA9C0183A2D35A260F53F5D2B9244",
        chat=JID.phone(BETO),
        chat_alt=JID("81896604192873", LID),
        sender=JID.phone(BETO),
        from_me=False,
        by_api=None,
        content=Text("oi"),
        sent_at=SENT_AT,
        push_name="Beto",
        quoted=None,
        account=CLARA,
    )


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (
            {"image": {"imageUrl": FILE, "mimeType": "image/jpeg", "caption": "", "width": 600, "viewOnce": True}},
            Media(MediaKind.IMAGE, FILE, "image/jpeg"),
        ),
        (
            {"video": {"videoUrl": FILE, "caption": "veja", "mimeType": "video/mp4", "seconds": 13}},
            Media(MediaKind.VIDEO, FILE, "video/mp4", caption="veja"),
        ),
        (
            {"audio": {"ptt": True, "seconds": 10, "audioUrl": FILE, "mimeType": "audio/ogg; codecs=opus"}},
            Media(MediaKind.AUDIO, FILE, "audio/ogg; codecs=opus", is_voice=True),
        ),
        (
            {"document": {"documentUrl": FILE, "mimeType": "application/pdf", "title": "n", "fileName": "nome.pdf"}},
            Media(MediaKind.DOCUMENT, FILE, "application/pdf", file_name="nome.pdf"),
        ),
        ({"sticker": {"stickerUrl": FILE, "mimeType": "image/webp"}}, Media(MediaKind.STICKER, FILE, "image/webp")),
        (
            {"location": {"longitude": -46.6388, "latitude": -23.5489, "name": "Sé", "address": "", "url": ""}},
            Location(-23.5489, -46.6388, "Sé"),
        ),
        (
            {"contact": {"displayName": "Ana", "vCard": "BEGIN:VCARD", "phones": ["550000000003"]}},
            Contacts((ContactCard("Ana", ("550000000003",)),)),
        ),
        (
            {"contact": {"displayName": "Ana", "vCard": "TEL;type=CELL;waid=550000000003:+55 00"}},
            Contacts((ContactCard("Ana", ("550000000003",)),)),
        ),
        (
            {
                "reaction": {
                    "value": "❤️",
                    "reactionBy": BETO,
                    "referencedMessage": {"messageId": "3EB0", "fromMe": True},
                }
            },
            Reaction("3EB0", "❤️"),
        ),
        ({"buttonsResponseMessage": {"buttonId": "1", "message": "Ótimo"}}, Choice("1", "Ótimo")),
        ({"listResponseMessage": {"message": "m", "title": "Um", "selectedRowId": "7"}}, Choice("7", "Um")),
        (
            {
                "buttonsMessage": {
                    "imageUrl": None,
                    "message": "Qual?",
                    "buttons": [{"buttonId": "1", "type": 1, "buttonText": {"displayText": "Este"}}],
                }
            },
            Buttons("Qual?", (Button("1", "Este"),)),
        ),
        (
            {"buttonsMessage": {"imageUrl": FILE, "message": "Qual?", "buttons": []}},
            Media(MediaKind.IMAGE, FILE, caption="Qual?"),
        ),
        (
            {
                "listMessage": {
                    "message": "Qual?",
                    "title": "Todos",
                    "buttonLabel": "Abrir",
                    "options": [{"id": "1", "title": "Este", "description": ""}],
                }
            },
            OptionList("Qual?", "Abrir", (OptionSection("Todos", (Option("1", "Este"),)),)),
        ),
        ({"hydratedTemplate": {"header": {}, "message": "Olá", "hydratedButtons": []}}, Text("Olá")),
        (
            {"hydratedTemplate": {"header": {"image": {"imageUrl": FILE, "caption": ""}}, "message": "Olá"}},
            Media(MediaKind.IMAGE, FILE, caption="Olá"),
        ),
    ],
)
def test_every_kind_of_content(said: dict[str, Any], content: Content) -> None:
    assert heard(received(said)).content == content


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"poll": {"question": "?"}}, "pollMessage"),
        ({"pixKeyMessage": {"key": "chave"}}, "pixKeyMessage"),
        ({"image": {"imageUrl": None, "downloadError": "timeout"}}, "imageMessage"),
        ({"image": {"imageUrl": "file:///etc/passwd"}}, "imageMessage"),
        ({"location": {"latitude": 91, "longitude": 0}}, "locationMessage"),
        ({"location": {"latitude": "nan", "longitude": 0}}, "locationMessage"),
        ({"reaction": {"value": "❤️"}}, "reactionMessage"),
        ({"text": {"message": 7}}, "textMessage"),
        ({"não-é": {"x": 1}}, "unknownMessage"),
    ],
)
def test_what_cannot_be_read_as_its_kind_is_kept_as_bytes(said: dict[str, Any], kind: str) -> None:
    content = heard(received(said)).content
    assert isinstance(content, Unsupported)
    assert content.kind == kind
    assert next(iter(said)).encode() in content.raw


@pytest.mark.parametrize(
    ("moment", "when"),
    [
        (SENT * 1000, SENT_AT),
        (SENT, SENT_AT),
        (float(SENT), SENT_AT),
        (26151515154, AT),
        (0, AT),
        (-5, AT),
        (10**40, AT),
        (True, AT),
        ("ontem", AT),
        (None, AT),
    ],
)
def test_a_moment_is_in_milliseconds_or_in_seconds_or_it_is_now(moment: Any, when: datetime) -> None:
    assert heard(received(momment=moment)).sent_at == when


def test_the_writers_lid_is_the_chats_only_when_somebody_else_wrote() -> None:
    assert heard(received()).chat_alt == JID("81896604192873", LID)
    own = heard(echo("oi", "X1", chatLid=None))
    assert (own.chat, own.chat_alt, own.sender, own.push_name) == (JID.phone(BETO), None, None, None)
    assert heard(echo("oi", "X1")).chat_alt == JID("81896604192873", LID)
    assert CLARA_LID.removesuffix("@lid") not in {person.user for person in own.people}


def test_somebody_known_by_a_lid_only() -> None:
    found = heard(received(phone=BETO_LID))
    assert (found.chat, found.chat_alt, found.sender) == (JID("81896604192873", LID), None, JID("81896604192873", LID))


@pytest.mark.parametrize("phone", [GROUP, "120363019502650977@g.us"])
def test_a_group_names_who_wrote(phone: str) -> None:
    found = heard(received(phone=phone, isGroup=True, participantPhone="550000000003", participantLid="7@lid"))
    assert (found.chat, found.chat_alt) == (JID("120363019502650977", GROUP_SERVER), None)
    assert found.sender == JID.phone("550000000003")
    by_lid = heard(received(phone=phone, isGroup=True, participantPhone="77000000000001@lid"))
    assert by_lid.sender == JID("77000000000001", LID)


def test_an_old_group_is_two_numbers() -> None:
    assert heard(received(phone="550000000001-1623281429")).chat == JID("550000000001-1623281429", GROUP_SERVER)


def test_what_waits_is_a_placeholder_of_the_same_id() -> None:
    body = received({}, waitingMessage=True)
    found = read(body)
    assert isinstance(found, Placeholder)
    assert (found.id, found.chat) == (heard(received()).id, heard(received()).chat)


def test_an_edit_is_told_as_what_was_said_then_of_the_message_it_changes() -> None:
    before, after = heard(received()), heard(received({"text": {"message": "olá"}}, isEdit=True))
    assert after.id != before.id
    assert (after.content, after.quoted) == (Text("olá"), before.id)
    assert heard(received({"text": {"message": "olá"}}, isEdit=True)).id == after.id


def test_whose_message_it_is_by_api_is_said_or_not() -> None:
    assert heard(echo("oi", "X1")).by_api is True
    assert heard(echo("oi", "X1", by_api=False)).by_api is False
    assert heard(echo("oi", "X1", fromApi=None)).by_api is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"isNewsletter": True, "phone": "120363000000000009@newsletter"}, "newsletter"),
        ({"phone": "120363000000000009@newsletter"}, "newsletter"),
        ({"phone": "status@broadcast"}, "status"),
    ],
)
def test_channels_and_status_posts_are_no_conversations(changes: dict[str, Any], reason: str) -> None:
    assert read(received(**changes)) == Ignored(instance=INSTANCE, reason=reason)


def test_a_notification_is_no_message() -> None:
    found = read(received({}, notification="REVOKE"))
    assert isinstance(found, Unknown)
    assert found.tag == "notification"


def test_a_name_that_is_only_the_number_is_none() -> None:
    assert heard(received(senderName=BETO)).push_name is None


@pytest.mark.parametrize(
    ("word", "kind", "by_me"),
    [
        ("SENT", None, False),
        ("RECEIVED", ReceiptKind.DELIVERED, False),
        ("READ", ReceiptKind.READ, False),
        ("READ_BY_ME", ReceiptKind.READ, True),
        ("PLAYED", ReceiptKind.PLAYED, False),
    ],
)
def test_a_status_of_several_messages(word: str, kind: ReceiptKind | None, by_me: bool) -> None:
    assert read(status(word, "A1", "A2", "A1")) == Told(
        instance=INSTANCE,
        people=(JID.phone(BETO),),
        ids=("A1", "A2"),
        chat=JID.phone(BETO),
        kind=kind,
        by_me=by_me,
        at=SENT_AT,
    )


def test_a_delivery_says_that_it_went_out_or_not() -> None:
    found = read(delivery("A1"))
    assert found == Delivered(
        instance=INSTANCE,
        people=(JID.phone(BETO),),
        id="A1",
        zaap_id="ZA1",
        chat=JID.phone(BETO),
        is_failed=False,
        at=AT,
    )
    failed = read(delivery("A1", error="Phone number does not exist"))
    assert isinstance(failed, Delivered)
    assert failed.is_failed


def test_connected_and_disconnected_are_hints() -> None:
    assert read(disconnected()) == Connection(instance=INSTANCE)
    assert read({"type": "ConnectedCallback", "instanceId": INSTANCE, "momment": 26151515154}) == Connection(
        instance=INSTANCE
    )


def test_presence() -> None:
    chat = JID.phone(BETO)
    assert read(presence("COMPOSING")) == Presence(
        instance=INSTANCE, people=(JID.phone(BETO),), chat=chat, is_typing=True
    )
    assert read(presence("PAUSED")) == Presence(
        instance=INSTANCE, people=(JID.phone(BETO),), chat=chat, is_typing=False
    )
    assert read(presence("UNAVAILABLE")) == Presence(
        instance=INSTANCE, people=(JID.phone(BETO),), chat=chat, is_available=False
    )
    assert isinstance(read(presence("DANCING")), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        received(messageId=None),
        received(messageId="x" * 200),
        received(messageId="with\x00zero"),
        received(phone=7),
        received(phone="nobody"),
        received({}),
        received({"text": {"message": "a\x00b"}}),
        received({"text": {"message": "half \ud800"}}),
        received({"location": {"latitude": float("nan"), "longitude": 0}}),
        status("READ"),
        status("SHREDDED", "A1"),
        status("READ", *[f"A{n}" for n in range(MOST_IDS + 1)]),
        status("READ", "A1", ids="A1"),
        delivery("A1", phone=None),
        {"type": "NewCallback", "instanceId": INSTANCE},
        {"instanceId": INSTANCE},
        {"type": ["ReceivedCallback"], "instanceId": INSTANCE},
    ],
)
def test_what_has_an_instance_and_no_known_shape_is_unknown(body: dict[str, Any]) -> None:
    found = read(body)
    assert isinstance(found, Unknown)
    assert found.instance == INSTANCE


def test_words_that_look_like_an_escape_are_words() -> None:
    assert heard(received({"text": {"message": "\\u0000"}})).content == Text("\\u0000")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"<html>", b"[]", b"7", b"null", b'{"type": "ReceivedCallback"}', b"[" * 100_000,
     b'{"instanceId": 7}', b'{"instanceId": "' + b"x" * 200 + b'"}'],
)  # fmt: skip
def test_what_is_nobodys_is_malformed(body: bytes) -> None:
    assert isinstance(read_callback(body, at=AT), Malformed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
TYPES = ("ReceivedCallback", "MessageStatusCallback", "DeliveryCallback", "PresenceChatCallback", "ConnectedCallback")
DOCUMENTED = [
    received(),
    received({"image": {"imageUrl": FILE, "mimeType": "image/jpeg"}}),
    received({"reaction": {"value": "x", "referencedMessage": {"messageId": "M"}}}),
    received({"buttonsMessage": {"message": "?", "buttons": [{"buttonId": "1", "buttonText": {"displayText": "a"}}]}}),
    received({"hydratedTemplate": {"header": {"image": {"imageUrl": FILE}}, "message": "Olá"}}),
    status("READ", "A1", "A2"),
    delivery("A1"),
    presence("COMPOSING"),
    disconnected(),
]


@given(st.binary(max_size=300))
def test_any_bytes_give_a_value(body: bytes) -> None:
    assert isinstance(read_callback(body, at=AT), Callback | Malformed)


@given(st.sampled_from(DOCUMENTED), st.data())
def test_any_value_in_any_place_gives_a_value(body: dict[str, Any], data: st.DataObject) -> None:
    """Each documented body with something else somewhere in it."""
    changed: Any = dict(body)
    place = changed
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place[key] = dict(place[key])
            place = place[key]
            continue
        place[key] = data.draw(JSON)
        break
    found = read(changed)
    assert isinstance(found, Callback | Malformed)
    assert not isinstance(found, Malformed) or changed.get("instanceId") != INSTANCE
    assert BETO not in repr(found)


@given(st.permutations(range(len(DOCUMENTED))), st.integers(0, 2**32))
def test_neither_order_nor_repetition_changes_what_a_callback_says(order: list[int], seed: int) -> None:
    """The parser remembers nothing: any batch, in any order, with keys in any order and repeats, says the same."""
    dice = random.Random(seed)
    alone = [read(body) for body in DOCUMENTED]
    for place in [*order, *order]:
        body = list(DOCUMENTED[place].items())
        dice.shuffle(body)
        assert read(dict(body)) == alone[place]
