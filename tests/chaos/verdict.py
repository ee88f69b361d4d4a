"""What a ledger knows after the chaos, beside the truth: a ledger that got the same events and had its peace."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from localhost.event_file import FileEvent
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import create_engine
from tests.builders.faults import ALL_ROWS, rows_of

__all__ = ["Verdict", "verdict"]

TABLES = (*ALL_ROWS, "usage_hour", "usage_day", "usage_month")


class Verdict(NamedTuple):
    """Numbers that are all 0 when nothing is wrong."""

    lost: int
    """Events sent that the ledger has no position of, and rows of the truth that it lacks."""
    doubled: int
    """Positions counted as received twice, and rows that the truth does not have."""
    unaccounted: int
    """Events received that are in no class of the balance, or in two."""
    by_table: dict[str, int]
    """Rows that differ, for the tables where some do."""


def verdict(disturbed: Path, truth: Path, events: Sequence[FileEvent]) -> Verdict:
    """Compare the ledgers, and the disturbed one's counts with the events themselves."""
    sent = {(hub, partition, event.sequence) for hub, partition, event in events}
    known = Counter(row[:3] for row in rows_of(disturbed, "delivery"))
    lacking = {table: rows_of(truth, table) - rows_of(disturbed, table) for table in TABLES}
    added = {table: rows_of(disturbed, table) - rows_of(truth, table) for table in TABLES}
    engine = create_engine(f"sqlite:///{disturbed}")
    counts = SqlAuditStore(engine).partitions()
    engine.dispose()
    first_times = sum(one.received - one.redelivered for one in counts)
    classes = sum(one.kept + one.duplicate + one.skipped + one.quarantined for one in counts)
    return Verdict(
        lost=len(sent - known.keys()) + sum(rows.total() for rows in lacking.values()),
        doubled=first_times - len(known) + len(known.keys() - sent) + sum(rows.total() for rows in added.values()),
        unaccounted=abs(first_times - classes),
        by_table={table: (lacking[table] + added[table]).total() for table in TABLES if lacking[table] or added[table]},
    )
