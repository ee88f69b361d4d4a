"""The T-SQL that Azure SQL will see, as far as it can be judged without a server."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import mssql

from shared.services.ingest import ingest
from shared.stores.sql import bulk, tables, usage_facts
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.dialects import AZURE_SQL
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


_ROW = {"id": "ö", "at": "2026-03-02T09:30:00.123Z", "flag": True, "revision": 3, "body": b"\x00\xff"}


def _sent(*writes: Callable[[bulk.Writes], None]) -> tuple[str, tuple[Any, ...]]:
    """Return the one statement that some writes become, and its parameters."""
    with recording() as (engine, recorder), engine.begin() as connection:
        together = bulk.Writes(connection)
        for write in writes:
            write(together)
        together.run()
    (sent,) = recorder.statements
    return sent


def test_an_insert_opens_all_rows_from_one_parameter_and_their_bytes_from_another() -> None:
    statement = AZURE_SQL.insert(_TABLE, skip_existing=True)

    assert statement == (
        "insert into example ([id], [at], [note], [flag], [revision], [body])"
        " select incoming.[id], incoming.[at], incoming.[note], incoming.[flag], incoming.[revision],"
        " substring(@bytes, incoming.[body_at], incoming.[body_size])"
        " from openjson(@rows) with ([id] nvarchar(128) '$[0]', [at] datetime2(3) '$[1]', [note] nvarchar(20) '$[2]',"
        " [flag] bit '$[3]', [revision] integer '$[4]', [body_at] int '$[5][0]', [body_size] int '$[5][1]') as incoming"
        " where not exists (select 1 from example as existing"
        " where existing.[id] = incoming.[id] collate Latin1_General_100_BIN2)"
    )


def test_an_update_joins_on_the_key_and_the_guard() -> None:
    statement = AZURE_SQL.update(_TABLE, ("at", "note", "flag", "body"), "revision")

    assert statement.startswith("update existing set [at] = incoming.[at], [note] = incoming.[note]")
    assert "[revision] = existing.[revision] + 1 from example as existing join openjson(@rows)" in statement
    assert statement.endswith(
        "on existing.[id] = incoming.[id] collate Latin1_General_100_BIN2 and existing.[revision] = incoming.[revision]"
    )


def test_a_delete_opens_and_joins_what_it_goes_by_and_the_guard() -> None:
    plain = AZURE_SQL.delete(_TABLE, ("note",))
    guarded = AZURE_SQL.delete(_TABLE, ("id", "revision"))

    assert plain == (
        "delete existing from example as existing join openjson(@rows) with ([note] nvarchar(20) '$[0]') as incoming"
        " on existing.[note] = incoming.[note]"
    )
    assert guarded.endswith(
        "with ([id] nvarchar(128) '$[0]', [revision] integer '$[1]') as incoming"
        " on existing.[id] = incoming.[id] collate Latin1_General_100_BIN2"
        " and existing.[revision] = incoming.[revision]"
    )


def test_rows_are_combined_by_formulas_over_both() -> None:
    statement = AZURE_SQL.combine(_TABLE, (("revision", "existing.revision + incoming.revision"),))

    assert statement.startswith("update existing set revision = existing.revision + incoming.revision from example as")
    assert statement.endswith("on existing.[id] = incoming.[id] collate Latin1_General_100_BIN2")


def test_rows_travel_as_ascii_json_in_the_types_that_the_server_reads_and_bytes_as_they_are() -> None:
    more = _ROW | {"id": "b", "body": b"", "flag": None}
    none = _ROW | {"id": "a", "body": None, "at": None}

    _, (text, packed) = _sent(lambda writes: writes.insert(_TABLE, bulk.values_of(_TABLE, [_ROW, more, none])))

    assert text.isascii()
    assert orjson.loads(text) == [
        ["a", None, None, 1, 3, None],
        ["b", "2026-03-02T09:30:00.123", None, None, 3, [1, 0]],
        ["ö", "2026-03-02T09:30:00.123", None, 1, 3, [1, 2]],
    ]
    assert packed == b"\x00\xff"


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.binary()), min_size=1))
def test_any_text_and_any_bytes_come_back_from_what_travels(rows: list[tuple[str, bytes | None]]) -> None:
    told = {note: (str(number), None, note, None, None, body) for number, (note, body) in enumerate(rows)}

    _, (text, packed) = _sent(lambda writes: writes.insert(_TABLE, list(told.values())))

    # As the server does: `cast` to varchar, `openjson`, `substring`, which counts from one.
    opened = [(row[2], row[5]) for row in json.loads(text.decode("ascii"))]
    found = {note: place and packed[place[0] - 1 : place[0] - 1 + place[1]] for note, place in opened}
    assert found == {note: row[5] for note, row in told.items()}


def test_writes_go_as_one_batch_whose_text_is_the_same_with_and_without_rows() -> None:
    row = bulk.values_of(_TABLE, [_ROW])

    full, parameters = _sent(
        lambda writes: writes.delete(_TABLE, [_ROW], guard="revision"), lambda writes: writes.insert(_TABLE, row)
    )
    half, fewer = _sent(
        lambda writes: writes.delete(_TABLE, [], guard="revision"), lambda writes: writes.insert(_TABLE, row)
    )

    assert full == half
    assert full.startswith(
        "set nocount on; set xact_abort on;"
        " declare @rows0 nvarchar(max) = cast(cast(? as varchar(max)) as nvarchar(max)), @count0 int,"
        " @rows1 nvarchar(max) = cast(cast(? as varchar(max)) as nvarchar(max)), @bytes1 varbinary(max) = ?,"
        " @count1 int; delete existing from example"
    )
    assert "openjson(@rows0)" in full
    assert "; set @count0 = @@rowcount; insert into example" in full
    assert full.endswith("; select @count0 as count0, @count1 as count1")
    assert fewer == (b"[]", *parameters[1:])


def test_a_list_of_ids_is_one_parameter_too() -> None:
    query = sa.select(tables.interaction.c.id).where(tables.interaction.c.id.in_(AZURE_SQL.members(exact_text(128))))

    compiled = str(query.compile(dialect=_DIALECT))

    assert (
        "IN (select value collate Latin1_General_100_BIN2 from openjson(:members) with (value nvarchar(128) '$'))"
        in compiled
    )
    assert bulk.listed(["a", "b"]) == {"members": '["a","b"]'}


def test_rollups_compile_for_azure_sql() -> None:
    start, end = "2026-03-02T09:00:00.000Z", "2026-03-02T10:00:00.000Z"

    compiled = str(usage_facts.recount_statement(start, end).compile(dialect=_DIALECT))

    assert "GROUP BY" in compiled
    assert "sum(CAST(" in compiled


# What the stores really send


@cache
def _recorded() -> Recorder:
    return recorded()


def _texts() -> list[str]:
    return sorted({" ".join(statement.split()) for statement, _ in _recorded().statements})


_RUNS = re.compile(
    r"(self\._)?connection\.(exec_driver_sql|execute|scalars?)|bulk\.(delete|insert|insert_missing)|writes\.run"
)
"""Methods of a connection, and what `bulk` has, that run a statement."""


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all of a module but SQLite's own ways."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.ClassDef) and node.name == "_Sqlite"):
            yield node
            yield from _nodes(node)


def _places() -> list[tuple[str, int, int]]:
    """Return every call in the stores' code that runs a statement: file, first and last line."""
    found = []
    for path in sorted(STORES.glob("*.py")):
        # These run on no database at all, or with statements of others; the last three on SQLite alone.
        if path.name in {"azure_sql.py", "migrate.py", "fts5.py", "number_search.py", "readings.py"}:
            continue
        found += [
            (path.name, node.lineno, node.end_lineno or node.lineno)
            for node in _nodes(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and _RUNS.fullmatch(ast.unparse(node.func))
        ]
    return found


@pytest.mark.slow
def test_every_place_that_runs_a_statement_has_run_on_the_dialect_of_azure_sql() -> None:
    # Fails: teach tests/builders/tsql.py to use what the store has learned.
    source = {path.name: path.read_text(encoding="utf-8").splitlines() for path in STORES.glob("*.py")}
    seen = _recorded().places
    missing = [
        f"{name}:{first} {source[name][first - 1].strip()}"
        for name, first, last in _places()
        if not any((name, line) in seen for line in range(first, last + 1))
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


def test_no_reading_of_json_names_more_columns_than_a_plain_server_hands_on() -> None:
    readings = [names for one in _texts() for names in re.findall(r"openjson\([^)]*\) with \((.*?)\) as ", one)]

    assert max(names.count(" '$") for names in readings) > 90
    assert [names for names in readings if names.count(" '$") > 98] == []


def test_values_too_many_for_one_reading_travel_as_one_text_of_numbers() -> None:
    names = [f"n{place}" for place in range(120)]
    wide = sa.Table("wide", sa.MetaData(), sa.Column("id", exact_text(8), primary_key=True),
                    *(sa.Column(name, sa.BigInteger()) for name in names))  # fmt: skip
    statement, (sent,) = _sent(lambda writes: writes.insert(wide, [("é", *range(120))]))

    assert "cross apply openjson(direct.[apart]) with ([n96]" in statement
    (row,) = orjson.loads(sent)
    assert row[:3] == ["é", 0, 1]
    assert [*row[1:-1], *orjson.loads(row[-1])[0]] == [*range(120)]


def test_rows_that_the_database_numbers_may_hold_nulls() -> None:
    entry = ("2026-03-02T09:00:00.000Z", "ada", "assignment")
    _, (sent,) = _sent(lambda writes: writes.insert(tables.money_change, [(*entry, "{}", "{}"), (*entry, None, "{}")]))

    assert [row[3] for row in orjson.loads(sent)] == [None, "{}"]


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

    ((_, (parameter, packed)),) = recorder.statements
    assert orjson.loads(parameter) == [["a", "A:1", [1, 0]], ["a", "Q:1", [1, 0]], ["b", "Q:1", [1, 5]]]
    assert packed == b"first"


def test_the_time_by_which_calls_lie_in_order_is_set_where_it_moves_alone() -> None:
    # Set with all else, it has the server prepare to write every index of each changed call.
    updates = [
        part.strip()
        for text in _texts()
        for part in text.split(";")
        if part.strip().startswith("update existing set") and " from interaction as existing" in part
    ]

    setting = [part for part in updates if "[occurred_at] =" in part.split(" from ", 1)[0]]
    assert len(updates) == 2 * len(setting) > 0
    for part in setting:
        assert part.startswith("update existing set [occurred_at] = incoming.[occurred_at] from interaction ")
        assert part.endswith(" where existing.[occurred_at] <> incoming.[occurred_at]")
