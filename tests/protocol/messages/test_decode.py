from __future__ import annotations

import pytest

from recado.content import Text, Unsupported
from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import encode_message
from recado.protocol.messages.history import HistoryPush
from recado.protocol.messages.software import AppStateKeyShare

BIA = JID.parse("550000000002@s.whatsapp.net")
ORDER = b"\xb2\x02\x06\x0a\x04ab12"  # an order, number 38, with its id


def wrapped(field: int, inner: bytes, times: int = 1) -> bytes:
    """`inner` in a message that only wraps, `field` being below 128 * 16."""
    for _ in range(times):
        message = b"\x0a" + varint(len(inner)) + inner
        inner = varint(field << 3 | 2) + varint(len(message)) + message
    return inner


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


@pytest.mark.parametrize(("name", "text"), [("text", "olá 👋"), ("extended", "plain words"), ("quoting", "answer")])
def test_texts_of_others_are_read(theirs: dict[str, bytes], name: str, text: str) -> None:
    decoded = decode_message(theirs[name])
    assert decoded.content == Text(text)
    assert not decoded.is_protocol


def test_the_secret_is_read_when_it_has_its_size(theirs: dict[str, bytes]) -> None:
    assert decode_message(theirs["extended"]).secret == theirs["secret"]
    assert decode_message(theirs["text"]).secret is None


def test_what_is_answered_is_told(theirs: dict[str, bytes]) -> None:
    quoted = decode_message(theirs["quoting"]).quoted
    assert quoted is not None
    assert (quoted.id, quoted.sender, quoted.text) == ("3EB0QUOTED", BIA, "question")
    assert decode_message(theirs["text"]).quoted is None


def test_wrappers_are_looked_through(theirs: dict[str, bytes]) -> None:
    decoded = decode_message(theirs["ephemeral"])
    assert decoded.content == Text("answer")
    assert decoded.quoted is not None


@pytest.mark.parametrize("field", [37, 40, 53, 55, 58, 59, 62, 67, 91, 96, 103])
def test_each_known_wrapper_is_looked_through(field: int) -> None:
    assert decode_message(wrapped(field, encode_message(Text("words")))).content == Text("words")


def test_endless_wrapping_is_refused() -> None:
    assert decode_message(wrapped(40, encode_message(Text("words")), 7)).content == Text("words")
    with pytest.raises(DecodeError):
        decode_message(wrapped(40, encode_message(Text("words")), 9))


def test_a_kind_without_a_name_is_called_by_its_number() -> None:
    content = decode_message(varint(999 << 3 | 2) + b"\x02ab").content
    assert isinstance(content, Unsupported) and content.kind == "field999"


def test_what_another_own_device_wrote_names_its_chat(theirs: dict[str, bytes]) -> None:
    decoded = decode_message(theirs["device_sent"])
    assert decoded.device_sent == BIA
    assert decoded.content == Text("olá 👋")
    assert decode_message(theirs["text"]).device_sent is None


def test_an_unsupported_echo_keeps_the_message_without_its_envelope_for_own_devices() -> None:
    destination = b"\x0a" + varint(len(str(BIA))) + str(BIA).encode()
    body = destination + b"\x12" + varint(len(ORDER)) + ORDER
    decoded = decode_message(varint(31 << 3 | 2) + varint(len(body)) + body)
    assert decoded.content == Unsupported("orderMessage", ORDER)
    assert decoded.device_sent == BIA


def test_a_sender_key_alone_shows_nothing(theirs: dict[str, bytes]) -> None:
    decoded = decode_message(theirs["sender_key"])
    assert decoded.content is None
    assert not decoded.is_protocol


def test_keys_are_for_software(theirs: dict[str, bytes]) -> None:
    decoded = decode_message(theirs["key_share"])
    assert isinstance(decoded.news, AppStateKeyShare) and decoded.is_protocol
    assert decoded.content is None


def test_history_comes_inline_or_as_a_file(theirs: dict[str, bytes]) -> None:
    inline = decode_message(theirs["history_inline"])
    assert inline.is_protocol and inline.content is None
    assert isinstance(inline.news, HistoryPush) and inline.news.inline and inline.news.media is None
    assert (inline.news.kind, inline.news.chunk, inline.news.progress) == ("recent", 3, 55)
    file = decode_message(theirs["history_media"]).news
    assert isinstance(file, HistoryPush) and file.inline is None and file.media is not None
    assert (file.media.direct_path, file.media.file_length) == ("/v/x", 1234)
    assert file.media.media_key == theirs["secret"]


def test_an_empty_message_says_nothing() -> None:
    decoded = decode_message(b"")
    assert decoded.content is None and not decoded.is_protocol


def test_a_nul_in_a_text_stays() -> None:
    assert decode_message(encode_message(Text("a\0b"))).content == Text("a\0b")


@pytest.mark.parametrize("malformed", [b"\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe", b"\x62\x01"])
def test_malformed_bytes_are_refused(malformed: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_message(malformed)


def test_a_truncated_message_is_refused(theirs: dict[str, bytes]) -> None:
    with pytest.raises(DecodeError):
        decode_message(theirs["quoting"][:-1])


@pytest.mark.parametrize("destination", [b"", b"x:y:z@s.whatsapp.net", b"s.whatsapp.net"])
def test_an_echo_without_a_destination_is_refused(destination: bytes) -> None:
    body = b"\x0a" + varint(len(destination)) + destination + b"\x12\x03\x0a\x01a"
    with pytest.raises(DecodeError):
        decode_message(varint(31 << 3 | 2) + varint(len(body)) + body)


def test_nothing_that_is_printed_tells_the_words(theirs: dict[str, bytes]) -> None:
    shown = repr(decode_message(theirs["quoting"])) + repr(decode_message(theirs["extended"]))
    assert "answer" not in shown and "question" not in shown and "plain words" not in shown


def test_a_quote_that_is_not_well_formed_keeps_what_is() -> None:
    context = b"\x0a\x01A" + b"\x12\x09" + b"1:x@s.wha"
    body = b"\x0a\x02hi" + varint(17 << 3 | 2) + varint(len(context)) + context
    quoted = decode_message(varint(6 << 3 | 2) + varint(len(body)) + body).quoted
    assert quoted is not None and (quoted.id, quoted.sender, quoted.text) == ("A", None, None)


def test_a_quote_wrapped_too_often_or_without_words_is_a_quote_all_the_same() -> None:
    for original in (wrapped(40, b"\x0a\x01q", 9), wrapped(3, b""), b""):
        context = b"\x0a\x01A\x1a" + varint(len(original)) + original
        body = b"\x0a\x02hi" + varint(17 << 3 | 2) + varint(len(context)) + context
        quoted = decode_message(varint(6 << 3 | 2) + varint(len(body)) + body).quoted
        assert quoted is not None and (quoted.id, quoted.sender, quoted.text) == ("A", None, None)


def test_news_for_software_without_a_type_or_a_target_is_no_deletion() -> None:
    decoded = decode_message(b"\x62\x00")
    assert decoded.is_protocol and decoded.content is None
