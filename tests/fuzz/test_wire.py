"""Any bytes into the decoder: a node or a DecodeError. Any node into the encoder: bytes that read back as that node."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from recado.errors import DecodeError
from recado.protocol.node import Node
from recado.protocol.wire import tokens
from recado.protocol.wire.decode import decode
from recado.protocol.wire.encode import encode
from recado.protocol.wire.frame_body import pack, unpack
from recado.protocol.wire.framing import FrameReader, frame

VECTORS = json.loads((Path(__file__).parents[1] / "protocol" / "vectors" / "wire.json").read_text())
BODIES = [bytes.fromhex(case["body"]) for part in ("made", "by_hand") for case in VECTORS[part] if "body" in case]
MARKS = bytes([0, 8, 25, 236, 239, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 1, 2, 3, 0x83])

numbers = st.integers(0, 10**15).map(str)
servers = st.sampled_from(["s.whatsapp.net", "lid", "g.us", "newsletter", "hosted", "hosted.lid", "msgr", "bot", "x.y"])
people = st.sampled_from(["s.whatsapp.net", "lid", "hosted", "hosted.lid", "msgr"])
words = st.sampled_from([*tokens.SINGLE[1:], *(word for table in tokens.DOUBLE for word in table)])
texts = st.one_of(
    words,
    numbers,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=140),
    st.text("0123456789-.", max_size=130),
    st.text("0123456789ABCDEF", max_size=130),
    st.text("0123456789ABCDEF:@_-. lidghs", max_size=12),
    st.builds("{}@{}".format, st.one_of(st.just(""), numbers, st.text("abc019._-", max_size=9)), servers),
    st.builds("{}:{}@{}".format, numbers, st.integers(1, 255), people),
)
nodes = st.recursive(
    st.builds(
        Node, st.one_of(words, texts.filter(bool)), st.dictionaries(texts, texts, max_size=5), st.binary() | st.none()
    ),
    lambda children: st.builds(Node, words, st.dictionaries(words, texts, max_size=3), st.lists(children, max_size=5)),
    max_leaves=20,
)


def as_read(text: str) -> str:
    """The same address: an agent is dropped, a device is a plain number and 0 is not written."""
    user, colon, rest = text.partition(":")
    device, at, server = rest.partition("@")
    if not (colon and at and user and "@" not in user and device.isascii() and device.isdigit() and len(device) < 6):
        return text
    number = int(device)
    if server in ("s.whatsapp.net", "lid", "hosted", "hosted.lid") and number < 256:
        return f"{user.partition('_')[0] or user}{f':{number}' if number else ''}@{server}"
    return f"{user}:{number}@{server}" if server in ("msgr", "interop") and number < 65536 else text


def normal(node: Node) -> Node:
    """What a node reads as: a text is read as bytes, unless the wire has a shorter form for it."""
    content = node.content
    if isinstance(content, list):
        content = [normal(child) for child in content]
    elif isinstance(content, str):
        content = as_read(content).encode()
    return Node(as_read(node.tag), {as_read(k): as_read(v) for k, v in node.attrs.items()}, content)


@settings(max_examples=150, deadline=None)
@given(nodes)
@example(Node("iq", {"id": "12_3:004@lid", "to": "1:0@lid"}))
def test_a_node_reads_back_as_it_was(node: Node) -> None:
    assert unpack(pack(node)) == normal(node)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_a_string_reads_back_as_it_was_wherever_it_stands(text: str) -> None:
    read = decode(encode(Node("iq", {text: text}, text)))
    assert read.attrs == {as_read(text): as_read(text)}
    assert read.text == as_read(text)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(list(MARKS)), max_size=60).map(bytes)))
def test_any_bytes_give_a_node_or_a_refusal(data: bytes) -> None:
    for body in (data, b"\x00" + data, b"\x00\xf8\x03\x19\x08" + data, b"\x00\xf8\x02\x19" + data):
        survives(body)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_a_valid_body_with_bytes_changed_gives_a_node_or_a_refusal(body: bytes, data: st.DataObject) -> None:
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.integers(0, 2))
        byte = data.draw(st.one_of(st.sampled_from(list(MARKS)), st.integers(0, 255)))
        if kind == 0:
            changed[at] = byte
        elif kind == 1:
            changed.insert(at, byte)
        elif len(changed) > 1:
            del changed[at]
    survives(bytes(changed))


def survives(body: bytes) -> None:
    try:
        node = unpack(body)
    except DecodeError:
        return
    # What was read can be written, and then reads the same: nothing a peer sends makes our own encoder fail.
    assert normal(unpack(pack(node))) == normal(node)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=6), st.data())
def test_frames_survive_any_split(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader = FrameReader()
    frames = [
        got
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for got in reader.feed(stream[start:end])
    ]
    assert frames == payloads
