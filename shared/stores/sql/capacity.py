"""Hours of capacity in SQL: made anew from the charges of their calls, whenever those changed."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.domain.values import interval_end
from shared.pricing.book import Book
from shared.pricing.capacity import CapacityKind, ReservedHour, hours_between
from shared.retry import RETRY_SECONDS, retried
from shared.stores.capacity_ports import CapacityHour, CapacityKey, Settled
from shared.stores.sql import bulk, tables
from shared.stores.sql.books import Books
from shared.stores.sql.conditions import is_behind, is_within
from shared.stores.sql.costs import rebuild_cost_days, rewrite_idle_costs
from shared.stores.sql.dialects import Dialect, Values, dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import ROLLUPS, take_lease

__all__ = ["SqlCapacity", "mark_capacity", "mark_period", "used_in"]

_NOTED: Final = "capacity hours"
"""The row of `lease` whose time says up to which hour capacity was marked to be settled."""

_MOST_NOTED: Final = 5_000
"""Hours marked in one run of the timer: those of 200 days."""


def used_in(connection: Connection, book: Book, hours: Collection[str]) -> dict[tuple[str, str], int]:
    """Return the weighted tokens of the calls that share capacity, by its name and hour, as they were settled last."""
    wanted = [hour for hour in hours if book.holding(hour).reserved(hour)]
    if not wanted:
        return {}
    c = tables.capacity_hour.c
    query = sa.select(c.host, c.deployment, c.hour, c.used).where(
        c.kind == CapacityKind.PROVISIONED.value, c.hour.in_(dialect_of(connection).members(c.hour.type))
    )
    found = connection.execute(query, bulk.listed(wanted))
    return {(f"{host}/{deployment}", hour): used for host, deployment, hour, used in found}


def mark_capacity(connection: Connection, book: Book, hours: Collection[str]) -> None:
    """Have hours settled whose calls were charged, as far as capacity is paid for in them."""
    marks = [(hour,) for hour in sorted(hours) if book.holding(hour).reserved(hour)]
    bulk.insert(connection, tables.dirty_capacity, marks)


def mark_period(connection: Connection, start: str, end: str | None = None) -> None:
    """Have the hours from `start` on settled that were before, up to `end` where there is one."""
    noted = _noted_until(connection)
    if noted is not None:
        marks = [(hour,) for hour in hours_between(start, min(end or noted, noted))]
        bulk.insert(connection, tables.dirty_capacity, marks)


def _noted_until(connection: Connection) -> str | None:
    c = tables.lease.c
    return connection.scalar(sa.select(c.ran_at).where(c.name == _NOTED))


class SqlCapacity:
    """`shared.stores.capacity_ports.CapacityStore` on either database."""

    def __init__(self, engine: Engine, *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Use `engine`, whose database is migrated to the newest revision; try again for `retry_seconds`."""
        self._engine = engine
        self._seconds = retry_seconds
        self._books = Books()

    def note_hours(self, until: str) -> int:
        """Mark hours that have passed; see the port."""
        return retried(lambda: self._note_hours(until), seconds=self._seconds)

    def settle(self, *, limit: int, at: str) -> Settled:
        """Make marked hours anew; see the port."""
        return retried(lambda: self._settle(limit, at), seconds=self._seconds)

    def hours(self, start: str | None, end: str | None, *, after: CapacityKey | None, limit: int) -> list[CapacityHour]:
        """List hours; see the port."""

        def read() -> list[CapacityHour]:
            with reading(self._engine) as connection:
                return [CapacityHour(*row) for row in connection.execute(_listed(start, end, after).limit(limit))]

        return retried(read, seconds=self._seconds)

    def _note_hours(self, until: str) -> int:
        with writing(self._engine) as connection:
            first = connection.scalar(sa.select(sa.func.min(tables.reservation.c.valid_from)))
            if first is None:
                return 0
            start = _noted_until(connection) or first
            passed = hours_between(start, until)[:_MOST_NOTED]
            if not passed:
                return 0
            end = interval_end(passed[-1], "hour") or until
            take_lease(connection, _NOTED, ran_at=end)
            book = self._books.current(connection)
            mark_capacity(connection, book, passed)
            return len(passed)

    def _settle(self, limit: int, at: str) -> Settled:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            c = tables.dirty_capacity.c
            marks = connection.execute(sa.select(c.id, c.hour).order_by(c.id).limit(limit)).all()
            if not marks:
                return Settled(0, 0)
            hours = sorted({mark.hour for mark in marks})
            book = self._books.current(connection)
            used = used_in(connection, book, hours)
            reserved = [one for hour in hours for one in book.holding(hour).reserved(hour)]
            sums = _sums(connection, {one.hour for one in reserved if one.kind is CapacityKind.PROVISIONED})
            rows = [_row(one, sums.get((one.name, one.hour), _NO_CALLS)) for one in reserved]
            _write(connection, hours, rows)
            rewrite_idle_costs(connection, hours, rows)
            rebuild_cost_days(connection, hours, at=at)
            anew = {one.hour for one, row in zip(reserved, rows, strict=True) if _is_moved(one, row, used)}
            bulk.insert(
                connection,
                tables.dirty_hour,
                bulk.values_of(tables.dirty_hour, [{"hour": hour} for hour in sorted(anew)]),
            )
            read = dialect_of(connection).members(sa.BigInteger())
            chosen = sa.delete(tables.dirty_capacity).where(c.id.in_(read))
            connection.execute(chosen, bulk.listed(mark.id for mark in marks))
            return Settled(len(hours), len(anew))


