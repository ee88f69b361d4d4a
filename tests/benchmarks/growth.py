"""What an interaction costs as the ledger grows, in CPU and in bytes written; and how many bytes it takes for good."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from shared.domain.delivery import Delivery
from shared.services.ingest import ingest
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.migrate import upgrade
from tests.benchmarks.conversations import batches
from tests.benchmarks.large_ledger import make_ledger

__all__ = ["BATCH", "WARM_UP", "Cost", "growth", "ingest_cost", "sizes"]

BATCH: Final = 256
WARM_UP: Final = [*next(batches(-9, 9, size=BATCH, lag=1))]
_ROUNDS: Final = 3
_COUNTERS: Final = Path("/proc/self/io")


class Cost(NamedTuple):
    """Of an interaction."""

    cpu: float
    """Seconds."""
    written: float
    """Bytes handed to the system: log and copying back. Nought where no system counts them."""


def growth(folder: Path, count: int, rows: int) -> dict[str, float]:
    """Print what an interaction costs in an empty ledger and in one of `rows`; return how much more, and the bytes."""
    large = folder / "large.db"
    started = time.monotonic()
    make_ledger(large, rows, contents=True)
    kept = sizes(large)
    print(f"           a ledger of {rows:,} made in {time.monotonic() - started:.0f} s")
    empty_costs, large_costs = [], []
    for number in range(_ROUNDS):
        work = list(batches((number + 1) * 10_000_000, count, size=BATCH, lag=8))
        empty = folder / f"empty-{number}.db"
        empty_costs.append(ingest_cost(empty, work, count))
        large_costs.append(ingest_cost(large, work, count))
        empty.unlink()
    first, last = (Cost(*map(min, zip(*costs, strict=True))) for costs in (empty_costs, large_costs))
    print(f"from empty {first.cpu * 1e6:8.1f} us of CPU, {first.written / 1e3:8.1f} kB written")
    print(f"at {rows:<9,}{last.cpu * 1e6:7.1f} us of CPU, {last.written / 1e3:8.1f} kB written")
    return {
        "growth in CPU": last.cpu / first.cpu,
        "growth in bytes": last.written / first.written if first.written else 0.0,
        **kept,
    }


def ingest_cost(path: Path, work: Iterable[Sequence[Delivery]], count: int) -> Cost:
    """Ingest batches of `count` interactions into the ledger at `path`, which is made where it is not there."""
    upgrade(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    ledger, content = SqlLedger(engine), SqlContentStore(engine)
    # A process compiles its statements once, not per measurement.
    ingest(WARM_UP, ledger=ledger, content=content)
    written, start = _written(), time.process_time()
    for batch in work:
        ingest(batch, ledger=ledger, content=content)
    spent, written = time.process_time() - start, _written() - written
    engine.dispose()
    return Cost(spent / count, written / count)


def _written() -> int:
    """Return the bytes that this process has handed to the system so far."""
    if not _COUNTERS.exists():
        return 0
    return int(next(line for line in _COUNTERS.read_text().splitlines() if line.startswith("wchar")).split()[1])


def sizes(path: Path) -> dict[str, float]:
    """Print which table and which indexes take how much of an interaction; return the bytes without content and of it.

    The content is that of the sample traffic; what a call of 1,000 tokens takes, `main` measures by conversations.
    """
    with sqlite3.connect(path) as ledger:
        (rows,) = ledger.execute("select count(*) from interaction").fetchone()
        of_table: dict[str, float] = {}
        try:
            pages = ledger.execute(
                "select coalesce(m.tbl_name, 'schema'), m.type, sum(s.pgsize) from dbstat s"
                " left join sqlite_master m on m.name = s.name group by 1, 2"
            ).fetchall()
        except sqlite3.OperationalError:  # this SQLite does not say
            pages = [("all", "table", path.stat().st_size)]
    ledger.close()
    for table, kind, size in sorted(pages, key=lambda one: -one[2]):
        of_table[table] = of_table.get(table, 0) + size / rows
        if size / rows >= 1:
            print(
                f"bytes      {size / rows:8.1f} of an interaction: {table}{', its indexes' if kind == 'index' else ''}"
            )
    content = of_table.pop("content", 0.0)
    return {"bytes without content": sum(of_table.values()), "bytes of content": content}
