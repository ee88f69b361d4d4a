"""The tables of capacity that is paid by the hour; `tables` has the others, and all of them."""

from sqlalchemy import Column, Identity, Integer, PrimaryKeyConstraint, Table

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import COUNT, SERIAL, Money, UtcTime, exact_text, text

__all__ = ["capacity_hour", "dirty_capacity", "reservation"]

reservation = Table(
    "reservation",
    metadata,
    Column("host", exact_text(256), nullable=False),
    Column("deployment", exact_text(128), nullable=False),
    Column("kind", exact_text(16), nullable=False),  # provisioned or hosting
    Column("valid_from", UtcTime(), nullable=False),  # an hour
    Column("valid_to", UtcTime(), nullable=True),
    Column("model", exact_text(128), nullable=False),
    Column("version", exact_text(32), nullable=False),
    Column("units", Integer, nullable=False),
    Column("amount", exact_text(32), nullable=False),  # of a unit, as the file writes it
    Column("per", exact_text(8), nullable=False),  # hour or month
    Column("currency", exact_text(3), nullable=False),
    Column("source", text(256), nullable=False),
    Column("book_version", Integer, nullable=False),  # of the price book, with which it came
    Column("ended_version", Integer, nullable=True),  # with which its end came, where that was later
    PrimaryKeyConstraint("host", "deployment", "kind", "valid_from", name="pk_reservation"),
)
"""Capacity that is paid by the hour: rows are added and ended, never changed."""

capacity_hour = Table(
    "capacity_hour",
    metadata,
    Column("hour", UtcTime(), nullable=False),
    Column("host", exact_text(256), nullable=False),  # "" where it is of any
    Column("deployment", exact_text(128), nullable=False),
    Column("kind", exact_text(16), nullable=False),  # provisioned or hosting
    Column("line", exact_text(16), nullable=False),  # what the rest is: idle, rounding, unmetered or hosting
    Column("basis", exact_text(16), nullable=False),  # what calls' parts went by: capacity, hour, or none had any
    Column("amount", Money(), nullable=True),  # the rest, which no call bears; null where the cost is
    Column("currency", exact_text(3), nullable=False),
    Column("cost", Money(), nullable=True),  # of the whole hour; null: in several currencies
    Column("units", Integer, nullable=False),
    Column("capacity", COUNT, nullable=True),  # weighted tokens that it can serve; null: not published
    Column("used", COUNT, nullable=False),  # weighted tokens of its calls, as far as known
    Column("calls", COUNT, nullable=False),
    Column("unmetered_calls", COUNT, nullable=False),
    Column("price_version", Integer, nullable=False),
    PrimaryKeyConstraint("hour", "host", "deployment", "kind", name="pk_capacity_hour"),
)
"""Each hour of capacity that is paid for: what it costs is the sum of its calls' charges and of `amount`, to the last
digit. `amount` is the idle line of the hour: nobody's, of no team."""

dirty_capacity = Table(
    "dirty_capacity",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("hour", UtcTime(), nullable=False),
    PrimaryKeyConstraint("id", name="pk_dirty_capacity"),
)
"""Hours whose rows of `capacity_hour` are out of date."""