class _Sums(NamedTuple):
    used: int
    calls: int
    metered: int
    amount: Decimal


_NO_CALLS: Final = _Sums(0, 0, 0, Decimal(0))


def _sums(connection: Connection, hours: Collection[str]) -> dict[tuple[str, str], _Sums]:
    """Return what the calls of hours come to, by capacity and hour: each hour is a range of the table of charges."""
    c = tables.charge.c
    found: dict[tuple[str, str], _Sums] = {}
    for hour in sorted(hours):
        query = (
            sa.select(
                c.capacity, sa.func.sum(c.weight), sa.func.count(), sa.func.count(c.weight), sa.func.sum(c.amount)
            )
            .where(is_within(c.occurred_at, hour, interval_end(hour, "hour")), c.capacity.is_not(None))
            .group_by(c.capacity)
        )
        for name, used, calls, metered, amount in connection.execute(query):
            found[name, hour] = _Sums(int(used or 0), calls, metered, amount or Decimal(0))
    return found


def _is_moved(one: ReservedHour, row: CapacityHour, used: dict[tuple[str, str], int]) -> bool:
    """Return whether calls were charged by other sums than there are now."""
    if one.kind is not CapacityKind.PROVISIONED or not row.calls:
        return False
    before = used.get((one.name, one.hour))
    if before is None:
        return one.capacity is None or row.used > one.capacity
    return one.shared_tokens(before) != one.shared_tokens(row.used)


def _row(one: ReservedHour, sums: _Sums) -> CapacityHour:
    line, basis = _line_of(one, sums)
    return CapacityHour(
        hour=one.hour,
        host=one.host,
        deployment=one.deployment,
        kind=one.kind.value,
        line=line,
        basis=basis,
        amount=None if one.cost is None else one.cost - sums.amount,
        currency=one.currency,
        cost=one.cost,
        units=one.units,
        capacity=one.capacity,
        used=sums.used,
        calls=sums.calls,
        unmetered_calls=sums.calls - sums.metered,
        price_version=one.book_version,
    )


def _line_of(one: ReservedHour, sums: _Sums) -> tuple[str, str]:
    """Return what the rest of an hour is, and what its calls' parts went by."""
    if one.kind is CapacityKind.HOSTING:
        return "hosting", "none"
    if not sums.calls:
        return "idle", "none"
    if one.capacity is not None and sums.used <= one.capacity:
        return "idle", "capacity"
    if sums.used:
        return "rounding", "hour"
    return ("idle" if sums.metered else "unmetered"), "none"


def _write(connection: Connection, hours: Collection[str], rows: Collection[CapacityHour]) -> None:
    table, dialect = tables.capacity_hour, dialect_of(connection)
    chosen = sa.delete(table).where(table.c.hour.in_(dialect.members(table.c.hour.type)))
    connection.execute(chosen, bulk.listed(hours))
    bulk.insert(connection, table, [_values(row, dialect) for row in rows])


def _values(row: CapacityHour, dialect: Dialect) -> Values:
    money = {"amount", "cost"}
    return tuple(
        dialect.amount(value) if name in money and value is not None else value for name, value in row._asdict().items()
    )


def _listed(start: str | None, end: str | None, after: CapacityKey | None) -> sa.Select[Any]:
    c = tables.capacity_hour.c
    keys = [c.hour, c.host, c.deployment, c.kind]
    query = sa.select(*(c[name] for name in CapacityHour._fields)).order_by(*keys)
    if start is not None:
        query = query.where(c.hour >= start)
    if end is not None:
        query = query.where(c.hour < end)
    if after is not None:
        # The first condition says no more than the second, but an index can seek by it.
        query = query.where(c.hour >= after[0], is_behind(keys, after))
    return query
