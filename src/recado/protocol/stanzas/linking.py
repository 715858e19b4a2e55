"""
What the server tells a device that is being linked, besides pair-device and pair-success (pairing.py); both roles.

    <notification from="@s.whatsapp.net" type="link_code_companion_reg"><link_code_companion_reg stage="primary_hello">
      <link_code_pairing_ref/><primary_identity_pub/><link_code_pairing_wrapped_primary_ephemeral_pub/></…>
    <notification … type="link_code_companion_reg"><link_code_companion_reg stage="refresh_code">
      <link_code_pairing_ref/></…>                                                    make another code
    <notification … type="companion_reg_refresh"><companion_reg_refresh/> | <pair-device-rotate-qr/>
    <notification … type="passkey_prologue_request"><passkey_request_options>[WebAuthn JSON]</…>
    <notification … type="crsc_continuation"><primary_ephemeral_identity>[protobuf]</…>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.errors import StanzaError
from recado.protocol.node import Node

CODE = "link_code_companion_reg"
REFRESH = "companion_reg_refresh"
PASSKEY = "passkey_prologue_request"
CONTINUATION = "crsc_continuation"

_HELLO = "primary_hello"
_REFRESH_CODE = "refresh_code"
_ROTATE = "pair-device-rotate-qr"


@dataclass(frozen=True, slots=True)
class CodeTyped:
    """A person typed the code on the phone: whose identity that is, and its wrapped ephemeral key."""

    ref: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeStale:
    """The code is to be replaced by another."""

    ref: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretStale:
    """The ADV secret is to be replaced, and what is drawn of it."""


@dataclass(frozen=True, slots=True)
class PasskeyAsked:
    """The account demands a passkey; `options` are the WebAuthn options as the server wrote them, if it did."""

    options: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyContinued:
    """The signature was taken: the phone's ephemeral identity."""

    primary: bytes = field(repr=False)


LinkingNews = CodeTyped | CodeStale | SecretStale | PasskeyAsked | PasskeyContinued


def read_linking(node: Node) -> LinkingNews | None:
    """What a notification says of the linking; None when it is about something else. Raises StanzaError."""
    match node.attrs.get("type"):
        case "link_code_companion_reg":
            return _code(node)
        case "companion_reg_refresh":
            if node.child(REFRESH) is None and node.child(_ROTATE) is None:
                raise StanzaError(node.tag, [f"<{REFRESH}>"])
            return SecretStale()
        case "passkey_prologue_request":
            options = node.child("passkey_request_options")
            return PasskeyAsked(options.blob if options is not None and options.blob else None)
        case "crsc_continuation":
            reader = node.read()
            primary = reader.blob("primary_ephemeral_identity")
            reader.done()
            return PasskeyContinued(primary)
        case _:
            return None


def _code(node: Node) -> LinkingNews | None:
    reader = node.read()
    told = reader.child(CODE)
    reader.done()
    # Older servers name no stage.
    stage = told.attrs.get("stage", _HELLO)
    if stage not in (_HELLO, _REFRESH_CODE):
        return None
    inner = told.read()
    ref = inner.blob("link_code_pairing_ref")
    if stage == _REFRESH_CODE:
        inner.done()
        return CodeStale(ref)
    typed = CodeTyped(
        ref, inner.blob("primary_identity_pub"), inner.blob("link_code_pairing_wrapped_primary_ephemeral_pub")
    )
    inner.done()
    return typed


def code_typed(ref: bytes, identity: bytes, wrapped: bytes) -> list[Node]:
    """The children of the notification that a code was typed; the server's."""
    children = [
        Node("link_code_pairing_ref", None, ref),
        Node("primary_identity_pub", None, identity),
        Node("link_code_pairing_wrapped_primary_ephemeral_pub", None, wrapped),
    ]
    return [Node(CODE, {"stage": _HELLO}, children)]


def code_stale(ref: bytes) -> list[Node]:
    """The children of the notification that another code is wanted; the server's."""
    return [Node(CODE, {"stage": _REFRESH_CODE}, [Node("link_code_pairing_ref", None, ref)])]
