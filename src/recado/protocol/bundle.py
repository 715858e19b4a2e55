"""
A device's published keys as nodes: in the answer to a key request, in an upload, and in a retry receipt.

    <registration>[4]</registration><type>05</type><identity>[32]</identity>
    <skey><id>[3]</id><value>[32]</value><signature>[64]</signature></skey>
    <key><id>[3]</id><value>[32]</value></key>

Shared by `stanzas` and `queries`, which do not know each other.
"""

from __future__ import annotations

from recado.errors import StanzaError
from recado.protocol.node import Node, Reader
from recado.protocol.signal.agreement import KEY_TYPE, PreKeyBundle
from recado.protocol.signal.keys import SignedPreKey


def registration_node(registration_id: int) -> Node:
    """The number of a registration."""
    return Node("registration", None, registration_id.to_bytes(4, "big"))


def type_node() -> Node:
    """What sort of keys these are."""
    return Node("type", None, KEY_TYPE)


def prekey_node(id: int, public: bytes) -> Node:
    """A one-time key."""
    return Node("key", None, [Node("id", None, id.to_bytes(3, "big")), Node("value", None, public)])


def signed_prekey_node(key: SignedPreKey) -> Node:
    """A signed key, its public half."""
    return _signed_node(key.id, key.pair.public, key.signature)


def bundle_nodes(bundle: PreKeyBundle) -> list[Node]:
    """A whole bundle, as a server hands it out."""
    nodes = [
        registration_node(bundle.registration_id),
        type_node(),
        Node("identity", None, bundle.identity),
        _signed_node(bundle.signed_prekey_id, bundle.signed_prekey, bundle.signature),
    ]
    if bundle.prekey_id is not None and bundle.prekey is not None:
        nodes.append(prekey_node(bundle.prekey_id, bundle.prekey))
    return nodes


def read_bundle(holder: Node, keys: Node | None = None) -> PreKeyBundle:
    """
    The bundle in `holder`; `keys` holds everything but the registration when it stands apart. Raises StanzaError
    naming all that is missing or of the wrong size.
    """
    keys = keys or holder
    outer, inner = holder.read(), keys.read()
    registration = outer.blob("registration", 4)
    identity = inner.blob("identity", 32)
    missing = _faults(outer) + _faults(inner)
    kind = keys.child("type")
    if kind is not None and kind.blob != KEY_TYPE:
        missing.append("<type>")
    signed_id, signed, signature = read_prekey(keys.child("skey"), missing, "skey")
    one_time = keys.child("key")
    prekey_id, prekey = None, None
    if one_time is not None:
        prekey_id, prekey, _ = read_prekey(one_time, missing, "key")
    if missing:
        raise StanzaError(holder.tag, missing)
    return PreKeyBundle(int.from_bytes(registration, "big"), identity, signed_id, signed, signature, prekey_id, prekey)


def read_prekey(node: Node | None, missing: list[str], name: str) -> tuple[int, bytes, bytes]:
    """Id, public key and signature (empty in an unsigned key) of a key node; what is wrong goes into `missing`."""
    if node is None:
        missing.append(f"<{name}>")
        return 0, b"", b""
    reader = node.read()
    id = int.from_bytes(reader.blob("id", 3), "big")
    public = reader.blob("value", 32)
    signature = reader.blob("signature", 64) if name == "skey" else b""
    missing.extend(f"<{name}>{fault}" for fault in _faults(reader))
    return id, public, signature


def _signed_node(id: int, public: bytes, signature: bytes) -> Node:
    node = prekey_node(id, public)
    return Node("skey", None, [*node.children, Node("signature", None, signature)])


def _faults(reader: Reader) -> list[str]:
    try:
        reader.done()
    except StanzaError as error:
        return list(error.missing)
    return []
