"""
Our own files for the browser: read once, named by a hash of what is in them, so that a page never runs with the
script of another version. The card is one file for other sites too: its words are put into it here, as the pages' are
into theirs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response

from recado.gateway.web.words import CATALOGUES

_FOLDER = Path(__file__).with_name("static")
_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_WORDS = {
    "recado-connection.js": ("card.", "state.", "reason."),
    "page.js": (
        "page.", "care.", "guard.", "rule.", "hooks.", "keys.", "campaigns.", "taken.", "finding.", "audit.", "state.",
        "reason.", "status.", "moves.", "card.road.", "profile.",
    ),
}  # fmt: skip
"""Which words each script is given."""
_SLOT = '"words go here"'
_STYLE_SLOT = '"style goes here"'
"""Where a script that is one file for who asks has the style sheet of its own name."""
_BEFORE = {"recado-connection.js": ("recado-credentials.js", "recado-devices.js")}
"""A script that is one file for who asks, and several here: the others go in front."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    kind: str
    tag: str


def load_assets() -> dict[str, Asset]:
    """Every file of the static folder, by name."""
    return {path.name: _load(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _KINDS}


def answer_asset(request: Request, asset: Asset) -> Response:
    """The file, or 304 when the browser has it."""
    headers = {"etag": f'"{asset.tag}"', "cache-control": "no-cache"}
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.kind, headers=headers)


def _load(path: Path) -> Asset:
    text = path.read_text()
    text = "".join(path.with_name(each).read_text() for each in _BEFORE.get(path.name, ())) + text
    if _STYLE_SLOT in text:
        text = text.replace(_STYLE_SLOT, json.dumps(path.with_suffix(".css").read_text()))
    wanted = _WORDS.get(path.name)
    if wanted is not None:
        words = {
            language: {key: word for key, word in catalogue.items() if key.startswith(wanted)}
            for language, catalogue in CATALOGUES.items()
        }
        text = text.replace(_SLOT, json.dumps(words, ensure_ascii=False))
    body = text.encode()
    return Asset(body, _KINDS[path.suffix], hashlib.sha256(body).hexdigest()[:16])
