"""Dirty hours -> usage rollups."""

import logging

from shared.stores.ports import UsageRollups

__all__ = ["rebuild_usage_rollups"]

logger = logging.getLogger(__name__)

_HOURS_AT_A_TIME = 48
"""Hours per transaction: ingest waits, where it must, for two days of one rollup at most."""


def rebuild_usage_rollups(rollups: UsageRollups) -> int:
    """Recompute usage until no hour is marked; return how many hours were recomputed.

    Raises:
        StoreUnavailableError: the hours not reached keep their marks; run it again.
    """
    total = 0
    while hours := list(rollups.rebuild(most_hours=_HOURS_AT_A_TIME)):
        total += len(hours)
    logger.info("rollup.run hours=%d", total)
    return total
