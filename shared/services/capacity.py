"""Hours of capacity that is paid by the hour: settled with the rollups, and listed."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.domain.values import hour_of, utc_now, utc_of
from shared.services.prices import BookPage
from shared.stores.capacity_ports import CapacityHour, CapacityKey, CapacityStore

__all__ = ["CapacityService", "with_settled_capacity"]

logger = logging.getLogger(__name__)

_HOURS_AT_A_TIME: Final = 48
_MOST_ROUNDS: Final = 1_000
"""Of settling in one run; what is left keeps its marks for the next."""


class CapacityService:
    """The use cases. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, store: CapacityStore) -> None:
        """Read from `store`."""
        self._store = store

    def hours(
        self, start: str | None, end: str | None, *, after: CapacityKey | None, limit: int
    ) -> BookPage[CapacityHour]:
        """Return hours of capacity, the earliest first."""
        found = self._store.hours(start, end, after=after, limit=limit + 1)
        if len(found) <= limit:
            return BookPage(found, None)
        last = found[limit - 1]
        return BookPage(found[:limit], (last.hour, last.host, last.deployment, last.kind))


def with_settled_capacity(
    store: CapacityStore, rebuild: Callable[[], int], *, now: Callable[[], datetime] = utc_now
) -> int:
    """Rebuild the rollups and settle the hours of capacity; return how many hours were rebuilt.

    Where calls share an hour by what all of them used, they are charged anew when that changed, and the hour is settled
    again: each time by the sum that there is then, so it ends as soon as no call changes meanwhile.

    Raises:
        StoreUnavailableError: what is not reached keeps its marks; run it again.
    """
    store.note_hours(hour_of(utc_of(now())))
    rebuilt = rebuild()
    settled = 0
    for _ in range(_MOST_ROUNDS):
        step = store.settle(limit=_HOURS_AT_A_TIME, at=utc_of(now()))
        settled += step.hours
        if step.recharged:
            rebuild()
        elif not step.hours:
            break
    logger.info("capacity.settle hours=%d", settled)
    return rebuilt
