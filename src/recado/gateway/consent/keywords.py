"""
Words for stopping and for coming back: what counts as one, and what is said in answer. Values only. A word is a word
when it is the whole message, whatever its case, accents and punctuation: who writes "não quero parar" does not stop.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

STOP_WORDS = (
    "sair", "parar", "pare", "stop", "stop all", "cancelar", "cancel", "descadastrar", "descadastre", "desinscrever",
    "remover", "remova", "quero sair", "me remova", "nao quero receber", "nao quero mais receber",
    "pare de enviar", "unsubscribe", "opt out", "optout",
)  # fmt: skip
RETURN_WORDS = ("voltar", "start", "unstop", "quero receber", "quero voltar")

LONGEST_WORD = 60
_SMALL_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_ANSWERS = {
    "pt-BR": "Pronto: você não vai mais receber nossas mensagens automáticas. Para voltar a receber, responda {word}.",
    "en": "Done: you will get no more automatic messages from us. To get them again, reply {word}.",
}
_WORD_BACK = {"pt-BR": "VOLTAR", "en": "START"}


def normalised(text: str) -> str:
    """Small letters without accents, punctuation or doubled spaces; empty when it is too long to be a word."""
    if len(text) > 2 * LONGEST_WORD:
        return ""
    if text.isascii():
        return " ".join(text.translate(_SMALL_ASCII).split())
    kept = []
    for character in unicodedata.normalize("NFKD", text.casefold()):
        kind = unicodedata.category(character)
        if kind[0] in "LN":
            kept.append(character)
        elif kind[0] != "M" and kind != "Cf":  # accents, and what nobody sees, leave no gap
            kept.append(" ")
    return " ".join("".join(kept).split())


def words_of(given: Iterable[str] | None, usual: Iterable[str]) -> frozenset[str]:
    """The words in force: what the mentorado set, or the usual ones."""
    return frozenset(filter(None, map(normalised, usual if given is None else given)))


USUAL = words_of(None, STOP_WORDS) | words_of(None, RETURN_WORDS)
"""Every usual word, of both kinds."""


def answer_of(locale: str, answer: str | None, return_words: Iterable[str] | None) -> str:
    """What is answered to a word for stopping."""
    if answer is not None:
        return answer
    own = next(iter(return_words or ()), None)
    return _ANSWERS[locale].format(word=own.upper() if own else _WORD_BACK[locale])
