"""Asking the phone to upload a file again: Baileys' two halves, and those that are not for us."""

from __future__ import annotations

import os
from typing import Any

import pytest

from recado.errors import DecodeError, StanzaError
from recado.jid import JID
from recado.protocol.media.retry import (
    Reupload,
    ReuploadResult,
    SealedRetry,
    check_request,
    open_result,
    seal_request,
    seal_result,
)
from recado.protocol.node import Node
from recado.protocol.stanzas.media_retry import MediaRetry, PartRetry

KEY = bytes(range(32))
OWN = JID.parse("550000000001:7@s.whatsapp.net")


def sealed(part: dict[str, Any]) -> SealedRetry:
    return SealedRetry(bytes.fromhex(part["ciphertext"]), bytes.fromhex(part["nonce"]))


def test_we_read_what_baileys_asks(vectors: dict[str, Any]) -> None:
    retry = vectors["retry"]
    check_request(bytes.fromhex(retry["key"]), retry["id"], sealed(retry["request"]))


def test_we_read_the_answer_baileys_reads(vectors: dict[str, Any]) -> None:
    retry = vectors["retry"]
    answer = retry["answer"]
    read = open_result(bytes.fromhex(retry["key"]), retry["id"], sealed(answer))
    assert read == ReuploadResult(Reupload(answer["result"]), answer["directPath"])


def test_our_receipt_has_the_outline_of_baileys(vectors: dict[str, Any]) -> None:
    told = vectors["retry"]
    chat = JID.parse(told["about"]["jid"])
    asked = MediaRetry(told["id"], chat, False, sealed=seal_request(KEY, told["id"], os.urandom)).request(OWN)
    assert asked.attrs == told["attrs"]
    about = asked.child("rmr")
    assert about is not None
    assert about.attrs == {name: value for name, value in told["about"].items() if value is not None}
    assert [node.tag for node in asked.child("encrypt").children] == ["enc_p", "enc_iv"]  # type: ignore[union-attr]


def test_what_is_asked_and_answered_reads_back() -> None:
    asked = seal_request(KEY, "3EB0A", os.urandom)
    check_request(KEY, "3EB0A", asked)
    group = MediaRetry("3EB0A", JID.parse("120363000000000001@g.us"), True, JID.parse("100000000000001@lid"), asked)
    assert MediaRetry.parse(group.request(OWN)) == group
    refused = MediaRetry("3EB0A", JID.parse("100000000000001@lid"), False, error=2)
    notification = Node("notification", {"id": "3EB0A", "type": "mediaretry", "from": "x"}, refused.content())
    assert MediaRetry.parse(notification) == refused
    answer = seal_result(KEY, "3EB0A", Reupload.DONE, "/v/again", os.urandom)
    assert open_result(KEY, "3EB0A", answer) == ReuploadResult(Reupload.DONE, "/v/again")


def test_a_part_of_the_history_is_asked_for_by_its_message_alone() -> None:
    """As WhatsApp Web and whatsmeow (60c04885) ask: among devices, and naming no chat."""
    wanted = PartRetry("3EB0A", seal_request(KEY, "3EB0A", os.urandom))
    asked = wanted.request(OWN)
    own = {"to": "550000000001@s.whatsapp.net"}
    assert asked.attrs == {"id": "3EB0A", "type": "server-error", "category": "peer", **own}
    assert [node.tag for node in asked.children] == ["encrypt"]
    assert PartRetry.parse(asked) == wanted
    check_request(KEY, "3EB0A", wanted.sealed)
    with pytest.raises(StanzaError):
        PartRetry.parse(Node("receipt", asked.attrs, [Node("encrypt", None, [])]))


@pytest.mark.parametrize("result", list(Reupload))
def test_every_result_is_told(result: Reupload) -> None:
    assert open_result(KEY, "A", seal_result(KEY, "A", result, None, os.urandom)).result is result


def test_an_answer_for_another_message_or_key_is_refused() -> None:
    answer = seal_result(KEY, "3EB0A", Reupload.DONE, "/v/again", os.urandom)
    with pytest.raises(DecodeError):
        open_result(KEY, "3EB0B", answer)
    with pytest.raises(DecodeError):
        open_result(bytes(32), "3EB0A", answer)
    with pytest.raises(DecodeError):
        check_request(KEY, "3EB0A", SealedRetry(answer.ciphertext, answer.nonce[:5]))


def test_a_receipt_without_its_parts_is_malformed() -> None:
    with pytest.raises(StanzaError):
        MediaRetry.parse(Node("receipt", {"id": "A"}))
    about = Node("rmr", {"jid": "100000000000001@lid", "from_me": "false"})
    with pytest.raises(StanzaError):
        MediaRetry.parse(Node("receipt", {"id": "A"}, [Node("encrypt", None, []), about]))
