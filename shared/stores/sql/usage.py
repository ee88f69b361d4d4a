"""What usage is asked, in SQL: answered from the smallest cut that can, by months, days and hours.

What is read follows the answer: a page of groups is read group by group, a page of intervals interval by interval.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.values import interval_end
from shared.questions import FILTERS, UsageQuery
from shared.stores.ports import Row
from shared.stores.sql import tables
from shared.stores.sql.conditions import group_conditions, is_behind, is_within
from shared.stores.sql.dialects import by_index

__all__ = [
    "Part",
    "intervals_statement",
    "keys_statement",
    "parts_of",
    "read_largest",
    "read_traits",
    "read_usage",
    "totals_statement",
    "traits_statement",
]

_SMALLEST: Final = 1
"""The cut with so few groups that all of them are read."""
_FEW: Final = 500
"""Groups that are read one by one, however many intervals there are."""
_MANY: Final = 10_000
"""Sums of one interval from which on a page's groups are looked up, rather than all of them read."""
_GROUPS: Final = tables.usage_group
_FLOORS: Final = {"hour": (13, ":00:00.000Z"), "day": (10, "T00:00:00.000Z"), "month": (7, "-01T00:00:00.000Z")}


class Part(NamedTuple):
    """Intervals of one length that lie side by side."""

    length: str
    start: str | None
    end: str | None


def read_usage(connection: Connection, query: UsageQuery, *, after: tuple[str, ...] | None, limit: int) -> list[Row]:
    """Return groups as `AuditStore.usage` does."""
    if query.interval is None:
        return _totals(connection, query, parts_of(query.starts_from, query.starts_before), after, limit)
    rows: list[Row] = []
    is_narrow = bool(query.narrow.values) and _is_narrow(connection, query)
    for part, is_dense in _windows(connection, query, after, limit, is_narrow=is_narrow):
        behind = after if after is not None and not rows and after[0] == part.start else None
        left = limit - len(rows)
        if is_dense:
            found = _totals(connection, query, [part], None if behind is None else behind[1:], left)
            rows += ({"interval_start": part.start, **row} for row in found if row["requests"])
        else:
            rows += _rows(connection, intervals_statement(query, part, after=behind, limit=left, by_group=is_narrow))
        if len(rows) == limit:
            break
    return rows


def read_largest(connection: Connection, query: UsageQuery, *, measure: str, limit: int) -> list[Row]:
    """Return groups as `AuditStore.largest` does."""
    parts = parts_of(query.starts_from, query.starts_before)
    return _rows(connection, totals_statement(query, parts, after=None, until=None, limit=limit, largest=measure))


def read_traits(
    connection: Connection, query: UsageQuery, *, after: tuple[str, ...] | None, until: tuple[str, ...]
) -> list[Row]:
    """Return the traits of groups as `AuditStore.traits` does."""
    if query.interval is None:
        parts = parts_of(query.starts_from, query.starts_before)
    else:
        start = query.starts_from if after is None else after[0]
        parts = [Part(query.interval, start, interval_end(until[0], query.interval))]
    return _rows(connection, traits_statement(query, parts, after=after, until=until))


def traits_statement(
    query: UsageQuery, parts: Sequence[Part], *, after: tuple[str, ...] | None, until: tuple[str, ...]
) -> sa.Select[Any]:
    """Return the statement of the traits of groups behind `after`, up to `until` with it."""
    cut = _cut_of(query)
    rows = []
    for part in parts:
        counts = tables.TRAITS[part.length]
        keys = [_GROUPS.c[name] for name in query.dimensions]
        keys = keys if query.interval is None else [counts.c.interval_start, *keys]
        found = (
            sa.select(*keys, counts.c.trait, counts.c.calls)
            .select_from(_GROUPS)
            .join(counts, counts.c.group_id == _GROUPS.c.id)
            .where(*_conditions(query, cut), counts.c.cut == cut, *_within(counts, part))
        )
        found = found.where(*_between(keys, after, until)) if keys else found
        rows.append(found if query.interval else by_index(found, counts, f"ix_{counts.name}_group_id"))
    every = (rows[0] if len(rows) == 1 else sa.union_all(*rows)).subquery("part").c
    same: list[sa.ColumnElement[Any]] = [column for column in every if column.key != "calls"]
    return sa.select(*same, sa.func.sum(every.calls).label("calls")).group_by(*same)


