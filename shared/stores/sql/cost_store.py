"""Costs by month in SQL: statements, and closing months. Closed lines are written once and never changed."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.domain.interaction import State
from shared.domain.values import interval_end
from shared.errors import NotPossibleError
from shared.pricing.charge import Confidence
from shared.pricing.costs import CALL, CostKind
from shared.questions import StatementQuery
from shared.retry import QUICK_SECONDS, retried
from shared.stores.cost_ports import ClosedMonth
from shared.stores.ports import Row
from shared.stores.sql import tables
from shared.stores.sql.conditions import BYPASSES, is_behind, is_equal, is_within, reaches_to
from shared.stores.sql.cost_tables import COST_KEYS
from shared.stores.sql.costs import last_closed_month
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import ROLLUPS, take_lease
from shared.stores.sql.types import exact_text

__all__ = ["LINE_KEYS", "STATEMENT_KEYS", "SqlCostStore", "lines_statement", "statement_statement", "sums_statement"]

STATEMENT_KEYS: Final = (
    "month", "kind", "team", "cost_centre", "subscription_id", "product_id", "model", "deployment", "currency",
    "confidence",
)  # fmt: skip
"""What a line of a statement is of: `month` is the one in which the calls were made."""
LINE_KEYS: Final = ("day", "kind", *(name for name in COST_KEYS if name != "kind"))

_UNKNOWN_COST: Final = (Confidence.NO_PRICE.value, Confidence.UNMETERED.value)
_KIND: Final = exact_text(16)
_HASHED_AT_A_TIME: Final = 10_000


class SqlCostStore:
    """`shared.stores.cost_ports.CostStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def close(self, month: str, *, actor: str, at: str) -> ClosedMonth:
        """Close a month; see the port."""
        return retried(lambda: self._close(month, actor, at), seconds=QUICK_SECONDS)

    def closed_months(self, *, before: str | None, limit: int) -> list[ClosedMonth]:
        """Return closed months; see the port."""
        table = tables.closed_month.c
        statement = sa.select(*_CLOSED).order_by(table.month.desc()).limit(limit)
        rows = self._rows(statement if before is None else statement.where(table.month < before))
        return [ClosedMonth(**row) for row in rows]

    def last_closed_month(self) -> str | None:
        """Return the start of the last closed month; see the port."""
        newest = self.closed_months(before=None, limit=1)
        return newest[0].month if newest else None

    def digest(self, month: str) -> str:
        """Return the digest of a closed month's lines as they stand; see the port."""

        def read() -> str:
            with reading(self._engine) as connection:
                return _digest(connection, month)[0]

        return retried(read, seconds=QUICK_SECONDS)

    def statement(self, query: StatementQuery, *, after: tuple[str, ...] | None, limit: int) -> list[Row]:
        """Return lines of a statement; see the port."""
        return self._counted(statement_statement(query, closed=self._is_closed(query.month), after=after, limit=limit))

    def sums(self, query: StatementQuery, *, by: Sequence[str] = (), limit: int | None = None) -> list[Row]:
        """Return the sums of a statement; see the port."""
        return self._counted(sums_statement(query, closed=self._is_closed(query.month), by=by, limit=limit))

    def lines(self, query: StatementQuery, *, after: tuple[Any, ...] | None, limit: int) -> list[Row]:
        """Return lines by day and meter; see the port."""
        return self._rows(lines_statement(query, closed=self._is_closed(query.month), after=after, limit=limit))

    def day(self, start: str) -> list[Row]:
        """Return what a day costs now; see the port."""
        return self._rows(day_statement(start))

    def bypass_calls(self, start: str) -> list[tuple[str | None, int]]:
        """Return the calls that only Azure OpenAI's own log knows; see the port."""
        return [(row["backend_host"], row["calls"]) for row in self._rows(bypass_statement(start))]

    def _is_closed(self, month: str) -> bool:
        last = self.last_closed_month()
        return last is not None and month <= last

    def _close(self, month: str, actor: str, at: str) -> ClosedMonth:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            last = last_closed_month(connection)
            if last is not None and month <= last:
                return _closed(connection, month)
            _check_charged(connection, month)
            _check_order(connection, last, month)
            _freeze(connection, month)
            digest, lines = _digest(connection, month)
            closed = ClosedMonth(
                month=month, closed_at=at, actor=actor, digest=digest, line_count=lines, **_unknown(connection, month)
            )
            values = {one.name: getattr(closed, one.name) for one in fields(ClosedMonth)}
            connection.execute(sa.insert(tables.closed_month).values(values))
            return closed

    def _counted(self, statement: sa.Select[Any]) -> list[Row]:
        # The number of calls is a quantity like any other; of what no call used there is none.
        return [row | {"calls": int(row["calls"] or 0)} for row in self._rows(statement)]

    def _rows(self, statement: sa.Select[Any]) -> list[Row]:
        def read() -> list[Row]:
            with reading(self._engine) as connection:
                return [dict(row) for row in connection.execute(statement).mappings()]

        return retried(read, seconds=QUICK_SECONDS)


_CLOSED: Final = [tables.closed_month.c[one.name] for one in fields(ClosedMonth)]


def _closed(connection: Connection, month: str) -> ClosedMonth:
    row = connection.execute(sa.select(*_CLOSED).where(tables.closed_month.c.month == month)).mappings().first()
    if row is None:
        raise NotPossibleError("a later month is closed, and this one with it: it had no costs")
    return ClosedMonth(**row)


def _check_charged(connection: Connection, month: str) -> None:
    """Return if every hour before the end of the month is charged as its facts are now."""
    dirty = tables.dirty_hour.c
    hours = sa.select(sa.func.count(sa.distinct(dirty.hour))).where(dirty.hour < interval_end(month, "month"))
    waiting = connection.scalar(hours) or 0
    keys = connection.scalar(sa.select(sa.func.count()).select_from(tables.dirty_usage_key)) or 0
    if waiting or keys:
        what = f"{waiting} hours" if waiting else "some hours"
        raise NotPossibleError(f"{what} up to its end are not charged yet: run rebuild_usage_rollups first")


def _check_order(connection: Connection, last: str | None, month: str) -> None:
    """Return if no month before this one is open and has costs, or adjustments."""
    days, booked = tables.cost_day.c.interval_start, tables.adjustment.c.booked_in
    open_since = [] if last is None else [days >= (interval_end(last, "month") or last)]
    first = connection.scalar(sa.select(sa.func.min(days)).where(days < month, *open_since))
    if first is None and last is not None:
        first = connection.scalar(sa.select(sa.func.min(booked)).where(booked > last, booked < month))
    if first is not None:
        raise NotPossibleError(f"{first[:7]} is open and has costs: close it first")


def _freeze(connection: Connection, month: str) -> None:
    days, frozen = tables.cost_day, tables.closed_line
    names = [column.name for column in frozen.c]
    lines = sa.select(*(days.c[name] for name in names))
    of_month = is_within(days.c.interval_start, month, interval_end(month, "month"))
    connection.execute(sa.insert(frozen).from_select(names, lines.where(of_month)))


def _digest(connection: Connection, month: str) -> tuple[str, int]:
    """Return the digest of a closed month's lines, and how many there are: the same in whatever order they are read."""
    frozen, booked = tables.closed_line.c, tables.adjustment.c
    of_month = is_within(frozen.interval_start, month, interval_end(month, "month"))
    hashes: list[bytes] = []
    for statement in (sa.select(*frozen).where(of_month), sa.select(*booked).where(booked.booked_in == month)):
        found = connection.execute(statement)
        while rows := found.fetchmany(_HASHED_AT_A_TIME):
            hashes += [hashlib.sha256("\x1f".join(map(str, row)).encode()).digest() for row in rows]
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest(), len(hashes)


def _unknown(connection: Connection, month: str) -> dict[str, int]:
    """Return how many calls of a month bear no amount, and how many wait for a part."""
    frozen, calls = tables.closed_line.c, tables.interaction.c
    end = interval_end(month, "month")
    counts = (
        sa.select(frozen.confidence, sa.func.sum(frozen.quantity))
        .where(is_within(frozen.interval_start, month, end), frozen.unit == CALL, frozen.confidence.in_(_UNKNOWN_COST))
        .group_by(frozen.confidence)
    )
    found = {row[0]: row[1] for row in connection.execute(counts)}
    waiting = sa.select(sa.func.count()).where(
        calls.state == State.PENDING.value, is_within(calls.occurred_at, month, end)
    )
    return {
        "unpriced_calls": int(found.get(Confidence.NO_PRICE.value, 0)),
        "unmetered_calls": int(found.get(Confidence.UNMETERED.value, 0)),
        "pending_calls": connection.scalar(waiting) or 0,
    }


def statement_statement(
    query: StatementQuery, *, closed: bool, after: tuple[str, ...] | None, limit: int
) -> sa.Select[Any]:
    """Return the statement of `CostStore.statement`."""
    lines = _lines(query, closed=closed).subquery("line").c
    keys = [lines[name] for name in STATEMENT_KEYS]
    return _page(sa.select(*keys, *_sums(lines)).group_by(*keys), keys, after, limit)


def sums_statement(
    query: StatementQuery, *, closed: bool, by: Sequence[str] = (), limit: int | None = None
) -> sa.Select[Any]:
    """Return the statement of `CostStore.sums`."""
    lines = _lines(query, closed=closed).subquery("line").c
    keys = [lines[name] for name in ("kind", "currency", *by)]
    groups = sa.select(*keys, *_sums(lines)).group_by(*keys)
    if limit is None:
        return groups.order_by(*keys)
    return groups.order_by(sa.func.coalesce(sa.func.sum(lines.amount), 0).desc(), *keys).limit(limit)


def lines_statement(
    query: StatementQuery, *, closed: bool, after: tuple[Any, ...] | None, limit: int
) -> sa.Select[Any]:
    """Return the statement of `CostStore.lines`."""
    lines = _lines(query, closed=closed).subquery("line").c
    keys = [lines[name] for name in LINE_KEYS]
    sums = [_sum(lines, name) for name in ("quantity", "amount")]
    return _page(sa.select(*keys, *sums).group_by(*keys), keys, after, limit)


def day_statement(start: str) -> sa.Select[Any]:
    """Return the statement of `CostStore.day`."""
    days = tables.cost_day.c
    keys = [days[name] for name in ("host", "deployment", "unit", "meter", "currency", "confidence")]
    sums = [sa.func.sum(days[name]).label(name) for name in ("quantity", "amount")]
    day = days.interval_start.label("day")
    return sa.select(day, *keys, *sums).where(days.interval_start == start).group_by(days.interval_start, *keys)


def bypass_statement(start: str) -> sa.Select[Any]:
    """Return the statement of `CostStore.bypass_calls`."""
    calls = tables.interaction.c
    found = is_within(calls.occurred_at, start, interval_end(start, "day"))
    counted = sa.select(calls.backend_host, sa.func.count().label("calls"))
    return counted.where(found, calls.source_list.in_(BYPASSES)).group_by(calls.backend_host)


def _page(
    groups: sa.Select[Any], keys: Sequence[sa.ColumnElement[Any]], after: tuple[Any, ...] | None, limit: int
) -> sa.Select[Any]:
    page = groups.order_by(*keys).limit(limit)
    return page if after is None else page.where(is_behind(keys, after))


def _sums(lines: Any) -> list[sa.ColumnElement[Any]]:  # noqa: ANN401  # SQLAlchemy's collection of a subquery
    return [_sum(lines, name) for name in ("calls", "amount")]


def _sum(lines: Any, name: str) -> sa.Label[Any]:  # noqa: ANN401  # as above
    # With its places said: servers built on PostgreSQL take those of another column for a sum over a union.
    return sa.cast(sa.func.sum(lines[name]), lines[name].type).label(name)


def _lines(query: StatementQuery, *, closed: bool) -> sa.CompoundSelect[Any]:
    """Return the lines of a month by day and meter, and the adjustments that are booked into it."""
    days, booked = (tables.closed_line if closed else tables.cost_day), tables.adjustment
    confidence = days.c.confidence
    kind = sa.case(
        (days.c.kind == CostKind.IDLE.value, sa.literal(CostKind.IDLE.value, _KIND)),
        (confidence.in_(_UNKNOWN_COST), sa.literal("unpriced", _KIND)),
        else_=sa.literal(CostKind.CHARGE.value, _KIND),
    )
    own = is_within(days.c.interval_start, query.month, interval_end(query.month, "month"))
    later = booked.c.booked_in == query.month
    month = sa.literal(query.month, booked.c.month.type)
    return sa.union_all(
        _narrowed(days, kind, month, query).where(own),
        _narrowed(booked, sa.literal("adjustment", _KIND), booked.c.month, query).where(later),
    )


def _narrowed(
    table: sa.Table, kind: sa.ColumnElement[str], month: sa.ColumnElement[str], query: StatementQuery
) -> sa.Select[Any]:
    keys = [table.c[name] for name in COST_KEYS if name != "kind"]
    first = (kind.label("kind"), month.label("month"), table.c.interval_start.label("day"))
    wanted = [
        is_equal(table.c[name], value)
        for name, value in (("team", query.team), ("cost_centre", query.cost_centre))
        if value is not None
    ]
    wanted += [reaches_to(reach, table.c) for reach in query.reaches]
    calls = sa.case((table.c.unit == CALL, table.c.quantity)).label("calls")
    return sa.select(*first, *keys, table.c.quantity, calls, table.c.amount).where(*wanted)
