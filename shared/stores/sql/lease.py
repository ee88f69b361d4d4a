"""A row per job that must not run beside itself, and per timer function: when it ran last."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.stores.sql import tables
from shared.stores.sql.engine import reading, writing

__all__ = ["ROLLUPS", "SqlReadiness", "runs_statement", "take_lease"]

ROLLUPS: Final = "usage rollups"
"""Of whoever makes charges and sums."""
_LEASE: Final = tables.lease.c
_PARTITION: Final = tables.hub_partition.c


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


def runs_statement() -> sa.Select[tuple[str, str]]:
    """Return the statement of when each timer function, and what else marks its runs, ran last."""
    return sa.select(_LEASE.name, _LEASE.ran_at).where(_LEASE.ran_at.is_not(None))


class SqlReadiness:
    """`shared.stores.ports.ReadinessStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def note(self, name: str, at: str) -> None:
        """Keep that a timer function began to run; see the port."""
        with writing(self._engine) as connection:
            take_lease(connection, name, ran_at=at)

    def last(self) -> dict[str, str]:
        """Return when each timer function ran last; see the port."""
        with reading(self._engine) as connection:
            return {row.name: row.ran_at for row in connection.execute(runs_statement())}

    def stored(self, hub: str) -> dict[str, int]:
        """Return the last sequence number stored of each partition; see the port."""
        positions = sa.select(_PARTITION.partition_id, _PARTITION.last_sequence).where(_PARTITION.hub == hub)
        with reading(self._engine) as connection:
            return {partition: last for partition, last in connection.execute(positions) if last is not None}
