"""The statements that write many rows: for SQLite over one row each, for Azure SQL over all that `openjson` opens.

There the rows are the variable @rows, and the bytes that they point into @bytes.
Names of tables and columns are the product's own constants; every value is bound. Hence the S608s.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from shared.stores.sql.types import EXACT

__all__ = [
    "batch_statement",
    "columns_of",
    "combine_statement",
    "delete_statement",
    "insert_statement",
    "keys_of",
    "names_of",
    "update_statement",
    "values_but",
]

_MSSQL = mssql.dialect()


@cache
def insert_statement(table: sa.Table, dialect_name: str, *, skip_existing: bool) -> str:
    """Return the statement that inserts rows."""
    names = names_of(table)
    if dialect_name != "mssql":
        # Not `insert or ignore`: that would also pass over a row that lacks a value it must have.
        skipped = " on conflict do nothing" if skip_existing else ""
        return f"insert into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))}){skipped}"  # noqa: S608
    same = _same(table, keys_of(table))
    missing = f" where not exists (select 1 from {table.name} as existing where {same})"  # noqa: S608
    return (
        f"insert into {table.name} ({', '.join(f'[{name}]' for name in names)})"  # noqa: S608
        f" select {', '.join(_incoming(table.columns[name]) for name in names)} from {_opened(table, names)}"
        f"{missing if skip_existing else ''}"
    )


@cache
def update_statement(table: sa.Table, dialect_name: str, guard: str) -> str:
    """Return the statement that updates rows."""
    keys, names = keys_of(table), values_but(table, guard)
    if dialect_name != "mssql":
        values = ", ".join(f"{name} = ?" for name in names)
        return f"update {table.name} set {values}, {guard} = {guard} + 1 where {_equal((*keys, guard))}"  # noqa: S608
    values = ", ".join(f"[{name}] = {_incoming(table.columns[name])}" for name in names)
    return (
        f"update existing set {values}, [{guard}] = existing.[{guard}] + 1"  # noqa: S608
        f" from {table.name} as existing join {_opened(table, (*names, *keys, guard))}"
        f" on {_same(table, (*keys, guard))}"
    )


@cache
def combine_statement(table: sa.Table, dialect_name: str, formulas: tuple[tuple[str, str], ...]) -> str:
    """Return the statement that changes rows by formulas."""
    names, values = names_of(table), ", ".join(f"{name} = {formula}" for name, formula in formulas)
    if dialect_name != "mssql":
        incoming = ", ".join(f"? as {name}" for name in names)
        same = " and ".join(f"existing.{name} = incoming.{name}" for name in keys_of(table))
        return f"update {table.name} as existing set {values} from (select {incoming}) as incoming where {same}"  # noqa: S608
    joined = f"{_opened(table, names)} on {_same(table, keys_of(table))}"
    return f"update existing set {values} from {table.name} as existing join {joined}"  # noqa: S608


@cache
def delete_statement(table: sa.Table, dialect_name: str, *, by: tuple[str, ...], guard: str | None = None) -> str:
    """Return the statement that deletes rows."""
    names = (*by, guard) if guard else by
    if dialect_name != "mssql":
        return f"delete from {table.name} where {_equal(names)}"  # noqa: S608
    return f"delete existing from {table.name} as existing join {_opened(table, names)} on {_same(table, names)}"


@cache
def batch_statement(statements: tuple[str, ...]) -> str:
    """Return one batch of T-SQL that runs statements and selects how many rows each affected.

    Its parameters are each statement's rows, and its bytes where it has any.
    """
    declared, run = [], []
    for number, statement in enumerate(statements):
        # Sent as bytes of ASCII, at one byte a character; `openjson` is documented for nvarchar.
        declared.append(f"@rows{number} nvarchar(max) = cast(cast(? as varchar(max)) as nvarchar(max))")
        if "@bytes" in statement:
            declared.append(f"@bytes{number} varbinary(max) = ?")
        declared.append(f"@count{number} int")
        numbered = statement.replace("@rows", f"@rows{number}").replace("@bytes", f"@bytes{number}")
        run.append(f"{numbered}; set @count{number} = @@rowcount;")
    counts = ", ".join(f"@count{number} as count{number}" for number in range(len(statements)))
    # A first result other than the last `select` would hide the errors behind it from the driver; and
    # an error ends the batch at once. Both settings end with the batch.
    return (
        f"set nocount on; set xact_abort on; declare {', '.join(declared)}; {' '.join(run)}"
        f" set nocount off; set xact_abort off; select {counts}"
    )


@cache
def names_of(table: sa.Table) -> tuple[str, ...]:
    """Return the columns that we give a value."""
    return tuple(column.name for column in table.columns if column.identity is None)


@cache
def keys_of(table: sa.Table) -> tuple[str, ...]:
    """Return the columns of the primary key."""
    return tuple(column.name for column in table.primary_key)


@cache
def values_but(table: sa.Table, guard: str) -> tuple[str, ...]:
    """Return the columns that are neither of the primary key nor the guard."""
    return tuple(name for name in names_of(table) if name not in {*keys_of(table), guard})


@cache
def columns_of(table: sa.Table, names: tuple[str, ...]) -> tuple[sa.Column[Any], ...]:
    """Return columns by their names."""
    return tuple(table.columns[name] for name in names)


def _equal(names: Iterable[str]) -> str:
    return " and ".join(f"{name} = ?" for name in names)


def _opened(table: sa.Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(
        opened for place, column in enumerate(columns_of(table, names)) for opened in _wire_columns(column, place)
    )
    return f"openjson(@rows) with ({columns}) as incoming"


def _same(table: sa.Table, names: Iterable[str]) -> str:
    # Columns opened from JSON carry the database's collation; the table's have their own.
    return " and ".join(f"existing.[{name}] = incoming.[{name}]{_collation(table.columns[name])}" for name in names)


def _collation(column: sa.Column[Any]) -> str:
    return f" collate {EXACT}" if "COLLATE" in column.type.compile(dialect=_MSSQL) else ""


def _wire_columns(column: sa.Column[Any], place: int) -> list[str]:
    name = column.name
    if isinstance(column.type, sa.LargeBinary):
        return [f"[{name}_at] int '$[{place}][0]'", f"[{name}_size] int '$[{place}][1]'"]
    kind = column.type.compile(dialect=_MSSQL).split(" COLLATE ")[0].lower()
    return [f"[{name}] {kind} '$[{place}]'"]


def _incoming(column: sa.Column[Any]) -> str:
    name = column.name
    if isinstance(column.type, sa.LargeBinary):
        return f"substring(@bytes, incoming.[{name}_at], incoming.[{name}_size])"
    return f"incoming.[{name}]"
