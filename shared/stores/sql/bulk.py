"""Many rows, one statement: how each database takes a batch.

Azure SQL gets the writes of a transaction as one batch of T-SQL, each write's rows as one JSON
parameter, opened by `openjson` on the server: one turn, whatever the size. SQLite has no turns; there
one prepared statement runs over the rows, at half the cost of `json_each` (docs/adr/0005-bulk-writes.md).
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Connection

from shared.errors import ConflictError
from shared.stores.ports import Row
from shared.stores.sql.types import EXACT, UtcTime

__all__ = [
    "LONG_BYTES",
    "Writes",
    "delete",
    "insert",
    "insert_missing",
    "listed",
    "members",
    "values_of",
]

_MSSQL = mssql.dialect()

LONG_BYTES: Final = "promptledger_long_bytes"
"""Execution option: every parameter of the statement is to be sent as varbinary(max)."""

Values = tuple[Any, ...]
"""A row as its values, in the order of the table's columns; numbers that the database hands out are left out."""


class _Write(NamedTuple):
    """A statement over many rows."""

    statement: str
    """On Azure SQL its rows are the variable @rows, and the bytes that they refer to @bytes."""
    columns: tuple[sa.Column[Any], ...]
    """What the rows tell, in this order."""
    rows: Sequence[Values]
    guarded: bool
    """Whether each row must be there as it was read."""


class Writes:
    """The writes of one transaction, done in their order by `run`."""

    def __init__(self, connection: Connection) -> None:
        """Collect writes for `connection`."""
        self._connection = connection
        self._dialect = connection.dialect.name
        self._writes: list[_Write] = []

    def insert(self, table: sa.Table, rows: Collection[Values]) -> None:
        """Insert rows; a key that exists raises the driver's integrity error."""
        self._add(insert_statement(table, self._dialect, skip_existing=False), table, _names(table), rows)

    def insert_missing(self, table: sa.Table, rows: Collection[Values]) -> None:
        """Insert the rows whose primary key is not there yet; of rows with the same key, the first.

        Raises the driver's integrity error where another transaction inserts the same key meanwhile.
        """
        if self._dialect == "mssql":
            key_of = _key_of(table, _names(table))
            rows = {key_of(row): row for row in reversed(list(rows))}.values()
        self._add(insert_statement(table, self._dialect, skip_existing=True), table, _names(table), rows)

    def update(self, table: sa.Table, rows: Collection[Row], *, guard: str) -> None:
        """Write whole rows over those with the same primary key and the same `guard`; count `guard` up."""
        names = (*_values(table, guard), *_keys(table), guard)
        chosen = [tuple(map(row.get, names)) for row in rows]
        self._add(update_statement(table, self._dialect, guard), table, names, chosen, guarded=True)

    def combine(self, table: sa.Table, rows: Collection[Values], formulas: Mapping[str, str]) -> None:
        """Set columns of the rows with the same primary key.

        Args:
            table: the table.
            rows: whole rows.
            formulas: of each column that is set, its value in SQL over `existing` and `incoming`.
        """
        statement = combine_statement(table, self._dialect, tuple(formulas.items()))
        self._add(statement, table, _names(table), rows)

    def delete(
        self, table: sa.Table, rows: Collection[Row], *, by: tuple[str, ...] = (), guard: str | None = None
    ) -> None:
        """Delete the rows that have the same values in `by`, the primary key where it names nothing; and in `guard`."""
        keys = by or _keys(table)
        names = (*keys, guard) if guard else keys
        chosen = [tuple(map(row.get, names)) for row in rows]
        statement = delete_statement(table, self._dialect, by=keys, guard=guard)
        self._add(statement, table, names, chosen, guarded=guard is not None)

    def run(self) -> None:
        """Do the writes.

        Raises:
            ConflictError: a row with a guard was changed meanwhile; the transaction must not be committed.
        """
        writes, self._writes = self._writes, []
        if not any(write.rows for write in writes):
            return
        if self._dialect == "mssql":
            self._send(writes)
            return
        for write in writes:
            if write.rows:
                counted = self._connection.exec_driver_sql(write.statement, list(write.rows)).rowcount
                _check(write, counted)

    def _send(self, writes: Sequence[_Write]) -> None:
        parameters = tuple(sent for write in writes for sent in _sent(write))
        # Those without rows go too: so the text is always the same, and the server has one plan for it.
        text = _batch(tuple((write.statement, _has_bytes(write.columns)) for write in writes))
        counts = self._connection.exec_driver_sql(text, parameters, execution_options={LONG_BYTES: True}).one()
        for write, counted in zip(writes, counts, strict=True):
            _check(write, counted)

    def _add(
        self,
        statement: str,
        table: sa.Table,
        names: tuple[str, ...],
        rows: Collection[Values],
        *,
        guarded: bool = False,
    ) -> None:
        # In the order of their keys, so that two batches lock what both of them touch in the same order.
        ordered = sorted(rows, key=_key_of(table, names)) if self._dialect == "mssql" else list(rows)
        self._writes.append(_Write(statement, _columns(table, names), ordered, guarded))


def insert(connection: Connection, table: sa.Table, rows: Collection[Values]) -> None:
    """Do one insert; see `Writes`."""
    writes = Writes(connection)
    writes.insert(table, rows)
    writes.run()


def insert_missing(connection: Connection, table: sa.Table, rows: Collection[Values]) -> None:
    """Do one insert of what is missing; see `Writes`."""
    writes = Writes(connection)
    writes.insert_missing(table, rows)
    writes.run()


