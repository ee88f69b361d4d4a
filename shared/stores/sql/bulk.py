"""Many rows, one statement: how each database takes a batch.

Azure SQL gets all rows as one JSON parameter, opened by `openjson` on the server: one round trip
whatever the size. SQLite has no round trips; there one prepared statement runs over the rows, at
half the cost of `json_each` (docs/adr/0005-bulk-writes.md).
"""

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Connection

from shared.stores.ports import Row
from shared.stores.sql.types import EXACT, UtcTime

__all__ = [
    "ONE_LONG_TEXT",
    "delete",
    "delete_statement",
    "insert",
    "insert_missing",
    "insert_statement",
    "json_rows",
    "listed",
    "members",
    "update",
    "update_statement",
    "values_of",
]

_MSSQL = mssql.dialect()

ONE_LONG_TEXT: Final = "promptledger_one_long_text"
"""Execution option: the statement's one parameter is to be sent as nvarchar(max)."""

Values = tuple[Any, ...]
"""A row as its values, in the order of the table's columns; numbers that the database hands out are left out."""


def insert(connection: Connection, table: sa.Table, rows: Collection[Values]) -> None:
    """Insert rows; a key that exists raises the driver's integrity error."""
    _run(connection, insert_statement(table, connection.dialect.name, skip_existing=False), table, rows)


def insert_missing(connection: Connection, table: sa.Table, rows: Collection[Values]) -> None:
    """Insert the rows whose primary key is not there yet; of rows with the same key, the first.

    Raises the driver's integrity error where another transaction inserts the same key meanwhile.
    """
    if connection.dialect.name == "mssql":
        key_of = _key_of(table)
        rows = {key_of(row): row for row in reversed(list(rows))}.values()
    _run(connection, insert_statement(table, connection.dialect.name, skip_existing=True), table, rows)


def values_of(table: sa.Table, rows: Iterable[Row]) -> list[Values]:
    """Return rows, null where they do not name a column, as `insert` takes them."""
    empty = dict.fromkeys(_names(table))
    return [tuple((empty | row).values()) for row in rows]


def update(connection: Connection, table: sa.Table, rows: Collection[Row], *, guard: str) -> int:
    """Write whole rows over those with the same primary key and the same `guard`; count `guard` up.

    Returns:
        How many rows were written: fewer than given when a guard did not match.
    """
    statement = update_statement(table, connection.dialect.name, guard)
    keys = [column.name for column in table.primary_key]
    return _run_guarded(connection, statement, table, (*_values(table, guard), *keys, guard), rows)


def delete(connection: Connection, table: sa.Table, rows: Collection[Row], *, guard: str | None = None) -> int:
    """Delete the rows with the same primary key, and the same `guard` where one is named.

    Returns:
        How many rows were deleted.
    """
    statement = delete_statement(table, connection.dialect.name, guard)
    return _run_guarded(connection, statement, table, _deciding(table, guard), rows)


def members(dialect_name: str, kind: sa.types.TypeEngine[Any]) -> sa.Select[Any]:
    """Return a subquery to stand after `in`; the statement is executed with `listed(values)`."""
    parameter = sa.bindparam("members", type_=sa.UnicodeText())
    if dialect_name == "mssql":
        return sa.select(sa.cast(sa.func.openjson(parameter).table_valued("value").c.value, kind))
    return sa.select(sa.func.json_each(parameter).table_valued("value").c.value)


def listed(values: Iterable[str | int]) -> dict[str, str]:
    """Return the parameters of a statement that has `members`: all values as one JSON text."""
    return {"members": orjson.dumps(list(values)).decode()}


# Names of tables and columns are the product's own constants; every value is bound. Hence the S608s.


@cache
def insert_statement(table: sa.Table, dialect_name: str, *, skip_existing: bool) -> str:
    """Return the statement that inserts a batch; on Azure SQL its one parameter is `rows`."""
    names = _names(table)
    if dialect_name != "mssql":
        # Not `insert or ignore`: that would also pass over a row that lacks a value it must have.
        skipped = " on conflict do nothing" if skip_existing else ""
        return f"insert into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))}){skipped}"  # noqa: S608
    missing = f" where not exists (select 1 from {table.name} as existing where {_same_key(table)})"  # noqa: S608
    return (
        f"insert into {table.name} ({', '.join(f'[{name}]' for name in names)})"  # noqa: S608
        f" select {', '.join(_incoming(table.columns[name]) for name in names)} from {_opened(table)}"
        f"{missing if skip_existing else ''}"
    )


