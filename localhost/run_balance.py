"""What became of one run's own events, from the ledger and not from the runner.

The ledger counts per hub and partition; a run's share is the difference of the counts after and
before it. Received, redelivered, duplicate, skipped and quarantined only ever grow, so their
differences are exact. Kept events divide into stored and pending, and pending shrinks as well as
grows: a run may settle what an earlier run left waiting. So the positions that wait before the run
are written down in a scratch database on disk, and those that wait afterwards without being among
them are the run's own. That is exact: a position of the run is new to the ledger (else it counts as
redelivered), and what is settled never waits again. Memory stays small however much is waiting.

The numbers are the run's as long as nobody else writes to the same partitions meanwhile.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.balance import Outcome, PartitionCounts, balance_of
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import reading

__all__ = ["RunBalance"]

Partition = tuple[str, str]
"""Hub and partition id."""

_CHUNK: Final = 10_000
_NONE: Final = PartitionCounts("", "", 0, 0, {}, 0, None, None)


class RunBalance:
    """Made before a run, read after it."""

    def __init__(self, engine: Engine) -> None:
        """Note what the ledger behind `engine` holds now."""
        self._engine = engine
        # The nameless database is a file of its own that SQLite deletes on closing.
        self._scratch = sqlite3.connect("")
        for name in ("before", "after"):
            self._scratch.execute(f"create table waiting_{name} (hub, partition_id, sequence, enqueued_at)")
        self._before = self._counts()
        self._note_waiting("before")

    def last_sequences(self) -> dict[Partition, int]:
        """Return the last sequence number before the run, by hub and partition."""
        return {key: counts.last_sequence for key, counts in self._before.items() if counts.last_sequence is not None}

    def close(self) -> None:
        """Give the scratch database back."""
        self._scratch.close()

    def result(self, fed: Collection[Partition]) -> dict[str, int]:
        """Return the run's balance: `received`, and the classes that add up to it.

        Args:
            fed: the partitions that the run fed; others belong to somebody else.
        """
        received = redelivered = 0
        outcomes: Counter[Outcome] = Counter()
        counts = self._counts()
        for key in fed:
            before, after = self._before.get(key, _NONE), counts.get(key, _NONE)
            received += after.received - before.received
            redelivered += after.redelivered - before.redelivered
            outcomes.update(after.outcomes)
            outcomes.subtract(before.outcomes)
        self._note_waiting("after")
        pending = self._newly_waiting(fed)
        return asdict(balance_of(outcomes, waiting=pending, redelivered=redelivered, received=received))

    def _counts(self) -> dict[Partition, PartitionCounts]:
        return {(counts.hub, counts.partition): counts for counts in SqlAuditStore(self._engine).partitions()}

    def _note_waiting(self, moment: str) -> None:
        columns = tables.waiting.c
        query = sa.select(columns.hub, columns.partition_id, columns.sequence, columns.enqueued_at).distinct()
        insert = f"insert into waiting_{moment} values (?, ?, ?, ?)"  # noqa: S608  # one of two words of ours
        with reading(self._engine) as connection, self._scratch:
            rows = connection.execution_options(yield_per=_CHUNK).execute(query)
            for chunk in rows.partitions():
                self._scratch.executemany(insert, [tuple(row) for row in chunk])

    def _newly_waiting(self, fed: Collection[Partition]) -> int:
        rows = self._scratch.execute(
            "select hub, partition_id, count(*) from"
            " (select * from waiting_after except select * from waiting_before) group by hub, partition_id"
        )
        return sum(count for hub, partition, count in rows if (hub, partition) in fed)
