"""
What a refusal of Z-API means, by what is to be done about it. Documented are 405 and 415 and `{"error": "words"}`; the
rest was seen: 400 with words, 401, 403 and "null not allowed" for the tokens, 404 for the instance, HTML from what
stands in front. Pure. The words are matched and then dropped: they may repeat a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from recado.gateway.providers.zapi.wire import read_object

_CONNECTION = ("not connected", "restore the session", "disconnected")
_TOKENS = ("null not allowed", "client-token", "instance not found", "unauthorized")


class Meaning(StrEnum):
    """What a refusal says, by who can act."""

    NOT_CONNECTED = "not_connected"
    """No phone there: nothing was taken, the same request may pass later."""
    CREDENTIALS = "credentials"
    """The instance or one of the tokens: nothing was taken, and nothing will be before a person has looked."""
    REFUSED = "refused"
    """This request will never be taken."""
    TOO_LARGE = "too_large"
    BUSY = "busy"
    """Nothing was taken: once more, later."""
    UNCLEAR = "unclear"
    """It may have been taken or not."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an answer that is no success comes to."""

    meaning: Meaning
    status: int


def read_refusal(status: int, body: bytes) -> Refusal:
    """What an answer means that names no message; a success without one too."""
    answer = read_object(body)
    words = str(answer.get("error") or answer.get("message") or "").lower() if answer is not None else ""
    return Refusal(_meaning(status, words, is_object=answer is not None), status)


def _meaning(status: int, words: str, *, is_object: bool) -> Meaning:
    if status >= 500 or status == 408:
        return Meaning.UNCLEAR  # what stands in front answers so too, before it asked and after
    if status < 300 and not words:
        return Meaning.UNCLEAR
    if any(each in words for each in _CONNECTION):
        return Meaning.NOT_CONNECTED
    if status in (401, 403) or 300 <= status < 400 or any(each in words for each in _TOKENS):
        return Meaning.CREDENTIALS
    if status == 429 or "queue is full" in words:
        return Meaning.BUSY
    if status == 413:
        return Meaning.TOO_LARGE
    if status == 404 and not is_object:
        return Meaning.CREDENTIALS  # another server than Z-API's
    return Meaning.REFUSED
