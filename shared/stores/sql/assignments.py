"""Who pays for whose calls, in SQL: rows are added and ended, never changed, and each change is recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.domain.values import NO_TIME
from shared.pricing.payers import Assignment, Matched, Payers, check_change
from shared.retry import QUICK_SECONDS, retried
from shared.stores.sql import bulk, tables
from shared.stores.sql.costs import last_closed_month, open_month
from shared.stores.sql.dialects import Values, dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease
from shared.stores.sql.marks import mark_hours

__all__ = ["Assignments", "SqlAssignments", "assignments_statement", "change_row"]

_LEASE: Final = "assignments"
_DIMENSIONS: Final = {
    Matched.USER: "user_id",
    Matched.APPLICATION: "app_id",
    Matched.SUBSCRIPTION: "subscription_id",
    Matched.PRODUCT: "product_id",
}
"""By which the hours of a caller are known; tags are no dimension."""
_FIELDS: Final = ("matched", "name", "value", "team", "cost_centre", "valid_from", "valid_to")


class Assignments:
    """The assignments as a transaction sees them; kept until there is another version."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._version = -1
        self._payers = Payers()

    def current(self, connection: Connection) -> Payers:
        """Return who pays for whose calls."""
        version = _version(connection)
        if self._version != version:
            self._payers, self._version = Payers(_held(connection)), version
        return self._payers


class SqlAssignments:
    """`shared.stores.price_ports.AssignmentStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def change(self, assignments: Sequence[Assignment], *, actor: str, at: str) -> int:
        """Add and end assignments; see the port."""
        return retried(lambda: self._change(assignments, actor, at))

    def assignments(self, *, after: tuple[str, ...] | None, limit: int) -> list[Assignment]:
        """Return assignments; see the port."""

        def read() -> list[Assignment]:
            with reading(self._engine) as connection:
                return _read(connection, assignments_statement(after=after, limit=limit))

        return retried(read, seconds=QUICK_SECONDS)

    def _change(self, assignments: Sequence[Assignment], actor: str, at: str) -> int:
        with writing(self._engine) as connection:
            take_lease(connection, _LEASE)
            known = {one.key: one for one in _held(connection)}
            changes: list[tuple[Assignment | None, Assignment]] = []
            for one in assignments:
                before = known.get(one.key)
                if before is not None:
                    check_change(before, one)
                if one != before:
                    changes.append((before, one))
                    known[one.key] = one
            if changes:
                _write(connection, changes, _version(connection) + 1)
                bulk.insert(
                    connection,
                    tables.money_change,
                    [change_row("assignment", actor, at, _as_json(old), _as_json(new)) for old, new in changes],
                )
                _mark(connection, changes)
            return len(changes)


def change_row(subject: str, actor: str, at: str, old: str | None, new: str | None) -> Values:
    """Return a row of the record of changes, as `bulk.insert` takes it; values before and after are JSON."""
    return (at, actor, subject, old, new)


def assignments_statement(*, after: tuple[str, ...] | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `AssignmentStore.assignments`."""
    table = tables.assignment.c
    keys = (table.matched, table.name, table.value, table.valid_from)
    statement = sa.select(*(table[name] for name in _FIELDS)).order_by(*keys).limit(limit)
    if after is None:
        return statement
    behind: sa.ColumnElement[bool] = sa.false()
    for key, value in reversed(list(zip(keys, after, strict=True))):
        behind = sa.or_(key > value, sa.and_(key == value, behind))
    # Says no more than what follows of all keys, but an index can seek by it.
    return statement.where(table.matched >= after[0], behind)


def _write(connection: Connection, changes: Sequence[tuple[Assignment | None, Assignment]], version: int) -> None:
    table = tables.assignment
    added = [asdict(new) | {"version": version} for old, new in changes if old is None]
    ended = [asdict(new) | {"version": version} for old, new in changes if old is not None]
    writes = bulk.Writes(connection)
    writes.insert(table, bulk.values_of(table, added))
    # Of a row that is there, all that may change.
    formulas = {"valid_to": "incoming.valid_to", "version": "incoming.version"}
    writes.combine(table, bulk.values_of(table, ended), formulas)
    writes.run()


def _mark(connection: Connection, changes: Iterable[tuple[Assignment | None, Assignment]]) -> None:
    """Mark the hours of the callers from the moment on at which somebody else begins to pay, or nobody."""
    started: dict[Matched, dict[str, str]] = {}
    for old, new in changes:
        starts = started.setdefault(new.matched, {})
        start = new.valid_from if old is None else new.valid_to or new.valid_from
        starts[new.value] = min(start, starts.get(new.value, start))
    # What is closed stays with whom it was closed.
    closed = last_closed_month(connection)
    earliest = NO_TIME if closed is None else open_month(closed)
    for matched, starts in started.items():
        if matched is Matched.TAG:
            mark_hours(connection, max(earliest, min(starts.values())))
        else:
            column = tables.usage_group.c[_DIMENSIONS[matched]]
            callers = column.in_(dialect_of(connection).members(column.type))
            mark_hours(connection, max(earliest, min(starts.values())), callers, **bulk.listed(starts))


def _version(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(tables.assignment.c.version))) or 0


def _held(connection: Connection) -> list[Assignment]:
    return _read(connection, sa.select(*(tables.assignment.c[name] for name in _FIELDS)))


def _read(connection: Connection, statement: sa.Select[Any]) -> list[Assignment]:
    rows = map(dict, connection.execute(statement).mappings())
    return [Assignment(**row | {"matched": Matched(row["matched"])}) for row in rows]


def _as_json(one: Assignment | None) -> str | None:
    return None if one is None else orjson.dumps(asdict(one)).decode()
