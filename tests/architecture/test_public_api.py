"""The public names are a promise: adding one is a change of this list, removing one is a break."""

from __future__ import annotations

import subprocess
import sys

import recado

PUBLIC = {
    "JID",
    "WHATSAPP",
    "Client",
    "MemoryStore",
    "NeedsPasskey",
    "Paired",
    "SQLiteStore",
    "Server",
    "ShowCode",
    "ShowQR",
    "Text",
}


def test_the_public_names_are_these() -> None:
    assert set(recado.__all__) == PUBLIC


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(recado, name) is not None for name in PUBLIC)


def test_the_library_loads_no_web_framework_and_no_database_driver() -> None:
    code = (
        "import sys, recado; [getattr(recado, name) for name in recado.__all__];"
        "print(sorted({'fastapi', 'psycopg', 'jinja2', 'alembic', 'uvicorn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