def delete(connection: Connection, table: sa.Table, rows: Collection[Row]) -> None:
    """Do one delete by primary key; see `Writes`."""
    writes = Writes(connection)
    writes.delete(table, rows)
    writes.run()


def values_of(table: sa.Table, rows: Iterable[Row]) -> list[Values]:
    """Return rows, null where they do not name a column, as `insert` takes them."""
    empty = dict.fromkeys(_names(table))
    return [tuple((empty | row).values()) for row in rows]


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
    """Return the statement that inserts rows."""
    names = _names(table)
    if dialect_name != "mssql":
        # Not `insert or ignore`: that would also pass over a row that lacks a value it must have.
        skipped = " on conflict do nothing" if skip_existing else ""
        return f"insert into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))}){skipped}"  # noqa: S608
    same = _same(table, _keys(table))
    missing = f" where not exists (select 1 from {table.name} as existing where {same})"  # noqa: S608
    return (
        f"insert into {table.name} ({', '.join(f'[{name}]' for name in names)})"  # noqa: S608
        f" select {', '.join(_incoming(table.columns[name]) for name in names)} from {_opened(table, names)}"
        f"{missing if skip_existing else ''}"
    )


@cache
def update_statement(table: sa.Table, dialect_name: str, guard: str) -> str:
    """Return the statement that updates rows."""
    keys, names = _keys(table), _values(table, guard)
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
    names, values = _names(table), ", ".join(f"{name} = {formula}" for name, formula in formulas)
    if dialect_name != "mssql":
        incoming = ", ".join(f"? as {name}" for name in names)
        same = " and ".join(f"existing.{name} = incoming.{name}" for name in _keys(table))
        return f"update {table.name} as existing set {values} from (select {incoming}) as incoming where {same}"  # noqa: S608
    joined = f"{_opened(table, names)} on {_same(table, _keys(table))}"
    return f"update existing set {values} from {table.name} as existing join {joined}"  # noqa: S608


@cache
def delete_statement(table: sa.Table, dialect_name: str, *, by: tuple[str, ...], guard: str | None = None) -> str:
    """Return the statement that deletes rows."""
    names = (*by, guard) if guard else by
    if dialect_name != "mssql":
        return f"delete from {table.name} where {_equal(names)}"  # noqa: S608
    return f"delete existing from {table.name} as existing join {_opened(table, names)} on {_same(table, names)}"


@cache
def _batch(statements: tuple[tuple[str, bool], ...]) -> str:
    """Return one batch of T-SQL that runs statements, each with rows and maybe bytes, and selects the rows affected."""
    declared, run = [], []
    for number, (statement, has_bytes) in enumerate(statements):
        # Sent as bytes of ASCII, at one byte a character; `openjson` is documented for nvarchar.
        declared.append(f"@rows{number} nvarchar(max) = cast(cast(? as varchar(max)) as nvarchar(max))")
        if has_bytes:
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


def _sent(write: _Write) -> tuple[bytes, ...]:
    """Return a write's rows as a JSON array of arrays, in ASCII; and the bytes in them, one after the other."""
    changed = [(place, _WIRE[kind]) for place, kind in _wired(write.columns) if kind in _WIRE]
    binary = [place for place, kind in _wired(write.columns) if kind is sa.LargeBinary]
    pieces: list[bytes] = []
    length = 0
    rows = []
    for told in write.rows:
        row = list(told)
        for place, change in changed:
            if row[place] is not None:
                row[place] = change(row[place])
        for place in binary:
            if (piece := row[place]) is not None:
                pieces.append(piece)
                row[place] = [length + 1, len(piece)]
                length += len(piece)
        rows.append(row)
    text = orjson.dumps(rows)
    if not text.isascii():
        text = json.dumps(rows, separators=(",", ":")).encode()
    return (text, b"".join(pieces)) if binary else (text,)


def _check(write: _Write, counted: int) -> None:
    if write.guarded and counted != len(write.rows):
        raise ConflictError("another transaction changed one of the rows first")


@cache
def _names(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.identity is None)


@cache
def _keys(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


@cache
def _values(table: sa.Table, guard: str) -> tuple[str, ...]:
    return tuple(name for name in _names(table) if name not in {*_keys(table), guard})


@cache
def _columns(table: sa.Table, names: tuple[str, ...]) -> tuple[sa.Column[Any], ...]:
    return tuple(table.columns[name] for name in names)


@cache
def _key_of(table: sa.Table, names: tuple[str, ...]) -> Callable[[Values], Any]:
    """Return what tells a row's primary key; of a row without the whole of it, the whole row."""
    keys = _keys(table)
    return itemgetter(*map(names.index, keys)) if keys and set(keys) <= set(names) else tuple


@cache
def _wired(columns: tuple[sa.Column[Any], ...]) -> tuple[tuple[int, type], ...]:
    """Return the columns whose values JSON cannot hold as they are: place and kind."""
    kinds = (sa.LargeBinary, UtcTime, sa.Boolean)
    return tuple(
        (place, kind) for place, column in enumerate(columns) for kind in kinds if isinstance(column.type, kind)
    )


def _has_bytes(columns: tuple[sa.Column[Any], ...]) -> bool:
    return any(kind is sa.LargeBinary for _, kind in _wired(columns))


_WIRE: Final[Mapping[type, Callable[[Any], Any]]] = {
    UtcTime: itemgetter(slice(-1)),  # datetime2 has no zone
    sa.Boolean: int,
}


def _equal(names: Iterable[str]) -> str:
    return " and ".join(f"{name} = ?" for name in names)


def _opened(table: sa.Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(
        opened for place, column in enumerate(_columns(table, names)) for opened in _wire_columns(column, place)
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
