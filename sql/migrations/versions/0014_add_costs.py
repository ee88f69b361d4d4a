"""Add what charges add up to by meter, closed months, their lines, adjustments."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, Money, Quantity, UtcTime, exact_text, text

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_KEYS = {
    "kind": 16,
    "team": 128,
    "cost_centre": 64,
    "subscription_id": 128,
    "product_id": 128,
    "model": 128,
    "deployment": 128,
    "host": 256,
    "confidence": 16,
    "currency": 3,
    "unit": 32,
    "meter": 256,
}


def upgrade() -> None:
    """Add tables; the release before neither reads nor writes any of them."""
    for name in ("cost_hour", "cost_day", "closed_line"):
        op.create_table(name, sa.Column("interval_start", UtcTime(), nullable=False), *_lines())
        op.create_index(f"ix_{name}_interval_start", name, ["interval_start"], mssql_clustered=True)
    op.create_table(
        "closed_month",
        sa.Column("month", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=False),
        sa.Column("actor", text(256), nullable=False),
        sa.Column("digest", exact_text(64), nullable=False),
        sa.Column("line_count", sa.Integer, nullable=False),
        *(sa.Column(name, COUNT, nullable=False) for name in ("unpriced_calls", "unmetered_calls", "pending_calls")),
        sa.PrimaryKeyConstraint("month", name="pk_closed_month"),
    )
    op.create_table(
        "adjustment",
        *(sa.Column(name, UtcTime(), nullable=False) for name in ("booked_in", "booked_at", "month", "interval_start")),
        *_lines(),
    )
    op.create_index("ix_adjustment_booked_in", "adjustment", ["booked_in"], mssql_clustered=True)
    op.create_index("ix_adjustment_interval_start", "adjustment", ["interval_start"])
    # Let the next rebuild make their lines.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_hour")


def _lines() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, exact_text(limit), nullable=False) for name, limit in _KEYS.items()),
        sa.Column("price", Money(), nullable=False),
        sa.Column("quantity", Quantity(), nullable=False),
        sa.Column("amount", Money(), nullable=True),
    ]


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
