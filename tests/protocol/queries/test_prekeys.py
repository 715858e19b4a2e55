from __future__ import annotations

import pytest

from recado.errors import StanzaError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.node import Node
from recado.protocol.queries.prekeys import Digest, KeyDigest, PreKeysLeft, PublishedKeys, UploadPreKeys
from recado.protocol.signal.keys import make_prekeys, make_signed_prekey


def dice(size: int) -> bytes:
    return bytes(range(1, size + 1))


@pytest.fixture(scope="module")
def upload() -> UploadPreKeys:
    identity = KeyPair.generate(dice)
    prekeys = tuple(make_prekeys(0xFFFFFD, 3, dice))
    return UploadPreKeys(0x1234, identity.public, make_signed_prekey(identity, 5, dice), prekeys)


def result(*content: Node) -> Node:
    return Node("iq", {"type": "result", "id": "1"}, list(content))


def test_the_number_of_keys_is_read() -> None:
    assert PreKeysLeft().parse(result(Node("count", {"value": "12"}))) == 12
    with pytest.raises(StanzaError):
        PreKeysLeft().parse(result(Node("count", {"value": "some"})))


def test_keys_are_published_in_the_order_of_the_wire(upload: UploadPreKeys) -> None:
    node = upload.build()
    assert node.attrs == {"to": "@s.whatsapp.net", "xmlns": "encrypt", "type": "set"}
    assert [child.tag for child in node.children] == ["registration", "type", "identity", "list", "skey"]
    assert node.children[0].content == b"\0\0\x12\x34" and node.children[1].content == b"\5"
    first = node.children[3].children[0]
    assert first.children[0].content == b"\xff\xff\xfd" and len(first.children[1].blob) == 32
    assert upload.parse(result()) is None


def test_a_server_reads_what_is_published(upload: UploadPreKeys) -> None:
    read = PublishedKeys.parse(upload.build())
    assert (read.registration_id, read.identity) == (0x1234, upload.identity)
    assert (read.signed_prekey_id, read.signed_prekey) == (5, upload.signed_prekey.pair.public)
    assert read.signature == upload.signed_prekey.signature
    assert read.prekeys == tuple((key.id, key.pair.public) for key in upload.prekeys)


def test_a_server_names_what_is_missing(upload: UploadPreKeys) -> None:
    with pytest.raises(StanzaError) as refused:
        PublishedKeys.parse(Node("iq"))
    assert set(refused.value.missing) == {"<registration>", "<identity>", "<list>"}
    node = upload.build()
    node.content = [*node.children[:3], Node("list", None, [Node("key"), Node("key")])]
    with pytest.raises(StanzaError) as refused:
        PublishedKeys.parse(node)
    assert refused.value.missing == ("<skey>", "<key><id>", "<key><value>")


def test_the_digest_is_read_as_far_as_it_goes() -> None:
    assert KeyDigest().build().children == [Node("digest")]
    ids = [Node("id", None, b"\0\0\1"), Node("id", None, b"\0\0\2")]
    full = Node(
        "digest",
        None,
        [
            Node("registration", None, b"\0\0\x12\x34"),
            Node("identity", None, b"i" * 32),
            Node("skey", None, [Node("id", None, b"\0\0\5")]),
            Node("list", None, ids),
            Node("hash", None, b"h" * 20),
        ],
    )
    assert KeyDigest().parse(result(full)) == Digest(0x1234, b"i" * 32, 5, (1, 2), b"h" * 20)
    assert KeyDigest().parse(result(Node("digest"))) == Digest(None, None, None, (), None)


def test_nothing_that_is_printed_tells_a_key(upload: UploadPreKeys) -> None:
    assert "\\x" not in repr(upload) + repr(PublishedKeys.parse(upload.build()))
