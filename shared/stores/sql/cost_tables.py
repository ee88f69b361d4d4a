"""The tables of costs: what charges add up to by payer and meter, closed months, adjustments; `tables` has all."""

from typing import Any

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.types import TypeEngine

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import CLUSTERED, COUNT, Money, Quantity, UtcTime, exact_text, text

__all__ = ["COST_KEYS", "adjustment", "closed_line", "closed_month", "cost_day", "cost_hour"]

COST_KEYS: dict[str, TypeEngine[Any]] = {
    "kind": exact_text(16),  # charge or idle
    "team": exact_text(128),
    "cost_centre": exact_text(64),
    "subscription_id": exact_text(128),
    "product_id": exact_text(128),
    "model": exact_text(128),
    "deployment": exact_text(128),  # the one that served
    "host": exact_text(256),
    "confidence": exact_text(16),
    "currency": exact_text(3),
    "unit": exact_text(32),  # "call" counts calls, and bears no amount
    "meter": exact_text(256),  # which price, in words
    "price": Money(),  # of 1,000,000 units
}
"""What a cost line is of. Nothing is null: what is not known is "", so that lines can be subtracted."""


def _lines() -> list[Column[Any]]:
    return [
        *(Column(name, kind, nullable=False) for name, kind in COST_KEYS.items()),
        Column("quantity", Quantity(), nullable=False),
        Column("amount", Money(), nullable=True),  # null where it is not known
    ]


def _cost_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("interval_start", UtcTime(), nullable=False),
        *_lines(),
        Index(f"ix_{name}_interval_start", "interval_start", **CLUSTERED),
    )


cost_hour = _cost_table("cost_hour")
cost_day = _cost_table("cost_day")
"""The parts of all charges added up, made anew with their hour: at any time equal to the charges."""

closed_line = _cost_table("closed_line")
"""The days of closed months as they were when the months were closed: written once, and never changed."""

closed_month = Table(
    "closed_month",
    metadata,
    Column("month", UtcTime(), nullable=False),
    Column("closed_at", UtcTime(), nullable=False),
    Column("actor", text(256), nullable=False),
    Column("digest", exact_text(64), nullable=False),  # of all its lines, adjustments among them
    Column("line_count", Integer, nullable=False),
    Column("unpriced_calls", COUNT, nullable=False),
    Column("unmetered_calls", COUNT, nullable=False),
    Column("pending_calls", COUNT, nullable=False),
    PrimaryKeyConstraint("month", name="pk_closed_month"),
)
"""Which months are closed: every one up to the last of them. None is ever opened again."""

adjustment = Table(
    "adjustment",
    metadata,
    Column("booked_in", UtcTime(), nullable=False),  # the month that was open
    Column("booked_at", UtcTime(), nullable=False),
    Column("month", UtcTime(), nullable=False),  # the closed one that changed
    Column("interval_start", UtcTime(), nullable=False),  # the day of it
    *_lines(),
    Index("ix_adjustment_booked_in", "booked_in", **CLUSTERED),
    Index("ix_adjustment_interval_start", "interval_start"),
)
"""What changed in closed months since: written once. With the closed lines they add up to the costs as they are now."""
