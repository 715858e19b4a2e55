"""
A phone's keys: identity, prekeys and sessions, with the same Signal code a client uses. The server never sees any of
the private halves, nor a plaintext.
"""

from __future__ import annotations

from collections.abc import Callable

from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.messages.padding import pad, unpad
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.keys import OneTimePreKey, make_prekeys, make_registration_id, make_signed_prekey
from recado.protocol.signal.session import (
    Envelope,
    EnvelopeKind,
    OwnIdentity,
    SessionRecord,
    initiate,
    open_envelope,
    seal,
    wanted_prekeys,
)


class Keyring:
    """The keys of one installation. Sessions are kept by the other device's LID address."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self.own = OwnIdentity(make_registration_id(entropy), KeyPair.generate(entropy))
        self.signed_prekey = make_signed_prekey(self.own.pair, 1, entropy)
        self._one_time: dict[int, KeyPair] = {}
        self._next_id = 1
        self._sessions: dict[JID, SessionRecord] = {}

    def new_prekeys(self, count: int) -> list[OneTimePreKey]:
        """That many fresh one-time keys, kept until they are used."""
        keys = make_prekeys(self._next_id, count, self._entropy)
        self._next_id += count
        self._one_time.update((key.id, key.pair) for key in keys)
        return keys

    def knows(self, device: JID) -> bool:
        """Is there a session with that device?"""
        return device in self._sessions

    def begin(self, device: JID, bundle: PreKeyBundle) -> None:
        """Begin a session with that device, in place of the one there is. Raises BadMac, DecodeError."""
        self._sessions[device] = initiate(
            bundle, own=self.own, entropy=self._entropy, record=self._sessions.get(device)
        )

    def seal(self, device: JID, message: bytes) -> Envelope:
        """Pad and encrypt for that device. Raises NoSession."""
        padded = pad(message, self._entropy)
        self._sessions[device], envelope = seal(self._sessions.get(device), padded, own=self.own)
        return envelope

    def open(self, device: JID, envelope: Envelope) -> bytes:
        """Decrypt what that device sealed, and unpad it. Raises EnvelopeError, DecodeError; then nothing changed."""
        prekey, signed_prekey = None, None
        if envelope.kind is EnvelopeKind.PREKEY:
            one_time_id, signed_id = wanted_prekeys(envelope)
            prekey = self._one_time.get(one_time_id) if one_time_id is not None else None
            signed_prekey = self.signed_prekey.pair if signed_id == self.signed_prekey.id else None
        opened = open_envelope(
            self._sessions.get(device),
            envelope,
            own=self.own,
            entropy=self._entropy,
            prekey=prekey,
            signed_prekey=signed_prekey,
        )
        message = unpad(opened.plaintext)
        self._sessions[device] = opened.record
        if opened.used_prekey is not None:
            self._one_time.pop(opened.used_prekey, None)
        return message

    def forget(self, user: str) -> None:
        """Drop the sessions with all devices of that LID."""
        for device in [device for device in self._sessions if device.user == user]:
            del self._sessions[device]
