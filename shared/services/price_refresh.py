"""The Azure Retail Prices API -> the price book: what has changed of the meters that it knows."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shared.domain.values import utc_now, utc_of
from shared.pricing.files import Origin, PriceFile, digest_of
from shared.pricing.retail import refreshed
from shared.stores.price_ports import Prices, RetailPrices

__all__ = ["Refresh", "refresh_prices"]

logger = logging.getLogger(__name__)

_ACTOR = "refresh_prices"
_CURRENCY = "USD"
"""Of the shipped list."""
_SHOWN = 16
"""Meters that a line of the log names."""


class Refresh(NamedTuple):
    """What a refresh came to."""

    changed: int
    """Entries that are new."""
    unknown_meters: list[str]
    """That no entry of the price book names."""
    refused_meters: list[str]
    """Known, but at a price that cannot be read or believed."""


def refresh_prices(prices: Prices, retail: RetailPrices, *, now: Callable[[], datetime] = utc_now) -> Refresh:
    """Add the prices of known meters that have changed; the ones before end where the new ones begin. Idempotent.

    Raises:
        StoreUnavailableError: a page cannot be had; nothing was changed.
    """
    at = utc_of(now())
    found = refreshed(list(retail.items(_CURRENCY)), prices.listed(), at=at)
    changed = 0
    if found.entries:
        file = PriceFile(Origin.RETAIL, digest_of(repr(found.entries)), found.entries)
        changed = prices.load(file, at=at, actor=_ACTOR).added
    unknown, refused = found.unknown_meters, found.refused_meters
    logger.info("prices.refresh changed=%d unknown=%d refused=%d", changed, len(unknown), len(refused))
    if refused:
        logger.warning("prices.refused_meters %s", "; ".join(refused[:_SHOWN]))
    return Refresh(changed, unknown, refused)
