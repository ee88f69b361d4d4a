"""Add budgets, how they stand, what they raise and who is told."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, UtcTime, exact_text, text

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add tables; the release before knows none of them."""
    _create_budgets()
    op.create_table(
        "alert",
        sa.Column("id", exact_text(128), nullable=False),
        sa.Column("raised_at", UtcTime(), nullable=False),
        sa.Column("budget_id", exact_text(64), nullable=False),
        sa.Column("kind", exact_text(16), nullable=False),
        sa.Column("threshold", sa.Integer, nullable=True),
        sa.Column("period_start", UtcTime(), nullable=False),
        sa.Column("used", exact_text(48), nullable=False),
        sa.Column("detail", JSON_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_raised_at", "alert", ["raised_at", "id"])
    op.create_table(
        "alert_delivery",
        sa.Column("alert_id", exact_text(128), nullable=False),
        sa.Column("webhook", exact_text(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("delivered_at", UtcTime(), nullable=True),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("result", text(256), nullable=True),
        sa.PrimaryKeyConstraint("alert_id", "webhook", name="pk_alert_delivery"),
    )
    op.create_index("ix_alert_delivery_due_at", "alert_delivery", ["due_at"])


def _create_budgets() -> None:
    op.create_table(
        "budget",
        sa.Column("id", exact_text(64), nullable=False),
        sa.Column("name", text(128), nullable=False),
        sa.Column("target", exact_text(16), nullable=False),
        sa.Column("value", exact_text(128), nullable=False),
        sa.Column("period", text(16), nullable=False),
        sa.Column("measure", text(16), nullable=False),
        sa.Column("amount", exact_text(48), nullable=False),
        sa.Column("currency", exact_text(3), nullable=True),
        sa.Column("thresholds", JSON_TEXT, nullable=False),
        *(sa.Column(name, FLAG, nullable=False) for name in ("warns_ahead", "finds_anomalies", "is_enforced")),
        sa.PrimaryKeyConstraint("id", name="pk_budget"),
    )
    op.create_index("ix_budget_target", "budget", ["target", "value"])
    op.create_table(
        "budget_state",
        sa.Column("budget_id", exact_text(64), nullable=False),
        sa.Column("period_start", UtcTime(), nullable=False),
        sa.Column("period_end", UtcTime(), nullable=False),
        sa.Column("used", exact_text(48), nullable=False),
        sa.Column("forecast", exact_text(48), nullable=True),
        sa.Column("forecast_method", text(32), nullable=True),
        sa.Column("unpriced_requests", COUNT, nullable=False),
        *(sa.Column(name, FLAG, nullable=False) for name in ("has_other_currencies", "is_exhausted")),
        sa.Column("measured_at", UtcTime(), nullable=False),
        sa.Column("examined_hour", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("budget_id", name="pk_budget_state"),
    )
    op.create_table(
        "budget_block",
        sa.Column("kind", exact_text(16), nullable=False),
        sa.Column("value", exact_text(128), nullable=False),
        sa.Column("budget_id", exact_text(64), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "budget_id", name="pk_budget_block"),
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
