"""What a run of the rollup timer costs for one changed hour, in ledgers of three sizes.

python -m tests.benchmarks changed-hour [--rows 1000000] [--calls 100]

The ledgers are of a year and priced by the shipped list. CPU time is compared, of which other work on the machine takes
less than of any clock's.
"""

import argparse
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from shared.money import with_prices
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql.engine import create_engine
from shared.stores.sql.rollups import SqlUsageRollups
from tests.benchmarks.large_ledger import make_ledger
from tests.benchmarks.timers import add_hour, fill

__all__ = ["main"]

GOAL: Final = 1.3
_DAYS: Final = 365
_TIMES: Final = 11


def main(arguments: list[str]) -> int:
    """Run everything and print it; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks changed-hour")
    parser.add_argument("--rows", type=int, default=1_000_000, help="interactions in the largest ledger")
    parser.add_argument("--calls", type=int, default=100, help="calls of the hour")
    options = parser.parse_args(arguments)
    costs = [_cost(rows, options.calls) for rows in (options.rows // 100, options.rows // 10, options.rows)]
    growth = max(costs) / costs[0]
    print(f"{growth:.2f} times the smallest; goal {GOAL:g}: {'met' if growth <= GOAL else 'MISSED'}")
    return 0


def _cost(rows: int, calls: int) -> float:
    """Print and return the milliseconds of CPU of a run for an hour of so many calls, in the middle of several."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        make_ledger(path, rows, days=_DAYS)
        engine = create_engine(f"sqlite:///{path}")
        run = with_prices(engine, partial(rebuild_usage_rollups, SqlUsageRollups(engine)))
        # The shipped list first: it has every hour charged.
        run()
        fill(engine)
        spent = []
        for _ in range(_TIMES):
            add_hour(engine, calls)
            started = time.process_time()
            run()
            spent.append((time.process_time() - started) * 1000)
        engine.dispose()
    middle = statistics.median(spent)
    print(
        f"{rows:9,} interactions: {middle:7.1f} ms of CPU for an hour of {calls} calls"
        f" ({min(spent):.1f} to {max(spent):.1f})"
    )
    return middle
