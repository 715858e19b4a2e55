"""
Noise_XX_25519_AESGCM_SHA256, the way WhatsApp Web does it: three messages, each end proving a static key.

    client → server   clientHello   e
    server → client   serverHello   e, ee, s, es, {certificate chain}
    client → server   clientFinish  s, se, {client payload}

It differs from the standard in one thing: the first message has no payload, not even an empty one to hash. The
bytes are described in docs/protocol/noise.md. Nothing here frames or waits: `protocol.link` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError, HandshakeError
from recado.protocol.crypto.curve import KEY_SIZE, KeyPair, agree
from recado.protocol.crypto.keys import hkdf
from recado.protocol.crypto.symmetric import gcm_open, gcm_seal
from recado.protocol.noise.cipher import Transport
from recado.protocol.noise.intro import PROLOGUE
from recado.protocol.noise.trust import verify_chain
from recado.protocol.proto.handshake_pb2 import HandshakeMessage

PATTERN = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"  # 32 bytes, so it is the first hash as it stands


@dataclass(frozen=True, slots=True)
class Finished:
    """What one end has when the handshake is over; `message` is what it must still send, if anything."""

    transport: Transport
    remote_static: bytes = field(repr=False)
    payload: bytes = field(default=b"", repr=False)
    message: bytes = field(default=b"", repr=False)


class Initiator:
    """The client's side of one handshake: `hello()`, then `finish()`, once each."""

    def __init__(self, *, static: KeyPair, ephemeral: KeyPair) -> None:
        self._static = static
        self._ephemeral = ephemeral
        self._state = _SymmetricState()

    def hello(self) -> bytes:
        """The first message: our ephemeral key, in the open."""
        self._state.mix_hash(self._ephemeral.public)
        return HandshakeMessage(
            client_hello=HandshakeMessage.ClientHello(ephemeral=self._ephemeral.public)
        ).SerializeToString()

    def finish(self, answer: bytes, payload: bytes, *, root: bytes, now: datetime) -> Finished:
        """
        Check the server's answer and seal our static key and `payload` for it.

        Raises HandshakeError when the answer is malformed or does not authenticate, and UntrustedServer when its
        certificates do not hang from `root`: then nothing of ours was said.
        """
        message = _parse(answer)
        if not message.HasField("server_hello"):
            raise HandshakeError("the server's hello is missing")
        hello, state = message.server_hello, self._state
        server_ephemeral = _key(hello.ephemeral, "the server's ephemeral key")
        state.mix_hash(server_ephemeral)
        state.mix_agreement(self._ephemeral.private, server_ephemeral)
        server_static = _key(state.open(hello.static), "the server's static key")
        state.mix_agreement(self._ephemeral.private, server_static)
        verify_chain(state.open(hello.payload), leaf_key=server_static, root=root, now=now)

        sealed_static = state.seal(self._static.public)
        state.mix_agreement(self._static.private, server_ephemeral)
        finish = HandshakeMessage.ClientFinish(static=sealed_static, payload=state.seal(payload))
        from_client, from_server = state.split()
        return Finished(
            transport=Transport(sending=from_client, receiving=from_server),
            remote_static=server_static,
            message=HandshakeMessage(client_finish=finish).SerializeToString(),
        )


class Responder:
    """The server's side of one handshake: `answer()`, then `accept()`, once each."""

    def __init__(self, *, static: KeyPair, ephemeral: KeyPair, chain: bytes) -> None:
        self._static = static
        self._ephemeral = ephemeral
        self._chain = chain
        self._state = _SymmetricState()

    def answer(self, hello: bytes) -> bytes:
        """Our hello for the client's. Raises HandshakeError when the client's is malformed."""
        message = _parse(hello)
        if not message.HasField("client_hello"):
            raise HandshakeError("the client's hello is missing")
        client_ephemeral = _key(message.client_hello.ephemeral, "the client's ephemeral key")
        state = self._state
        state.mix_hash(client_ephemeral)
        state.mix_hash(self._ephemeral.public)
        state.mix_agreement(self._ephemeral.private, client_ephemeral)
        sealed_static = state.seal(self._static.public)
        state.mix_agreement(self._static.private, client_ephemeral)
        server_hello = HandshakeMessage.ServerHello(
            ephemeral=self._ephemeral.public, static=sealed_static, payload=state.seal(self._chain)
        )
        return HandshakeMessage(server_hello=server_hello).SerializeToString()

    def accept(self, finish: bytes) -> Finished:
        """Whom we talk to and what they said. Raises HandshakeError when it is malformed or does not authenticate."""
        message = _parse(finish)
        if not message.HasField("client_finish"):
            raise HandshakeError("the client's finish is missing")
        state = self._state
        client_static = _key(state.open(message.client_finish.static), "the client's static key")
        state.mix_agreement(self._ephemeral.private, client_static)
        payload = state.open(message.client_finish.payload)
        from_client, from_server = state.split()
        return Finished(
            transport=Transport(sending=from_server, receiving=from_client),
            remote_static=client_static,
            payload=payload,
        )


class _SymmetricState:
    """The running hash, and the key that each agreement is mixed into; both ends keep the same."""

    __slots__ = ("_counter", "_hash", "_key", "_salt")

    def __init__(self) -> None:
        self._hash = self._salt = self._key = PATTERN
        self._counter = 0
        self.mix_hash(PROLOGUE)

    def mix_hash(self, said: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + said).digest()

    def mix_agreement(self, private: bytes, public: bytes) -> None:
        try:
            secret = agree(private, public)
        except DecodeError as error:
            raise HandshakeError("no agreement is possible with the peer's key") from error
        derived = hkdf(secret, 64, salt=self._salt)
        self._salt, self._key, self._counter = derived[:32], derived[32:], 0

    def seal(self, plaintext: bytes) -> bytes:
        ciphertext = gcm_seal(self._key, self._next_nonce(), plaintext, self._hash)
        self.mix_hash(ciphertext)
        return ciphertext

    def open(self, ciphertext: bytes) -> bytes:
        try:
            plaintext = gcm_open(self._key, self._next_nonce(), ciphertext, self._hash)
        except DecodeError as error:
            raise HandshakeError("a part of the handshake does not authenticate") from error
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[bytes, bytes]:
        """The keys from client to server and from server to client."""
        derived = hkdf(b"", 64, salt=self._salt)
        return derived[:32], derived[32:]

    def _next_nonce(self) -> bytes:
        counter = self._counter
        self._counter = counter + 1
        return counter.to_bytes(12, "big")


def _parse(message: bytes) -> HandshakeMessage:
    try:
        return HandshakeMessage.FromString(message)
    except ProtobufError as error:
        raise HandshakeError("the handshake message is malformed") from error


def _key(key: bytes, what: str) -> bytes:
    if len(key) != KEY_SIZE:
        raise HandshakeError(f"{what} does not have 32 bytes")
    return key
