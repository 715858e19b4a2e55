"""
Our keys on the server: how many are left, publishing more, and what it holds.

    <iq xmlns="encrypt" type="get"><count/></iq>             →  <count value="12"/>
    <iq xmlns="encrypt" type="set"><registration>[4]</registration><type>05</type><identity>[32]</identity>
      <list><key><id>[3]</id><value>[32]</value></key>…</list>
      <skey><id>[3]</id><value>[32]</value><signature>[64]</signature></skey></iq>
    <iq xmlns="encrypt" type="get"><digest/></iq>  →  <digest><registration/>…<list><id/>…</list><hash/></digest>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.errors import StanzaError
from recado.protocol.bundle import prekey_node, read_prekey, registration_node, signed_prekey_node, type_node
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey


@dataclass(frozen=True, slots=True)
class PreKeysLeft:
    """How many one-time keys the server still has of ours."""

    def build(self) -> Node:
        """The question."""
        return ask("encrypt", Node("count"))

    def parse(self, answer: Node) -> int:
        """Their number."""
        raise_for_error(answer)
        reader = answer.read()
        count = reader.child("count")
        reader.done()
        inner = count.read()
        left = inner.int("value")
        inner.done()
        return left


@dataclass(frozen=True, slots=True)
class UploadPreKeys:
    """Publish one-time keys, with the identity (32 bytes, public) and the signed key they belong to."""

    registration_id: int
    identity: bytes = field(repr=False)
    signed_prekey: SignedPreKey
    prekeys: tuple[OneTimePreKey, ...] = field(repr=False)

    def build(self) -> Node:
        """The order."""
        listed = [prekey_node(key.id, key.pair.public) for key in self.prekeys]
        return tell(
            "encrypt",
            registration_node(self.registration_id),
            type_node(),
            Node("identity", None, self.identity),
            Node("list", None, listed),
            signed_prekey_node(self.signed_prekey),
        )

    def parse(self, answer: Node) -> None:
        """Nothing: they are there."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class RotateSignedPreKey:
    """Have the server hand out another signed key from now on."""

    key: SignedPreKey

    def build(self) -> Node:
        """The order."""
        return tell("encrypt", Node("rotate", None, [signed_prekey_node(self.key)]))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """An upload as the server reads it: public keys only; `prekeys` are (id, key)."""

    registration_id: int
    identity: bytes = field(repr=False)
    signed_prekey_id: int
    signed_prekey: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    prekeys: tuple[tuple[int, bytes], ...] = field(repr=False)

    @staticmethod
    def parse(node: Node) -> PublishedKeys:
        """Read it. Raises StanzaError."""
        reader = node.read()
        registration, identity = reader.blob("registration", 4), reader.blob("identity", 32)
        listed = reader.child("list")
        reader.done()
        missing: list[str] = []
        signed_id, signed, signature = read_prekey(node.child("skey"), missing, "skey")
        keys = [read_prekey(key, missing, "key") for key in listed.all("key")]
        if missing:
            raise StanzaError(node.tag, dict.fromkeys(missing))
        return PublishedKeys(
            int.from_bytes(registration, "big"),
            identity,
            signed_id,
            signed,
            signature,
            tuple((id, public) for id, public, _ in keys),
        )


@dataclass(frozen=True, slots=True)
class Digest:
    """What the server holds of our keys, as far as it says: `prekey_ids` may be empty because it is silent on them."""

    registration_id: int | None
    identity: bytes | None = field(repr=False)
    signed_prekey_id: int | None
    prekey_ids: tuple[int, ...]
    hash: bytes | None


@dataclass(frozen=True, slots=True)
class KeyDigest:
    """What the server holds of our keys; a refusal with 404 means: nothing."""

    def build(self) -> Node:
        """The question."""
        return ask("encrypt", Node("digest"))

    def parse(self, answer: Node) -> Digest:
        """What it says."""
        raise_for_error(answer)
        reader = answer.read()
        digest = reader.child("digest")
        reader.done()
        listed = digest.child("list")
        return Digest(
            _number(digest.child("registration")),
            _blob(digest.child("identity")),
            _number(digest.child("skey", "id")),
            () if listed is None else _numbers(listed.children),
            _blob(digest.child("hash")),
        )


def _numbers(ids: list[Node]) -> tuple[int, ...]:
    # Eight hundred at every login.
    return tuple([int.from_bytes(id.content, "big") for id in ids if id.tag == "id" and type(id.content) is bytes])


def _number(node: Node | None) -> int | None:
    return None if node is None else int.from_bytes(node.blob, "big")


def _blob(node: Node | None) -> bytes | None:
    return None if node is None else node.blob
