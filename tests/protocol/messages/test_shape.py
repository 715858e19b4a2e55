from __future__ import annotations

from typing import Any

import pytest
from tests.interop.vectors.content import ANSWER, AT, BIA, CONTENTS, NONCE, RUI, SECRET, VOTE

from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.reporting import cut_out, reporting_token
from recado.protocol.messages.secrets import encode_answer, encode_vote
from recado.protocol.messages.shape import Shape, shape_of

CREATED = (("polltype", "creation"),)
SHAPES: dict[str, dict[str, Any]] = {
    "text": {},
    "preview": {"kind": "media", "mediatype": "url"},
    "image": {"kind": "media", "mediatype": "image"},
    "view_once": {"kind": "media", "mediatype": "image"},
    "gif": {"kind": "media", "mediatype": "gif"},
    "round": {"kind": "media", "mediatype": "ptv"},
    "audio": {"kind": "media", "mediatype": "audio"},
    "voice": {"kind": "media", "mediatype": "ptt"},
    "document_with_caption": {"kind": "media", "mediatype": "document"},
    "contacts": {"kind": "media", "mediatype": "contact_array"},
    "poll": {"kind": "poll", "meta": CREATED},
    "quiz": {"kind": "poll", "meta": CREATED},
    "event": {"kind": "event", "meta": (("event_type", "creation"),)},
    "reaction": {"kind": "reaction", "hides_failure": True, "can_be_reported": False},
    "reaction_taken_back": {"kind": "reaction", "hides_failure": True, "can_be_reported": False, "edit": "7"},
    "edit": {"edit": "1", "hides_failure": True},
    "revoke": {"edit": "7", "hides_failure": True},
    "revoke_by_admin": {"edit": "8", "hides_failure": True},
    "pin": {"edit": "2", "hides_failure": True},
    "keep": {},
    "timer": {},
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_stanza_says_what_the_message_is(name: str) -> None:
    assert shape_of(parse_message(encode_message(CONTENTS[name], chat=BIA, at=AT))) == Shape(**SHAPES[name])


def test_votes_and_answers_say_that_they_are_none_to_show() -> None:
    vote = encode_vote(VOTE, BIA, SECRET, author=BIA, voter=RUI, nonce=NONCE, at=AT)
    answer = encode_answer(ANSWER, BIA, SECRET, author=BIA, writer=RUI, nonce=NONCE, at=AT)
    assert shape_of(parse_message(vote)) == Shape("poll", None, None, True, (("polltype", "vote"),), False)
    assert shape_of(parse_message(answer)) == Shape("event", None, None, True, (("event_type", "response"),), False)


def test_a_token_depends_on_what_is_said_and_on_nothing_else() -> None:
    def token(name: str, **more: Any) -> bytes | None:
        message = encode_message(CONTENTS[name], chat=BIA, at=AT, secret=SECRET, **more)
        return reporting_token(message, SECRET, id="A", sender=RUI, chat=BIA)

    assert token("image") == token("image", expires_in=86_400)
    assert token("image") != token("image", forwarded=1)
    assert token("image") != token("video")
    assert token("reaction") is None


@pytest.mark.parametrize("malformed", [b"\xff", b"\x0a\x05ab", b"\x0b", b"\x08", b"\x0d\x01", b"\x32\x04\x0a\x09ab"])
def test_what_is_malformed_has_no_token(malformed: bytes) -> None:
    assert cut_out(malformed, {1: None, 6: {1: None}}) is None
    assert reporting_token(malformed, SECRET, id="A", sender=RUI, chat=BIA) is None
