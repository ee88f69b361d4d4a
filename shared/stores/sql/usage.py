"""What usage is asked, in SQL: answered from the smallest sums that can."""

from typing import Any

import sqlalchemy as sa

from shared.questions import FILTERS, UsageQuery
from shared.stores.sql import tables
from shared.stores.sql.conditions import group_conditions, is_behind

__all__ = ["usage_statement"]


def usage_statement(query: UsageQuery, *, after: tuple[str, ...] | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `AuditStore.usage`."""
    table, groups, cut = tables.SUMS[query.interval or "hour"], tables.usage_group, _cut_of(query)
    inner = (
        sa.select(table.c.interval_start, *(table.c[name] for name in (*tables.MEASURES, tables.KNOWN_AMOUNTS)))
        .add_columns(table.c[tables.AMOUNT], *(groups.c[name] for name in {*query.dimensions, "currency"}))
        .select_from(table.join(groups, groups.c.id == table.c.group_id))
        .where(table.c.cut == cut)
    )
    if query.starts_from is not None:
        inner = inner.where(table.c.interval_start >= query.starts_from)
    if query.starts_before is not None:
        inner = inner.where(table.c.interval_start < query.starts_before)
    inner = inner.where(*group_conditions(query.narrow))
    if query.interval and after is not None:
        # Says no more than what follows of all keys, but an index can seek by it.
        inner = inner.where(table.c.interval_start >= after[0])
    rows = inner.subquery("part").c
    keys = [rows[name] for name in (("interval_start",) if query.interval else ()) + query.dimensions]
    sums = [sa.func.coalesce(sa.func.sum(rows[name]), 0).label(name) for name in tables.MEASURES]
    currency = sa.func.nullif(rows.currency, sa.literal("", groups.c.currency.type))
    # Amounts of two currencies make no sum: the second says that there are two.
    money = (
        sa.case((sa.func.sum(rows[tables.KNOWN_AMOUNTS]) > 0, sa.func.sum(rows[tables.AMOUNT]))).label(tables.AMOUNT),
        sa.func.min(currency).label("currency_of_amount"),
        sa.func.max(currency).label("other_currency"),
    )
    statement = sa.select(*keys, *sums, *money).group_by(*keys).order_by(*keys).limit(limit)
    return statement if after is None else statement.where(is_behind(keys, after))


def _cut_of(query: UsageQuery) -> int:
    """Return the smallest cut that tells apart what the query names."""
    narrow = query.narrow
    reached = (name for reach in narrow.reaches for name in reach.columns)
    named = {*query.dimensions, *(FILTERS[name].column for name in narrow.values), *reached, "currency"}
    return min((cut for cut in tables.CUTS if named <= {*tables.CUTS[cut]}), key=lambda cut: len(tables.CUTS[cut]))
