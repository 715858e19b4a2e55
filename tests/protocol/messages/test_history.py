from __future__ import annotations

import zlib
from datetime import UTC, datetime

import pytest

from recado.content import Media, Text
from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.messages import history_parts
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.history import HistoryChunk, HistoryPush, sync_type_name
from recado.protocol.messages.history_parts import parse_history
from recado.protocol.proto import history_pb2 as wire

BIA, BIA_LID = JID.parse("550000000002@s.whatsapp.net"), JID.parse("100000000000002@lid")


@pytest.fixture
def chunk(theirs: dict[str, bytes]) -> HistoryChunk:
    push = decode_message(theirs["history_inline"]).news
    assert isinstance(push, HistoryPush) and push.inline is not None
    return parse_history(push.inline)


def sync(**fields: object) -> bytes:
    return zlib.compress(wire.HistorySync(**fields).SerializeToString())


def test_a_chunk_says_which_it_is(chunk: HistoryChunk) -> None:
    assert (chunk.kind, chunk.chunk, chunk.progress) == ("recent", 3, 55)


def test_conversations_hold_their_messages_in_order(chunk: HistoryChunk, theirs: dict[str, bytes]) -> None:
    first, group = chunk.conversations
    assert (first.chat, first.alt, first.name, first.unread) == (BIA_LID, BIA, "Bia", 2)
    assert [message.id for message in first.messages] == ["3EB0QUOTED", "3EB0MINE", "3EB0IMAGE"]
    received, mine, image = first.messages
    assert (received.sender, received.from_me, received.content) == (BIA_LID, False, Text("olá 👋"))
    assert received.push_name == "Bia" and received.sent_at == datetime.fromtimestamp(1795000000, UTC)
    assert (mine.sender, mine.from_me, mine.content) == (None, True, Text("answer"))
    assert isinstance(image.content, Media) and image.content.caption == "a caption"
    assert group.messages[0].sender == JID.parse("550000000003@s.whatsapp.net")
    assert len(chunk.messages) == 4


def test_what_has_no_content_is_counted(chunk: HistoryChunk) -> None:
    assert chunk.skipped == 1


def test_names_and_both_addresses_are_learnt(chunk: HistoryChunk) -> None:
    assert chunk.push_names == ((BIA, "Bia"),)
    other = (JID.parse("550000000003@s.whatsapp.net"), JID.parse("100000000000003@lid"))
    assert set(chunk.lid_mappings) == {other, (BIA, BIA_LID)}


def test_one_malformed_message_costs_only_itself() -> None:
    def message(id: str, body: bytes, at: int = 1) -> wire.HistorySyncMsg:
        key = wire.MessageKey(remote_jid=str(BIA), id=id)
        return wire.HistorySyncMsg(message=wire.WebMessageInfo(key=key, message=body, message_timestamp=at))

    good = b"\x0a\x02hi"
    messages = [message("A", b"\xff"), message("B", good), message("", good), message("C", good, 2**60)]
    broken = wire.Conversation(id="no address", messages=[message("D", good)])
    chunk = parse_history(sync(conversations=[wire.Conversation(id=str(BIA), messages=messages), broken]))
    assert [each.id for each in chunk.messages] == ["B"]
    assert chunk.skipped == 4


def test_malformed_addresses_teach_nothing() -> None:
    mapping = wire.PhoneNumberToLIDMapping(pn_jid="a:b@s.whatsapp.net", lid_jid=str(BIA_LID))
    swapped = wire.PhoneNumberToLIDMapping(pn_jid=str(BIA_LID), lid_jid=str(BIA))
    chunk = parse_history(
        sync(phone_number_to_lid_mappings=[mapping, swapped], pushnames=[wire.Pushname(id="x", pushname="y")])
    )
    assert chunk.lid_mappings == () and chunk.push_names == ()


def test_an_unknown_kind_has_its_number_for_a_name() -> None:
    assert sync_type_name(0) == "initial_bootstrap"
    assert sync_type_name(77) == "type_77"


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_parts, "MAX_INFLATED", 100)
    with pytest.raises(DecodeError):
        parse_history(sync(pushnames=[wire.Pushname(id="x" * 500)]))


@pytest.mark.parametrize("payload", [b"", b"not deflated", zlib.compress(b"\xff\xff"), zlib.compress(b"words")[:-3]])
def test_malformed_history_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_history(payload)
