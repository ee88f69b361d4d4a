"""Cost lines in SQL: made anew with the charges of their hour; and what that changes of closed months.

Every function is for a transaction that holds the lease of the rollups: none of them runs beside another, nor beside
the closing of a month.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.values import interval_end
from shared.pricing.costs import CALL, CostKey, CostKind, Costs
from shared.stores.capacity_ports import CapacityHour
from shared.stores.sql import bulk, tables
from shared.stores.sql.conditions import is_within
from shared.stores.sql.cost_tables import COST_KEYS
from shared.stores.sql.dialects import Values, dialect_of
from shared.stores.sql.types import Money, Quantity

__all__ = ["last_closed_month", "open_month", "rebuild_cost_days", "rewrite_costs", "rewrite_idle_costs"]

_KEYS: Final = tuple(COST_KEYS)
_SUMS: Final = ("quantity", "amount")
_MONEY, _QUANTITY = Money(), Quantity()
_NOTHING: Final = Decimal(0)


def rewrite_costs(connection: Connection, costs: Costs, hour: str) -> None:
    """Make the cost lines of an hour those of `costs`."""
    table = tables.cost_hour
    connection.execute(sa.delete(table).where(table.c.interval_start == hour, table.c.kind == CostKind.CHARGE.value))
    bulk.insert(connection, table, _rows(connection, costs, hour))


def add_costs(connection: Connection, costs: Mapping[str, Costs]) -> None:
    """Add lines to hours: they stand beside those that are there, and whoever reads them adds them up."""
    rows = [row for hour, lines in costs.items() for row in _rows(connection, lines, hour)]
    bulk.insert(connection, tables.cost_hour, rows)


def hours_lacking(connection: Connection, added: Mapping[str, int]) -> set[str]:
    """Return the hours whose lines are not of all calls that were counted before so many new ones.

    The release before made lines of calls that it had not counted: nothing may be added to those.
    """
    if not added:
        return set()
    lines, sums = tables.cost_hour.c, tables.usage_of_hour.c
    members = dialect_of(connection).members(lines.interval_start.type)
    calls = (
        sa.select(lines.interval_start, sa.func.sum(lines.quantity))
        .where(lines.interval_start.in_(members), lines.unit == CALL, lines.kind == CostKind.CHARGE.value)
        .group_by(lines.interval_start)
    )
    requests = (
        sa.select(sums.interval_start, sa.func.sum(sums.requests))
        .where(sums.cut == 1, sums.interval_start.in_(members))
        .group_by(sums.interval_start)
    )
    listed = bulk.listed(added)
    in_lines, counted = ({row[0]: row[1] for row in connection.execute(one, listed)} for one in (calls, requests))
    return {hour for hour, new in added.items() if counted.get(hour, 0) - new != in_lines.get(hour, 0)}


def rewrite_idle_costs(connection: Connection, hours: Collection[str], rests: Iterable[CapacityHour]) -> None:
    """Make the lines of hours for capacity that no call bears those of `rests`."""
    table, number = tables.cost_hour, dialect_of(connection).amount
    named = table.c.interval_start.in_(dialect_of(connection).members(table.c.interval_start.type))
    connection.execute(sa.delete(table).where(named, table.c.kind == CostKind.IDLE.value), bulk.listed(hours))
    rows = [
        (
            *(rest.hour, *_idle_key(rest)[:-1], number(_NOTHING, _MONEY)),
            number(Decimal(rest.units), _QUANTITY),
            number(rest.amount, _MONEY),
        )
        for rest in rests
        if rest.amount
    ]
    bulk.insert(connection, table, rows)


def _rows(connection: Connection, costs: Costs, hour: str) -> list[Values]:
    number = dialect_of(connection).amount
    return [
        (
            *(hour, *key[:-1], number(key.price, _MONEY), number(quantity, _QUANTITY)),
            None if amount is None else number(amount, _MONEY),
        )
        for key, quantity, amount in costs.lines()
    ]


def _idle_key(rest: CapacityHour) -> CostKey:
    return CostKey(
        kind=CostKind.IDLE,
        team="",
        cost_centre="",
        subscription_id="",
        product_id="",
        model="",
        deployment=rest.deployment,
        host=rest.host,
        confidence="exact",
        currency=rest.currency,
        unit="unit-hour",
        meter=f"{rest.kind} {rest.line}" if rest.kind != rest.line else rest.kind,
        price=_NOTHING,
    )


def rebuild_cost_days(connection: Connection, hours: Iterable[str], *, at: str) -> None:
    """Add up the days of hours anew; what thereby changes in a closed month is booked into the open one.

    Args:
        connection: see above.
        hours: whose cost lines were rewritten.
        at: when it is booked, canonical UTC.
    """
    days = sorted({f"{hour[:10]}T00:00:00.000Z" for hour in hours})
    last = last_closed_month(connection)
    for day in days:
        _rebuild(connection, day)
        if last is not None and day[:7] <= last[:7]:
            _book(connection, day, open_month(last), at)


def last_closed_month(connection: Connection) -> str | None:
    """Return the start of the last closed month; None where none is. All months before it are closed too."""
    last: str | None = connection.scalar(sa.select(sa.func.max(tables.closed_month.c.month)))
    return last


def open_month(last: str) -> str:
    """Return the month into which adjustments are booked: the one behind the last closed month."""
    following = interval_end(last, "month")
    assert following is not None  # noqa: S101  # a month is closed when it is over
    return following


def _rebuild(connection: Connection, day: str) -> None:
    hours, days = tables.cost_hour.c, tables.cost_day
    connection.execute(sa.delete(days).where(days.c.interval_start == day))
    keys = [hours[name] for name in _KEYS]
    sums = [sa.func.sum(hours[name]) for name in _SUMS]
    start = sa.literal(day, hours.interval_start.type)
    added = sa.select(start, *keys, *sums).where(is_within(hours.interval_start, day, interval_end(day, "day")))
    connection.execute(sa.insert(days).from_select(["interval_start", *_KEYS, *_SUMS], added.group_by(*keys)))


def _book(connection: Connection, day: str, month: str, at: str) -> None:
    """Book what a closed day costs now, less what it cost when it was closed, less what was booked since.

    So the same facts book nothing twice, and what changes back is booked back.
    """
    now, closed, booked = tables.cost_day, tables.closed_line, tables.adjustment
    terms = [_of_day(now, day, 1), _of_day(closed, day, -1), _of_day(booked, day, -1)]
    changes = sa.union_all(*terms).subquery("changes").c
    keys = [changes[name] for name in _KEYS]
    quantity, amount = sa.func.sum(changes.quantity), sa.func.sum(changes.amount)
    values = {"booked_in": month, "booked_at": at, "month": f"{day[:7]}-01T00:00:00.000Z", "interval_start": day}
    stated = [sa.literal(value, booked.c[name].type) for name, value in values.items()]
    changed = (
        sa.select(*stated, *keys, quantity, amount)
        .group_by(*keys)
        .having(sa.or_(quantity != sa.literal_column("0"), amount != sa.literal_column("0")))
    )
    connection.execute(sa.insert(booked).from_select([*values, *_KEYS, *_SUMS], changed))


def _of_day(table: sa.Table, day: str, sign: int) -> sa.Select[tuple[object, ...]]:
    sums = [(table.c[name] if sign > 0 else -table.c[name]).label(name) for name in _SUMS]
    return sa.select(*(table.c[name] for name in _KEYS), *sums).where(table.c.interval_start == day)
