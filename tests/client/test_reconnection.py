"""The reconnection table, line by line."""

from datetime import UTC, datetime, timedelta

import pytest

from recado.client.reconnection import Close, Past, Reconnect, Stop, decide
from recado.errors import CloseReason, LeaseLost, StoreUnavailable
from recado.events import ConnectionState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEATHER = [
    CloseReason.CLOSED,
    CloseReason.LOST,
    CloseReason.SERVER_ERROR,
    CloseReason.UNAVAILABLE,
    CloseReason.RATE_LIMITED,
    CloseReason.UNREACHABLE,
]


@pytest.mark.parametrize("reason", WEATHER)
def test_the_weather_is_waited_out(reason: CloseReason) -> None:
    decision = decide(Past(), Close(reason), now=NOW, jitter=0.5)
    assert decision == Reconnect(3.0, Past(attempts=1))


def test_the_pause_doubles_up_to_thirty_seconds_and_ten_attempts() -> None:
    past, pauses = Past(), []
    while isinstance(decision := decide(past, Close(CloseReason.LOST), now=NOW, jitter=0.5), Reconnect):
        pauses.append(decision.after)
        past = decision.past
    assert pauses == [3, 6, 12, 24, 30, 30, 30, 30, 30, 30]
    assert decision == Stop(ConnectionState.FAILED)


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_the_jitter_never_passes_the_longest_pause(jitter: float) -> None:
    for attempts in range(10):
        decision = decide(Past(attempts=attempts), Close(CloseReason.LOST), now=NOW, jitter=jitter)
        assert isinstance(decision, Reconnect)
        assert 2.4 <= decision.after <= 30


def test_two_accounts_do_not_come_back_in_the_same_moment() -> None:
    first = decide(Past(), Close(CloseReason.LOST), now=NOW, jitter=0.1)
    second = decide(Past(), Close(CloseReason.LOST), now=NOW, jitter=0.9)
    assert isinstance(first, Reconnect)
    assert isinstance(second, Reconnect)
    assert first.after != second.after


def test_a_connection_that_held_clears_the_counter() -> None:
    close = Close(CloseReason.LOST, held=timedelta(seconds=60))
    assert decide(Past(attempts=10), close, now=NOW, jitter=0.5) == Reconnect(3.0, Past(attempts=1))


def test_a_connection_that_did_not_hold_does_not() -> None:
    close = Close(CloseReason.LOST, held=timedelta(seconds=59))
    assert decide(Past(attempts=10), close, now=NOW, jitter=0.5) == Stop(ConnectionState.FAILED)


def test_a_restart_is_immediate_and_not_counted() -> None:
    past = Past(attempts=4)
    assert decide(past, Close(CloseReason.RESTART_REQUIRED), now=NOW, jitter=0.5) == Reconnect(0.0, past)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (CloseReason.LOGGED_OUT, ConnectionState.LOGGED_OUT),
        (CloseReason.FORBIDDEN, ConnectionState.FAILED),
        (CloseReason.BAD_USER_AGENT, ConnectionState.FAILED),
        (CloseReason.NOT_MULTI_DEVICE, ConnectionState.FAILED),
        (CloseReason.UNTRUSTED, ConnectionState.FAILED),
        (CloseReason.CLIENT, ConnectionState.DISCONNECTED),
    ],
)
def test_some_ends_are_final(reason: CloseReason, state: ConnectionState) -> None:
    assert decide(Past(), Close(reason), now=NOW, jitter=0.5) == Stop(state)


def test_a_restriction_says_until_when() -> None:
    until = NOW + timedelta(hours=6)
    decision = decide(Past(), Close(CloseReason.RESTRICTED, until=until), now=NOW, jitter=0.5)
    assert decision == Stop(ConnectionState.RESTRICTED, until)


def test_the_third_replacement_within_ten_minutes_stops() -> None:
    past = Past()
    for minute in (0, 4):
        decision = decide(past, Close(CloseReason.REPLACED), now=NOW + timedelta(minutes=minute), jitter=0.5)
        assert isinstance(decision, Reconnect)
        assert decision.after >= 3.0
        past = decision.past
    last = decide(past, Close(CloseReason.REPLACED), now=NOW + timedelta(minutes=9), jitter=0.5)
    assert last == Stop(ConnectionState.REPLACED)


def test_replacements_far_apart_are_weather() -> None:
    past = Past()
    for minute in (0, 9, 18, 27):
        close = Close(CloseReason.REPLACED, held=timedelta(minutes=9))
        decision = decide(past, close, now=NOW + timedelta(minutes=minute), jitter=0.5)
        assert isinstance(decision, Reconnect)
        past = decision.past


def test_an_outdated_client_refreshes_once_and_then_stops() -> None:
    first = decide(Past(), Close(CloseReason.OUTDATED), now=NOW, jitter=0.5)
    assert first == Reconnect(0.0, Past(refreshed=True), refresh=True)
    assert isinstance(first, Reconnect)
    assert decide(first.past, Close(CloseReason.OUTDATED), now=NOW, jitter=0.5) == Stop(ConnectionState.FAILED)


def test_losing_the_lease_stops_and_losing_the_database_waits() -> None:
    lost = decide(Past(), Close(CloseReason.CLIENT, error=LeaseLost()), now=NOW, jitter=0.5)
    away = decide(Past(), Close(CloseReason.UNAVAILABLE, error=StoreUnavailable()), now=NOW, jitter=0.5)
    assert lost == Stop(ConnectionState.FAILED)
    assert isinstance(away, Reconnect)
