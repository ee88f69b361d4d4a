"""Add what else is known of an answer and of the way to it, and count it in the rollups."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, exact_text

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns, all of them nullable: the release before writes none of them."""
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("requested_model", exact_text(128), nullable=True),
        sa.Column("served_deployment", exact_text(128), nullable=True),
        sa.Column("spillover", JSON_TEXT, nullable=True),
        sa.Column("cached", FLAG, nullable=True),
        sa.Column("filter_failed", FLAG, nullable=True),
        sa.Column("possible_refusal", FLAG, nullable=True),
        sa.Column("unreadable", exact_text(32), nullable=True),
        sa.Column("not_captured", exact_text(32), nullable=True),
        sa.Column("time_replaced", FLAG, nullable=True),
        sa.Column("callers_differ", FLAG, nullable=True),
        sa.Column("unknown_words", JSON_TEXT, nullable=True),
    )
    for column in columns:
        op.add_column("interaction", column)
    for table in ("usage_hour", "usage_day", "usage_month"):
        for name in ("cached_requests", "filter_failures"):
            op.add_column(table, sa.Column(name, COUNT, nullable=True))
    # Let the next rebuild fill them.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_hour")


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
