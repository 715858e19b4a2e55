"""Meta's errors: every documented code has one action, and becomes the seam's error that has it done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recado.errors import NotConnected, QueryError, RateLimited, RecadoError, Rejected
from recado.gateway.providers.meta.errors import (
    MEANINGS,
    Action,
    GraphError,
    NotGraph,
    as_send_error,
    meaning_of,
    read_error,
    retry_after,
)
from recado.gateway.runtime.fates import Again, Settled, fate_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)

TABLE = {
    Action.RETRY: (1, 2, 131000, 131016, 131057, 133004),
    Action.UPLOAD_AGAIN: (131052, 131053),
    Action.WAIT_RECIPIENT: (131056,),
    Action.WAIT_NUMBER: (130429,),
    Action.WAIT_ACCOUNT: (80007,),
    Action.WAIT_APP: (4,),
    Action.REJECT: (
        100, 130472, 131008, 131009, 131021, 131026, 131030, 131049, 131051, 132000, 132001, 132005, 132007, 132008,
        132012, 132068, 132069, 135000,
    ),
    Action.OFFER_TEMPLATE: (131047,),
    Action.OPT_OUT: (131050,),
    Action.STOP_CAMPAIGNS: (131048, 132015, 132016),
    Action.PAUSE: (368, 130497, 131031, 131037, 131042, 131045, 133010, 133016),
    Action.SIGN_IN: (0, 3, 10, 190, 200, 250, 299, 131005),
}  # fmt: skip
FATES: dict[Action, type[RecadoError]] = {
    Action.RETRY: QueryError,
    Action.UPLOAD_AGAIN: QueryError,
    Action.WAIT_RECIPIENT: RateLimited,
    Action.WAIT_NUMBER: RateLimited,
    Action.WAIT_ACCOUNT: RateLimited,
    Action.WAIT_APP: RateLimited,
    Action.PAUSE: NotConnected,
    Action.SIGN_IN: NotConnected,
}


def said(code: Any, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "(#1) quotes +55 11 95555-0101", "type": "OAuthException", "code": code, **more}}


@pytest.mark.parametrize(("action", "code"), [(action, code) for action, codes in TABLE.items() for code in codes])
def test_every_documented_code_has_its_action(action: Action, code: int) -> None:
    assert meaning_of(code).action is action
    error = as_send_error(GraphError(code), NOW)
    assert isinstance(error, FATES.get(action, Rejected))
    if isinstance(error, RateLimited):
        assert error.retry_at is not None
        assert error.retry_at > NOW
    if isinstance(error, Rejected):
        assert error.code == code


def test_the_table_of_this_test_is_the_whole_table() -> None:
    codes = {code for codes in TABLE.values() for code in codes}
    assert codes - {200, 250, 299} == set(MEANINGS)


def test_a_refusal_settles_and_a_bad_moment_is_tried_again() -> None:
    refused = fate_of(as_send_error(GraphError(131026), NOW), attempts=1, had_left=False)
    assert isinstance(refused, Settled)
    assert refused.state == "failed"
    again = fate_of(as_send_error(GraphError(131016, status=500), NOW), attempts=1, had_left=False)
    assert isinstance(again, Again)
    assert not again.may_have_left


@pytest.mark.parametrize(("status", "action"), [(500, Action.RETRY), (503, Action.RETRY), (400, Action.REJECT)])
def test_a_code_that_is_not_known_is_judged_by_the_status(status: int, action: Action) -> None:
    assert meaning_of(999_999, status=status).action is action


def test_a_known_code_is_judged_by_the_code_whatever_the_status() -> None:
    assert {meaning_of(130429, status=status).action for status in (400, 429, 500)} == {Action.WAIT_NUMBER}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "no",
        {},
        {"error": None},
        {"error": "words"},
        {"error": {}},
        {"error": {"code": None}},
        {"error": {"code": "190"}},
        {"error": {"code": True}},
        {"success": True},
    ],
)
def test_an_answer_that_is_not_metas_is_an_error_of_its_own(answer: object) -> None:
    error = read_error(502, answer)
    assert isinstance(error, NotGraph)
    assert error.status == 502


def test_metas_own_words_are_in_no_error() -> None:
    error = read_error(400, said(131026, error_data={"details": "to +55 11 95555-0101"}, error_subcode=33))
    assert isinstance(error, GraphError)
    assert (error.code, error.subcode) == (131026, 33)
    assert not [text for text in (str(error), repr(error)) if "95555" in text or "quotes" in text]


@pytest.mark.parametrize(
    ("header", "wait"),
    [("30", 30), ("0", 0), ("999999999", 86_400), ("", None), ("Wed, 21 Oct 2026", None), ("-4", None), ("٣", None)],
)
def test_how_long_to_wait_is_read_from_the_answer(header: str, wait: int | None) -> None:
    assert retry_after({"Retry-After": header}) == (None if wait is None else timedelta(seconds=wait))
