"""What the API says in Portuguese: a sentence for every kind of problem and code, and none where none is needed."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import recado.gateway
from recado.gateway.problems import _KINDS, TABLE
from recado.gateway.refusals import Refusal
from recado.gateway.runtime.asking import _SENTENCES
from recado.gateway.web.sentences import SENTENCES, outcome_in, problem_in, rule_in
from recado.gateway.web.words import CATALOGUES


def every_refusal() -> set[type[Refusal]]:
    for module in pkgutil.walk_packages(recado.gateway.__path__, "recado.gateway."):
        if ".migrations" not in module.name:  # which alembic alone can load
            importlib.import_module(module.name)
    found, new = set[type[Refusal]](), set(Refusal.__subclasses__())
    while new:
        found |= new
        new = {deeper for each in new for deeper in each.__subclasses__()} - found
    return found


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_every_kind_of_problem_and_every_code_has_a_sentence_and_no_sentence_is_idle(language: str) -> None:
    kinds = {each.kind for each in every_refusal()} - {"refused"} | {each.kind for each in TABLE.values()}
    wanted = {f"kind.{kind}" for kind in kinds | set(_KINDS.values())}
    wanted |= {f"code.{code}" for code in _SENTENCES} | {f"state.{state}" for state in ("refused", "failed", "unknown")}
    assert set(SENTENCES[language]) == wanted | {"wait"}
    assert {key for key in CATALOGUES[language] if key.startswith("rule.") and key.endswith(".text")}


def test_english_is_the_apis_own_and_so_is_what_has_no_sentence() -> None:
    assert problem_in("en", "not-found", "no such label") == "no such label"
    assert problem_in("pt-BR", "http-418", "a teapot") == "a teapot"
    assert outcome_in("en", "refused", 403, "not here") == "not here"
    assert outcome_in("pt-BR", "done", None, None) is None


@pytest.mark.parametrize(
    ("state", "code", "begins"),
    [("refused", 419, "Não cabe"), ("refused", 999, "O WhatsApp recusou"), ("unknown", None, "Talvez")],
)
def test_a_request_that_came_to_nothing_is_told_by_its_code_else_by_its_state(
    state: str, code: int | None, begins: str
) -> None:
    said = outcome_in("pt-BR", state, code, "in English")
    assert said is not None
    assert said.startswith(begins)


@pytest.mark.parametrize(("wait", "ends"), [(None, "."), (90, "90 s."), (150, "3 min."), (7201, "3 h.")])
def test_a_rule_is_named_in_words_with_how_long_it_holds(wait: int | None, ends: str) -> None:
    said = rule_in("pt-BR", "quiet-hours", "it is late", wait)
    assert said.startswith(CATALOGUES["pt-BR"]["rule.quiet-hours.text"])
    assert said.endswith(ends)
    assert (
        rule_in("en", "quiet-hours", "it is late", wait) == rule_in("pt-BR", "new", "it is late", wait) == "it is late"
    )


async def test_problems_are_told_in_the_language_that_is_asked_for(clara: Any) -> None:
    nowhere = f"{clara.root}/requests/{clara.id}"
    portuguese = await clara.client.get(nowhere, headers=clara.headers | {"accept-language": "pt-BR,pt;q=0.9"})
    assert (portuguese.status_code, portuguese.json()["detail"]) == (404, "Isso não existe aqui.")
    chosen = await clara.client.get(nowhere, headers=clara.headers | {"cookie": "recado_language=pt-BR"})
    assert chosen.json()["detail"] == "Isso não existe aqui."
    assert (await clara.client.get(nowhere, headers=clara.headers)).json()["detail"] == "There is no such thing here."
    malformed = await clara.client.post(
        f"{clara.root}/messages", json={}, headers=clara.headers | {"accept-language": "pt"}
    )
    assert (malformed.status_code, malformed.json()["detail"]) == (422, SENTENCES["pt-BR"]["kind.malformed-body"])
