"""
The lists of defences beside this file (*.toml), read and held against the source. A defence is a text that stands once
in a file; what takes its place is the fault let in; and a test must then fail. Starts nothing.
"""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = Path(__file__).parent / "lists"
_FUNCTION = re.compile(r"^CREATE (?:OR REPLACE )?FUNCTION (?P<name>\w+)", re.MULTILINE)
_FIELDS = {"name", "fault", "file", "text", "instead", "test", "why", "ends_with", "also", "seconds"}
_EDIT_FIELDS = {"file", "text", "instead"}


@dataclass(frozen=True, slots=True)
class Edit:
    """In `file`, what stands there once, and what stands there when the defence is gone."""

    file: str
    text: str
    instead: str

    def problem(self, root: Path) -> str | None:
        """Why it cannot be made in the tree at `root`; None when it can."""
        path = root / self.file
        if not path.is_file():
            return f"{self.file} is not there"
        found = path.read_text().count(self.text)
        if found != 1:
            return f"its text stands {found} times in {self.file}, and must stand there once"
        if self.text == self.instead:
            return "the text and what replaces it are the same"
        return self._made_anew(path)

    def _made_anew(self, path: Path) -> str | None:
        """A migration after this one may make the function anew that the text stands in: then that is the defence."""
        if path.parent.name != "versions":
            return None
        before = path.read_text().partition(self.text)[0]
        started = list(_FUNCTION.finditer(before))
        if not started or "$$;" in before[started[-1].end() :]:
            return None
        name = started[-1]["name"]
        later = sorted(each for each in path.parent.glob("*.sql") if each.name > path.name)
        again = [each.name for each in later if name in _FUNCTION.findall(each.read_text())]
        return f"{name} is made anew in {again[-1]}" if again else None

    def apply(self, root: Path) -> None:
        """Write the file without the defence. Raises ValueError when the entry is out of date."""
        problem = self.problem(root)
        if problem is not None:
            raise ValueError(problem)
        path = root / self.file
        path.write_text(path.read_text().replace(self.text, self.instead))


@dataclass(frozen=True, slots=True)
class Defence:
    """One entry: `ends_with` names the error a test ends with where it is no failed assertion."""

    area: str
    name: str
    fault: str
    edits: tuple[Edit, ...]
    test: str
    why: str
    ends_with: str | None
    seconds: int

    def problems(self, root: Path = ROOT) -> list[str]:
        """What in it no longer fits the code or the tests."""
        found = [problem for edit in self.edits if (problem := edit.problem(root)) is not None]
        return found if has_test(root, self.test) else [*found, f"there is no {self.test}"]


def has_test(root: Path, node: str) -> bool:
    """Does that node (`file::test`, `file::Class::test`, with or without `[case]`) name a test?"""
    file, *names = node.split("[")[0].split("::")
    path = root / file
    if not names or not path.is_file():
        return False
    body = _parsed(path, path.stat().st_mtime_ns)
    for name in names:
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        found = [each for each in body if isinstance(each, kinds) and each.name == name]
        if not found:
            return False
        body = found[0].body
    return names[-1].startswith("test_")


@functools.cache
def _parsed(path: Path, changed: int) -> list[ast.stmt]:
    return ast.parse(path.read_text()).body


def read_lists(folder: Path = LISTS) -> list[Defence]:
    """Every entry of every list, in order. Raises ValueError for one that is not well formed."""
    return [_read(path.stem, entry) for path in sorted(folder.glob("*.toml")) for entry in _entries(path)]


def _entries(path: Path) -> list[dict[str, object]]:
    entries = tomllib.loads(path.read_text())["defence"]
    assert isinstance(entries, list)
    return entries


def _read(area: str, entry: dict[str, object]) -> Defence:
    strange = set(entry) - _FIELDS
    missing = {"name", "fault", "file", "text", "instead", "test", "why"} - set(entry)
    if strange or missing:
        raise ValueError(f"{area}: {entry.get('name')}: has {sorted(strange)}, lacks {sorted(missing)}")
    also = entry.get("also", [])
    assert isinstance(also, list)
    edits = [{field: entry[field] for field in _EDIT_FIELDS}, *also]
    ends_with, seconds = entry.get("ends_with"), entry.get("seconds", 90)
    assert isinstance(seconds, int)
    return Defence(
        area=area,
        name=str(entry["name"]),
        fault=str(entry["fault"]),
        edits=tuple(Edit(**{field: str(edit[field]) for field in _EDIT_FIELDS}) for edit in edits),
        test=str(entry["test"]),
        why=str(entry["why"]),
        ends_with=None if ends_with is None else str(ends_with),
        seconds=seconds,
    )
