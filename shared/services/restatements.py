"""Periods charged by another version of the price book: asked for, kept, finished by the timer."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared.domain.values import hour_of, text, utc_now, utc_of
from shared.errors import InvalidRequestError, NotFoundError
from shared.pricing.entries import Restatement
from shared.services.prices import BookPage
from shared.stores.price_ports import Restated, RestatementStore

__all__ = ["RestatementService", "with_finished_restatements"]

logger = logging.getLogger(__name__)


class RestatementService:
    """The use cases. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, store: RestatementStore, *, now: Callable[[], datetime] = utc_now) -> None:
        """Read from and write to `store`."""
        self._store = store
        self._now = now

    def restate(self, period: Restatement, *, reason: str, actor: str) -> int:
        """Have the calls of a period charged by a version of the price book, from the next run of the timer on.

        It holds for what comes later too, late facts and changed prices: until the period is restated again.

        Returns:
            The version of the price book that it makes: the restatement's number.

        Raises:
            InvalidRequestError: the period is not one of whole hours, or there is no such version.
        """
        for name, moment in (("from", period.starts_from), ("to", period.starts_before)):
            if hour_of(moment) != moment:
                raise InvalidRequestError(name, "give a whole hour")
        if period.starts_before <= period.starts_from:
            raise InvalidRequestError("to", "it must be later than `from`")
        try:
            kept = text(reason, 512) or "?"
            version = self._store.add(period, reason=kept, at=utc_of(self._now()), actor=actor)
        except NotFoundError as error:
            raise InvalidRequestError("priceVersion", str(error)) from error
        logger.info("prices.restate version=%d price_version=%s", version, period.price_version)
        return version

    def restatements(self, *, before: int | None, limit: int) -> BookPage[Restated]:
        """Return restatements, newest first."""
        found = self._store.restatements(before=before, limit=limit + 1)
        return BookPage(found[:limit], (str(found[limit - 1].version),) if len(found) > limit else None)


def with_finished_restatements(
    store: RestatementStore, rebuild: Callable[[], int], *, now: Callable[[], datetime] = utc_now
) -> int:
    """Rebuild the rollups, then keep what restated periods come to now; return what `rebuild` returns.

    Raises:
        StoreUnavailableError: run it again.
    """
    rebuilt = rebuild()
    store.finish(at=utc_of(now()))
    return rebuilt
