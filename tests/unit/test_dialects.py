"""One seam between the two databases: only there is it asked which of them is talked to."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import AZURE_SQL, DIALECTS, SQLITE, dialect_of
from shared.stores.sql.engine import create_engine
from tests.builders.databases import new_sqlite

SHARED = Path(__file__).parents[2] / "shared"
SEAM = {f"stores/sql/{name}.py" for name in ("azure_sql", "dialects", "faults", "openjson", "types")}
_NAMES = re.compile(r"(mssql|sqlite|pyodbc)", re.IGNORECASE)
_DIALECTS = {"AZURE_SQL", "SQLITE"}


def _named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield where one database is meant: by a text that begins with its name, a library, an option or an object."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if _NAMES.match(text):
                yield node.lineno, text
            case ast.Import(names=names) if any(_NAMES.match(one.name) for one in names):
                yield node.lineno, ast.unparse(node)
            case ast.ImportFrom(module=str(module)) if "sqlalchemy.dialects" in module or _NAMES.match(module):
                yield node.lineno, ast.unparse(node)
            case ast.keyword(arg=str(name)) if _NAMES.match(name):
                yield node.value.lineno, name
            case ast.Name(id=name) if name in _DIALECTS:
                yield node.lineno, name
            case ast.Attribute(attr="name", value=ast.Attribute(attr="dialect")):
                yield node.lineno, ast.unparse(node)
            case _:
                pass


def _places(path: Path) -> list[str]:
    return [f"{path.name}:{line} {text[:40]}" for line, text in _named(ast.parse(path.read_text(encoding="utf-8")))]


def test_no_module_but_those_of_the_seam_names_a_database() -> None:
    others = [path for path in sorted(SHARED.rglob("*.py")) if path.relative_to(SHARED).as_posix() not in SEAM]

    assert [place for path in others for place in _places(path)] == []


@pytest.mark.parametrize("name", sorted(SEAM))
def test_every_module_of_the_seam_is_there_for_a_database(name: str) -> None:
    assert _places(SHARED / name)


@pytest.mark.parametrize(
    "line",
    [
        'if engine.dialect.name == "x": pass',
        'Index("a", mssql_clustered=True)',
        "import sqlite3",
        "from sqlalchemy.dialects import mssql",
        'choose("mssql")',
        "if dialect is SQLITE: pass",
    ],
)
def test_a_line_that_names_a_database_would_be_found(line: str) -> None:
    assert list(_named(ast.parse(line)))


def test_both_databases_have_the_same_ways() -> None:
    ways = [{name for name in dir(dialect) if not name.startswith("_")} for dialect in DIALECTS.values()]

    assert ways[0] == ways[1]


def test_an_engine_knows_the_ways_of_its_database(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")

    assert dialect_of(engine) is SQLITE
    assert DIALECTS["mssql"] is AZURE_SQL
    engine.dispose()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def test_of_rows_with_one_key_the_first_is_inserted(engine: Engine) -> None:
    rows = [("b", "Q:1", b"first"), ("a", "Q:1", b"other"), ("b", "Q:1", b"second")]

    with engine.begin() as connection:
        bulk.insert_missing(connection, tables.content, rows)

    with engine.connect() as connection:
        found = connection.execute(sa.select(tables.content).order_by(tables.content.c.interaction_id)).all()
    assert [tuple(row) for row in found] == [("a", "Q:1", b"other"), ("b", "Q:1", b"first")]
