"""Marks on hours that are summed: those whose charges are to be made anew, though no fact of theirs changed."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.values import hour_of
from shared.stores.sql import tables
from shared.stores.sql.conditions import is_within

__all__ = ["mark_hours"]


def mark_hours(
    connection: Connection, start: str, *conditions: sa.ColumnElement[bool], end: str | None = None, **values: str
) -> None:
    """Have the hours from `start` on charged anew, as far as they are summed.

    Prices and assignments that changed mark hours here, and nowhere else.

    Args:
        connection: in a transaction.
        start: canonical UTC; the hour in which it lies is marked too.
        conditions: on rows of `usage_group`, all of which hold of some group in the hours that are marked.
        end: canonical UTC, of the hours that are marked; None: there is none.
        values: parameters of the conditions.
    """
    sums, groups = tables.usage_of_hour.c, tables.usage_group.c
    # Without conditions any cut has the hours: the smallest.
    marks = sa.select(sums.interval_start).distinct().where(sums.cut == (0 if conditions else 1))
    if conditions:
        marks = marks.where(groups.id == sums.group_id, groups.cut == 0, *conditions)
    marks = marks.where(is_within(sums.interval_start, hour_of(start), end))
    connection.execute(sa.insert(tables.dirty_hour).from_select(["hour"], marks), values)
