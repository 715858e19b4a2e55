from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recado.errors import StanzaError
from recado.events import MessageId
from recado.protocol.node import Node
from recado.protocol.signal.session import Envelope, EnvelopeKind
from recado.protocol.stanzas.message import OutgoingMessage, PeerMessage, Resend, SubmittedMessage

FIRST = Envelope(EnvelopeKind.PREKEY, b"first")
NEXT = Envelope(EnvelopeKind.MESSAGE, b"next")
ID = MessageId("3EB0AA")


def test_a_message_goes_to_each_device(who: SimpleNamespace) -> None:
    node = OutgoingMessage(ID, who.bia, ((who.own.bare, FIRST), (who.bia, NEXT)), device_identity=b"identity").build()
    assert node == Node(
        "message",
        {"id": "3EB0AA", "to": str(who.bia), "type": "text"},
        [
            Node(
                "participants",
                None,
                [
                    Node("to", {"jid": str(who.own.bare)}, [Node("enc", {"v": "2", "type": "pkmsg"}, b"first")]),
                    Node("to", {"jid": str(who.bia)}, [Node("enc", {"v": "2", "type": "msg"}, b"next")]),
                ],
            ),
            Node("device-identity", None, b"identity"),
        ],
    )


def test_the_extras_of_a_message(who: SimpleNamespace) -> None:
    message = OutgoingMessage(
        ID, who.bia, ((who.bia, NEXT),), phash="2:abcdefgh", edit="1", tctoken=b"token", hides_failure=True
    )
    node = message.build()
    assert node.attrs["phash"] == "2:abcdefgh" and node.attrs["edit"] == "1"
    assert [child.tag for child in node.children] == ["participants", "tctoken"]
    sealed = node.child("participants", "to", "enc")
    assert sealed is not None and sealed.attrs["decrypt-fail"] == "hide"


def test_a_message_to_the_phone_stands_alone(who: SimpleNamespace) -> None:
    node = PeerMessage(ID, who.own.bare, FIRST, b"identity").build()
    assert node.attrs == {
        "id": "3EB0AA",
        "to": str(who.own.bare),
        "type": "text",
        "category": "peer",
        "push_priority": "high_force",
    }
    assert [child.tag for child in node.children] == ["enc", "device-identity", "meta"]


def test_a_message_once_more_goes_to_the_one_that_asked(who: SimpleNamespace) -> None:
    at = datetime.fromtimestamp(1795000000, UTC)
    to = who.bia_lid.with_device(3)
    node = Resend(ID, to, FIRST, 2, sent_at=at, device_identity=b"identity").build()
    assert node.attrs == {
        "id": "3EB0AA",
        "to": "100000000000002:3@lid",
        "type": "text",
        "t": "1795000000",
        "device_fanout": "false",
    }
    assert node.children[0] == Node("enc", {"v": "2", "type": "pkmsg", "count": "2"}, b"first")


def test_once_more_in_a_group_names_the_participant(who: SimpleNamespace) -> None:
    node = Resend(ID, who.group, NEXT, 1, participant=who.bia_lid.with_device(3)).build()
    assert node.attrs == {
        "id": "3EB0AA",
        "to": str(who.group),
        "type": "text",
        "participant": "100000000000002:3@lid",
    }


def test_once_more_to_an_own_device_names_the_chat(who: SimpleNamespace) -> None:
    node = Resend(ID, who.own.with_device(2), NEXT, 1, recipient=who.bia, edit="1").build()
    assert node.attrs["recipient"] == str(who.bia) and node.attrs["edit"] == "1"


def test_a_server_reads_what_a_client_sends(who: SimpleNamespace) -> None:
    participants = ((who.own.bare, FIRST), (who.bia, NEXT))
    read = SubmittedMessage.parse(
        OutgoingMessage(ID, who.bia, participants, device_identity=b"identity", phash="2:x", edit="1").build()
    )
    assert (read.id, read.to, read.kind, read.participants) == (ID, who.bia, "text", participants)
    assert (read.device_identity, read.phash, read.edit) == (b"identity", "2:x", "1")
    assert read.envelope is None and read.is_fanout
    peer = SubmittedMessage.parse(PeerMessage(ID, who.own.bare, FIRST).build())
    assert (peer.category, peer.envelope, peer.participants, peer.count) == ("peer", FIRST, (), None)
    again = SubmittedMessage.parse(Resend(ID, who.group, NEXT, 3, participant=who.bia, recipient=who.bia).build())
    assert (again.envelope, again.count, again.participant, again.recipient) == (NEXT, 3, who.bia, who.bia)
    assert not SubmittedMessage.parse(Resend(ID, who.bia, NEXT, 3).build()).is_fanout


def test_what_another_client_sends_twice_is_read(who: SimpleNamespace) -> None:
    # Baileys answers a retry with the envelope alone and in <participants>, sealed twice.
    sealed = Node("enc", {"v": "2", "type": "pkmsg", "count": "1"}, b"first")
    twice = Node(
        "participants", None, [Node("to", {"jid": str(who.bia)}, [Node("enc", {"v": "2", "type": "msg"}, b"next")])]
    )
    read = SubmittedMessage.parse(Node("message", {"id": "A", "to": str(who.bia), "type": "text"}, [sealed, twice]))
    assert read.envelope == FIRST and read.participants == ((who.bia, NEXT),)


@pytest.mark.parametrize(
    ("node", "missing"),
    [
        (Node("message"), {"id", "to"}),
        (Node("message", {"id": "A", "to": "1:x@lid"}), {"to"}),
        (
            Node("message", {"id": "A", "to": "1@lid"}, [Node("participants", None, [Node("to")])]),
            {"jid", "<enc>"},
        ),
        (Node("message", {"id": "A", "to": "1@lid"}, [Node("enc", {"v": "2", "type": "other"}, b"x")]), {"type"}),
    ],
)
def test_a_server_names_what_is_missing(node: Node, missing: set[str]) -> None:
    with pytest.raises(StanzaError) as refused:
        SubmittedMessage.parse(node)
    assert set(refused.value.missing) == missing
