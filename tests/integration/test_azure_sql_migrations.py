"""Migrations from empty, and from every earlier version with rows in it, on each database."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from shared.stores.sql import tables
from shared.stores.sql.engine import create_engine
from shared.stores.sql.migrate import OPTIONS, apply_options, upgrade
from tests.builders.databases import emptied_mssql, named_server

_MIGRATIONS = Path(__file__).parents[2] / "sql" / "migrations"
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory(str(_MIGRATIONS)).walk_revisions()))]
HOUR = "2026-03-02T09:00:00.000Z"


@pytest.fixture(params=["sqlite", "mssql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database of each kind."""
    return f"sqlite:///{tmp_path / 'ledger.db'}" if request.param == "sqlite" else emptied_mssql(named_server())


def shape(engine: Engine) -> dict[str, list[tuple[str, bool]]]:
    """Return each table's columns, by name, and whether they may be null."""
    inspector = sa.inspect(engine)
    return {
        name: sorted((column["name"], bool(column["nullable"])) for column in inspector.get_columns(name))
        for name in inspector.get_table_names()
        # A ledger table that was dropped is only renamed: earlier tests may have left some.
        if name != "alembic_version" and not name.startswith("MSSQL_Dropped")
    }


EXPECTED = {
    table.name: sorted((column.name, bool(column.nullable)) for column in table.c)
    for table in tables.metadata.tables.values()
}


def test_there_are_versions_to_migrate_from() -> None:
    assert REVISIONS[0] == "0001"


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_any_version_becomes_what_the_tables_say_and_keeps_its_rows(revision: str, database: str) -> None:
    upgrade(database, revision)
    engine = create_engine(database)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.insert(tables.dirty_hour).inline().values(hour=HOUR))

    upgrade(database)

    with engine.connect() as connection:
        assert connection.scalars(sa.select(tables.dirty_hour.c.hour)).all() == [HOUR]
    assert shape(engine) == EXPECTED
    engine.dispose()


_FOUND = {
    "ledger": "select count(*) from sys.tables where object_id = object_id('dbo.content_read') and ledger_type = 3",
    "compression": "select sum(data_compression) from sys.partitions where object_id = object_id('dbo.alias')",
    "columnstore": "select count(*) from sys.indexes where name = 'ix_interaction_columnstore'",
    "fulltext": "select count(*) from sys.fulltext_indexes where object_id = object_id('dbo.interaction')",
}
"""What the catalog answers with 1 once an option is on."""
_OFFERED = {
    "ledger": "select case when object_id('sys.database_ledger_transactions') is null then 0 else 1 end",
    "fulltext": "select fulltextserviceproperty('IsFullTextInstalled')",
}
"""Whether a server has at all what not every one has."""


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_can_be_turned_on_and_again_on_a_real_server(option: str) -> None:
    url = emptied_mssql(named_server())
    upgrade(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        if option in _OFFERED and connection.scalar(sa.text(_OFFERED[option])) != 1:
            pytest.skip(f"the server has no {option}")

    for _ in range(2):
        apply_options(engine, [option])

    with engine.connect() as connection:
        assert connection.scalar(sa.text(_FOUND[option])) == 1
    engine.dispose()


def test_every_option_is_tested() -> None:
    assert set(_FOUND) == set(OPTIONS)
