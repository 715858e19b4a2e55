from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recado.errors import CloseReason, StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.stream import Failure, StreamError, Success, close_of_stream, close_reason


def test_a_login_tells_the_time_and_our_other_address() -> None:
    node = Node("success", {"t": "1795000000", "lid": "100000000000001:7@lid", "props": "27"})
    assert Success.parse(node) == Success(datetime.fromtimestamp(1795000000, UTC), JID.parse("100000000000001:7@lid"))
    assert Success.parse(Node("success")) == Success(None, None)


def test_a_malformed_login_is_named() -> None:
    with pytest.raises(StanzaError) as refused:
        Success.parse(Node("success", {"t": "now", "lid": "1:x@lid"}))
    assert set(refused.value.missing) == {"t", "lid"}


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("400", CloseReason.SERVER_ERROR),
        ("401", CloseReason.LOGGED_OUT),
        ("402", CloseReason.RESTRICTED),
        ("403", CloseReason.FORBIDDEN),
        ("405", CloseReason.OUTDATED),
        ("406", CloseReason.BAD_USER_AGENT),
        ("409", CloseReason.BAD_USER_AGENT),
        ("429", CloseReason.RATE_LIMITED),
        ("500", CloseReason.SERVER_ERROR),
        ("501", CloseReason.SERVER_ERROR),
        ("503", CloseReason.UNAVAILABLE),
        ("999", CloseReason.SERVER_ERROR),
        ("soon", CloseReason.SERVER_ERROR),
        (None, CloseReason.SERVER_ERROR),
    ],
)
def test_a_refused_login_has_a_meaning(reason: str | None, meaning: CloseReason) -> None:
    node = Node("failure", {} if reason is None else {"reason": reason, "location": "frc"})
    assert close_reason(Failure.parse(node)) == meaning
    assert close_of_stream(node) == (meaning, None)


def test_a_restriction_says_why_and_how_long() -> None:
    node = Node("failure", {"reason": "402", "code": "101", "expire": "3600", "location": "frc", "message": "m"})
    failure = Failure.parse(node)
    assert failure == Failure(402, "frc", 101, timedelta(hours=1), "m")
    assert close_of_stream(node) == (CloseReason.RESTRICTED, timedelta(hours=1))


def test_an_absurd_restriction_stays_a_duration() -> None:
    failure = Failure.parse(Node("failure", {"reason": "402", "expire": "9" * 19}))
    assert failure.expires_in is not None and failure.expires_in < timedelta(days=366 * 10)


@pytest.mark.parametrize(
    ("attrs", "conflict", "meaning"),
    [
        ({"code": "515"}, None, CloseReason.RESTART_REQUIRED),
        ({"code": "503"}, None, CloseReason.UNAVAILABLE),
        ({"code": "401"}, "device_removed", CloseReason.LOGGED_OUT),
        ({"code": "401"}, None, CloseReason.LOGGED_OUT),
        ({"code": "516"}, None, CloseReason.LOGGED_OUT),
        ({"code": "440"}, "replaced", CloseReason.REPLACED),
        ({}, "replaced", CloseReason.REPLACED),
        ({"code": "409"}, None, CloseReason.REPLACED),
        ({}, "something", CloseReason.REPLACED),
        ({"code": "429"}, None, CloseReason.RATE_LIMITED),
        ({"code": "777"}, None, CloseReason.SERVER_ERROR),
        ({"code": "x"}, None, CloseReason.SERVER_ERROR),
        ({}, None, CloseReason.SERVER_ERROR),
    ],
)
def test_a_stream_error_has_a_meaning(attrs: dict[str, str], conflict: str | None, meaning: CloseReason) -> None:
    content = None if conflict is None else [Node("conflict", {"type": conflict})]
    node = Node("stream:error", attrs, content)
    assert close_reason(StreamError.parse(node)) == meaning
    assert close_of_stream(node) == (meaning, None)


def test_other_ends() -> None:
    assert close_of_stream(Node("xmlstreamend")) == (CloseReason.CLOSED, None)
    assert close_of_stream(Node("ib", None, [Node("downgrade_webclient")])) == (CloseReason.NOT_MULTI_DEVICE, None)


@pytest.mark.parametrize("node", [Node("ib", None, [Node("offline")]), Node("message"), Node("success")])
def test_nothing_else_ends_a_stream(node: Node) -> None:
    assert close_of_stream(node) is None
