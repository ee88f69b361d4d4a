"""What an interaction costs as the ledger grows, in CPU and in bytes written; and how many bytes it takes for good."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.domain.delivery import Delivery
from shared.services.ingest import ingest
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.migrate import upgrade
from tests.benchmarks.conversations import batches
from tests.benchmarks.figures import Figure

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

__all__ = ["BATCH", "WARM_UP", "Cost", "growth", "ingest_cost", "sizes"]

BATCH: Final = 256
WARM_UP: Final = [*next(batches(-9, 9, size=BATCH, lag=1))]
_ROUNDS: Final = 3
_SHOWN: Final = 10
"""Bytes of an interaction, fewer than which are not printed."""
_COUNTERS: Final = Path("/proc/self/io")


class Cost(NamedTuple):
    """Of an interaction."""

    cpu: float
    """Seconds."""
    written: float
    """Bytes handed to the system: log and copying back. Nought where no system counts them."""


def growth(bench: "Bench", folder: Path) -> list[Figure]:
    """Return what an interaction costs in the large ledger over one in an empty ledger, and the bytes that it takes."""
    kept = sizes(bench.ledger)
    with sqlite3.connect(bench.ledger) as ledger:
        (rows,) = ledger.execute("select count(*) from interaction").fetchone()
    ledger.close()
    empty_costs, large_costs = [], []
    for number in range(_ROUNDS):
        # Others than those of the runs before, which are in the ledger.
        work = list(batches((number + 1) * 10_000_000 + rows, bench.interactions, size=BATCH, lag=8))
        empty = folder / f"empty-{number}.db"
        empty_costs.append(ingest_cost(empty, work, bench.interactions))
        large_costs.append(ingest_cost(bench.ledger, work, bench.interactions))
        empty.unlink()
    first, last = (Cost(*map(min, zip(*costs, strict=True))) for costs in (empty_costs, large_costs))
    return [
        Figure("in CPU, over that in an empty ledger", last.cpu / first.cpu, unit="", goal=1.2),
        Figure(
            "in bytes written, over the same", last.written / first.written if first.written else 0.0, unit="", goal=1.3
        ),
        Figure("CPU in an empty ledger", first.cpu * 1e6, unit="us"),
        Figure("CPU in the large one", last.cpu * 1e6, unit="us"),
        Figure("written in an empty ledger", first.written / 1e3, unit="kB"),
        Figure("written in the large one", last.written / 1e3, unit="kB"),
        Figure("bytes without content", kept["bytes without content"], unit="B", goal=1_200.0),
        *(Figure(name, kept[name], unit="B") for name in ("bytes of content", "bytes of words")),
    ]


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
    """Print which table and which indexes take how much of an interaction; return the bytes by kind.

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
        if size / rows >= _SHOWN:
            print(
                f"bytes      {size / rows:8.1f} of an interaction: {table}{', its indexes' if kind == 'index' else ''}"
            )
    content = of_table.pop("content", 0.0)
    words = sum(of_table.pop(name) for name in [*of_table] if name.startswith("word"))
    return {"bytes without content": sum(of_table.values()), "bytes of content": content, "bytes of words": words}
