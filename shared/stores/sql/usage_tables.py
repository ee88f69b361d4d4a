"""The tables of usage: groups of calls and their sums, and the marks on what is out of date; `tables` has the others.

To add a dimension: a line of `DIMENSIONS`, a column of the same name of the interaction or else of its charge. To add a
measure: a line at the end of `MEASURES`, and what it counts in `usage_facts`. Then a migration adds the column (of a
dimension to `usage_group`, not null and "" where it is unknown; of a measure to each of `SUMS`, not null and 0), makes
the views anew by `view_of`, and marks all hours in `dirty_hour`: the next rebuild fills it. Nothing else changes.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import CheckConstraint, Column, Identity, Index, MetaData, PrimaryKeyConstraint, SmallInteger, Table

from shared.domain.verdicts import FILTER_MEASURES
from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import BY_KEY, COUNT, JSON_TEXT, SERIAL, Money, UtcTime, exact_text, including

__all__ = [
    "AMOUNT",
    "CUTS",
    "DIMENSIONS",
    "KNOWN_AMOUNTS",
    "MEASURES",
    "SUMS",
    "TRAITS",
    "UNKNOWN",
    "USAGE",
    "dirty_hour",
    "dirty_usage_key",
    "trait_of_day",
    "trait_of_hour",
    "trait_of_month",
    "usage_day",
    "usage_group",
    "usage_hour",
    "usage_month",
    "usage_of_day",
    "usage_of_hour",
    "usage_of_month",
    "view_of",
]

dirty_hour = Table(
    "dirty_hour",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("hour", UtcTime(), nullable=False),
    # JSON array of texts: time and id of each call whose usage is out of date. Null: any call of the hour may be.
    Column("calls", JSON_TEXT, nullable=True),
    PrimaryKeyConstraint("id", name="pk_dirty_hour"),
)
"""Calls whose usage is out of date, a row for each hour of a batch; written with the facts, see docs/adr."""

dirty_usage_key = Table(
    "dirty_usage_key",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("usage_key", exact_text(128), nullable=False),
    PrimaryKeyConstraint("id", name="pk_dirty_usage_key"),
)
"""Usage keys of which another interaction may have become the one that counts; written with the facts."""

DIMENSIONS: Final = {
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

UNKNOWN: Final = {"operation": "other"}
"""What stands for a value that is not known, where that is not ""."""

MEASURES: Final = (
    "requests",
    "errors",
    "unmetered_requests",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    *FILTER_MEASURES,
    "token_requests",
    "cached_requests",
    "filter_failures",
    "unpriced_requests",
    "throttled_requests",
)
"""What is counted. New ones go to the end: charges keep what each call counts as, in this order."""

AMOUNT: Final = "amount"
"""The sum of the charges that are known. Rows of several currencies are never added up."""
KNOWN_AMOUNTS: Final = "known_amounts"
"""Of how many calls the amount is known: of none it is null to who reads it."""

_CALLERS: Final = ("caller_ip", "app_id", "user_id")
"""Dimensions with about as many values as there are callers."""
_PAYERS: Final = ("subscription_id", "team", "cost_centre")
"""Dimensions with about as many values as there are teams."""
CUTS: Final = {
    0: tuple(DIMENSIONS),
    1: tuple(name for name in DIMENSIONS if name not in {*_CALLERS, *_PAYERS}),
    2: tuple(name for name in DIMENSIONS if name not in _CALLERS),
}
"""Number -> the dimensions by which calls are told apart in this cut of usage; the others are "" in it.

