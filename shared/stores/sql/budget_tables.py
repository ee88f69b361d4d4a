"""The tables of budgets: what was agreed, how it stands, what was raised and who was told; `tables` has all.

Decimals are texts: tokens and money stand in the same columns.
"""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, UtcTime, exact_text, text

__all__ = ["alert", "alert_delivery", "budget", "budget_block", "budget_state"]

_DECIMAL = exact_text(48)

budget = Table(
    "budget",
    metadata,
    Column("id", exact_text(64), nullable=False),
    Column("name", text(128), nullable=False),
    Column("target", exact_text(16), nullable=False),  # everything, team, user, ...
    Column("value", exact_text(128), nullable=False),  # "" of everything
    Column("period", text(16), nullable=False),  # day, week or month
    Column("measure", text(16), nullable=False),  # money or tokens
    Column("amount", _DECIMAL, nullable=False),
    Column("currency", exact_text(3), nullable=True),
    Column("thresholds", JSON_TEXT, nullable=False),  # JSON array of percents
    Column("warns_ahead", FLAG, nullable=False),
    Column("finds_anomalies", FLAG, nullable=False),
    Column("is_enforced", FLAG, nullable=False),
    PrimaryKeyConstraint("id", name="pk_budget"),
    Index("ix_budget_target", "target", "value"),
)

budget_state = Table(
    "budget_state",
    metadata,
    Column("budget_id", exact_text(64), nullable=False),
    Column("period_start", UtcTime(), nullable=False),
    Column("period_end", UtcTime(), nullable=False),
    Column("used", _DECIMAL, nullable=False),
    Column("forecast", _DECIMAL, nullable=True),
    Column("forecast_method", text(32), nullable=True),
    Column("unpriced_requests", COUNT, nullable=False),
    Column("has_other_currencies", FLAG, nullable=False),
    Column("is_exhausted", FLAG, nullable=False),
    Column("measured_at", UtcTime(), nullable=False),
    Column("examined_hour", UtcTime(), nullable=True),
    PrimaryKeyConstraint("budget_id", name="pk_budget_state"),
)
"""How each budget stood when it was measured last."""

budget_block = Table(
    "budget_block",
    metadata,
    Column("kind", exact_text(16), nullable=False),
    Column("value", exact_text(128), nullable=False),
    Column("budget_id", exact_text(64), nullable=False),
    Column("until", UtcTime(), nullable=False),
    PrimaryKeyConstraint("kind", "value", "budget_id", name="pk_budget_block"),
)
"""Whose calls the exhausted budgets that are enforced concern: all that a decision is made by."""

alert = Table(
    "alert",
    metadata,
    Column("id", exact_text(128), nullable=False),  # budget, period or hour, and kind
    Column("raised_at", UtcTime(), nullable=False),
    Column("budget_id", exact_text(64), nullable=False),
    Column("kind", exact_text(16), nullable=False),  # threshold, forecast or anomaly
    Column("threshold", Integer, nullable=True),  # percent
    Column("period_start", UtcTime(), nullable=False),
    Column("used", _DECIMAL, nullable=False),
    Column("detail", JSON_TEXT, nullable=False),  # JSON object: the budget as it was, and what the alert goes by
    PrimaryKeyConstraint("id", name="pk_alert"),
    Index("ix_alert_raised_at", "raised_at", "id"),
)

alert_delivery = Table(
    "alert_delivery",
    metadata,
    Column("alert_id", exact_text(128), nullable=False),
    Column("webhook", exact_text(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", UtcTime(), nullable=True),
    Column("due_at", UtcTime(), nullable=True),  # when it is tried next; null: not any more
    Column("result", text(256), nullable=True),  # of the last attempt
    PrimaryKeyConstraint("alert_id", "webhook", name="pk_alert_delivery"),
    Index("ix_alert_delivery_due_at", "due_at"),
)
"""Which webhook was told of which alert."""
