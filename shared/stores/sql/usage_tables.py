"""The tables of usage: rollups, and the marks on what is out of date in them; `tables` has the others, and all of them.

A dimension or a measure is added here and nowhere else: a line of `DIMENSIONS` (a column of the same name of the
interaction or of its charge), or of `MEASURES` with what it counts in `rollups`; then a migration adds the column
to each of `USAGE` and marks their hours, so that the next rebuild fills it.
"""

from sqlalchemy import Column, Identity, Index, PrimaryKeyConstraint, Table

from shared.domain.verdicts import FILTER_MEASURES
from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import CLUSTERED, COUNT, SERIAL, Money, UtcTime, exact_text

__all__ = [
    "AMOUNT",
    "DIMENSIONS",
    "MEASURES",
    "USAGE",
    "dirty_hour",
    "dirty_usage_key",
    "usage_day",
    "usage_hour",
    "usage_month",
]

dirty_hour = Table(
    "dirty_hour",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("hour", UtcTime(), nullable=False),
    PrimaryKeyConstraint("id", name="pk_dirty_hour"),
)
"""Hours whose rollup is out of date; written with the facts, see docs/adr."""

dirty_usage_key = Table(
    "dirty_usage_key",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("usage_key", exact_text(128), nullable=False),
    PrimaryKeyConstraint("id", name="pk_dirty_usage_key"),
)
"""Usage keys of which another interaction may have become the one that counts; written with the facts."""

DIMENSIONS = {
    "operation": exact_text(32),
    "model": exact_text(128),
    "deployment": exact_text(128),
    "subscription_id": exact_text(128),
    "product_id": exact_text(128),
    "caller_ip": exact_text(64),
    "app_id": exact_text(128),
    "user_id": exact_text(128),
    "vendor": exact_text(16),
    "currency": exact_text(3),
    "team": exact_text(128),
    "cost_centre": exact_text(64),
}
"""What usage can be grouped by; named as the columns of the interaction, or of its charge, are."""

AMOUNT = "amount"
"""The sum of the charges that are known: of none it is null. Rows of several currencies are never added up."""
_LATER = (*FILTER_MEASURES, "token_requests", "cached_requests", "filter_failures", "unpriced_requests")
"""Null until the interval is rebuilt: the tables came first."""
MEASURES = (
    "requests",
    "errors",
    "unmetered_requests",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    *_LATER,
)


def _usage_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("interval_start", UtcTime(), nullable=False),
        *(Column(dimension, kind, nullable=True) for dimension, kind in DIMENSIONS.items()),
        *(Column(measure, COUNT, nullable=measure in _LATER) for measure in MEASURES),
        Column(AMOUNT, Money(), nullable=True),
        Index(f"ix_{name}_interval_start", "interval_start", **CLUSTERED),
    )


usage_hour = _usage_table("usage_hour")
usage_day = _usage_table("usage_day")
usage_month = _usage_table("usage_month")

USAGE = {"hour": usage_hour, "day": usage_day, "month": usage_month}
"""Interval -> its rollup."""
