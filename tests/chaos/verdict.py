"""What a ledger knows after the chaos, beside the truth: a ledger that got the same events and had its peace."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from localhost.event_file import FileEvent
from shared.domain.fragment import Content
from shared.services.content import best_content
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.completeness import SqlCompleteness
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from tests.builders.faults import ALL_ROWS, rows_of

__all__ = ["Verdict", "verdict"]

_ANY_TIME: Final = "2026-03-02T09:00:00.000Z"
USAGE: Final = ("usage_hour", "usage_day", "usage_month")
TABLES: Final = (*ALL_ROWS, *USAGE)


class Verdict(NamedTuple):
    """What is wrong: nothing when the first three are 0."""

    lost: int
    """Events sent that the ledger has no position of, and rows of the truth that it lacks."""
    doubled: int
    """Positions counted as received twice, and rows that the truth does not have."""
    unaccounted: int
    """Events received that are in no class of the balance, or in two."""
    spent_pieces: int
    """Documents of joined pieces that are still kept, and change no answer: a host died between the commit and the
    dropping, while another had its batch too."""
    by_table: dict[str, int]
    """Rows that differ, for the tables where some do."""


def verdict(disturbed: Path, truth: Path, events: Sequence[FileEvent]) -> Verdict:
    """Compare the ledgers, and the disturbed one's counts with the events themselves."""
    sent = {(hub, partition, event.sequence) for hub, partition, event in events}
    known = Counter(row[:3] for row in rows_of(disturbed, "delivery"))
    lacking = {table: rows_of(truth, table) - rows_of(disturbed, table) for table in TABLES}
    added = {table: rows_of(disturbed, table) - rows_of(truth, table) for table in TABLES}
    spent = _spent_pieces(added["content"], disturbed, truth)
    added["content"] -= spent
    engine = create_engine(f"sqlite:///{disturbed}")
    counts = SqlAuditStore(engine).partitions()
    # The numbers that are kept must be those of the deliveries themselves.
    for one in counts:
        SqlCompleteness(engine).recount(one.hub, one.partition)
    counted = SqlAuditStore(engine).partitions()
    engine.dispose()
    first_times = sum(one.received - one.redelivered for one in counts)
    return Verdict(
        lost=len(sent - known.keys()) + sum(rows.total() for rows in lacking.values()),
        doubled=first_times - len(known) + len(known.keys() - sent) + sum(rows.total() for rows in added.values()),
        unaccounted=sum(one.balance.unaccounted for one in (*counts, *counted)),
        spent_pieces=spent.total(),
        by_table={table: (lacking[table] + added[table]).total() for table in TABLES if lacking[table] or added[table]},
    )


def _spent_pieces(added: Counter[tuple[Any, ...]], disturbed: Path, truth: Path) -> Counter[tuple[Any, ...]]:
    """Return the added content rows that are pieces of interactions whose answer is the truth's all the same."""
    pieces = [row for row in added if "+" in row[1]]
    names = {row[0] for row in pieces}
    here, there = _content_of(names, disturbed), _content_of(names, truth)
    return Counter(row for row in pieces if here[row[0]] == there[row[0]])


def _content_of(names: Collection[str], database: Path) -> dict[str, Content]:
    engine = create_engine(f"sqlite:///{database}")
    documents = SqlContentStore(engine).get(names) if names else {}
    engine.dispose()
    return {name: best_content(name, documents.get(name, ()), _ANY_TIME) for name in names}
