"""Every kind of content against bytes of the unmodified Baileys: what it read of ours, and what it made itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.interop.vectors.content import ANSWER, AT, BIA, CONTENTS, NONCE, RUI, SECRET, TARGET, VOTE, ours

from recado.content import (
    Album,
    Answer,
    Button,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    EncryptedFile,
    Event,
    EventAnswer,
    GroupInvite,
    Keep,
    LinkButton,
    LinkPreview,
    LiveLocation,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    Pin,
    Poll,
    PollVote,
    Product,
    Reaction,
    Revoke,
    Text,
    Unsupported,
    content_kind,
    content_text,
)
from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.reporting import reporting_token
from recado.protocol.messages.secrets import encode_answer, encode_vote, open_addition, option_hash

NOW = datetime.fromtimestamp(1795000000, UTC)
VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Bia\nORG:Sea;\nitem1.TEL;type=CELL;waid=550000000002:+55 00 0000-0002\nEND:VCARD"
FILE = EncryptedFile("/x", "https://example.invalid/x", b"", b"", b"", 77, 1795000000)
ROWS = (Option("r1", "Monday", "early"), Option("r2", "Friday"))


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    return json.loads((Path(__file__).parents[1] / "vectors" / "content.json").read_text())


@pytest.fixture(scope="module")
def theirs(vectors: dict[str, Any]) -> dict[str, bytes]:
    return {name: bytes.fromhex(value) for name, value in vectors["baileys"]["made"].items()}


def image(secret: bytes, **more: Any) -> Media:
    remote = EncryptedFile("/x", "https://example.invalid/x", secret, secret, secret, 77, 1795000000)
    return Media(
        MediaKind.IMAGE,
        mime_type="image/jpeg",
        caption="a caption",
        size=77,
        sha256=secret.hex(),
        width=4,
        height=3,
        thumbnail=b"small",
        remote=remote,
        **more,
    )


def test_what_recado_encodes_is_what_baileys_was_given(vectors: dict[str, Any]) -> None:
    assert ours() == vectors["ours"]


def test_baileys_finds_a_kind_in_everything_recado_encodes(vectors: dict[str, Any]) -> None:
    kinds = {name: read["kind"] for name, read in vectors["baileys"]["reads"].items()}
    assert set(kinds) == {*CONTENTS, "quoting", "vote", "answer"}
    assert all(kinds.values())
    assert (kinds["poll"], kinds["poll_of_one"], kinds["quiz"]) == (
        "pollCreationMessage",
        "pollCreationMessageV3",
        "pollCreationMessageV5",
    )
    assert (kinds["round"], kinds["view_once"], kinds["document_with_caption"]) == (
        "ptvMessage",
        "imageMessage",
        "documentMessage",
    )


def test_baileys_reads_a_quote_a_forward_and_a_timer_on_a_picture(vectors: dict[str, Any]) -> None:
    context = vectors["baileys"]["reads"]["quoting"]["message"]["imageMessage"]["contextInfo"]
    assert (context["stanzaId"], context["participant"]) == (TARGET, str(BIA))
    assert context["quotedMessage"] == {"conversation": "look"}
    assert (context["isForwarded"], context["forwardingScore"], context["expiration"]) == (True, 3, 86_400)


def test_baileys_opens_a_vote_and_an_answer_of_ours(vectors: dict[str, Any]) -> None:
    reads = vectors["baileys"]["reads"]
    assert reads["vote"]["options"] == [option_hash(option).hex() for option in VOTE.options]
    assert (reads["answer"]["response"]["response"], reads["answer"]["response"]["extraGuestCount"]) == ("MAYBE", 2)


@pytest.mark.parametrize("name", CONTENTS)
def test_what_was_written_is_read_again(vectors: dict[str, Any], name: str) -> None:
    wanted = CONTENTS[name]
    content = decode_message(bytes.fromhex(vectors["ours"][name])).content
    if isinstance(content, Contacts):  # a card that was read keeps its text
        content = Contacts(tuple(ContactCard(card.name, card.phones) for card in content.cards))
    assert content == wanted
    assert content_kind(content) == content_kind(wanted)


def _expected(secret: bytes) -> dict[str, Content]:
    card = ContactCard("Bia", ("+550000000002",), VCARD)
    walk = Event("A walk", NOW, datetime.fromtimestamp(1795003600, UTC), "Bring water", Location(1, 2, "A park"))
    preview = LinkPreview("https://example.invalid", "A page", "words", b"small")
    answers = (
        Button("", "Open", url="https://example.invalid"),
        Button("", "Call", phone="+550000000002"),
        Button("t1", "Stop"),
    )
    return {
        "text": Text("hi @550000000003", (str(RUI),), preview),
        "contact": Contacts((card,)),
        "contacts": Contacts((card, card)),
        "location": Location(-23.5, -46.6, "A square", "A street"),
        "live_location": LiveLocation(1.5, 2.5, 3, caption="on my way", sequence=4),
        "reaction": Reaction(TARGET, "👍"),
        "revoke": Revoke(TARGET),
        "edit": Edit(TARGET, Text("better")),
        "pin": Pin(TARGET, True, 604_800),
        "unpin": Pin(TARGET, False, 0),
        "keep": Keep(TARGET),
        "timer": DisappearingTimer(86_400),
        "invite": GroupInvite("120000000000000001@g.us", "AbC", "Walkers", NOW, "come"),
        "poll": Poll("Which?", ("a", "b"), 2),
        "poll_v2": Poll("Which?", ("a", "b"), 1),
        "poll_v3": Poll("Which?", ("a", "b"), 1),
        "poll_v5": Poll("Which?", ("a", "b"), 1, "b"),
        "event": walk,
        "album": Album(2, 1),
        "image": image(secret),
        "view_once": image(secret, is_view_once=True),
        "of_an_album": image(secret, album=TARGET),
        "document": Media(MediaKind.DOCUMENT, caption="c", file_name="plan.pdf", pages=3),
        "round": Media(MediaKind.VIDEO, mime_type="video/mp4", seconds=4, is_round=True),
        "sticker": Media(MediaKind.STICKER, width=512, is_animated=True),
        "product": Product("A cup", "77", price="19.9", currency="BRL", seller=str(BIA)),
        "buttons": Buttons("Coming?", (Button("b1", "Yes"),), "Hello", "bye"),
        "buttons_with_an_image": Buttons("Coming?", (Button("b1", "Yes"),), header_media=image(secret)),
        "list": OptionList("Which day?", "Days", (OptionSection("Week", ROWS),), "H", "F"),
        "template": Buttons("Your code", answers, "Code", "bye"),
        "interactive": LinkButton("Choose", "Open", "https://example.invalid", "Hello", "bye"),
        "interactive_list": OptionList("Choose", "Days", (OptionSection("Week", (Option("r1", "Monday"),)),)),
        "choice_of_a_button": Choice("b1", "Yes"),
        "choice_of_a_list": Choice("r1", "Monday", "list"),
        "choice_of_a_template": Choice("t1", "Stop", "template"),
        "choice_in_a_flow": Choice("q1", "Go", "flow"),
        "forwarded": Text("pass it on"),
        "quoted": Location(1, 2),
    }


@pytest.mark.parametrize("name", _expected(b""))
def test_what_baileys_makes_is_read(theirs: dict[str, bytes], name: str) -> None:
    assert decode_message(theirs[name]).content == _expected(SECRET)[name]


def test_every_message_baileys_made_is_looked_at(theirs: dict[str, bytes]) -> None:
    assert set(theirs) - set(_expected(b"")) == {"voice", "carousel", "order", "vote", "answer", "secret_edit"}


def test_a_voice_note_has_its_waveform_and_is_seen_once(theirs: dict[str, bytes]) -> None:
    voice = decode_message(theirs["voice"]).content
    assert isinstance(voice, Media) and voice.is_voice and voice.is_view_once
    assert (voice.seconds, voice.waveform) == (3, b"\x09" * 64)


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [("carousel", "interactiveMessage", "Three cups"), ("order", "orderMessage", "two cups, please")],
)
def test_what_fits_no_kind_keeps_its_bytes_and_shows_its_words(
    theirs: dict[str, bytes], name: str, kind: str, text: str
) -> None:
    content = decode_message(theirs[name]).content
    assert content == Unsupported(kind, theirs[name], text)
    assert content_text(content) == text


def test_a_picture_that_is_quoted_shows_its_caption(theirs: dict[str, bytes]) -> None:
    decoded = decode_message(theirs["quoted"])
    assert decoded.quoted is not None
    assert (decoded.quoted.id, decoded.quoted.text, decoded.expires_in) == (TARGET, "the sea", 86_400)
    assert decode_message(theirs["forwarded"]).forwarded == 1


OPTIONS = ("monday", "tuesday", "friday")


def test_a_vote_names_its_options(theirs: dict[str, bytes]) -> None:
    decoded = decode_message(theirs["vote"])
    assert decoded.addition is not None
    vote = open_addition(decoded.addition, SECRET, author=BIA, writer=RUI, options=OPTIONS)
    assert vote == PollVote(TARGET, ("monday", "friday"))
    other = open_addition(decoded.addition, SECRET, author=BIA, writer=RUI, options=("monday",))
    assert other == PollVote(TARGET, ("monday", sha256(b"friday").hexdigest()))


def test_an_answer_and_a_sealed_edit_are_opened(theirs: dict[str, bytes]) -> None:
    answer, edit = decode_message(theirs["answer"]).addition, decode_message(theirs["secret_edit"]).addition
    assert answer is not None and edit is not None
    said = open_addition(answer, SECRET, author=BIA, writer=RUI, options=())
    assert said == EventAnswer(TARGET, Answer.GOING, 1)
    assert open_addition(edit, SECRET, author=BIA, writer=BIA, options=()) == Edit(
        TARGET, Text("edited in secret"), is_encrypted=True
    )


@pytest.mark.parametrize(
    ("secret", "author", "writer"), [(b"x" * 32, BIA, RUI), (SECRET, RUI, RUI), (SECRET, BIA, BIA)]
)
def test_a_vote_of_another_secret_author_or_voter_is_not_opened(
    theirs: dict[str, bytes], secret: bytes, author: JID, writer: JID
) -> None:
    addition = decode_message(theirs["vote"]).addition
    assert addition is not None
    with pytest.raises(DecodeError):
        open_addition(addition, secret, author=author, writer=writer, options=OPTIONS)


def test_a_vote_is_its_voters_alone() -> None:
    addition = decode_message(encode_vote(VOTE, BIA, SECRET, author=BIA, voter=RUI, nonce=NONCE, at=AT)).addition
    assert addition is not None
    with pytest.raises(DecodeError):
        open_addition(addition, SECRET, author=BIA, writer=BIA, options=OPTIONS)


def test_votes_and_answers_come_back() -> None:
    vote = decode_message(encode_vote(VOTE, BIA, SECRET, author=BIA, voter=RUI, nonce=NONCE, at=AT)).addition
    answer = decode_message(encode_answer(ANSWER, BIA, SECRET, author=BIA, writer=RUI, nonce=NONCE, at=AT)).addition
    assert vote is not None and answer is not None
    assert open_addition(vote, SECRET, author=BIA, writer=RUI, options=OPTIONS) == VOTE
    assert open_addition(answer, SECRET, author=BIA, writer=RUI, options=()) == ANSWER


def test_reporting_tokens_are_those_baileys_makes(vectors: dict[str, Any]) -> None:
    made = vectors["baileys"]["tokens"]
    assert sum(1 for each in made.values() if each["token"]) >= 7
    for name, each in made.items():
        token = reporting_token(bytes.fromhex(each["message"]), SECRET, id=TARGET, sender=RUI, chat=BIA)
        assert (token.hex() if token else None) == each["token"], name
    assert vectors["ours"]["token"] == vectors["baileys"]["token"]


def test_nothing_that_is_printed_tells_what_was_said() -> None:
    for content in CONTENTS.values():
        shown = repr(content)
        assert not any(word in shown for word in ("sea", "Bia", "Coffee", "monday", "55000000", "A walk", "AbCdEf"))
