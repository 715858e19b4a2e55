"""
Being woken from outside: where the server may post a notice that something waits while no connection is open.

    <iq xmlns="urn:xmpp:whatsapp:push" type="get"><settings/></iq>                     →  <settings …/>
    <iq xmlns="urn:xmpp:whatsapp:push" type="set"><config platform="web" endpoint auth p256dh/></iq>   →  (nothing)
    <iq xmlns="urn:xmpp:whatsapp:push" type="set"><config platform="gcm" id num_acc="1"/></iq>
    <iq xmlns="urn:xmpp:whatsapp:push" type="set"><config platform="apple" id pkey voip? version="2" …/></iq>
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from recado.errors import UsageError
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

NAMESPACE = "urn:xmpp:whatsapp:push"

_AUTH_SIZE = 16
_KEY_SIZE = 65
_APPLE_KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class WebPush:
    """
    A push subscription as a browser makes one (RFC 8291): the `endpoint`, the secret of 16 bytes and the
    uncompressed P-256 key of 65. Raises UsageError.
    """

    endpoint: str = field(repr=False)
    auth: bytes = field(repr=False)
    p256dh: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.endpoint.startswith("https://"):
            raise UsageError("a push endpoint is an https address")
        if len(self.auth) != _AUTH_SIZE or len(self.p256dh) != _KEY_SIZE or self.p256dh[0] != 4:
            raise UsageError("a push subscription has a secret of 16 bytes and a P-256 key of 65")

    def attrs(self) -> dict[str, str]:
        """What the server is told."""
        return {
            "platform": "web",
            "endpoint": self.endpoint,
            "auth": base64.b64encode(self.auth).decode(),
            "p256dh": base64.b64encode(self.p256dh).decode(),
        }


@dataclass(frozen=True, slots=True)
class FirebasePush:
    """A registration token of Firebase Cloud Messaging."""

    token: str = field(repr=False)

    def attrs(self) -> dict[str, str]:
        """What the server is told."""
        return {"platform": "gcm", "id": self.token, "num_acc": "1"}


@dataclass(frozen=True, slots=True)
class ApplePush:
    """
    Tokens of Apple's push service, one of them for calls, and the 32 bytes under which the server seals the ids in what
    it posts. Raises UsageError.
    """

    token: str = field(repr=False)
    key: bytes = field(repr=False)
    calls_token: str | None = field(default=None, repr=False)
    language: str = "en"
    country: str = "US"

    def __post_init__(self) -> None:
        if not self.token or len(self.key) != _APPLE_KEY_SIZE:
            raise UsageError("a place at Apple's is a token and a key of 32 bytes")

    def attrs(self) -> dict[str, str]:
        """What the server is told."""
        sealed_with = base64.urlsafe_b64encode(self.key).decode().rstrip("=")
        named = {"id": self.token, "platform": "apple", "version": "2", "pkey": sealed_with}
        shown = {"lg": self.language, "lc": self.country, "default": "note.m4r", "groups": "note.m4r"}
        attrs = {**named, **shown, "call": "Opening.m4r", **_APPLE}
        return attrs if self.calls_token is None else {**attrs, "voip": self.calls_token}


_APPLE = {
    "reg_push": "1",
    "preview": "1",
    "background_location": "1",
    "nse_call": "0",
    "nse_ver": "2",
    "nse_read": "0",
    "voip_payload_type": "2",
}

Subscription = WebPush | FirebasePush | ApplePush


@dataclass(frozen=True, slots=True)
class RegisterPush:
    """From now on, wake this device there."""

    subscription: Subscription

    def build(self) -> Node:
        """The order."""
        return tell(NAMESPACE, Node("config", self.subscription.attrs()))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """How the server has it set."""

    def build(self) -> Node:
        """The question."""
        return ask(NAMESPACE, Node("settings"))

    def parse(self, answer: Node) -> dict[str, str]:
        """Each by name; empty when it says nothing of them."""
        raise_for_error(answer)
        settings = answer.child("settings")
        return {} if settings is None else dict(settings.attrs)
