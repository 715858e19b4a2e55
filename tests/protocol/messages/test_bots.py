"""Answers of machines, sealed elsewhere under the secret of the question, and ours opened alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recado.content import Location, Text
from recado.errors import DecodeError, StanzaError, UsageError
from recado.jid import JID
from recado.protocol.messages.bots import answer_secret, calling, for_machine, open_answer, seal_answer, with_persona
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.parsing import parse_message
from recado.protocol.node import Node
from recado.protocol.stanzas.bots import INNER, LAST, MachineAnswer

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "bots.json").read_text())
SECRET, MACHINE = bytes.fromhex(VECTORS["secret"]), JID.parse(VECTORS["machine"])
ASKER = JID.parse("100000000000001@lid")
SAYS = {"words": "You said", "by_number": "by number", "rich": "Like this:\nprint(1)"}


@pytest.mark.parametrize("name", SAYS)
def test_what_others_sealed_is_opened_and_read(name: str) -> None:
    given = VECTORS["answers"][name]
    sealed, asker = bytes.fromhex(given["sealed"]), JID.parse(given["asker"])
    opened = open_answer(sealed, SECRET, id=given["id"], asker=asker, machine=MACHINE)
    assert opened == bytes.fromhex(given["plaintext"])
    assert decode_message(opened).content == Text(SAYS[name])
    names = {"id": given["id"], "asker": asker, "machine": MACHINE}
    assert seal_answer(opened, answer_secret(SECRET), nonce=parse_sealed(sealed), **names) == sealed


def parse_sealed(sealed: bytes) -> bytes:
    """The nonce in it: behind the version (5 bytes) and its own head."""
    return sealed[7:19]


def test_a_question_names_the_persona_as_others_write_it() -> None:
    body = encode_message(Text("hello"), secret=SECRET)
    asked = with_persona(body, "1000000000000001$2000000000000001")
    assert parse_message(asked) == parse_message(bytes.fromhex(VECTORS["question"]))


def test_who_is_called_in_learns_what_seals_its_answers_and_not_the_secret() -> None:
    called = calling(encode_message(Text("hello"), secret=SECRET), "a persona")
    everybody = decode_message(called)
    assert (everybody.content, everybody.secret) == (Text("hello"), SECRET)
    machine = for_machine(called)
    assert SECRET not in machine
    around = parse_message(machine).message_context_info
    assert (around.bot_message_secret, around.bot_metadata.persona_id) == (answer_secret(SECRET), "a persona")
    assert decode_message(machine).content == Text("hello")
    with pytest.raises(UsageError):
        for_machine(encode_message(Text("nobody is called in"), secret=SECRET))
    with pytest.raises(UsageError):
        calling(encode_message(Location(1.0, 2.0), secret=SECRET), None)


@pytest.mark.parametrize("wrong", ["id", "asker", "machine", "secret", "bit", "form"])
def test_what_was_sealed_for_something_else_does_not_open(wrong: str) -> None:
    given = VECTORS["answers"]["words"]
    sealed, secret = bytes.fromhex(given["sealed"]), SECRET
    names = {"id": given["id"], "asker": ASKER, "machine": MACHINE}
    match wrong:
        case "id":
            names["id"] = "3EB0BBBB0001"
        case "asker" | "machine":
            names[wrong] = JID("999", names[wrong].server)
        case "secret":
            secret = bytes(32)
        case "bit":
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        case "form":
            sealed = b"\xff\xff"
    with pytest.raises(DecodeError):
        open_answer(sealed, secret, **names)


def test_which_part_an_answer_is_stands_around_it() -> None:
    group = JID.parse("120000000000000001@g.us")
    first = MachineAnswer("A1", b"sealed", "Q1", ASKER, group)
    assert MachineAnswer.read(first.build(MACHINE, 1)) == first
    assert first.sealed_as == "A1"
    later = MachineAnswer("A2", b"sealed", "Q1", replaces="A1")
    assert MachineAnswer.read(later.build(MACHINE, 1, edit=INNER)) == later
    assert MachineAnswer.read(later.build(MACHINE, 1, edit=LAST)) == later
    assert later.sealed_as == "A1"
    whole = MachineAnswer.read(later.build(MACHINE, 1, edit="full"))
    assert whole is not None and whole.replaces is None


def test_an_answer_names_its_question_and_other_messages_are_none() -> None:
    node = MachineAnswer("A1", b"sealed", "Q1").build(MACHINE, 1)
    bare = Node(node.tag, node.attrs, [child for child in node.children if child.tag != "meta"])
    with pytest.raises(StanzaError):
        MachineAnswer.read(bare)
    assert MachineAnswer.read(Node("message", node.attrs, [Node("enc", {"v": "2", "type": "msg"}, b"x")])) is None