def parts_of(start: str | None, end: str | None) -> list[Part]:
    """Cut a range, which is widened to whole hours, into as few intervals as it has: months, days, hours."""
    first = None if start is None else _floor(start, "hour")
    last = None if end is None else _ceil(end, "hour")
    parts: list[Part] = []
    behind: list[Part] = []
    for length in ("day", "month"):
        lower = None if first is None else _ceil(first, length)
        upper = None if last is None else _floor(last, length)
        if first is not None and (lower is None or (upper is not None and lower >= upper)):
            break
        smaller = "hour" if length == "day" else "day"
        parts.append(Part(smaller, first, lower))
        behind.append(Part(smaller, upper, last))
        first, last = lower, upper
    length = ("hour", "day", "month")[len(parts)]
    every = [*parts, Part(length, first, last), *reversed(behind)]
    found = [one for one in every if not (one.start == one.end and one.start is not None) and _is_one(one, length)]
    return found or [Part("hour", first, first)]


def _is_one(part: Part, length: str) -> bool:
    """Return whether a part is there: on an open side only the longest intervals are."""
    return part.length == length or (part.start is not None and part.end is not None)


def totals_statement(
    query: UsageQuery,
    parts: Sequence[Part],
    *,
    after: tuple[str, ...] | None,
    until: tuple[str, ...] | None,
    limit: int,
    largest: str | None = None,
) -> sa.Select[Any]:
    """Return the statement of the sums of groups over all parts: of those behind `after`, up to `until` with it.

    They come in the order of their keys; or, the largest first, in that of the measure `largest`.
    """
    cut = _cut_of(query)
    keys = [_GROUPS.c[name] for name in query.dimensions]
    conditions = [*_conditions(query, cut), *_between(keys, after, until)]
    summed = (*tables.MEASURES, tables.KNOWN_AMOUNTS, tables.AMOUNT)
    rows = [
        by_index(
            sa.select(*keys, _GROUPS.c.currency.label("charged_in"), *(sums.c[name] for name in summed))
            .select_from(_GROUPS)
            .join(sums, sums.c.group_id == _GROUPS.c.id)
            .where(*conditions, *_within(sums, part)),
            sums,
            f"ix_{sums.name}_group_id",
        )
        for part in parts
        for sums in (tables.SUMS[part.length],)
    ]
    every = (rows[0] if len(rows) == 1 else sa.union_all(*rows)).subquery("part").c
    return _added_up([every[name] for name in query.dimensions], every, limit, largest)


def keys_statement(
    query: UsageQuery, parts: Sequence[Part], *, after: tuple[str, ...] | None, limit: int
) -> sa.Select[Any]:
    """Return the statement of the groups that have sums in any of the parts, in order, behind `after`."""
    keys = [_GROUPS.c[name] for name in query.dimensions]
    there = [
        sa.exists(
            by_index(sa.select(sa.literal(1)), sums, f"ix_{sums.name}_group_id")
            .where(sums.c.group_id == _GROUPS.c.id, *_within(sums, part))
            .correlate(_GROUPS)
        )
        for part in parts
        for sums in (tables.SUMS[part.length],)
    ]
    conditions = [*_conditions(query, _cut_of(query)), *_between(keys, after, None)]
    # Several groups may have one key: not `distinct`, for which SQLite would read them all before the first.
    return sa.select(*keys).where(*conditions, sa.or_(*there)).order_by(*keys).limit(limit)


def intervals_statement(
    query: UsageQuery, part: Part, *, after: tuple[str, ...] | None, limit: int, by_group: bool = False
) -> sa.Select[Any]:
    """Return the statement of the sums of groups in each interval of a part, behind `after`.

    Read by interval; `by_group`: by group, where these are few.
    """
    sums, cut = tables.SUMS[part.length], _cut_of(query)
    summed = (*tables.MEASURES, tables.KNOWN_AMOUNTS, tables.AMOUNT)
    found = (
        sa.select(sums.c.interval_start, *(_GROUPS.c[name] for name in query.dimensions))
        .add_columns(_GROUPS.c.currency.label("charged_in"), *(sums.c[name] for name in summed))
        .select_from(sums)
        .join(_GROUPS, _GROUPS.c.id == sums.c.group_id)
        .where(sums.c.cut == cut, *_conditions(query, cut), *_within(sums, part))
    )
    if by_group:
        found = by_index(found, sums, f"ix_{sums.name}_group_id")
    rows = found.subquery("part").c
    keys = [rows.interval_start, *(rows[name] for name in query.dimensions)]
    statement = _added_up(keys, rows, limit)
    return statement if after is None else statement.where(is_behind(keys, after))


def _totals(
    connection: Connection, query: UsageQuery, parts: Sequence[Part], after: tuple[str, ...] | None, limit: int
) -> list[Row]:
    until = None
    if query.dimensions and _cut_of(query) != _SMALLEST:
        until = _last_key(connection, query, parts, after, limit)
        if until is None:
            return []
    return _rows(connection, totals_statement(query, parts, after=after, until=until, limit=limit))


