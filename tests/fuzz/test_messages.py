"""Whatever is inside an envelope: it is read or it is refused as not well-formed, and what was read can be kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from recado.content import (
    ContactCard,
    Contacts,
    Content,
    Edit,
    Event,
    GroupInvite,
    Keep,
    LiveLocation,
    Location,
    Media,
    MediaKind,
    Pin,
    Poll,
    Reaction,
    Revoke,
    Text,
    content_kind,
    content_text,
)
from recado.errors import DecodeError, UsageError
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.reporting import FIELDS, cut_out
from recado.protocol.messages.shape import shape_of
from recado.protocol.proto import e2e_pb2 as wire
from recado.store.facts import content_from_json, content_to_json

VECTORS = json.loads((Path(__file__).parents[1] / "protocol" / "vectors" / "content.json").read_text())
MADE = [bytes.fromhex(value) for value in VECTORS["baileys"]["made"].values()]
CHAT = JID.parse("550000000002@s.whatsapp.net")
AT = datetime(2026, 11, 20, tzinfo=UTC)

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
some_words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
ids = st.from_regex(r"[0-9A-F]{4,20}", fullmatch=True)
times = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
degrees = st.floats(-90, 90)
places = st.builds(Location, degrees, degrees, st.none() | some_words, st.none() | some_words)
contents = st.one_of(
    st.builds(Text, words),
    places,
    st.builds(LiveLocation, degrees, degrees, caption=st.none() | some_words, sequence=st.integers(0, 2**31)),
    st.builds(Poll, words, st.lists(words, max_size=12).map(tuple), st.integers(0, 12)),
    st.builds(Event, words, times, st.none() | times, st.none() | some_words, st.none() | places),
    st.builds(Reaction, ids, words, st.booleans()),
    st.builds(Revoke, ids),
    st.builds(Edit, ids, st.builds(Text, words)),
    st.builds(Pin, ids, st.just(True), st.integers(1, 10**6)),
    st.builds(Keep, ids, st.booleans()),
    st.builds(GroupInvite, words, words, words, st.none() | times, st.none() | some_words),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Bytes of real messages, put together, cut, and with some of them changed."""
    parts = draw(st.lists(st.sampled_from(MADE) | st.binary(max_size=40), min_size=1, max_size=3))
    message = bytearray(b"".join(parts))
    for place, value in draw(st.lists(st.tuples(st.integers(0, len(message)), st.integers(0, 255)), max_size=4)):
        if place < len(message):
            message[place] = value
    return bytes(message[: draw(st.integers(0, len(message))) or None])


@settings(max_examples=250, deadline=None)
@given(damaged())
def test_damaged_messages_are_read_or_refused_and_what_is_read_can_be_kept(plaintext: bytes) -> None:
    cut_out(plaintext, FIELDS)
    try:
        decoded = decode_message(plaintext)
    except DecodeError:
        return
    content = decoded.content
    if content is None:
        return
    kept = json.dumps(content_to_json(content), allow_nan=False)
    assert content_from_json(json.loads(kept)) == content
    assert content_kind(content)
    content_text(content)
    try:
        shape_of(parse_message(encode_message(content, chat=CHAT, at=AT)))
    except (UsageError, DecodeError):
        pass  # a file without a place, and bytes that are no message by themselves


@settings(max_examples=150, deadline=None)
@given(contents)
def test_what_is_said_comes_back(content: Content) -> None:
    assert decode_message(encode_message(content, chat=CHAT, at=AT)).content == content
    assert content_from_json(json.loads(json.dumps(content_to_json(content)))) == content


def test_a_place_that_is_none_and_a_time_that_is_none_are_kept_as_they_came() -> None:
    for latitude in (float("nan"), float("inf"), 1000.0):
        for is_live in (False, True):
            part = wire.LocationMessage(degrees_latitude=latitude, is_live=is_live)
            decoded = decode_message(wire.Message(location_message=part).SerializeToString()).content
            assert decoded is not None and content_kind(decoded) == "locationMessage"
    too_late = b"\xda\x04\x0f\x1a\x01a\x38" + b"\xff" * 8 + b"\x7f" + b"\x12\x00"
    decoded = decode_message(too_late).content
    assert decoded is not None and content_kind(decoded) == "eventMessage"


def test_a_card_without_end_is_read_to_its_limit() -> None:
    card = "BEGIN:VCARD\n" + "TEL:+550000000002\n" * 100_000
    content = decode_message(encode_message(Contacts((ContactCard("B", (), card),)))).content
    assert isinstance(content, Contacts) and content.cards[0].phones == ("+550000000002",)


def test_half_a_surrogate_pair_does_not_come_in_by_an_escape() -> None:
    button = wire.NativeFlowButton(name="quick_reply", button_params_json='{"display_text":"\\ud800"}')
    part = wire.InteractiveMessage(native_flow_message=wire.NativeFlowMessage(buttons=[button]))
    content = decode_message(wire.Message(interactive_message=part).SerializeToString()).content
    assert content is not None and content_kind(content) == "buttons"
    json.dumps(content_to_json(content), ensure_ascii=False).encode()


def test_a_file_that_was_not_uploaded_is_not_sent() -> None:
    try:
        encode_message(Media(MediaKind.IMAGE))
    except UsageError as error:
        assert "upload" in str(error)
    else:
        raise AssertionError("it was encoded")