@cache
def update_statement(table: sa.Table, dialect_name: str, guard: str) -> str:
    """Return the statement that updates a batch; on Azure SQL its one parameter is `rows`."""
    names = _values(table, guard)
    if dialect_name != "mssql":
        where = " and ".join(f"{name} = ?" for name in (*(column.name for column in table.primary_key), guard))
        values = ", ".join(f"{name} = ?" for name in names)
        return f"update {table.name} set {values}, {guard} = {guard} + 1 where {where}"  # noqa: S608
    values = ", ".join(f"[{name}] = {_incoming(table.columns[name])}" for name in names)
    return (
        f"update existing set {values}, [{guard}] = existing.[{guard}] + 1"  # noqa: S608
        f" from {table.name} as existing join {_opened(table)}"
        f" on {_same_key(table)} and existing.[{guard}] = incoming.[{guard}]"
    )


@cache
def delete_statement(table: sa.Table, dialect_name: str, guard: str | None) -> str:
    """Return the statement that deletes a batch; on Azure SQL its one parameter is `rows`."""
    if dialect_name != "mssql":
        return f"delete from {table.name} where {' and '.join(f'{name} = ?' for name in _deciding(table, guard))}"  # noqa: S608
    guarded = f" and existing.[{guard}] = incoming.[{guard}]" if guard else ""
    return f"delete existing from {table.name} as existing join {_opened(table)} on {_same_key(table)}{guarded}"


def json_rows(table: sa.Table, rows: Iterable[Values]) -> str:
    """Return rows as a JSON array of arrays, each value as `openjson` reads it into its column."""
    columns = [table.columns[name] for name in _names(table)]
    return orjson.dumps([list(map(_wire_value, columns, row)) for row in rows]).decode()


def _run_guarded(
    connection: Connection, statement: str, table: sa.Table, names: tuple[str, ...], rows: Collection[Row]
) -> int:
    """Run a batch statement whose parameters on SQLite are `names`, in their order."""
    if connection.dialect.name == "mssql":
        return _run(connection, statement, table, values_of(table, rows))
    return _run(connection, statement, table, [tuple(map(row.get, names)) for row in rows])


def _run(connection: Connection, statement: str, table: sa.Table, rows: Collection[Values]) -> int:
    """Run a batch statement; return the rows affected."""
    if not rows:
        return 0
    if connection.dialect.name != "mssql":
        return connection.exec_driver_sql(statement, list(rows)).rowcount
    # In the order of their keys, so that two batches lock what both of them touch in the same order.
    parameter = json_rows(table, sorted(rows, key=_key_of(table)))
    # SQLAlchemy tells the driver no type for a parameter of textual SQL, hence the option.
    options = {ONE_LONG_TEXT: True}
    return connection.execute(sa.text(statement), {"rows": parameter}, execution_options=options).rowcount


@cache
def _names(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.identity is None)


@cache
def _key_of(table: sa.Table) -> Callable[[Values], tuple[Any, ...]]:
    """Return what tells a row's primary key; of a table without one that we give, the whole row."""
    names = _names(table)
    places = [names.index(column.name) for column in table.primary_key if column.name in names]
    return (lambda row: tuple(row[place] for place in places)) if places else tuple


@cache
def _values(table: sa.Table, guard: str) -> tuple[str, ...]:
    keys = {column.name for column in table.primary_key}
    return tuple(name for name in _names(table) if name not in {*keys, guard})


def _deciding(table: sa.Table, guard: str | None) -> tuple[str, ...]:
    keys = tuple(column.name for column in table.primary_key)
    return (*keys, guard) if guard else keys


def _opened(table: sa.Table) -> str:
    columns = ", ".join(
        f"[{name}] {_wire_type(table.columns[name])} '$[{index}]'" for index, name in enumerate(_names(table))
    )
    return f"openjson(:rows) with ({columns}) as incoming"


def _same_key(table: sa.Table) -> str:
    # Columns opened from JSON carry the database's collation; the key columns have their own.
    return " and ".join(
        f"existing.[{column.name}] = incoming.[{column.name}]{_collation(column)}" for column in table.primary_key
    )


def _collation(column: sa.Column[Any]) -> str:
    return f" collate {EXACT}" if "COLLATE" in column.type.compile(dialect=_MSSQL) else ""


def _wire_type(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.LargeBinary):
        return "varchar(max)"
    return column.type.compile(dialect=_MSSQL).split(" COLLATE ")[0].lower()


def _incoming(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.LargeBinary):
        return f"convert(varbinary(max), incoming.[{column.name}], 2)"
    return f"incoming.[{column.name}]"


def _wire_value(column: sa.Column[Any], value: Any) -> Any:  # noqa: ANN401  # as many kinds as columns
    if value is None:
        return None
    if isinstance(column.type, sa.LargeBinary):
        return value.hex()
    if isinstance(column.type, UtcTime):
        return value[:-1]
    return int(value) if isinstance(value, bool) else value
