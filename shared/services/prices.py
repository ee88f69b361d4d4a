"""Files of prices and deployments -> the price book."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import cache

from shared.domain.values import utc_now, utc_of
from shared.pricing.files import Origin, digest_of, read_file, shipped_text
from shared.stores.price_ports import Prices

__all__ = ["load_file", "load_shipped_prices", "with_shipped_prices"]

logger = logging.getLogger(__name__)


def load_file(prices: Prices, origin: Origin, text: str, *, now: Callable[[], datetime] = utc_now) -> int:
    """Load a CSV file into the price book; return how many entries it added or ended. Idempotent.

    Raises:
        InvalidFileError: a line cannot be read, or contradicts the price book; nothing was loaded.
        StoreUnavailableError: nothing was loaded.
    """
    changed = prices.load(read_file(origin, text), at=utc_of(now()))
    logger.info("prices.load origin=%s changed=%d", origin.value, changed)
    return changed


def load_shipped_prices(prices: Prices, *, now: Callable[[], datetime] = utc_now) -> int:
    """Load the list that this release ships, unless it is in the price book; return how many entries changed.

    Raises:
        StoreUnavailableError: nothing was loaded.
    """
    if prices.digest(Origin.LIST) == _shipped_digest():
        return 0
    return load_file(prices, Origin.LIST, shipped_text(), now=now)


def with_shipped_prices(prices: Prices, rebuild: Callable[[], int]) -> int:
    """Load the list that this release ships, then rebuild the rollups; return what `rebuild` returns.

    Raises:
        InvalidFileError: the list contradicts the price book; the rollups were rebuilt all the same.
        StoreUnavailableError: as `rebuild` does.
    """
    try:
        load_shipped_prices(prices)
    finally:
        # Usage is not to stand still because a price is at fault.
        rebuilt = rebuild()
    return rebuilt


@cache
def _shipped_digest() -> str:
    return digest_of(shipped_text())
