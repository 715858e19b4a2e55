"""
Errors as answers: RFC 9457 problems, from one table. The nearest class in an error's line of ancestors decides; a
refusal brings its own status. `detail` is the error's own words, which hold no text, number or key by construction;
to who reads another language, the sentence of its kind (web/sentences).

A business refusal is never a 500, and 422 is only for a malformed body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from recado import errors
from recado.gateway.db.failures import Collided
from recado.gateway.refusals import GuardrailRefused, Refusal
from recado.gateway.web.sentences import problem_in, rule_in
from recado.gateway.web.words import language_of

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error is to a caller: the status, the stable slug of its type, a title, and when to try again."""

    status: int
    kind: str
    title: str
    retry_after: int | None = None


TABLE: dict[type[errors.RecadoError], Problem] = {
    errors.RecadoError: Problem(500, "internal", "Something failed here"),
    errors.UsageError: Problem(409, "wrong-state", "This does not fit the state things are in"),
    errors.NotPaired: Problem(409, "not-linked", "The account is not linked"),
    errors.NotConnected: Problem(409, "not-connected", "There is no open connection", 5),
    errors.PeerError: Problem(502, "bad-gateway", "WhatsApp's answer could not be understood"),
    errors.ConnectionLost: Problem(503, "connection-lost", "The connection to WhatsApp ended", 5),
    errors.LoggedOut: Problem(409, "logged-out", "The device is no longer linked"),
    errors.QueryError: Problem(502, "refused-by-whatsapp", "WhatsApp refused"),
    errors.QueryTimeout: Problem(504, "no-answer", "WhatsApp did not answer in time", 5),
    errors.RateLimited: Problem(429, "rate-limited", "WhatsApp asks to slow down", 60),
    errors.PairingError: Problem(409, "linking-failed", "Linking failed"),
    errors.EnvelopeError: Problem(502, "unreadable", "A message could not be opened"),
    errors.SendError: Problem(409, "not-sent", "The message was not sent"),
    errors.TooLarge: Problem(413, "too-large", "The message is too large"),
    errors.MediaError: Problem(502, "media", "A file could not be moved"),
    errors.StoreError: Problem(500, "store", "The database failed"),
    errors.StoreRefused: Problem(400, "bad-content", "This value cannot be kept"),
    errors.StoreUnavailable: Problem(503, "database-unavailable", "The database cannot be reached", 5),
    errors.LeaseLost: Problem(503, "moved", "Another worker has the account now", 5),
    Collided: Problem(503, "busy", "Two requests met; try again", 1),
}
"""Every class that may leave the gateway, and what it is called there."""

_TITLES = {
    400: "The request cannot be done as it is",
    401: "An API key or a sign-in is needed",
    403: "This is not allowed with this key",
    404: "There is no such thing here",
    405: "That method does not exist here",
    409: "This does not fit the state things are in",
    413: "The request is too large",
    422: "The body is malformed",
    429: "Not so fast",
}
_KINDS = {
    400: "bad-request", 401: "unauthenticated", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    413: "too-large", 422: "malformed-body",
}  # fmt: skip


Page = Callable[[Request, Problem, str], Response | None]
"""Makes a page of a problem, where a page was asked for."""


def problem_of(error: errors.RecadoError) -> Problem:
    """The problem of the nearest class in the table."""
    if isinstance(error, Refusal):
        return Problem(error.status, error.kind, _TITLES.get(error.status, "Refused"), error.retry_after)
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def answer(problem: Problem, detail: str, **more: Any) -> Response:
    """A problem as a response."""
    body = {
        "type": f"/problems/{problem.kind}",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        **more,
    }
    headers = {} if problem.retry_after is None else {"retry-after": str(problem.retry_after)}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(orjson.dumps(body), problem.status, headers, MEDIA_TYPE)


def add_problems(app: FastAPI, page: Page) -> None:
    """Answer every error of the application as a problem, or as a `page` where a person looks."""

    async def on_recado_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.RecadoError)
        problem = problem_of(error)
        more = error.members if isinstance(error, Refusal) else {}
        if isinstance(error, GuardrailRefused):
            said = rule_in(language_of(request), error.rule, error.why, error.retry_after)
        else:
            said = _said(request, problem, str(error))
        return page(request, problem, said) or answer(problem, said, **more)

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = _by_status(error.status_code)
        said = _said(request, problem, str(error.detail))
        return page(request, problem, said) or answer(problem, said)

    app.add_exception_handler(errors.RecadoError, on_recado_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(500, _on_crash)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    """The values themselves are left out: they may be a text or a number."""
    assert isinstance(error, RequestValidationError)
    places = {str(each["loc"][0]) for each in error.errors()}
    status = 422 if "body" in places else 404 if "path" in places else 400
    said = [{"at": ".".join(map(str, each["loc"])), "problem": each["msg"]} for each in error.errors()]
    problem = _by_status(status)
    return answer(problem, _said(request, problem, _TITLES[status]), errors=said)


async def _on_crash(request: Request, error: Exception) -> Response:
    """The server logs the traceback; the caller learns nothing of it."""
    problem = TABLE[errors.RecadoError]
    return answer(problem, _said(request, problem, "Something failed here; it was logged."))


def _said(request: Request, problem: Problem, detail: str) -> str:
    return problem_in(language_of(request), problem.kind, detail)


def _by_status(status: int) -> Problem:
    return Problem(status, _KINDS.get(status, f"http-{status}"), _TITLES.get(status, "Refused"))
