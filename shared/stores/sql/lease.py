"""A row per job that must not run beside itself."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.stores.sql import tables

__all__ = ["take_lease"]


def take_lease(connection: Connection, name: str, **noted: str) -> None:
    """Make a second transaction that takes the same lease wait here until this one has ended.

    Args:
        connection: in a transaction.
        name: of the job.
        noted: other columns of the row to set with it.
    """
    table = tables.lease
    taken = connection.execute(sa.update(table).where(table.c.name == name).values(taken=table.c.taken + 1, **noted))
    if taken.rowcount == 0:
        connection.execute(sa.insert(table).values(name=name, taken=1, **noted))
