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
from sqlalchemy.engine import Connection

from shared.errors import ConflictError
from shared.stores.ports import Row
from shared.stores.sql.bulk_statements import (
    batch_statement,
    columns_of,
    combine_statement,
    delete_statement,
    insert_statement,
    keys_of,
    names_of,
    update_statement,
    values_but,
)
from shared.stores.sql.types import UtcTime

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

LONG_BYTES: Final = "promptledger_long_bytes"
"""Execution option: every parameter of the statement is to be sent as varbinary(max)."""

Values = tuple[Any, ...]
"""A row as its values, in the order of the table's columns; numbers that the database hands out are left out."""


class _Write(NamedTuple):
    """A statement over many rows."""

    statement: str
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
        self._add(insert_statement(table, self._dialect, skip_existing=False), table, names_of(table), rows)

    def insert_missing(self, table: sa.Table, rows: Collection[Values]) -> None:
        """Insert the rows whose primary key is not there yet; of rows with the same key, the first.

        Raises the driver's integrity error where another transaction inserts the same key meanwhile.
        """
        if self._dialect == "mssql":
            key_of = _key_of(table, names_of(table))
            rows = {key_of(row): row for row in reversed(list(rows))}.values()
        self._add(insert_statement(table, self._dialect, skip_existing=True), table, names_of(table), rows)

    def update(self, table: sa.Table, rows: Collection[Row], *, guard: str) -> None:
        """Write whole rows over those with the same primary key and the same `guard`; count `guard` up."""
        names = (*values_but(table, guard), *keys_of(table), guard)
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
        self._add(statement, table, names_of(table), rows)

    def delete(
        self, table: sa.Table, rows: Collection[Row], *, by: tuple[str, ...] = (), guard: str | None = None
    ) -> None:
        """Delete the rows that have the same values in `by`, the primary key where it names nothing; and in `guard`."""
        keys = by or keys_of(table)
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
        text = batch_statement(tuple(write.statement for write in writes))
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
        self._writes.append(_Write(statement, columns_of(table, names), ordered, guarded))


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
    empty = dict.fromkeys(names_of(table))
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
def _key_of(table: sa.Table, names: tuple[str, ...]) -> Callable[[Values], Any]:
    """Return what tells a row's primary key; of a row without the whole of it, the whole row."""
    keys = keys_of(table)
    return itemgetter(*map(names.index, keys)) if keys and set(keys) <= set(names) else tuple


@cache
def _wired(columns: tuple[sa.Column[Any], ...]) -> tuple[tuple[int, type], ...]:
    """Return the columns whose values JSON cannot hold as they are: place and kind."""
    kinds = (sa.LargeBinary, UtcTime, sa.Boolean)
    return tuple(
        (place, kind) for place, column in enumerate(columns) for kind in kinds if isinstance(column.type, kind)
    )


_WIRE: Final[Mapping[type, Callable[[Any], Any]]] = {
    UtcTime: itemgetter(slice(-1)),  # datetime2 has no zone
    sa.Boolean: int,
}
