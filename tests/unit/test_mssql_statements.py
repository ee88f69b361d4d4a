"""The T-SQL that Azure SQL will see, as far as it can be judged without a server."""

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from shared.stores.sql import bulk, rollups, tables
from shared.stores.sql.types import UtcTime, exact_text, text

_DIALECT = mssql.dialect()
_TABLE = sa.Table(
    "example",
    sa.MetaData(),
    sa.Column("number", sa.BigInteger(), sa.Identity()),
    sa.Column("id", exact_text(128), primary_key=True),
    sa.Column("at", UtcTime()),
    sa.Column("note", text(20)),
    sa.Column("flag", sa.Boolean()),
    sa.Column("revision", sa.Integer()),
    sa.Column("body", sa.LargeBinary()),
)


def test_an_insert_opens_all_rows_from_one_parameter() -> None:
    statement = bulk.insert_statement(_TABLE, "mssql", skip_existing=True)

    assert statement == (
        "insert into example ([id], [at], [note], [flag], [revision], [body])"
        " select incoming.[id], incoming.[at], incoming.[note], incoming.[flag], incoming.[revision],"
        " convert(varbinary(max), incoming.[body], 2)"
        " from openjson(:rows) with ([id] nvarchar(128) '$[0]', [at] datetime2(3) '$[1]', [note] nvarchar(20) '$[2]',"
        " [flag] bit '$[3]', [revision] integer '$[4]', [body] varchar(max) '$[5]') as incoming"
        " where not exists (select 1 from example as existing"
        " where existing.[id] = incoming.[id] collate Latin1_General_100_BIN2)"
    )


def test_an_update_joins_on_the_key_and_the_guard() -> None:
    statement = bulk.update_statement(_TABLE, "mssql", "revision")

    assert statement.startswith("update existing set [at] = incoming.[at], [note] = incoming.[note]")
    assert "[revision] = existing.[revision] + 1 from example as existing join openjson(:rows)" in statement
    assert statement.endswith(
        "on existing.[id] = incoming.[id] collate Latin1_General_100_BIN2 and existing.[revision] = incoming.[revision]"
    )


def test_a_delete_joins_on_the_key_and_the_guard() -> None:
    guarded, plain = (bulk.delete_statement(_TABLE, "mssql", guard) for guard in ("revision", None))

    assert guarded.startswith("delete existing from example as existing join openjson(:rows) with (")
    assert guarded.endswith(
        "on existing.[id] = incoming.[id] collate Latin1_General_100_BIN2 and existing.[revision] = incoming.[revision]"
    )
    assert plain.endswith("on existing.[id] = incoming.[id] collate Latin1_General_100_BIN2")


def test_rows_travel_as_json_in_the_types_that_the_server_reads() -> None:
    row = {"id": "ö", "at": "2026-03-02T09:30:00.123Z", "flag": True, "revision": 3, "body": b"\x00\xff"}

    parameter = bulk.json_rows(_TABLE, bulk.values_of(_TABLE, [row]))

    assert orjson.loads(parameter) == [["ö", "2026-03-02T09:30:00.123", None, 1, 3, "00ff"]]


def test_a_list_of_ids_is_one_parameter_too() -> None:
    query = sa.select(tables.interaction.c.id).where(
        tables.interaction.c.id.in_(bulk.members("mssql", exact_text(128)))
    )

    compiled = str(query.compile(dialect=_DIALECT))

    assert "FROM openjson(" in compiled
    assert "CAST(anon_1.value AS NVARCHAR(128)) COLLATE Latin1_General_100_BIN2" in compiled
    assert bulk.listed(["a", "b"]) == {"members": '["a","b"]'}


def test_rollups_compile_for_azure_sql() -> None:
    start, end = "2026-03-02T09:00:00.000Z", "2026-03-02T10:00:00.000Z"

    for usage in (rollups.usage_of_facts(start, end), rollups.usage_of_hours(start, end)):
        compiled = str(usage.compile(dialect=_DIALECT))
        assert "GROUP BY" in compiled
        assert "sum(CAST(" in compiled
