from __future__ import annotations

import base64
from typing import Any

import pytest

from recado.errors import DecodeError
from recado.protocol.pairing.qr import PREFIX, QRCode

KEY = base64.b64encode(bytes(range(32))).decode()
CODE = QRCode("2@ref", bytes(range(32)), b"i" * 32, b"s" * 32, 7)


def test_the_text_is_the_one_others_draw(vectors: dict[str, Any]) -> None:
    theirs = vectors["baileys"]
    code = QRCode(
        ref="2@ref",
        noise=bytes.fromhex(theirs["noise_public"]),
        identity=bytes.fromhex(theirs["companion_public"]),
        adv_secret=bytes.fromhex(vectors["adv_secret"]),
        platform=7,
    )
    assert code.text() == theirs["qr"]["desktop"]
    assert QRCode.parse(theirs["qr"]["desktop"]) == code
    assert QRCode.parse(theirs["qr"]["chrome"]).platform == 1


@pytest.mark.parametrize("platform", [0, 1, 9, 12, 14])
def test_a_code_comes_back_as_it_went(platform: int) -> None:
    code = QRCode("2@ref/+=", CODE.noise, CODE.identity, CODE.adv_secret, platform)
    assert QRCode.parse(code.text() + "\n") == code


def test_the_older_forms_are_read_too() -> None:
    bare = CODE.text().removeprefix(PREFIX)
    assert QRCode.parse(bare) == CODE
    oldest = bare.rpartition(",")[0]
    assert QRCode.parse(oldest) == QRCode("2@ref", CODE.noise, CODE.identity, CODE.adv_secret, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        PREFIX,
        f"{PREFIX}2@ref,{KEY},{KEY},{KEY}",
        f"{PREFIX}2@ref,{KEY},{KEY},{KEY},1,1",
        f"{PREFIX},{KEY},{KEY},{KEY},1",
        f"{PREFIX}2@ref,{KEY},{KEY},{KEY},",
        f"{PREFIX}2@ref,{KEY},{KEY},{KEY},z",
        f"{PREFIX}2@ref,{KEY},{KEY},{KEY},12",
        f"{PREFIX}2@ref,{KEY},{KEY},AAAA,1",
        f"{PREFIX}2@ref,{KEY},{KEY},{KEY[:-1]},1",
        f"{PREFIX}2@ref,{KEY},{KEY},!{KEY[1:]},1",
        f"{PREFIX}2@ref,{KEY},é{KEY},{KEY},1",
        f"{PREFIX}2@ref,{KEY},{KEY},{base64.b64encode(bytes(33)).decode()},1",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        QRCode.parse(text)


def test_a_printed_code_keeps_its_secret() -> None:
    assert repr(CODE) == "QRCode(platform=7)"
