"""What a run of the rollup timer costs for one changed hour, in ledgers of three sizes.

The ledgers are of a year and priced by the shipped list. CPU time is compared, of which other work on the machine takes
less than of any clock's.
"""

import statistics
import time
from functools import partial
from pathlib import Path
from typing import Final

from shared.money import with_prices
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql.engine import create_engine
from shared.stores.sql.rollups import SqlUsageRollups
from tests.benchmarks.figures import Figure
from tests.benchmarks.large_ledger import make_ledger
from tests.benchmarks.timers import add_hour, fill_usage

__all__ = ["changed_hour"]

GOAL: Final = 1.3
_DAYS: Final = 365
_CALLS: Final = 100
_TIMES: Final = 11


def changed_hour(folder: Path, rows: int) -> list[Figure]:
    """Return what the run costs in ledgers of a hundredth and a tenth of `rows`, and of all."""
    costs = [_cost(folder, size) for size in (rows // 100, rows // 10, rows)]
    figures = [Figure(f"CPU in a ledger of {size:,}", cost) for size, cost in costs]
    most = max(cost for _, cost in costs) / costs[0][1]
    return [*figures, Figure("the most over the smallest", most, unit="", goal=GOAL)]


def _cost(folder: Path, rows: int) -> tuple[int, float]:
    """Return the milliseconds of CPU of a run for an hour of some calls, in the middle of several."""
    path = folder / f"{rows}.db"
    make_ledger(path, rows, days=_DAYS)
    engine = create_engine(f"sqlite:///{path}")
    run = with_prices(engine, partial(rebuild_usage_rollups, SqlUsageRollups(engine)))
    # The shipped list first: it has every hour charged.
    run()
    fill_usage(engine)
    spent = []
    for _ in range(_TIMES):
        add_hour(engine, _CALLS)
        started = time.process_time()
        run()
        spent.append((time.process_time() - started) * 1000)
    engine.dispose()
    path.unlink()
    return rows, statistics.median(spent)
