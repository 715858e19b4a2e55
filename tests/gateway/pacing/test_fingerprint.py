"""Texts that say nearly the same are found alike whatever was changed for each person; others are not."""

from __future__ import annotations

import itertools

import pytest

from recado.gateway.pacing.fingerprint import fingerprint, likeness, normalised
from recado.gateway.pacing.rules import Rules

KEY = bytes(range(16))
OFFER = "Olá {name}! Só hoje: curso de confeitaria com 50% de desconto. Responda SIM para garantir a sua vaga. {tail}"


def alike(one: str, other: str, *, names: tuple[str, str] = ("", "")) -> float:
    marks = [fingerprint(normalised(text, [name]), KEY) for text, name in zip((one, other), names, strict=True)]
    return likeness(*marks)


def test_the_same_text_is_the_same() -> None:
    assert alike(OFFER, OFFER) == 1.0


@pytest.mark.parametrize(
    "changed",
    [
        OFFER.upper(),
        OFFER.replace("á", "a").replace("ó", "o"),
        OFFER.replace("50%", "70%"),
        OFFER.replace(" ", "   ").replace("!", " 🎉🎉"),
        OFFER.replace("curso", "cu\u200brso"),
    ],
)
def test_case_accents_digits_marks_and_invisible_characters_change_nothing(changed: str) -> None:
    assert alike(OFFER, changed) == 1.0


def test_a_person_s_own_name_changes_nothing() -> None:
    one, other = OFFER.format(name="Ana Clara", tail=""), OFFER.format(name="José", tail="")
    assert alike(one, other, names=("Ana Clara", "José")) == 1.0


def test_a_few_words_more_or_other_ones_are_still_the_same_text() -> None:
    plain = OFFER.format(name="Ana", tail="")
    limit = Rules().repetition.likeness
    assert alike(plain, OFFER.format(name="José", tail="Abraços!")) >= limit
    assert alike(plain, plain.replace("Só hoje", "Apenas hoje")) >= limit


def test_other_texts_are_not_alike() -> None:
    texts = [
        OFFER.format(name="Ana", tail=""),
        "Bom dia, a sua consulta está marcada para amanhã às 14:30 na rua das Flores.",
        "O pedido 4431 saiu para entrega e chega até as 18 horas. Obrigado pela compra!",
        "Oi, conseguiu olhar o orçamento que mandei ontem? Qualquer dúvida estou por aqui.",
        "Your table for four is booked for Friday at 8 pm; reply to change it.",
    ]
    for one, other in itertools.combinations(texts, 2):
        assert alike(one, other) < 0.3


def test_another_key_makes_another_mark_and_no_text_is_in_it() -> None:
    plain = normalised(OFFER)
    mark = fingerprint(plain, KEY)
    assert likeness(mark, fingerprint(plain, bytes(16))) < 0.1
    assert len(mark) == 128
    assert b"curso" not in mark


def test_texts_of_no_letters_and_of_many_are_taken() -> None:
    assert normalised("👍 !!! …") == ""
    assert len(fingerprint(normalised("a longa história " * 10_000), KEY)) == 128
