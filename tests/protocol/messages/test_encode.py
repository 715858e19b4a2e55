from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from recado.content import Reaction, Text, Unsupported
from recado.errors import DecodeError, UsageError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import (
    Quoting,
    encode_device_sent,
    encode_history,
    encode_history_push,
    encode_message,
)
from recado.protocol.messages.history import (
    HistoryChunk,
    HistoryConversation,
    HistoryMessage,
    HistoryPush,
)
from recado.protocol.messages.history_parts import parse_history

BIA = JID.parse("550000000002@s.whatsapp.net")
BIA_LID = JID.parse("100000000000001@lid")
NOW = datetime.fromtimestamp(1795000000, UTC)


@pytest.fixture
def secret(vectors: dict[str, Any]) -> bytes:
    shown = vectors["baileys"]["reads"]["text"]["messageContextInfo"]["messageSecret"]
    return base64.b64decode(shown)


@pytest.fixture
def chunk() -> HistoryChunk:
    messages = (
        HistoryMessage(MessageId("3EB0AA"), BIA_LID, BIA_LID, False, Text("from them"), NOW, "Bia"),
        HistoryMessage(MessageId("3EB0BB"), BIA_LID, None, True, Text("from me"), NOW),
    )
    conversation = HistoryConversation(BIA_LID, messages, "Bia", BIA, 3)
    return HistoryChunk("recent", 2, 40, (conversation,), ((BIA, "Bia"),), ((BIA, BIA_LID),))


def test_a_text_is_read_by_others_as_it_was_written(vectors: dict[str, Any], secret: bytes) -> None:
    encoded = encode_message(Text("olá 👋\n\0"), secret=secret)
    assert encoded.hex() == vectors["ours"]["text"]
    assert vectors["baileys"]["reads"]["text"]["conversation"] == "olá 👋\n\0"


def test_a_reply_names_what_it_answers(vectors: dict[str, Any]) -> None:
    quoting = Quoting(MessageId("3EB0CC"), BIA.with_device(3), Text("question"))
    assert encode_message(Text("answer"), quoting=quoting).hex() == vectors["ours"]["quoted"]
    assert vectors["baileys"]["reads"]["quoted"] == {
        "extendedTextMessage": {
            "text": "answer",
            "contextInfo": {
                "stanzaId": "3EB0CC",
                "participant": str(BIA),
                "quotedMessage": {"conversation": "question"},
            },
        }
    }


def test_a_reply_from_another_chat_names_that_chat() -> None:
    group = JID.parse("120000000000000001@g.us")
    encoded = encode_message(Text("answer"), quoting=Quoting(MessageId("3EB0CC"), BIA, chat=group))
    assert str(group).encode() in encoded
    assert decode_message(encoded).quoted is not None


def test_own_devices_get_the_message_with_its_destination(vectors: dict[str, Any], secret: bytes) -> None:
    encoded = encode_device_sent(encode_message(Text("olá 👋\n\0"), secret=secret), BIA, "2:abcdefgh")
    assert encoded.hex() == vectors["ours"]["device_sent"]
    read = vectors["baileys"]["reads"]["device_sent"]
    assert read["deviceSentMessage"]["destinationJid"] == str(BIA)
    assert read["deviceSentMessage"]["phash"] == "2:abcdefgh"
    assert read["messageContextInfo"] == read["deviceSentMessage"]["message"]["messageContextInfo"]


def test_a_history_push_is_read_by_others(vectors: dict[str, Any], chunk: HistoryChunk) -> None:
    read = vectors["baileys"]["reads"]
    assert read["history_sync_type"] == "RECENT"
    assert read["history"]["conversations"][0]["messages"][0]["message"]["message"] == {"conversation": "from them"}
    assert parse_history(bytes.fromhex(vectors["ours"]["history_payload"])) == chunk
    push = decode_message(bytes.fromhex(vectors["ours"]["history"])).news
    assert isinstance(push, HistoryPush) and push.inline is not None and parse_history(push.inline) == chunk


def test_history_comes_back_as_it_went(chunk: HistoryChunk) -> None:
    assert parse_history(encode_history(chunk)) == chunk
    push = decode_message(encode_history_push(chunk)).news
    assert isinstance(push, HistoryPush) and (push.kind, push.chunk, push.progress) == ("recent", 2, 40)


def test_history_of_an_unknown_kind_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="tuple"):
        encode_history(HistoryChunk(kind="future"))


def test_what_is_not_modelled_goes_out_as_it_came_in() -> None:
    order = b"\xb2\x02\x06\x0a\x04ab12"
    content = decode_message(order).content
    assert content == Unsupported("orderMessage", order)
    assert encode_message(content) == order


def test_what_has_no_room_for_a_quote_does_not_quote() -> None:
    with pytest.raises(UsageError):
        encode_message(Reaction("3EB0AA", "👍"), chat=BIA, quoting=Quoting(MessageId("A"), BIA))


def test_a_secret_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encode_message(Text("words"), secret=b"short")


def test_malformed_bytes_are_not_sent_on() -> None:
    with pytest.raises(DecodeError):
        encode_message(Unsupported("imageMessage", b"\xff\xff"))
    with pytest.raises(DecodeError):
        encode_device_sent(b"\xff\xff", BIA)


def test_text_secret_and_quote_come_back() -> None:
    quoting = Quoting(MessageId("3EB0CC"), BIA, Text("question"))
    decoded = decode_message(encode_message(Text("answer"), quoting=quoting, secret=b"s" * 32))
    assert decoded.content == Text("answer")
    assert decoded.secret == b"s" * 32
    assert decoded.quoted is not None
    assert (decoded.quoted.id, decoded.quoted.sender, decoded.quoted.text) == ("3EB0CC", BIA, "question")
