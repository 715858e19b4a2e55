from __future__ import annotations

import pytest

from recado.errors import QueryError, RateLimited
from recado.jid import JID
from recado.protocol.bundle import bundle_nodes
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.node import Node
from recado.protocol.queries.bundles import BundlesFor
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.keys import make_signed_prekey

BIA = JID.parse("100000000000002@lid")
PHONE, LAPTOP = BIA, BIA.with_device(3)


def dice(size: int) -> bytes:
    return bytes(range(1, size + 1))


def bundle(prekey_id: int | None = 9) -> PreKeyBundle:
    identity = KeyPair.generate(dice)
    signed = make_signed_prekey(identity, 5, dice)
    prekey = None if prekey_id is None else identity.public
    return PreKeyBundle(0x1234, identity.public, 5, signed.pair.public, signed.signature, prekey_id, prekey)


def answer(*users: Node) -> Node:
    return Node("iq", {"type": "result", "id": "1"}, [Node("list", None, list(users))])


def test_each_device_is_asked_for() -> None:
    node = BundlesFor((PHONE, LAPTOP)).build()
    assert node.children == [
        Node(
            "key", None, [Node("user", {"jid": "100000000000002@lid"}), Node("user", {"jid": "100000000000002:3@lid"})]
        )
    ]
    forced = BundlesFor((PHONE,), force_identity=True).build().child("key", "user")
    assert forced is not None and forced.attrs["reason"] == "identity"


@pytest.mark.parametrize("prekey_id", [9, None], ids=["with a one-time key", "when none is left"])
def test_a_bundle_is_read(prekey_id: int | None) -> None:
    shown = bundle(prekey_id)
    found = BundlesFor((PHONE,)).parse(answer(Node("user", {"jid": str(PHONE), "t": "1"}, bundle_nodes(shown))))
    assert found == {PHONE: shown}
    assert shown.is_authentic


def test_one_bad_entry_does_not_spoil_the_others() -> None:
    users = [
        Node("user", {"jid": "100000000000004@lid"}, [Node("error", {"code": "406", "text": "not-acceptable"})]),
        Node("user", {"jid": "100000000000005@lid"}, bundle_nodes(bundle())[:3]),
        Node("user", {"jid": "100000000000006@lid"}, [Node("error", {"code": "429"})]),
        Node("user", {"jid": "1:x@lid"}, bundle_nodes(bundle())),
        Node("user", None, bundle_nodes(bundle())),
        Node("user", {"jid": str(PHONE)}, bundle_nodes(bundle())),
    ]
    found = BundlesFor((PHONE,)).parse(answer(*users))
    refused, malformed, limited, good = found.values()
    assert isinstance(refused, QueryError) and refused.code == 406
    assert isinstance(malformed, QueryError) and "<skey>" in malformed.text
    assert isinstance(limited, RateLimited)
    assert good == bundle()
    assert len(found) == 4


def test_a_device_that_is_left_out_is_left_out() -> None:
    assert BundlesFor((PHONE, LAPTOP)).parse(answer()) == {}
