"""
Meta's errors as a table: what each code means for the message, the person, the number, the account or the app, and what
to do about it. Meta says to branch on `code` and on nothing else: neither the HTTP status nor the title is stable.

    an answer ─▶ read_error ─▶ GraphError(code) ─▶ meaning_of(code).action ─▶ as_send_error: what the seam knows

The same codes come later in a webhook's `errors`, for what was taken and failed on its way. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from recado.errors import NotConnected, QueryError, RateLimited, RecadoError, Rejected


class Action(StrEnum):
    """What follows from an error."""

    RETRY = "retry"
    """Theirs had a bad moment, and nothing left: again, a few times."""
    UPLOAD_AGAIN = "upload_again"
    """As RETRY, with the file uploaded anew."""
    WAIT_RECIPIENT = "wait_recipient"
    """Too fast for this person: what goes to others goes on."""
    WAIT_NUMBER = "wait_number"
    """Too fast for this phone number."""
    WAIT_ACCOUNT = "wait_account"
    """Too many requests of the business account (WABA)."""
    WAIT_APP = "wait_app"
    """Too many requests of the app, whoever's."""
    REJECT = "reject"
    """This message never goes."""
    OFFER_TEMPLATE = "offer_template"
    """Not without a template: the 24-hour window is closed."""
    OPT_OUT = "opt_out"
    """This person wants no marketing: it is written into the ledger."""
    STOP_CAMPAIGNS = "stop_campaigns"
    """Whatever sends in bulk stops until a person has looked."""
    PAUSE = "pause"
    """Nothing goes on this connection until a person has looked."""
    SIGN_IN = "sign_in"
    """The token or its permissions are worth nothing: another one is needed."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says, in plain words, what to do, and for how long where that is known."""

    action: Action
    words: str
    lasts: timedelta = timedelta(0)


_SECONDS, _MINUTES = timedelta(seconds=1), timedelta(minutes=1)
_TEMPLATE = "the template does not fit"

MEANINGS: Mapping[int, Meaning] = {
    0: Meaning(Action.SIGN_IN, "the access token was refused"),
    1: Meaning(Action.RETRY, "Meta had an unknown problem"),
    2: Meaning(Action.RETRY, "Meta's service was not available"),
    3: Meaning(Action.SIGN_IN, "the app lacks a capability or permission"),
    4: Meaning(Action.WAIT_APP, "the app makes too many requests", 5 * _MINUTES),
    10: Meaning(Action.SIGN_IN, "a permission was not granted or was taken away"),
    100: Meaning(Action.REJECT, "a parameter of the request is wrong"),
    190: Meaning(Action.SIGN_IN, "the access token has expired or was revoked"),
    368: Meaning(Action.PAUSE, "the account is blocked for a while, for breaking a policy"),
    80007: Meaning(Action.WAIT_ACCOUNT, "the business account makes too many requests", 5 * _MINUTES),
    130429: Meaning(Action.WAIT_NUMBER, "the number sends too many messages a second", 5 * _SECONDS),
    130472: Meaning(Action.REJECT, "this person is part of an experiment of Meta's and gets no marketing"),
    130497: Meaning(Action.PAUSE, "the account may not write to people of this country"),
    131000: Meaning(Action.RETRY, "Meta had an unknown problem"),
    131005: Meaning(Action.SIGN_IN, "access was denied: a permission is missing"),
    131008: Meaning(Action.REJECT, "a parameter of the request is missing"),
    131009: Meaning(Action.REJECT, "a value of the request is not valid"),
    131016: Meaning(Action.RETRY, "Meta's service was not available"),
    131021: Meaning(Action.REJECT, "the recipient is the sender"),
    131026: Meaning(Action.REJECT, "it cannot be delivered: not on WhatsApp, an old app, or blocked"),
    131030: Meaning(Action.REJECT, "a test number writes only to the numbers on its list"),
    131031: Meaning(Action.PAUSE, "the account is locked"),
    131037: Meaning(Action.PAUSE, "the number's display name is not approved"),
    131042: Meaning(Action.PAUSE, "there is a problem with the payment method"),
    131045: Meaning(Action.PAUSE, "the number's certificate or registration is wrong"),
    131047: Meaning(Action.OFFER_TEMPLATE, "the other side last wrote more than 24 hours ago: only a template may go"),
    131048: Meaning(Action.STOP_CAMPAIGNS, "too many messages were blocked or reported as spam", 15 * _MINUTES),
    131049: Meaning(Action.REJECT, "this person has had as much marketing as Meta lets through; not before a day"),
    131050: Meaning(Action.OPT_OUT, "this person stopped marketing messages"),
    131051: Meaning(Action.REJECT, "this kind of message is not supported"),
    131052: Meaning(Action.UPLOAD_AGAIN, "the file could not be fetched"),
    131053: Meaning(Action.UPLOAD_AGAIN, "the file could not be uploaded"),
    131056: Meaning(Action.WAIT_RECIPIENT, "too many messages to this person in a short time", 6 * _SECONDS),
    131057: Meaning(Action.RETRY, "the account is in maintenance"),
    132000: Meaning(Action.REJECT, f"{_TEMPLATE}: the number of its values is another"),
    132001: Meaning(Action.REJECT, "there is no such approved template in that language"),
    132005: Meaning(Action.REJECT, f"{_TEMPLATE}: its text gets too long"),
    132007: Meaning(Action.REJECT, f"{_TEMPLATE}: a character breaks a policy"),
    132008: Meaning(Action.REJECT, f"{_TEMPLATE}: a value is missing"),
    132012: Meaning(Action.REJECT, f"{_TEMPLATE}: a value has the wrong form"),
    132015: Meaning(Action.STOP_CAMPAIGNS, "the template is paused for its low quality"),
    132016: Meaning(Action.STOP_CAMPAIGNS, "the template was paused too often and is disabled"),
    132068: Meaning(Action.REJECT, "the flow is blocked"),
    132069: Meaning(Action.REJECT, "the flow is throttled"),
    133004: Meaning(Action.RETRY, "Meta's service was not available"),
    133010: Meaning(Action.PAUSE, "the number is not registered"),
    133016: Meaning(Action.PAUSE, "the number was registered too often"),
    135000: Meaning(Action.REJECT, "a parameter of the request is wrong"),
}
"""What is documented. Codes 200 to 299 are permissions, each as 10."""

