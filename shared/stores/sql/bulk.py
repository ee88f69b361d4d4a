"""Many rows, one statement: the writes of a transaction, and lists of values in a question.

How each database takes them: `dialects`, and docs/adr/0005-bulk-writes.md.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.errors import ConflictError
from shared.stores.ports import Row
from shared.stores.sql.dialects import Values, Write, dialect_of, keys_of, names_of

__all__ = [
    "Writes",
    "delete",
    "insert",
    "insert_missing",
    "listed",
    "values_of",
]


_Statement = TypeVar("_Statement", str, str | None)


class Writes:
    """The writes of one transaction, done in their order by `run`."""

    def __init__(self, connection: Connection) -> None:
        """Collect writes for `connection`."""
        self._connection = connection
        self._dialect = dialect_of(connection)
        self._writes: list[Write] = []

    def insert(self, table: sa.Table, rows: Collection[Values]) -> None:
        """Insert rows; a key that exists raises the driver's integrity error."""
        self._add(_made(self._dialect.insert, table, skip_existing=False), table, names_of(table), rows)

    def insert_missing(self, table: sa.Table, rows: Collection[Values]) -> None:
        """Insert the rows whose primary key is not there yet; of rows with the same key, the first.

        Raises the driver's integrity error where another transaction inserts the same key meanwhile.
        """
        names = names_of(table)
        key_of, first = _key_of(table, names), dict[Any, Values]()
        for row in rows:
            first.setdefault(key_of(row), row)
        self._add(_made(self._dialect.insert, table, skip_existing=True), table, names, first.values())

    def update(self, table: sa.Table, rows: Sequence[Row], *, guard: str, before: Sequence[Row | None] = ()) -> None:
        """Write complete rows over those with the same primary key and the same `guard`; count `guard` up.

        Args:
            table: the table.
            rows: the rows.
            guard: the column that counts the writes.
            before: for each row, as it was read; None where all of it is to be written.
        """
        keys = keys_of(table)
        values = _values_beside(table, guard)
        changed: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
        if self._dialect.writes_all or not before:
            changed[values] = [*rows]
        else:
            for row, old in zip(rows, before, strict=True):
                changed[values if old is None else _different(values, row, old)].append(row)
        for written, alike in changed.items():
            names = (*written, *keys, guard)
            chosen = [tuple(map(row.get, names)) for row in alike]
            self._add(_made(self._dialect.update, table, written, guard), table, names, chosen, guarded=True)

    def combine(self, table: sa.Table, rows: Collection[Values], formulas: Mapping[str, str]) -> None:
        """Set columns of the rows with the same primary key.

        Args:
            table: the table.
            rows: complete rows.
            formulas: of each column that is set, its value in SQL over `existing` and `incoming`.
        """
        self._add(_made(self._dialect.combine, table, tuple(formulas.items())), table, names_of(table), rows)

    def add(self, table: sa.Table, rows: Collection[Values], columns: Collection[str]) -> None:
        """Add the numbers in `columns` to rows with the same primary key; insert the rows that are not there.

        Args:
            table: the table.
            rows: complete rows.
            columns: those that are added; in a row that is not there they begin at 0.
        """
        names = names_of(table)
        statement = _made(self._dialect.add, table, tuple(columns))
        if statement is not None:
            self._add(statement, table, names, rows)
            return
        zeros = {names.index(name) for name in columns}
        self.insert_missing(table, [tuple(0 if at in zeros else one for at, one in enumerate(row)) for row in rows])
        self.combine(table, rows, {name: f"existing.{name} + incoming.{name}" for name in columns})

    def delete(
        self, table: sa.Table, rows: Collection[Row], *, by: tuple[str, ...] = (), guard: str | None = None
    ) -> None:
        """Delete the rows that have the same values in `by`, the primary key where it names nothing; and in `guard`."""
        keys = by or keys_of(table)
        names = (*keys, guard) if guard else keys
        chosen = [tuple(map(row.get, names)) for row in rows]
        self._add(_made(self._dialect.delete, table, names), table, names, chosen, guarded=guard is not None)

    def run(self) -> None:
        """Do the writes.

        Raises:
            ConflictError: a row with a guard was changed meanwhile; the transaction must not be committed.
        """
        writes, self._writes = self._writes, []
        if not any(write.rows for write in writes):
            return
        for write, counted in zip(writes, self._dialect.run(self._connection, writes), strict=True):
            if write.guarded and counted != len(write.rows):
                raise ConflictError("another transaction changed one of the rows first")

    def _add(
        self,
        statement: str,
        table: sa.Table,
        names: tuple[str, ...],
        rows: Iterable[Values],
        *,
        guarded: bool = False,
    ) -> None:
        columns, key = _columns_of(table, names)
        self._writes.append(Write(statement, columns, list(rows), key, guarded))


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


def listed(values: Iterable[str | int]) -> dict[str, str]:
    """Return the parameters of a statement that has a dialect's `members`: all values as one JSON text."""
    return {"members": orjson.dumps(list(values)).decode()}


@cache
def _values_beside(table: sa.Table, guard: str) -> tuple[str, ...]:
    keys = keys_of(table)
    return tuple(name for name in names_of(table) if name != guard and name not in keys)


def _different(names: Iterable[str], row: Row, before: Row) -> tuple[str, ...]:
    return tuple(name for name in names if row.get(name) != before.get(name))


@cache
def _made(make: Callable[..., _Statement], *of: object, **how: object) -> _Statement:
    """Return the statement that `make` makes: once, as making one costs more than running it."""
    return make(*of, **how)


@cache
def _columns_of(table: sa.Table, names: tuple[str, ...]) -> tuple[tuple[sa.Column[Any], ...], Callable[[Values], Any]]:
    return tuple(table.columns[name] for name in names), _key_of(table, names)


@cache
def _key_of(table: sa.Table, names: tuple[str, ...]) -> Callable[[Values], Any]:
    keys = keys_of(table)
    return itemgetter(*map(names.index, keys)) if keys and set(keys) <= set(names) else _all_values


def _all_values(row: Values) -> tuple[tuple[bool, Any], ...]:
    """Return what rows whose keys the database numbers are told apart and put in order by, nulls first."""
    return tuple((value is not None, value) for value in row)
