from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recado.errors import StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.signal.session import Envelope, EnvelopeKind
from recado.protocol.stanzas.message import MessageStanza

SEALED = Node("enc", {"v": "2", "type": "msg"}, b"sealed")
ENVELOPE = Envelope(EnvelopeKind.MESSAGE, b"sealed")


def message(attrs: dict[str, str], *content: Node) -> Node:
    return Node("message", {"id": "3EB0AA", "t": "1795000000", "type": "text", **attrs}, list(content or [SEALED]))


@pytest.fixture
def parse(who: SimpleNamespace):
    return lambda node: MessageStanza.parse(node, own=who.own, own_lid=who.own_lid)


def test_somebody_writes_from_the_lid_space(who: SimpleNamespace, parse) -> None:
    stanza = parse(
        message({"from": "100000000000002:3@lid", "sender_pn": str(who.bia), "addressing_mode": "lid", "notify": "Bia"})
    )
    assert stanza.id == "3EB0AA" and stanza.sent_at == datetime.fromtimestamp(1795000000, UTC)
    assert stanza.sender == who.bia_lid.with_device(3) and stanza.chat == who.bia_lid
    assert stanza.sender_alt == who.bia.with_device(3) and stanza.chat_alt == who.bia
    assert not stanza.from_me and stanza.push_name == "Bia" and stanza.kind == "text"
    assert stanza.envelopes == (ENVELOPE,)
    assert (stanza.offline, stanza.category, stanza.retry_count, stanza.unavailable) == (False, None, 0, False)


def test_somebody_writes_from_the_phone_space(who: SimpleNamespace, parse) -> None:
    stanza = parse(message({"from": str(who.bia), "sender_lid": str(who.bia_lid)}))
    assert (stanza.chat, stanza.chat_alt, stanza.sender) == (who.bia, who.bia_lid, who.bia)


def test_without_the_other_address_there_is_none(who: SimpleNamespace, parse) -> None:
    stanza = parse(message({"from": str(who.bia)}))
    assert stanza.chat_alt is None and stanza.sender_alt is None


def test_an_address_of_the_wrong_space_is_not_taken_for_the_other(who: SimpleNamespace, parse) -> None:
    stanza = parse(message({"from": str(who.bia_lid), "sender_pn": "100000000000009@lid"}))
    assert stanza.chat_alt is None


@pytest.mark.parametrize("origin", ["550000000001@s.whatsapp.net", "550000000001:2@s.whatsapp.net"])
def test_another_own_device_writes_to_somebody(who: SimpleNamespace, parse, origin: str) -> None:
    attrs = {"from": origin, "recipient": str(who.bia), "peer_recipient_lid": str(who.bia_lid)}
    stanza = parse(message(attrs))
    assert stanza.from_me and stanza.chat == who.bia and stanza.chat_alt == who.bia_lid
    assert stanza.recipient == who.bia and str(stanza.sender) == origin
    assert stanza.sender_alt == who.own_lid.with_device(stanza.sender.device)


def test_another_own_device_writes_in_the_lid_space(who: SimpleNamespace, parse) -> None:
    attrs = {"from": "100000000000001:2@lid", "recipient": str(who.bia_lid), "peer_recipient_pn": str(who.bia)}
    stanza = parse(message(attrs))
    assert stanza.from_me and (stanza.chat, stanza.chat_alt) == (who.bia_lid, who.bia)
    assert stanza.sender_alt == who.own.with_device(2)
    older = parse(
        message({"from": "100000000000001:2@lid", "recipient": str(who.bia_lid), "recipient_pn": str(who.bia)})
    )
    assert older.chat_alt == who.bia


def test_the_own_phone_writes_to_this_device(who: SimpleNamespace, parse) -> None:
    stanza = parse(message({"from": "550000000001@s.whatsapp.net", "category": "peer"}))
    assert stanza.from_me and stanza.is_peer
    assert (stanza.chat, stanza.chat_alt) == (who.own.bare, who.own_lid.bare)


def test_a_lid_that_is_not_known_to_be_ours_is_not(who: SimpleNamespace) -> None:
    stanza = MessageStanza.parse(message({"from": "100000000000001:2@lid"}), own=who.own, own_lid=None)
    assert not stanza.from_me


def test_somebody_with_our_number_in_the_other_space_is_not_us(who: SimpleNamespace, parse) -> None:
    assert not parse(message({"from": "550000000001@lid"})).from_me
    assert not parse(message({"from": "100000000000001@s.whatsapp.net"})).from_me


