"""Facts as JSON: everything comes back, the form is stable, and what is no fact is refused."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.content import LiveLocation, Location, Text, Unsupported
from recado.errors import BadRecord
from recado.events import FACTS, Fact, Quote, TypingChanged
from recado.jid import JID
from recado.store.contract import NOW, facts_of_every_kind
from recado.store.facts import fact_from_json, fact_kind, fact_to_json

FORMATS = Path(__file__).parent / "formats" / "facts-v1.json"
SAMPLE = facts_of_every_kind()[0]

jids = st.builds(
    JID,
    st.text("0123456789-", min_size=0, max_size=20),
    st.sampled_from(["s.whatsapp.net", "lid", "g.us", "broadcast", "hosted.lid"]),
    st.integers(0, 65535),
)
times = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3)), timezone(timedelta(hours=5.5))]))
contents = st.builds(Text, st.text()) | st.builds(Unsupported, st.text(), st.binary())
quotes = st.builds(Quote, st.text(), st.none() | jids, st.none() | st.text())
numbers = st.floats(allow_nan=False, allow_infinity=False)  # a place with others is refused (test below)
for kind, strategy in ((float, numbers), (JID, jids), (datetime, times), (Text, contents), (Quote, quotes)):
    st.register_type_strategy(kind, strategy)
facts = st.one_of([st.from_type(kind) for kind in FACTS.values()])


@given(facts)
def test_a_fact_comes_back_from_its_json(fact: Fact) -> None:
    body = json.loads(json.dumps(fact_to_json(fact)))
    assert fact_from_json(fact_kind(fact), body) == fact


def test_there_is_a_sample_of_every_kind_of_fact() -> None:
    assert {fact_kind(fact) for fact in facts_of_every_kind()} == set(FACTS)


def test_what_version_one_wrote_is_read_and_written_the_same() -> None:
    written = json.loads(FORMATS.read_text())
    assert [fact_from_json(entry["kind"], entry["body"]) for entry in written] == facts_of_every_kind()
    assert [{"kind": fact_kind(fact), "body": fact_to_json(fact)} for fact in facts_of_every_kind()] == written


def test_content_carries_its_type() -> None:
    assert fact_to_json(SAMPLE)["content"] == {"type": "text", "body": "Até amanhã, às 9h 👋\n"}
    assert fact_to_json(facts_of_every_kind()[1])["content"]["kind"] == "stickerMessage"


def test_a_field_that_was_added_later_takes_its_default() -> None:
    body = fact_to_json(SAMPLE)
    del body["source"], body["quoted"], body["push_name"], body["chat_alt"]
    read = fact_from_json("message.received", body)
    assert (read.source, read.quoted, read.push_name, read.chat_alt) == ("live", None, None, None)


def test_a_field_a_newer_version_wrote_is_passed_over() -> None:
    assert fact_from_json("message.received", {**fact_to_json(SAMPLE), "mood": "good"}) == SAMPLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": 7},
        {"from_me": 1},
        {"from_me": "secret"},
        {"content": {"type": "secret", "body": ""}},
        {"content": {"type": "text"}},
        {"content": {"type": ["secret"], "body": ""}},
        {"content": "secret"},
        {"sent_at": "secret"},
        {"sent_at": NOW.replace(tzinfo=None).isoformat()},
        {"source": "secret"},
        {"chat": "1:secret@lid"},
        {"chat": 7},
        {"quoted": []},
        {"quoted": {"id": "1", "sender": 5}},
    ],
)
def test_what_is_malformed_is_a_bad_record_that_shows_nothing(wrong: dict[str, object]) -> None:
    with pytest.raises(BadRecord) as caught:
        fact_from_json("message.received", {**fact_to_json(SAMPLE), **wrong})
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_bytes_numbers_and_lists_are_read_strictly() -> None:
    unread = next(fact for fact in facts_of_every_kind() if fact_kind(fact) == "envelope.unreadable")
    receipt = next(fact for fact in facts_of_every_kind() if fact_kind(fact) == "receipt.received")
    with pytest.raises(BadRecord):
        fact_from_json("envelope.unreadable", {**fact_to_json(unread), "raw": "not base64!"})
    rejected = next(fact for fact in facts_of_every_kind() if fact_kind(fact) == "message.rejected")
    with pytest.raises(BadRecord):
        fact_from_json("message.rejected", {**fact_to_json(rejected), "code": True})
    with pytest.raises(BadRecord):
        fact_from_json("receipt.received", {**fact_to_json(receipt), "ids": "3EB0"})


@pytest.mark.parametrize("body", [None, [], "x", 1, {}])
def test_a_body_that_lacks_what_it_needs_is_refused(body: object) -> None:
    with pytest.raises(BadRecord):
        fact_from_json("message.received", body)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_place_that_is_no_number_is_refused_and_not_read(odd: float) -> None:
    for place in (lambda: Location(odd, 1.0), lambda: Location(1.0, odd), lambda: LiveLocation(1.0, 2.0, speed=odd)):
        with pytest.raises(ValueError, match="numbers"):
            place()
    for name in ("latitude", "longitude", "speed"):
        body = {
            **fact_to_json(SAMPLE),
            "content": {"type": "live_location", "latitude": 1.0, "longitude": 2.0, name: odd},
        }
        with pytest.raises(BadRecord):
            fact_from_json("message.received", json.loads(json.dumps(body)))


def test_only_facts_are_facts() -> None:
    typing = TypingChanged(account=SAMPLE.account, at=NOW, chat=SAMPLE.chat, sender=SAMPLE.sender, is_typing=True)
    with pytest.raises(BadRecord):
        fact_to_json(typing)
    with pytest.raises(BadRecord):
        fact_kind(typing)
    with pytest.raises(BadRecord):
        fact_from_json("typing.changed", {})


@dataclass(frozen=True)
class Odd:
    when: complex


def test_a_type_without_a_json_form_is_found_when_its_class_is_first_seen() -> None:
    from recado.codec import shape

    with pytest.raises(TypeError):
        shape(Odd)
