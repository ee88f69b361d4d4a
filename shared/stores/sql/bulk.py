"""Many rows, one statement: how each database takes a batch.

Azure SQL gets all rows as one JSON parameter, opened by `openjson` on the server: one round trip
whatever the size. SQLite has no round trips; there one prepared statement runs over the rows, which
docs/adr/0003 measures at half the cost of `json_each`.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Connection

from shared.stores.ports import Row
from shared.stores.sql.types import EXACT, UtcTime

__all__ = ["insert", "insert_missing", "members", "update"]

_MSSQL = mssql.dialect()


def insert(connection: Connection, table: sa.Table, rows: Collection[Row]) -> None:
    """Insert rows; a key that exists raises the driver's integrity error."""
    _run(connection, table, rows, _statement(table, connection.dialect.name, skip_existing=False))


def insert_missing(connection: Connection, table: sa.Table, rows: Collection[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    _run(connection, table, rows, _statement(table, connection.dialect.name, skip_existing=True))


def update(connection: Connection, table: sa.Table, rows: Collection[Row], *, guard: str) -> int:
    """Write whole rows over those with the same primary key and the same `guard`; count `guard` up.

    Returns:
        How many rows were written: fewer than given when a guard did not match.
    """
    if not rows:
        return 0
    if connection.dialect.name == "mssql":
        statement = _mssql_update(table, guard)
        return connection.exec_driver_sql(statement, (_json_rows(table, rows),)).rowcount
    statement, names = _sqlite_update(table, guard)
    return connection.exec_driver_sql(statement, [tuple(map(row.get, names)) for row in rows]).rowcount


def members(dialect_name: str, values: Iterable[str | int], kind: sa.types.TypeEngine[Any]) -> sa.Select[Any]:
    """Return a subquery of `values`, bound as one JSON parameter, to stand after `in`."""
    parameter = sa.literal(orjson.dumps(list(values)).decode(), sa.UnicodeText())
    if dialect_name == "mssql":
        value = sa.func.openjson(parameter).table_valued("value").c.value
        return sa.select(sa.cast(value, kind))
    return sa.select(sa.func.json_each(parameter).table_valued("value").c.value)


def _run(connection: Connection, table: sa.Table, rows: Collection[Row], statement: str) -> None:
    if not rows:
        return
    if connection.dialect.name == "mssql":
        connection.exec_driver_sql(statement, (_json_rows(table, rows),))
        return
    names = _names(table)
    connection.exec_driver_sql(statement, [tuple(map(row.get, names)) for row in rows])


@cache
def _names(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if not column.identity)


@cache
def _statement(table: sa.Table, dialect_name: str, *, skip_existing: bool) -> str:
    names = _names(table)
    if dialect_name == "mssql":
        return _mssql_insert(table, names, skip_existing=skip_existing)
    verb = "insert or ignore" if skip_existing else "insert"
    # Names of tables and columns are the product's own constants; every value is bound.
    return f"{verb} into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"  # noqa: S608


@cache
def _sqlite_update(table: sa.Table, guard: str) -> tuple[str, tuple[str, ...]]:
    keys = tuple(column.name for column in table.primary_key)
    names = tuple(name for name in _names(table) if name not in {*keys, guard})
    where = " and ".join(f"{name} = ?" for name in (*keys, guard))
    values = ", ".join(f"{name} = ?" for name in names)
    return f"update {table.name} set {values}, {guard} = {guard} + 1 where {where}", (*names, *keys, guard)  # noqa: S608


def _mssql_insert(table: sa.Table, names: Sequence[str], *, skip_existing: bool) -> str:
    missing = f" where not exists (select 1 from {table.name} as existing where {_same_key(table)})"
    return (
        f"insert into {table.name} ({', '.join(f'[{name}]' for name in names)})"  # noqa: S608
        f" select {', '.join(_incoming(table.columns[name]) for name in names)} from {_opened(table)}"
        f"{missing if skip_existing else ''}"
    )


@cache
def _mssql_update(table: sa.Table, guard: str) -> str:
    keys = {column.name for column in table.primary_key}
    values = ", ".join(
        f"[{name}] = {_incoming(table.columns[name])}" for name in _names(table) if name not in {*keys, guard}
    )
    return (
        f"update existing set {values}, [{guard}] = existing.[{guard}] + 1"  # noqa: S608
        f" from {table.name} as existing join {_opened(table)}"
        f" on {_same_key(table)} and existing.[{guard}] = incoming.[{guard}]"
    )


def _opened(table: sa.Table) -> str:
    columns = ", ".join(
        f"[{name}] {_wire_type(table.columns[name])} '$[{index}]'" for index, name in enumerate(_names(table))
    )
    return f"openjson(?) with ({columns}) as incoming"


def _same_key(table: sa.Table) -> str:
    # Columns opened from JSON carry the database's collation; the key columns have their own.
    return " and ".join(
        f"existing.[{column.name}] = incoming.[{column.name}]{_collate(column)}" for column in table.primary_key
    )


def _collate(column: sa.Column[Any]) -> str:
    return f" collate {EXACT}" if getattr(column.type.dialect_impl(_MSSQL), "collation", None) else ""


def _wire_type(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.LargeBinary):
        return "varchar(max)"
    return str(column.type.compile(dialect=_MSSQL)).split(" COLLATE ")[0].lower()


def _incoming(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.LargeBinary):
        return f"convert(varbinary(max), incoming.[{column.name}], 2)"
    return f"incoming.[{column.name}]"


def _json_rows(table: sa.Table, rows: Iterable[Row]) -> str:
    """Return rows as a JSON array of arrays, each value as its wire type reads it."""
    columns = [table.columns[name] for name in _names(table)]
    return orjson.dumps([[_wire_value(column, row.get(column.name)) for column in columns] for row in rows]).decode()


def _wire_value(column: sa.Column[Any], value: Any) -> Any:  # noqa: ANN401  # as JSON as the columns are many
    if value is None:
        return None
    if isinstance(column.type, sa.LargeBinary):
        return value.hex()
    if isinstance(column.type, UtcTime):
        return value[:-1]
    return int(value) if isinstance(value, bool) else value
