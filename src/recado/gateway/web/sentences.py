"""
What the API says to a person, in the language asked for (RFC 9457 lets `detail` follow Accept-Language). English is the
API's own and more exact; another language has a sentence for each kind of problem and each code of WhatsApp's.
"""

from __future__ import annotations

import json
from pathlib import Path

from recado.gateway.web.words import CATALOGUES, DEFAULT, LANGUAGES

_FOLDER = Path(__file__).with_name("texts")
SENTENCES: dict[str, dict[str, str]] = {
    code: json.loads((_FOLDER / f"{code}.problems.json").read_text()) for code in LANGUAGES if code != DEFAULT
}
"""By language: `kind.` of a problem, `code.` and `state.` of a request that came to nothing."""


def problem_in(language: str, kind: str, detail: str) -> str:
    """The detail of a problem of that kind; the API's own words where there are no others."""
    return SENTENCES.get(language, {}).get(f"kind.{kind}", detail)


def rule_in(language: str, rule: str, why: str, wait: int | None) -> str:
    """Why a guardrail holds a message back, and for how many seconds where that is known."""
    sentences, said = SENTENCES.get(language), CATALOGUES[language].get(f"rule.{rule}.text")
    if sentences is None or said is None:
        return why
    return said if wait is None else sentences["wait"].format(sentence=said, time=_length(wait))


def outcome_in(language: str, state: str, code: int | None, problem: str | None) -> str | None:
    """Why a request came to nothing; None where it did not."""
    sentences = SENTENCES.get(language)
    if sentences is None or problem is None:
        return problem
    return sentences.get(f"code.{code}") or sentences.get(f"state.{state}") or problem


def _length(seconds: int) -> str:
    """A length of time in short: the signs are the same in every language here."""
    for size, sign in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{-(-seconds // size)} {sign}"
    return f"{seconds} s"
