"""What readiness is told from: when each timer function ran last, and how far each partition is stored."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.stores.sql import tables
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease

__all__ = ["SqlReadiness"]

_LEASE: Final = tables.lease.c
_PARTITION: Final = tables.hub_partition.c


class SqlReadiness:
    """`shared.services.readiness.ReadinessStore` on either database."""

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
            found = connection.execute(sa.select(_LEASE.name, _LEASE.ran_at).where(_LEASE.ran_at.is_not(None)))
            return {row.name: row.ran_at for row in found}

    def stored(self, hub: str) -> dict[str, int]:
        """Return the last sequence number stored of each partition; see the port."""
        told = sa.select(_PARTITION.partition_id, _PARTITION.last_sequence).where(_PARTITION.hub == hub)
        with reading(self._engine) as connection:
            return {partition: last for partition, last in connection.execute(told) if last is not None}
