"""schema/ is what all migrations make, every named query fits it, and nothing outside db/ holds a connection."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from recado.gateway.db.embedded import find_programs
from recado.gateway.db.migrate import migrate
from recado.gateway.db.queries import Queries

GATEWAY = Path(__file__).resolve().parents[3] / "src" / "recado" / "gateway"
SCHEMA = sorted((GATEWAY / "db" / "schema").glob("*.sql"))
SQL_FILES = sorted(path for path in GATEWAY.rglob("*.sql") if not {"migrations", "schema"} & set(path.parts))

# Everything a schema is made of, from the catalogue; tables of alembic's own left out.
DESCRIPTION = """
    SELECT 'column', table_name || '.' || column_name,
           concat_ws(' ', data_type, udt_name, is_nullable, column_default, is_identity, collation_name)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
    UNION ALL SELECT 'policy', tablename || '.' || policyname, concat_ws(' ', roles, cmd, qual, with_check)
        FROM pg_policies WHERE schemaname = 'public'
    UNION ALL SELECT 'function', proname, pg_get_functiondef(oid) || coalesce(proacl::text, '')
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'table', relname, concat_ws(' ', relrowsecurity, relforcerowsecurity, relacl)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    UNION ALL SELECT 'storage', attrelid::regclass || '.' || attname, attstorage::text
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND attnum > 0
          AND relname <> 'alembic_version'
    UNION ALL SELECT 'enum', enumtypid::regtype::text || '.' || enumlabel, enumsortorder::text FROM pg_enum
    UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2, 3
"""


@pytest.fixture
def new_database(postgres_server: str, migrated_template: str) -> Iterator[Callable[[str], str]]:
    """Make an empty database; `migrated_template` has made the role they share."""
    made: list[str] = []
    with psycopg.connect(postgres_server, autocommit=True) as admin:

        def make(name: str) -> str:
            admin.execute(f"CREATE DATABASE {name}")
            made.append(name)
            return psycopg.conninfo.make_conninfo(postgres_server, dbname=name)

        yield make
        for name in made:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def described(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(DESCRIPTION).fetchall()


def test_the_schema_is_what_all_migrations_make(database_url: str, new_database: Callable[[str], str]) -> None:
    from_schema = new_database("from_schema")
    with psycopg.connect(from_schema) as connection:
        for part in SCHEMA:
            connection.execute(part.read_bytes())
    assert described(from_schema) == described(database_url)


def test_the_comparison_sees_a_difference(database_url: str) -> None:
    before = described(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE events NO FORCE ROW LEVEL SECURITY")
    assert described(database_url) != before


def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = described(database_url)
    migrate(database_url)
    assert described(database_url) == before


def test_several_may_start_at_once(new_database: Callable[[str], str]) -> None:
    dsn = new_database("contended")
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(migrate, [dsn] * 3)) == [None] * 3


def test_a_dump_can_be_made(postgres_server: str, database_url: str) -> None:
    """pg_dump comes with the programs we run: a backup needs nothing else."""
    program = find_programs() / "pg_dump"
    dump = subprocess.run([program, "--schema-only", "-d", database_url], capture_output=True, text=True, check=True)
    assert "CREATE TABLE public.whatsapp_messages" in dump.stdout


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(GATEWAY))) for path in SQL_FILES])
def test_every_named_query_fits_the_schema(path: Path, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for query in Queries(path):
            places: dict[str, int] = {}

            def place(found: re.Match[str], places: dict[str, int] = places) -> str:
                return f"${places.setdefault(found[1], len(places) + 1)}"

            statement = re.sub(r"%\((\w+)\)s", place, query.sql.decode()).replace("%%", "%")
            result = connection.pgconn.prepare(b"", statement.encode())
            assert not result.error_message, (query.name, result.error_message.decode())


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=str(path.relative_to(GATEWAY))) for path in sorted(GATEWAY.rglob("*.py"))]
)
def test_only_db_holds_a_connection(path: Path) -> None:
    if "db" in path.relative_to(GATEWAY).parts:
        return
    tree = ast.parse(path.read_text())
    named = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert [
        name for name in named if re.search(r"\b(_?pool|_connection)\.(connection|getconn|execute|cursor)$", name)
    ] == []
    imported = [
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    driver = [name for name in imported if name.split(".")[0] in {"psycopg", "psycopg_pool"}]
    assert [name for name in driver if not name.startswith("psycopg.types.")] == []


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(GATEWAY))) for path in SQL_FILES])
def test_no_query_filters_by_mentorado_by_hand(path: Path) -> None:
    """Row security does it, in one place; only what runs for an administrator names the column."""
    if path.parent.name in {"mentorados", "audit"}:
        return
    filters = re.findall(r"\bmentorado_id\s*(?:=|IN\b)[^\n]*", path.read_text())
    assert filters == []
