"""Which messages are a word for stopping, and which only speak of it."""

from __future__ import annotations

import pytest

from recado.gateway.consent.keywords import RETURN_WORDS, STOP_WORDS, answer_of, normalised, words_of

STOPS = words_of(None, STOP_WORDS)
RETURNS = words_of(None, RETURN_WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "SAIR", "sair", "Sair.", " sair ", "*SAIR*", "“sair”", "Sair!!!", "SAIR 🙏", "parar", "PARE", "Pare, ", "stop",
        "STOP.", "Stop\n", "CANCELAR", "descadastrar", "Remover", "UNSUBSCRIBE", "unsubscribe.", "não quero receber",
        "NAO QUERO MAIS RECEBER", "sa\u200bir", "ＳＡＩＲ", "Sai\u0301r", "stop all", "STOP-ALL",
    ],
)  # fmt: skip
def test_the_whole_message_is_the_word_whatever_its_case_accents_and_punctuation(text: str) -> None:
    assert normalised(text) in STOPS


@pytest.mark.parametrize(
    "text",
    [
        "não quero parar", "nao quero parar", "quero parar de fumar", "vou sair agora", "pode parar?  ou não", "sairei",
        "non-stop", "stopping", "cancelar a consulta de amanhã", "como faço para cancelar?", "remover o item 3", "",
        "   ", "🙏", "...", "s a i r", "sair " * 40, "VOLTAR", "oi",
    ],
)  # fmt: skip
def test_what_only_holds_the_word_is_no_stop(text: str) -> None:
    assert normalised(text) not in STOPS


def test_there_are_words_for_coming_back_and_none_is_both() -> None:
    assert {normalised(text) for text in ("VOLTAR", "Start!")} <= RETURNS
    assert not STOPS & RETURNS


def test_a_mentorado_s_own_words_take_the_place_of_the_usual_ones() -> None:
    assert words_of(["Chega!", "não  MAIS", "?"], STOP_WORDS) == {"chega", "nao mais"}


def test_the_answer_is_in_the_mentorado_s_language_and_names_the_way_back() -> None:
    assert "VOLTAR" in answer_of("pt-BR", None, None)
    assert "START" in answer_of("en", None, None)
    assert "QUERO" in answer_of("en", None, ["quero"])
    assert answer_of("en", "Tchau", ["quero"]) == "Tchau"


def test_a_text_of_plain_letters_is_read_as_every_other_is() -> None:
    for code in range(128):
        text = f" Quero{chr(code)}{chr(code)}SAIR "
        plain, other = normalised(text), normalised(text + "\N{COMBINING ACUTE ACCENT}")  # which leaves no trace
        assert plain == other, hex(code)
