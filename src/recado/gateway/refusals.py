"""
What the gateway refuses, and why: business errors with a status, raised by services, told as RFC 9457 problems
by the web face. A refusal is never a 500; `kind` is the stable slug of its problem type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from recado.errors import RecadoError


class Refusal(RecadoError):
    """The request was understood and refused."""

    status: int = 400
    kind: ClassVar[str] = "refused"
    retry_after: int | None = None
    """Seconds after which the same request may pass, where that is known."""

    @property
    def members(self) -> Mapping[str, Any]:
        """What its problem says beyond the usual members; no text, number or key."""
        return {}


class Unauthenticated(Refusal):
    """The API key is missing, unknown or revoked."""

    status = 401
    kind = "unauthenticated"


class Forbidden(Refusal):
    """This key may not do that."""

    status = 403
    kind = "forbidden"


class NotFound(Refusal):
    """There is no such thing here."""

    status = 404
    kind = "not-found"


class NoPicture(Refusal):
    """They show no picture, or it is not here yet."""

    status = 404
    kind = "no-picture"


class NotConnectable(Refusal):
    """There is no connection on which this could be done."""

    status = 409
    kind = "no-connection"


class NoSuchStep(Refusal):
    """Nothing of the kind is asked right now, or it was answered."""

    status = 409
    kind = "no-such-step"


class BadAssertion(Refusal):
    """This is not what a browser gives for a passkey."""

    status = 422
    kind = "bad-assertion"


class NotSupported(Refusal):
    """The provider of this connection cannot do that."""

    status = 409
    kind = "not-supported"


class CannotCarry(NotSupported):
    """This provider does not carry that kind of content; `roads` are those that do."""

    def __init__(self, content: str, provider: str, roads: Sequence[str]) -> None:
        others = f"; these do: {', '.join(roads)}" if roads else ""
        super().__init__(f"{provider} does not carry {content}{others}")
        self.content = content
        self.provider = provider
        self.roads = list(roads)

    @property
    def members(self) -> Mapping[str, Any]:
        return {"content": self.content, "provider": self.provider, "roads": self.roads}


class NoCredentials(Refusal):
    """There are no credentials for this provider yet: save them first."""

    status = 409
    kind = "no-credentials"


class InUse(Refusal):
    """Something works with this now."""

    status = 409
    kind = "in-use"


class AccountTaken(Refusal):
    """This account is connected for another mentorado over the operator's own app."""

    status = 409
    kind = "account-taken"


class KeyReused(Refusal):
    """This idempotency key was used for another request."""

    status = 409
    kind = "idempotency-key-reused"


class BadAddress(Refusal):
    """This is not an address a message can go to."""

    status = 400
    kind = "bad-address"


class BadContent(Refusal):
    """This content cannot be stored or sent."""

    status = 400
    kind = "bad-content"


class Stale(Refusal):
    """This was changed by somebody else meanwhile; look again."""

    status = 409
    kind = "stale"


class GuardrailRefused(Refusal):
    """A guardrail holds this message back: `rule` says which, `why` in plain words, `until` when it would pass."""

    kind = "guardrail"

    def __init__(self, rule: str, why: str, until: datetime | None = None, *, now: datetime | None = None) -> None:
        """`now` makes `until` a number of seconds for the caller to wait."""
        super().__init__(why)
        self.rule = rule
        self.why = why
        self.until = until
        self.status = 409 if until is None else 429
        if until is not None and now is not None:
            self.retry_after = max(1, math.ceil((until - now).total_seconds()))

    @property
    def members(self) -> Mapping[str, Any]:
        return {"rule": self.rule, "why": self.why, "until": self.until}


class TooManyWebhooks(Refusal):
    """A mentorado has at most 20 webhooks."""

    status = 409
    kind = "too-many-webhooks"


class KeyIsOver(Refusal):
    """This key was revoked, replaced or has run out."""

    status = 409
    kind = "key-is-over"


class CannotMerge(Refusal):
    """These two contacts are not one person."""

    status = 409
    kind = "cannot-merge"


class LeadExists(Refusal):
    """There is a lead with this phone number."""

    status = 409
    kind = "lead-exists"


class WindowClosed(Refusal):
    """The other side last wrote more than 24 hours ago: over the official API only an approved template may go."""

    status = 409
    kind = "window-closed"

    def __init__(self, templates: Sequence[tuple[str, str, int]]) -> None:
        """`templates` are those that may go: name, language, and how many values the body wants."""
        super().__init__()
        self.templates = list(templates)

    @property
    def members(self) -> Mapping[str, Any]:
        return {"templates": [{"name": n, "language": language, "values": v} for n, language, v in self.templates]}
