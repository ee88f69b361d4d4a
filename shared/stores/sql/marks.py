"""Marks on hours that are summed: those whose charges are to be made anew, though no fact of theirs changed."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.values import hour_of
from shared.stores.sql import tables

__all__ = ["mark_hours"]


def mark_hours(connection: Connection, start: str, *conditions: sa.ColumnElement[bool], **values: str) -> None:
    """Have the hours from `start` on charged anew, as far as they are summed.

    Prices and assignments that changed mark hours here, and nowhere else.

    Args:
        connection: in a transaction.
        start: canonical UTC; the hour in which it lies is marked too.
        conditions: on rows of `usage_hour`, all of which hold in the hours that are marked.
        values: parameters of the conditions.
    """
    hours = tables.usage_hour.c.interval_start
    marks = sa.select(hours).distinct().where(hours >= hour_of(start), *conditions)
    connection.execute(sa.insert(tables.dirty_hour).from_select(["hour"], marks), values)
