"""
The words of the pages, in each language: one catalogue a language, flat, the same keys in all, in a file
for each family of pages. The scripts get the same words when they are put together (assets.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fastapi import Request

COOKIE = "recado_language"
LANGUAGES = {"en": "English", "pt-BR": "Português"}
DEFAULT = "en"

_PARTS = ("", ".pages", ".findings", ".roads", ".thread", ".chats")
_FOLDER = Path(__file__).with_name("texts")

CATALOGUES: dict[str, dict[str, str]] = {
    code: {
        key: word for part in _PARTS for key, word in json.loads((_FOLDER / f"{code}{part}.json").read_text()).items()
    }
    for code in LANGUAGES
}


def language_of(request: Request) -> str:
    """What the person chose, else what the browser asks for, else English."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for word in _by_wish(request.headers.get("accept-language", "")):
        for code in LANGUAGES:
            if word.lower().split("-")[0] == code.lower().split("-")[0]:
                return code
    return DEFAULT


def words_in(language: str) -> Callable[..., str]:
    """Looks a text up: `t("thread.empty")`, with values put in by name; of a `count` of one, the text for one."""
    catalogue = CATALOGUES[language]

    def text(key: str, **values: object) -> str:
        found = catalogue[key]
        if values.get("count") == 1:
            found = catalogue.get(f"{key}.one", found)
        return found.format(**values) if values else found

    return text


def words_beginning(language: str, prefix: str) -> dict[str, str]:
    """The texts whose keys begin so, without that part of the key."""
    return {key.removeprefix(prefix): text for key, text in CATALOGUES[language].items() if key.startswith(prefix)}


def _by_wish(header: str) -> list[str]:
    """The languages of an Accept-Language header, the most wanted first."""
    wishes = []
    for place, part in enumerate(header.split(",")[:20]):
        word, _, weight = part.partition(";")
        try:
            wishes.append((-float(weight.strip().removeprefix("q=") or 1), place, word.strip()))
        except ValueError:
            continue
    return [word for _, _, word in sorted(wishes)]
