"""The T-SQL that Azure SQL will see, as far as it can be judged without a server."""

import ast
import re
from functools import cache

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from shared.services.ingest import ingest
from shared.stores.sql import bulk, rollups, tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.types import UtcTime, exact_text, text
from tests.builders import events
from tests.builders.tsql import STORES, Recorder, recorded, recording

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


# What the stores really send


@cache
def _recorded() -> Recorder:
    return recorded()


def _texts() -> list[str]:
    return sorted({" ".join(statement.split()) for statement, _ in _recorded().statements})


_RUNS = {"delete", "exec_driver_sql", "execute", "insert", "insert_missing", "scalar", "scalars", "update"}
"""Methods of a connection, and functions of `bulk`, that run a statement."""


def _places() -> list[tuple[str, int, int]]:
    """Return every call in the stores' code that runs a statement: file, first and last line."""
    found = []
    for path in sorted(STORES.glob("*.py")):
        # These run on SQLite alone, or on no database at all.
        if path.name in {"azure_sql.py", "engine.py", "migrate.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _RUNS):
                continue
            if re.fullmatch(r"(self\._)?connection|bulk", ast.unparse(node.func.value)):
                found.append((path.name, node.lineno, node.end_lineno or node.lineno))
    return found


def test_every_place_that_runs_a_statement_has_run_on_the_dialect_of_azure_sql() -> None:
    # Fails: teach tests/builders/tsql.py to use what the store has learned.
    source = {path.name: path.read_text(encoding="utf-8").splitlines() for path in STORES.glob("*.py")}
    seen = _recorded().places
    missing = [
        f"{name}:{first} {source[name][first - 1].strip()}"
        for name, first, last in _places()
        if not any((name, line) in seen for line in range(first, last + 1))
        and "exec_driver_sql(statement, list(rows))" not in source[name][first - 1]  # SQLite's half of bulk
    ]

    assert len(_places()) > 30
    assert missing == []


_FOREIGN = [
    r"\blimit\b", r"\bon conflict\b", r"json_each", r"json_extract", r"\binsert or\b", r"\bpragma\b", r"\browid\b",
    r"\bifnull\b", r"\bglob\b", r"strftime", r"\|\|", r"\breturning\b", r"\bis (not )?[01]\b", r"\btrue\b",
    r"\bfalse\b", r"::", r"\bnulls (first|last)\b", r"\bfilter \(", r"\busing\b", r"\bis not distinct\b",
]  # fmt: skip
"""What SQLite, or PostgreSQL, takes and SQL Server doesn't."""
_BEYOND_PLAIN = [r"\bmerge\b", r"create or alter", r"string_agg", r"\btrim\(", r"json_object", r"generate_series"]
"""What SQL Server takes and a plainer TDS server may not."""


@pytest.mark.parametrize("pattern", [*_FOREIGN, *_BEYOND_PLAIN])
def test_no_statement_speaks_another_dialect(pattern: str) -> None:
    assert [statement for statement in _texts() if re.search(pattern, statement, re.IGNORECASE)] == []


def test_every_value_is_a_parameter() -> None:
    for statement, parameters in _recorded().statements:
        assert statement.count("?") == len(parameters), statement
        assert not re.search(r"call-1|run_1|2026-03", statement), statement


def test_every_text_goes_in_the_type_of_its_column() -> None:
    # One varchar makes what it meets nvarchar(max), which is grouped and sorted at many times the cost.
    kinds = {kind for _, kind in _recorded().types}

    assert "SQL_WVARCHAR" in kinds
    assert [beginning for beginning, kind in _recorded().types if kind == "SQL_VARCHAR"] == []


def test_groups_and_orders_hold_no_parameter() -> None:
    # SQL Server takes two parameters for two values, even where they are the same.
    for statement in _texts():
        for clause in re.findall(r"(?:GROUP|ORDER) BY (.*?)(?=\)|$| HAVING| UNION)", statement):
            assert "?" not in clause, statement


def test_a_list_that_is_cut_is_ordered_or_has_one_row() -> None:
    for statement in _texts():
        one_row = statement.startswith(("SELECT TOP 1 ", "SELECT TOP 10 coalesce(sum("))
        if statement.startswith("SELECT TOP ") and not one_row:
            assert " ORDER BY " in statement, statement


def test_no_insert_asks_for_what_it_wrote() -> None:
    # `output` would need the right to read the table, and fails on one with a trigger.
    assert [statement for statement in _texts() if " OUTPUT " in statement] == []


def test_a_batch_costs_azure_sql_the_same_statements_whatever_its_size() -> None:
    counts = set()
    for size in (2, 20, 200):
        bodies = [
            body
            for number in range(size)
            for body in (events.a_request(f"call-{number}"), events.a_response(f"call-{number}"))
        ]
        with recording() as (engine, recorder):
            ingest(events.deliveries(*bodies), ledger=SqlLedger(engine), content=SqlContentStore(engine))
        counts.add(len(recorder.statements))

    assert len(counts) == 1


def test_rows_go_in_the_order_of_their_keys_and_one_key_goes_once() -> None:
    rows = [("b", "Q:1", b"first"), ("a", "Q:1", b""), ("b", "Q:1", b"second"), ("a", "A:1", b"")]

    with recording() as (engine, recorder), engine.begin() as connection:
        bulk.insert_missing(connection, tables.content, rows)

    ((_, (parameter,)),) = recorder.statements
    assert orjson.loads(parameter) == [["a", "A:1", ""], ["a", "Q:1", ""], ["b", "Q:1", b"first".hex()]]
