"""
What the gateway refuses, and why: business errors with a status, raised by services, told as RFC 9457 problems
by the web face. A refusal is never a 500; `kind` is the stable slug of its problem type.
"""

from __future__ import annotations

from typing import ClassVar

from recado.errors import RecadoError


class Refusal(RecadoError):
    """The request was understood and refused."""

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "refused"


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


class NotConnectable(Refusal):
    """There is no connection on which this could be done."""

    status = 409
    kind = "no-connection"


class NotSupported(Refusal):
    """The provider of this connection cannot do that."""

    status = 409
    kind = "not-supported"


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
