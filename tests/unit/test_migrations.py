"""Migrations, tables and the checked-in schema say the same."""

import logging
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import mssql
from sqlalchemy.schema import CreateIndex, CreateTable

from shared.questions import InteractionFilter
from shared.services.rollup import recount_usage
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.migrate import bring_usage_up_to_date, render_schema, upgrade
from shared.stores.sql.rollups import SqlUsageRollups
from shared.stores.sql.tables import metadata

_SCHEMA = Path(__file__).parents[2] / "sql" / "schema.sql"


def test_migrations_from_empty_add_up_to_the_tables(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata, "compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_the_views_of_usage_are_made_of_all_that_is_summed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        queries = {
            length: connection.scalar(sa.text("select sql from sqlite_master where name = :name"), {"name": view.name})
            for length, view in tables.USAGE.items()
        }
    engine.dispose()

    for length, query in queries.items():
        made = tables.view_of(length, tuple(tables.DIMENSIONS), tables.MEASURES)
        assert query == f"CREATE VIEW usage_{length} as {made}"


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(url)
    upgrade(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        versions = connection.execute(sa.text("select version_num from alembic_version")).all()
    engine.dispose()

    assert len(versions) == 1


def test_the_checked_in_schema_is_what_the_migrations_render() -> None:
    assert _SCHEMA.read_text() == render_schema(), "run `make schema`"


def _keys_and_indexes(ddl: str) -> list[tuple[str, tuple[str, str]]]:
    """Return every key, and of every index what it was made as last."""
    found = re.findall(
        r"CONSTRAINT (pk_\w+) (PRIMARY KEY[^)]*\))"
        r"|CREATE ([A-Z ]*)INDEX (\w+) (ON \w+ \([^)]*\)(?: INCLUDE \([^)]*\))?(?: WHERE [^;\n]*)?)",
        ddl.replace("create unique clustered index", "CREATE UNIQUE CLUSTERED INDEX").replace(
            " on interaction", " ON interaction"
        ),
    )
    gone = tuple(f"ON {table} (" for table in re.findall(r"DROP TABLE (\w+)", ddl))
    last = {key or index: (kept or kind, columns) for key, kept, kind, index, columns in found}
    return sorted((name, made) for name, made in last.items() if not made[1].startswith(gone))


def test_keys_and_indexes_of_azure_sql_are_clustered_as_the_tables_say() -> None:
    # Compared as text: no comparison of Alembic's sees what lies in which order.
    made = list(metadata.tables.values())
    indexes = [index for table in made for index in table.indexes]
    dialect = mssql.dialect()
    ddl = [str(CreateTable(table).compile(dialect=dialect)) for table in made]
    ddl += [f"{CreateIndex(index).compile(dialect=dialect)};" for index in indexes]

    rendered = render_schema()

    assert _keys_and_indexes(rendered) == _keys_and_indexes("\n".join(ddl))
    assert "CONSTRAINT pk_interaction PRIMARY KEY NONCLUSTERED (id)" in rendered


def test_the_schema_keeps_to_what_a_plain_tds_server_takes() -> None:
    schema = _SCHEMA.read_text().lower()

    for word in (
        "merge ",
        "create or alter",
        "sp_addextendedproperty",
        "columnstore",
        "ledger = on",
        "drop_existing",
        "alter view",
    ):
        assert word not in schema


def test_what_an_older_ledger_holds_is_there_after_an_upgrade(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    upgrade(url, "0001")
    engine = create_engine(url)
    position = "'gateway', '0', 7, '2026-03-02T09:30:00.000Z'"
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.text(f"insert into waiting values ('call-1', {position})"))
        connection.execute(sa.text(f"insert into quarantine values ('ab', {position}, 'not JSON', '1', 0, x'')"))

    upgrade(url)

    with engine.connect() as connection:
        waiting = connection.execute(sa.select(tables.waiting)).mappings().one()
        held = connection.execute(sa.select(tables.quarantine)).mappings().one()
    engine.dispose()
    assert (waiting["interaction_id"], waiting["stored_at"]) == ("call-1", None)
    assert (held["id"], held["discarded_at"]) == ("ab", None)


def test_a_large_ledger_is_found_by_its_indexes_after_an_upgrade_and_tells_how_it_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    upgrade(url, "0008")
    engine = create_engine(url)
    columns = "id, occurred_at, user_id, http_status, sources, state, usage_provenance, parts, field_sources, revision"
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(
            "with recursive n(i) as (select 0 union all select i + 1 from n where i < 19999)"
            f" insert into interaction ({columns}) select printf('call-%05d', i),"
            " strftime('%Y-%m-%dT%H:%M:%fZ', '2026-03-02', printf('+%d seconds', i)), printf('user-%d', i % 400),"
            " case when i % 1000 = 7 then 429 else 200 end, '[\"native\"]', 'complete', 'missing', '[]', '', 0 from n"
        )

    with caplog.at_level(logging.INFO, "promptledger.migrations"):
        upgrade(url)

    store = SqlAuditStore(engine)
    asked = {
        "user": InteractionFilter(user_id="user-7"),
        "errors": InteractionFilter(error=True),
        "both": InteractionFilter(user_id="user-7", http_status=429),
    }
    found = {
        name: [row["id"] for row in store.interactions(narrow, after=None, limit=60)] for name, narrow in asked.items()
    }
    engine.dispose()
    assert found["user"] == [f"call-{number:05}" for number in range(19607, 0, -400)]
    assert found["errors"] == [f"call-{number:05}" for number in range(19007, 0, -1000)]
    assert found["both"] == [f"call-{number:05}" for number in range(18007, 0, -2000)]
    assert "migration.index name=ix_interaction_user_id" in caplog.messages


def test_usage_of_an_older_ledger_is_the_same_after_an_upgrade_and_a_recount_proves_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    upgrade(url, "0017")
    engine = create_engine(url)
    columns = "id, occurred_at, model, total_tokens, sources, state, usage_provenance, parts, field_sources, revision"
    hour = "2026-03-02T09:00:00.000Z"
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(
            f"insert into interaction ({columns}) values ('call-1', '2026-03-02T09:30:00.000Z', 'gpt-4o', 15,"
            " '[\"native\"]', 'complete', 'reported', '[]', '', 0)"
        )
        connection.exec_driver_sql(
            "insert into usage_hour (interval_start, model, requests, errors, unmetered_requests, input_tokens,"
            " cached_input_tokens, output_tokens, reasoning_tokens, total_tokens)"
            f" values ('{hour}', 'gpt-4o', 1, 0, 0, 0, 0, 0, 0, 15)"
        )

    upgrade(url)

    # Begun again it has nothing left to do.
    assert [bring_usage_up_to_date(url) for _ in range(2)] == [1, 0]
    rollups = SqlUsageRollups(engine)
    with engine.connect() as connection:
        for view in tables.USAGE.values():
            rows = connection.execute(sa.select(view.c.model, view.c.requests, view.c.total_tokens)).all()
            assert [tuple(row) for row in rows] == [("gpt-4o", 1, 15)]
    assert recount_usage(rollups) == {}
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.update(tables.usage_of_hour).values(total_tokens=16))
    assert recount_usage(rollups) == {hour: 1}
    engine.dispose()