def _last_key(
    connection: Connection, query: UsageQuery, parts: Sequence[Part], after: tuple[str, ...] | None, limit: int
) -> tuple[str, ...] | None:
    """Return the key with which a page ends; None where there is nothing."""
    keys: dict[tuple[str, ...], None] = {}
    entries = 4 * limit
    while True:
        found = [tuple(row) for row in connection.execute(keys_statement(query, parts, after=after, limit=entries))]
        keys |= dict.fromkeys(found)
        if len(keys) >= limit or len(found) < entries:
            return [*keys][:limit][-1] if keys else None
        # Behind the last key: one that many groups have is passed over at once.
        after = found[-1]


def _windows(
    connection: Connection, query: UsageQuery, after: tuple[str, ...] | None, limit: int, *, is_narrow: bool
) -> Iterator[tuple[Part, bool]]:
    """Yield what to read next of the intervals asked for, and whether it is one interval with many groups."""
    assert query.interval is not None  # noqa: S101  # the caller's
    start, end = after[0] if after else query.starts_from, query.starts_before
    if is_narrow:
        yield Part(query.interval, start, end), False
        return
    sums = tables.SUMS[query.interval].c
    entries = 4 * limit
    while True:
        within = _within(tables.SUMS[query.interval], Part(query.interval, start, end))
        times = sa.select(sums.interval_start).where(sums.cut == _cut_of(query), *within)
        ordered = times.order_by(sums.interval_start)
        first = connection.scalar(ordered.limit(1))
        if first is None:
            return
        last = connection.scalar(ordered.offset(entries).limit(1))
        if last is None:
            yield Part(query.interval, first, end), False
            return
        if last == first:
            last = interval_end(first, query.interval)
            part = Part(query.interval, first, last)
            many = times.where(*_within(tables.SUMS[query.interval], part)).offset(_MANY).limit(1)
            is_dense = connection.scalar(many.order_by(sums.interval_start)) is not None
            yield part, is_dense and _cut_of(query) != _SMALLEST
        else:
            yield Part(query.interval, first, last), False
        if last is None:
            return
        start, entries = last, 2 * entries


def _is_narrow(connection: Connection, query: UsageQuery) -> bool:
    found = sa.select(_GROUPS.c.id).where(*_conditions(query, _cut_of(query))).limit(_FEW + 1).subquery("found")
    return (connection.scalar(sa.select(sa.func.count()).select_from(found)) or 0) <= _FEW


def _rows(connection: Connection, statement: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def _added_up(
    keys: Sequence[sa.ColumnElement[Any]],
    rows: Any,  # noqa: ANN401  # columns
    limit: int,
    largest: str | None = None,
) -> sa.Select[Any]:
    sums = [sa.func.coalesce(sa.func.sum(rows[name]), 0).label(name) for name in tables.MEASURES]
    currency = sa.func.nullif(rows.charged_in, sa.literal("", _GROUPS.c.currency.type))
    # Amounts of two currencies make no sum: the second says that there are two.
    money = (
        sa.case((sa.func.sum(rows[tables.KNOWN_AMOUNTS]) > 0, sa.func.sum(rows[tables.AMOUNT]))).label(tables.AMOUNT),
        sa.func.min(currency).label("currency_of_amount"),
        sa.func.max(currency).label("other_currency"),
    )
    order = [] if largest is None else [sa.func.coalesce(sa.func.sum(rows[largest]), 0).desc()]
    return sa.select(*keys, *sums, *money).group_by(*keys).order_by(*order, *keys).limit(limit)


def _conditions(query: UsageQuery, cut: int) -> list[sa.ColumnElement[bool]]:
    return [_GROUPS.c.cut == cut, *group_conditions(query.narrow)]


def _between(
    keys: Sequence[sa.ColumnElement[Any]], after: tuple[str, ...] | None, until: tuple[str, ...] | None
) -> Iterator[sa.ColumnElement[bool]]:
    # The comparisons of the first key say no more than the others, but an index can seek by them.
    if after:
        yield keys[0] >= after[0]
        yield is_behind(keys, after)
    if until:
        yield keys[0] <= until[0]
        yield sa.not_(is_behind(keys, until))


def _within(sums: sa.Table, part: Part) -> Iterator[sa.ColumnElement[bool]]:
    if part.start is not None:
        yield is_within(sums.c.interval_start, part.start, part.end)
    elif part.end is not None:
        yield sums.c.interval_start < part.end


def _cut_of(query: UsageQuery) -> int:
    """Return the smallest cut that tells apart what the query names."""
    narrow = query.narrow
    reached = (name for reach in narrow.reaches for name in reach.columns)
    named = {*query.dimensions, *(FILTERS[name].column for name in narrow.values), *reached, "currency"}
    return min((cut for cut in tables.CUTS if named <= {*tables.CUTS[cut]}), key=lambda cut: len(tables.CUTS[cut]))


def _floor(time: str, length: str) -> str:
    digits, rest = _FLOORS[length]
    return time[:digits] + rest


def _ceil(time: str, length: str) -> str | None:
    start = _floor(time, length)
    return start if start == time else interval_end(start, length)
