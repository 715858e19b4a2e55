"""
What a device that is being linked asks of the server; the answers to pair-device and pair-success are stanzas of their
own (stanzas/pairing.py).

    <iq xmlns="md" type="set"><link_code_companion_reg jid="…" stage="companion_hello"
        should_show_push_notification="true">…</…>    →  <link_code_companion_reg><link_code_pairing_ref/></…>
    <iq xmlns="md" type="set"><link_code_companion_reg jid="…" stage="companion_finish">…</…>
    <iq xmlns="md" type="get"><ref/>                                              →  <ref>[text]</ref>
    <iq xmlns="md" type="get"><passkey_request_options/>                          →  <passkey_request_options>[JSON]</…>
    <iq xmlns="md" type="set"><passkey_prologue><credential_id/><webauthn_assertion/><prologue_payload/>
        <pairing_handoff_proof/></passkey_prologue>
    <iq xmlns="md" type="set"><companion_nonce>…                <iq xmlns="md" type="set"><encrypted_pairing_request>…
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.pairing.passkey import Assertion
from recado.protocol.queries.query import ask, raise_for_error, tell

_NAMESPACE = "md"
_CODE = "link_code_companion_reg"


@dataclass(frozen=True, slots=True)
class CompanionHello:
    """
    Be linked to the account of a number, by a code: our ephemeral key wrapped with it. `display` is the browser as
    "Chrome (Mac OS)", which the server checks.
    """

    account: JID = field(repr=False)
    wrapped: bytes = field(repr=False)
    noise: bytes = field(repr=False)
    platform: str
    display: str

    def build(self) -> Node:
        """The order."""
        children = [
            Node("link_code_pairing_wrapped_companion_ephemeral_pub", None, self.wrapped),
            Node("companion_server_auth_key_pub", None, self.noise),
            Node("companion_platform_id", None, self.platform.encode()),
            Node("companion_platform_display", None, self.display.encode()),
            Node("link_code_pairing_nonce", None, b"0"),
        ]
        attrs = {"jid": str(self.account), "stage": "companion_hello", "should_show_push_notification": "true"}
        return tell(_NAMESPACE, Node(_CODE, attrs, children))

    def parse(self, answer: Node) -> bytes:
        """The reference of this attempt."""
        raise_for_error(answer)
        reader = answer.read()
        told = reader.child(_CODE)
        reader.done()
        inner = told.read()
        ref = inner.blob("link_code_pairing_ref")
        inner.done()
        return ref


@dataclass(frozen=True, slots=True)
class CompanionFinish:
    """The code was typed: the key bundle for the phone."""

    account: JID = field(repr=False)
    bundle: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    ref: bytes = field(repr=False)

    def build(self) -> Node:
        """The order."""
        children = [
            Node("link_code_pairing_wrapped_key_bundle", None, self.bundle),
            Node("companion_identity_public", None, self.identity),
            Node("link_code_pairing_ref", None, self.ref),
        ]
        return tell(_NAMESPACE, Node(_CODE, {"jid": str(self.account), "stage": "companion_finish"}, children))

    def parse(self, answer: Node) -> None:
        """Nothing: passed on."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class CompanionRef:
    """A reference for what follows."""

    def build(self) -> Node:
        """The question."""
        return ask(_NAMESPACE, Node("ref"))

    def parse(self, answer: Node) -> str:
        """The reference."""
        raise_for_error(answer)
        reader = answer.read()
        ref = reader.child("ref")
        reader.done()
        return ref.text


@dataclass(frozen=True, slots=True)
class PasskeyOptions:
    """What the passkey is to sign, when the server's notification did not say."""

    def build(self) -> Node:
        """The question."""
        return ask(_NAMESPACE, Node("passkey_request_options"))

    def parse(self, answer: Node) -> bytes:
        """The WebAuthn options, JSON."""
        raise_for_error(answer)
        reader = answer.read()
        options = reader.blob("passkey_request_options")
        reader.done()
        return options


@dataclass(frozen=True, slots=True)
class PasskeyPrologue:
    """The signature, and what this device begins the exchange with."""

    assertion: Assertion
    payload: bytes = field(repr=False)
    proof: bytes = field(repr=False)

    def build(self) -> Node:
        """The order."""
        children = [
            Node("credential_id", None, self.assertion.credential),
            Node("webauthn_assertion", None, self.assertion.text),
            Node("prologue_payload", None, self.payload),
            Node("pairing_handoff_proof", None, self.proof),
        ]
        return tell(_NAMESPACE, Node("passkey_prologue", None, children))

    def parse(self, answer: Node) -> None:
        """Nothing: taken."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class CompanionNonce:
    """The nonce this device had committed to."""

    nonce: bytes = field(repr=False)

    def build(self) -> Node:
        """The order."""
        return tell(_NAMESPACE, Node("companion_nonce", None, self.nonce))

    def parse(self, answer: Node) -> None:
        """Nothing: passed on."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class PairingRequestSealed:
    """This device's keys for the phone."""

    sealed: bytes = field(repr=False)

    def build(self) -> Node:
        """The order."""
        return tell(_NAMESPACE, Node("encrypted_pairing_request", None, self.sealed))

    def parse(self, answer: Node) -> None:
        """Nothing: passed on."""
        raise_for_error(answer)