def test_a_group_names_its_author(who: SimpleNamespace, parse) -> None:
    attrs = {"from": str(who.group), "participant": "100000000000002:3@lid", "participant_pn": str(who.bia)}
    stanza = parse(message(attrs))
    assert (stanza.chat, stanza.chat_alt) == (who.group, None)
    assert stanza.sender == who.bia_lid.with_device(3) and stanza.sender_alt == who.bia.with_device(3)
    assert not stanza.from_me
    assert parse(message({"from": str(who.group), "participant": "550000000001:2@s.whatsapp.net"})).from_me


def test_a_hosted_device_is_one_of_its_person(who: SimpleNamespace, parse) -> None:
    stanza = parse(message({"from": "100000000000002:99@hosted.lid", "sender_pn": str(who.bia)}))
    assert stanza.sender == who.bia_lid.with_device(99) and stanza.chat == who.bia_lid


def test_a_channel_writes_in_the_open(parse) -> None:
    node = message({"from": "120000000000000002@newsletter", "offline": "0"}, Node("plaintext", None, b"proto"))
    stanza = parse(node)
    assert stanza.plaintext == b"proto" and stanza.envelopes == ()
    assert stanza.chat == stanza.sender and not stanza.from_me


@pytest.mark.parametrize("value", ["0", "1", ""])
def test_any_offline_mark_means_it_waited(who: SimpleNamespace, parse, value: str) -> None:
    assert parse(message({"from": str(who.bia), "offline": value})).offline


def test_envelopes_are_sorted_into_those_we_open_and_the_others(who: SimpleNamespace, parse) -> None:
    node = message(
        {"from": str(who.group), "participant": str(who.bia)},
        Node("enc", {"v": "2", "type": "pkmsg", "count": "2"}, b"first"),
        Node("enc", {"v": "2", "type": "skmsg", "decrypt-fail": "hide"}, b"group"),
        Node("enc", {"v": "3", "type": "msg"}, b"later"),
        Node("enc", None, b"strange"),
        Node("device-identity", None, b"identity"),
    )
    stanza = parse(node)
    assert stanza.envelopes == (Envelope(EnvelopeKind.PREKEY, b"first"), Envelope(EnvelopeKind.GROUP, b"group"))
    assert stanza.other_envelopes == ("msg/v3", "?/v?")
    assert stanza.retry_count == 2 and stanza.is_hidden and stanza.device_identity == b"identity"


def test_what_linked_devices_do_not_get_is_marked(who: SimpleNamespace, parse) -> None:
    away = Node("unavailable", {"type": "view_once"})
    assert parse(message({"from": str(who.bia)}, away)).unavailable
    assert not parse(message({"from": str(who.bia)}, away, SEALED)).unavailable


def test_all_that_is_missing_is_named_at_once(parse) -> None:
    with pytest.raises(StanzaError) as refused:
        parse(Node("message", {"type": "text"}, [SEALED]))
    assert set(refused.value.missing) == {"from", "id", "t"}
    with pytest.raises(StanzaError) as refused:
        parse(Node("message", {"from": "120000000000000001@g.us", "id": "A", "t": "soon"}))
    assert set(refused.value.missing) == {"participant", "t"}


@pytest.mark.parametrize("name", ["from", "recipient"])
def test_a_malformed_address_is_named(who: SimpleNamespace, parse, name: str) -> None:
    with pytest.raises(StanzaError) as refused:
        parse(message({"from": str(who.own.bare), name: "1:x@s.whatsapp.net"}))
    assert name in refused.value.missing


def test_nothing_that_is_printed_tells_what_was_sealed(who: SimpleNamespace, parse) -> None:
    node = message({"from": "120000000000000002@newsletter"}, Node("plaintext", None, b"words"))
    assert "words" not in repr(parse(node)) and "sealed" not in repr(parse(message({"from": str(who.bia)})))


def test_an_alternative_address_keeps_a_device_of_its_own(parse) -> None:
    stanza = parse(message({"from": "100000000000002:3@lid", "sender_pn": "550000000002:3@s.whatsapp.net"}))
    assert stanza.sender_alt == JID.parse("550000000002:3@s.whatsapp.net")
    assert stanza.chat_alt == JID.parse("550000000002@s.whatsapp.net")
