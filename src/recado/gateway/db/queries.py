"""
Named SQL. A `.sql` file is a row of blocks, each opened by `-- name --` on a line of its own; `load_queries` hands
them out by attribute. Parameters are psycopg's, by name: `%(conversation_id)s`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement and the name it goes by."""

    name: str
    sql: bytes

    def __repr__(self) -> str:
        return f"Query({self.name})"


class Queries:
    """The statements of one file, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        parts = _HEADING.split(path.read_text())
        if parts[0].strip() and not parts[0].lstrip().startswith("--"):
            raise ValueError(f"{path.name}: there is SQL before the first name")
        self._named = {
            name: Query(name, sql.strip().encode()) for name, sql in zip(parts[1::2], parts[2::2], strict=True)
        }
        if len(self._named) != len(parts[1::2]):
            raise ValueError(f"{path.name}: a name is used twice")

    def __getattr__(self, name: str) -> Query:
        try:
            return self._named[name]
        except KeyError:
            raise AttributeError(f"{self._path.name} has no query named {name}") from None

    def __iter__(self) -> object:
        return iter(self._named.values())


def load_queries(module_file: str, name: str = "queries.sql") -> Queries:
    """The queries in the file `name` beside a module: `load_queries(__file__)`."""
    return Queries(Path(module_file).with_name(name))