TEMPLATE_STOPPED = frozenset({132015, 132016})
"""The codes that say that a template, and not a person, is what does not go."""


def meaning_of(code: int, *, status: int = 400) -> Meaning:
    """What `code` means; an unknown one is Meta's bad moment when the status says so, else this message's fault."""
    if 200 <= code <= 299:
        return MEANINGS[10]
    known = MEANINGS.get(code)
    if known is not None:
        return known
    if status >= 500 or status == 429:
        return Meaning(Action.RETRY, f"Meta had a problem ({code})")
    return Meaning(Action.REJECT, f"Meta refused it ({code})")


class GraphError(RecadoError):
    """Meta answered with an error: `code`, under an HTTP `status`. Its own words are not kept: they quote values."""

    def __init__(self, code: int, *, status: int = 400, subcode: int | None = None) -> None:
        self.code = code
        self.status = status
        self.subcode = subcode
        self.meaning = meaning_of(code, status=status)
        super().__init__(f"{self.meaning.words} (Meta's code {code})")


class NotGraph(RecadoError):
    """The answer was not one of Meta's: another server's page, cut off, or no JSON."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the answer ({status}) was not one of Meta's")


def read_error(status: int, answer: object) -> GraphError | NotGraph:
    """The error an answer holds; `answer` is its JSON, or None when it was none."""
    said = answer.get("error") if isinstance(answer, Mapping) else None
    code = said.get("code") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or not isinstance(code, int) or isinstance(code, bool):
        return NotGraph(status)
    subcode = said.get("error_subcode")
    return GraphError(code, status=status, subcode=subcode if isinstance(subcode, int) else None)


def as_send_error(error: GraphError, now: datetime) -> RecadoError:
    """
    What the seam calls it. Meta answered, so nothing left: what passes is asked again (RateLimited, QueryError), what
    does not is Rejected; NotConnected when the connection itself is over and the message waits for the next.
    """
    meaning = error.meaning
    match meaning.action:
        case Action.WAIT_RECIPIENT | Action.WAIT_NUMBER | Action.WAIT_ACCOUNT | Action.WAIT_APP:
            return RateLimited(now + meaning.lasts)
        case Action.RETRY | Action.UPLOAD_AGAIN:
            return QueryError(error.code, meaning.words)
        case Action.PAUSE | Action.SIGN_IN:
            return NotConnected(str(error))
        case _:
            return Rejected(error.code)


def retry_after(headers: Mapping[str, Any]) -> timedelta | None:
    """How long the answer's headers ask to wait, in whole seconds; a date is not what Meta sends."""
    said = str(headers.get("Retry-After", "")).strip()
    return timedelta(seconds=min(int(said), 86_400)) if said.isascii() and said.isdigit() else None
