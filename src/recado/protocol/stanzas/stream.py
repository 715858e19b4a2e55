"""
How a connection begins and ends, in the server's words.

    <success t="…" lid="…" props="…" …/>
    <failure reason="401|402|403|405|…" location="frc" code? expire? message?/>
    <stream:error code="515"/>   <stream:error code="401"><conflict type="device_removed"/></stream:error>
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from recado.errors import CloseReason
from recado.jid import JID
from recado.protocol.node import Node


@dataclass(frozen=True, slots=True)
class Success:
    """Logged in: the server's time, and this device's address in the LID space if the server says it."""

    sent_at: datetime | None
    lid: JID | None

    @staticmethod
    def parse(node: Node) -> Success:
        """Read it. Raises StanzaError."""
        reader = node.read()
        success = Success(reader.opt_time("t"), reader.opt_jid("lid"))
        reader.done()
        return success


@dataclass(frozen=True, slots=True)
class Failure:
    """
    The server refused the login: `reason` is its number. For a restricted account `code` says why, `expires_in` for
    how long.
    """

    reason: int
    location: str | None = None
    code: int | None = None
    expires_in: timedelta | None = None
    message: str | None = None

    @staticmethod
    def parse(node: Node) -> Failure:
        """Read it; a reason that is missing or not a number counts as 500, so that a refusal is never lost."""
        reader = node.read()
        reason, code, expire = reader.opt_int("reason"), reader.opt_int("code"), reader.opt_int("expire")
        return Failure(
            reason=500 if reason is None else reason,
            location=reader.opt_str("location"),
            code=code,
            expires_in=None if expire is None else timedelta(seconds=min(expire, _LONGEST)),
            message=reader.opt_str("message"),
        )


@dataclass(frozen=True, slots=True)
class StreamError:
    """The server ends the stream: a number, and the kind of conflict when another device or socket is behind it."""

    code: int | None = None
    conflict: str | None = None

    @staticmethod
    def parse(node: Node) -> StreamError:
        """Read it; nothing is required."""
        conflict = node.child("conflict")
        return StreamError(node.read().opt_int("code"), None if conflict is None else conflict.attrs.get("type", ""))


_LONGEST = 10 * 365 * 24 * 3600

_FAILURES = {400: CloseReason.SERVER_ERROR, 409: CloseReason.BAD_USER_AGENT, 463: CloseReason.RESTRICTED}
_STREAM_ERRORS = {409: CloseReason.REPLACED, 516: CloseReason.LOGGED_OUT}


def close_reason(end: Failure | StreamError) -> CloseReason:
    """What the end of a connection means; what to do about each is told in docs/howto/states.md."""
    if isinstance(end, Failure):
        return _FAILURES.get(end.reason) or CloseReason.of(end.reason)
    if end.conflict == "device_removed":
        return CloseReason.LOGGED_OUT
    if end.conflict == "replaced":
        return CloseReason.REPLACED
    if end.code is None:
        return CloseReason.SERVER_ERROR if end.conflict is None else CloseReason.REPLACED
    return _STREAM_ERRORS.get(end.code) or CloseReason.of(end.code)


def close_of_stream(node: Node) -> tuple[CloseReason, timedelta | None] | None:
    """Why, and for how long, when `node` says that the connection ends; None for every other stanza."""
    match node.tag:
        case "failure":
            failure = Failure.parse(node)
            return close_reason(failure), failure.expires_in
        case "stream:error":
            return close_reason(StreamError.parse(node)), None
        case "xmlstreamend":
            return CloseReason.CLOSED, None
        case "ib" if node.child("downgrade_webclient") is not None:
            return CloseReason.NOT_MULTI_DEVICE, None
    return None
