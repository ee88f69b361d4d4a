"""Dirty hours -> usage rollups."""

import logging
from collections.abc import Sequence

from shared.services.isolation import LOGGED_ONLY, Failures, apart
from shared.stores.ports import Interval, UsageRollups

__all__ = ["rebuild_usage_rollups"]

logger = logging.getLogger(__name__)

_HOURS_AT_A_TIME = 48
"""Hours per transaction: ingest waits, where it must, for two days of one rollup at most."""


def rebuild_usage_rollups(
    rollups: UsageRollups, *, most_hours: int = _HOURS_AT_A_TIME, failures: Failures = LOGGED_ONLY
) -> int:
    """Recompute usage until no hour is marked; return how many hours were recomputed.

    An hour that fails, or whose day or month does, keeps a mark for the next run and stops no other.

    Raises:
        StoreUnavailableError: the hours not reached keep their marks; run it again.
    """
    total = 0
    passed: set[str] = set()
    while marks := rollups.marks(without=passed):
        hours = sorted({hour for _, hour in marks})[:most_hours]
        failed = set(apart(rollups.recompute, _intervals(hours), failures).failed)
        bad = {hour for hour in hours if not failed.isdisjoint(_intervals([hour]))}
        # Of an hour that is to be tried again one mark is enough, however many batches touch it meanwhile.
        kept = {hour: mark for mark, hour in marks if hour in bad}
        rollups.clear([mark for mark, hour in marks if hour in set(hours) and kept.get(hour) != mark])
        passed |= bad
        total += len(hours) - len(bad)
    logger.info("rollup.run hours=%d passed_over=%d", total, len(passed))
    return total


def _intervals(hours: Sequence[str]) -> list[Interval]:
    """Return hours, then the days and the months that they lie in: each is made of those before it."""
    days = sorted({f"{hour[:10]}T00:00:00.000Z" for hour in hours})
    months = sorted({f"{hour[:7]}-01T00:00:00.000Z" for hour in hours})
    return [
        *(Interval("hour", hour) for hour in hours),
        *(Interval("day", day) for day in days),
        *(Interval("month", month) for month in months),
    ]
