"""Keys of a session are deleted in one place, which backs up first; the list says where else they go, and why."""

from __future__ import annotations

import ast
import re
from pathlib import Path

GATEWAY = Path(__file__).resolve().parents[3] / "src" / "recado" / "gateway"
DELETES = re.compile(r"(DELETE\s+FROM|TRUNCATE)\s+(public\.)?baileys_sessions", re.IGNORECASE)

ALLOWED = {
    # On purpose, and only after a copy was made in the same transaction.
    ("providers/baileys/archive.sql", "delete_rows"),
    # The store's own life: what was spent, and what has expired. Credentials among them: backed up in the same commit.
    ("providers/baileys/queries.sql", "delete_values"),
    ("providers/baileys/queries.sql", "purge_values"),
    ("providers/baileys/queries.sql", "purge_some"),
    # What names a person who wants their data erased: out of the copies too, so none is made.
    ("db/schema/88_identity.sql", "erase_contact"),
    ("db/schema/90_traces.sql", "erase_traces"),
}


def deleting_queries() -> set[tuple[str, str]]:
    found = set()
    for path in GATEWAY.rglob("*.sql"):
        if "migrations" in path.parts:
            continue
        name = "?"
        for line in path.read_text().splitlines():
            if heading := re.match(r"(?:-- (?=\w+ --$)|CREATE FUNCTION )(\w+)", line):
                name = heading[1]
            if DELETES.search(line):
                found.add((str(path.relative_to(GATEWAY)), name))
    return found


def test_sessions_are_deleted_from_where_this_list_says_and_nowhere_else() -> None:
    assert deleting_queries() == ALLOWED
    assert [str(path) for path in GATEWAY.rglob("*.py") if DELETES.search(path.read_text())] == []


def test_the_one_place_backs_up_before_it_deletes() -> None:
    tree = ast.parse((GATEWAY / "providers/baileys/archive.py").read_text())
    users = {
        function.name: [ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Call)]
        for function in tree.body
        if isinstance(function, ast.AsyncFunctionDef) and "_queries.delete_rows" in ast.unparse(function)
    }
    ((name, calls),) = users.items()
    assert name == "delete_rows"
    assert next(each for each in calls if each.startswith(("back_up(", "unit.run("))).startswith("back_up(")