The first knows all of them; the narrower ones stay small however many callers there are.
"""

usage_group = Table(
    "usage_group",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("cut", SmallInteger, nullable=False),  # of `CUTS`
    Column("digest", exact_text(32), nullable=False),  # of the cut and the known values
    *(Column(dimension, kind, nullable=False, server_default="") for dimension, kind in DIMENSIONS.items()),
    PrimaryKeyConstraint("id", name="pk_usage_group"),
    Index("ix_usage_group_digest", "digest", unique=True),
    # In the order in which a page lists them.
    *(Index(f"ix_usage_group_{name}", "cut", name) for name in (*_CALLERS, *_PAYERS)),
)
"""Groups of calls that agree in every dimension of a cut: each is written once, its sums name it by number."""


def _sums_table(length: str) -> Table:
    counts = (*MEASURES, KNOWN_AMOUNTS)
    return Table(
        f"usage_of_{length}",
        metadata,
        Column("cut", SmallInteger, nullable=False),
        Column("interval_start", UtcTime(), nullable=False),
        Column("group_id", COUNT, nullable=False),
        *(Column(name, COUNT, nullable=False, server_default="0") for name in counts),
        Column(AMOUNT, Money(), nullable=False, server_default="0"),
        PrimaryKeyConstraint("cut", "interval_start", "group_id", name=f"pk_usage_of_{length}"),
        Index(f"ix_usage_of_{length}_group_id", "group_id", "interval_start"),
        # SQLite turns a sum that is too large into a binary fraction: it is to refuse it, as SQL Server does.
        CheckConstraint(
            " and ".join(f"{name} <= 9223372036854775807" for name in (*counts, AMOUNT)), name=f"ck_usage_of_{length}"
        ),
        **BY_KEY,
    )


usage_of_hour = _sums_table("hour")
usage_of_day = _sums_table("day")
usage_of_month = _sums_table("month")

SUMS: Final = {"hour": usage_of_hour, "day": usage_of_day, "month": usage_of_month}
"""Interval -> the sums of each group in it; at any time days and months are the sums of their hours."""


def _traits_table(length: str) -> Table:
    return Table(
        f"trait_of_{length}",
        metadata,
        Column("cut", SmallInteger, nullable=False),
        Column("interval_start", UtcTime(), nullable=False),
        Column("group_id", COUNT, nullable=False),
        Column("trait", exact_text(80), nullable=False),  # as `shared.domain.traits` writes it
        Column("calls", COUNT, nullable=False),
        PrimaryKeyConstraint("cut", "interval_start", "group_id", "trait", name=f"pk_trait_of_{length}"),
        Index(f"ix_trait_of_{length}_group_id", "group_id", "interval_start", **including("trait", "calls")),
        **BY_KEY,
    )


trait_of_hour = _traits_table("hour")
trait_of_day = _traits_table("day")
trait_of_month = _traits_table("month")

TRAITS: Final = {"hour": trait_of_hour, "day": trait_of_day, "month": trait_of_month}
"""Interval -> how many calls of each group in it have which trait; days and months are the sums of their hours."""


def view_of(length: str, dimensions: Sequence[str], measures: Sequence[str]) -> str:
    """Return the query of the view `usage_hour`, `usage_day` or `usage_month`: sums beside what they are sums of."""
    columns = [f"nullif(g.{name}, '') as {name}" for name in dimensions] + [f"s.{name}" for name in measures]
    return (
        f"select s.interval_start, {', '.join(columns)},"  # noqa: S608  # names of ours
        f" case when s.known_amounts > 0 then s.amount end as amount"
        f" from usage_of_{length} s join usage_group g on g.id = s.group_id where s.cut = 0"
    )


_views = MetaData()


def _usage_view(name: str) -> Table:
    return Table(
        name,
        _views,
        Column("interval_start", UtcTime()),
        *(Column(dimension, kind) for dimension, kind in DIMENSIONS.items()),
        *(Column(measure, COUNT) for measure in MEASURES),
        Column(AMOUNT, Money()),
    )


usage_hour = _usage_view("usage_hour")
usage_day = _usage_view("usage_day")
usage_month = _usage_view("usage_month")

USAGE: Final = {"hour": usage_hour, "day": usage_day, "month": usage_month}
"""Interval -> the view of its sums by all dimensions, null where a value is not known: for analysts and tests."""
