from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recado.errors import StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import Ack, ack, server_ack

AT = datetime.fromtimestamp(1795000000, UTC)


@pytest.mark.parametrize("tag", ["receipt", "notification", "call"])
def test_a_stanza_is_acknowledged_with_its_addresses_and_its_type(tag: str) -> None:
    attrs = {"from": "1@g.us", "participant": "2@lid", "recipient": "3@lid", "id": "A", "type": "w:gp2", "t": "1"}
    assert ack(Node(tag, attrs)) == Node(
        "ack",
        {"class": tag, "id": "A", "to": "1@g.us", "participant": "2@lid", "recipient": "3@lid", "type": "w:gp2"},
    )


def test_a_messages_acknowledgement_names_no_type() -> None:
    node = Node("message", {"from": "2@lid", "id": "A", "type": "text", "t": "1"}, [Node("enc")])
    assert ack(node) == Node("ack", {"class": "message", "id": "A", "to": "2@lid"})


def test_a_refusal_has_its_code() -> None:
    assert ack(Node("message", {"from": "2@lid", "id": "A"}), 487).attrs["error"] == "487"


def test_even_a_stanza_without_attributes_gets_one() -> None:
    assert ack(Node("call")) == Node("ack", {"class": "call"})


def test_the_servers_word_is_read() -> None:
    node = Node("ack", {"class": "message", "id": "A", "from": "2@lid", "t": "1795000000", "phash": "2:x"})
    assert Ack.parse(node) == Ack("message", "A", AT, None, "2:x", JID.parse("2@lid"))
    assert Ack.parse(Node("ack", {"class": "message", "id": "A", "error": "463"})).error == 463


def test_the_servers_word_comes_back_as_it_went() -> None:
    sent = Node("message", {"to": "2@lid", "id": "A", "type": "text"})
    assert Ack.parse(server_ack(sent, at=AT, phash="2:x")) == Ack("message", "A", AT, None, "2:x", JID.parse("2@lid"))
    refused = server_ack(Node("call", {"to": "2@lid", "id": "A", "type": "x"}), at=AT, error=479)
    assert refused.attrs["error"] == "479" and refused.attrs["type"] == "x"


@pytest.mark.parametrize(
    ("attrs", "missing"),
    [({}, {"class", "id"}), ({"class": "message", "id": "A", "t": "x", "error": "bad"}, {"t", "error"})],
)
def test_what_is_missing_is_named(attrs: dict[str, str], missing: set[str]) -> None:
    with pytest.raises(StanzaError) as refused:
        Ack.parse(Node("ack", attrs))
    assert set(refused.value.missing) == missing
