"""The pages of operations: whose they are, what is in their frames, and that every word they use is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import httpx2
import pytest
from tests.gateway.web.test_pages import add, token_in

from recado.gateway.operations import checks, doctor
from recado.gateway.web.operations import PAGES
from recado.gateway.web.words import CATALOGUES

_STATIC = Path(doctor.__file__).parents[1] / "web" / "static"
_SCRIPTS = ("page", "findings", "takeover", "installation", *PAGES)
_BEHIND = (*Path(checks.__file__).parent.glob("*.py"), Path(doctor.__file__))


async def sign_in(browser: httpx2.AsyncClient, mentorado: str, *scopes: str) -> None:
    """A browser signed in with a new key of that mentorado."""
    token = token_in(await browser.get("/"))
    made = await browser.post(
        f"/v1/mentorados/{mentorado}/keys", json={"scopes": list(scopes)}, headers={"x-csrf-token": token}
    )
    browser.cookies.clear()
    await browser.post("/sign-in", data={"key": made.json()["token"]})


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_its_mentorados_own_and_another_mentorado_does_not_exist(
    page: str, browser: httpx2.AsyncClient
) -> None:
    clara, bia = await add(browser, "Clara"), await add(browser, "Bia")
    await sign_in(browser, clara, "read", "send", "manage")
    own = await browser.get(f"/mentorados/{clara}/{page}")
    assert own.status_code == 200 and 'aria-current="page"' in own.text and f"/static/{page}.js" in own.text
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", own.text)
    foreign = await browser.get(f"/mentorados/{bia}/{page}")
    assert foreign.status_code == 404 and "Bia" not in foreign.text
    assert (await browser.get(f"/mentorados/{clara}/nothing")).status_code == 404
    browser.cookies.clear()
    assert (await browser.get(f"/mentorados/{clara}/{page}")).headers["location"].startswith("/sign-in?next=")


async def test_a_key_that_reads_gets_no_buttons_that_change(browser: httpx2.AsyncClient) -> None:
    clara = await add(browser, "Clara")
    await sign_in(browser, clara, "read")
    care = (await browser.get(f"/mentorados/{clara}/care")).text
    assert 'id="recover"' not in care and 'data-part="backups"' not in care and 'data-may=""' in care
    for page in ("webhooks", "keys"):
        assert 'id="new"' not in (await browser.get(f"/mentorados/{clara}/{page}")).text


@pytest.mark.parametrize("script", _SCRIPTS)
def test_every_word_a_script_asks_for_is_in_the_catalogues(script: str) -> None:
    text = (_STATIC / f"{script}.js").read_text()
    asked = set(re.findall(r'\b(?:word|at)\("([\w.-]+)"', text))
    assert asked <= set(CATALOGUES["en"])
    families = set(re.findall(r"\b(?:word|wordOr)\(`([\w.-]+\.)\$\{", text))
    assert all(any(key.startswith(family) for key in CATALOGUES["en"]) for family in families)


def _sentences(path: Path) -> set[str]:
    """What the doctor may say, with a 7 where something is put in."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = set()
    for node in ast.walk(tree):
        if id(node) in docs or id(node) in inner:
            continue
        if isinstance(node, ast.JoinedStr):
            found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {text for text in found if " " in text.strip() and text.endswith((".", "7")) and len(text) > 9}


@pytest.mark.parametrize("path", _BEHIND, ids=lambda path: path.stem)
def test_every_sentence_of_the_doctor_can_be_said_in_portuguese(path: Path) -> None:
    known = [text for key, text in CATALOGUES["en"].items() if key.startswith("finding.say.")]
    patterns = [re.compile(".+?".join(map(re.escape, re.split(r"\{\w+\}", text)))) for text in known]
    unknown = {text for text in _sentences(path) if not any(each.fullmatch(text) for each in patterns)}
    assert unknown == set()
