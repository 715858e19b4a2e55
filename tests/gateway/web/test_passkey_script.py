"""The script that signs on WhatsApp's page: the same from the gateway and in the extension, and it sends nothing."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "src/recado/gateway/web/static/recado-passkey.js"
EXTENSION = ROOT / "extras/passkey"


def test_the_extension_runs_the_very_script_the_gateway_gives_out() -> None:
    assert (EXTENSION / "sign.js").read_text() == SCRIPT.read_text()
    assert (EXTENSION / "press.js").read_text().count("sign.js") == 1


def test_neither_sends_anything_and_the_extension_may_touch_no_page_by_itself() -> None:
    for script in (SCRIPT, EXTENSION / "press.js"):
        text = script.read_text()
        for word in ("fetch(", "XMLHttpRequest", "sendBeacon", "WebSocket", "import(", "eval("):
            assert word not in text
    manifest = json.loads((EXTENSION / "manifest.json").read_text())
    assert manifest["permissions"] == ["activeTab", "scripting"]
    assert "host_permissions" not in manifest and "content_scripts" not in manifest
