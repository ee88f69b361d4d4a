"""Add the price book, what each call costs, and amounts in the rollups."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, FLAG, Money, UtcTime, exact_text, text

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add tables and columns; the release before neither reads nor writes any of them."""
    _create_book()
    op.create_table(
        "charge",
        sa.Column("occurred_at", UtcTime(), nullable=False),
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("amount", Money(), nullable=True),
        sa.Column("currency", exact_text(3), nullable=True),
        sa.Column("price_version", sa.Integer, nullable=True),
        sa.Column("confidence", text(16), nullable=False),
        sa.Column("reason", text(32), nullable=True),
        sa.PrimaryKeyConstraint("occurred_at", "interaction_id", name="pk_charge"),
    )
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("service_tier", exact_text(16), nullable=True),
        sa.Column("web_searches", COUNT, nullable=True),
        sa.Column("cache_write_1h_tokens", COUNT, nullable=True),
    )
    for column in columns:
        op.add_column("interaction", column)
    for table in ("usage_hour", "usage_day", "usage_month"):
        op.add_column(table, sa.Column("currency", exact_text(3), nullable=True))
        op.add_column(table, sa.Column("unpriced_requests", COUNT, nullable=True))
        op.add_column(table, sa.Column("amount", Money(), nullable=True))
    # Let the next rebuild charge them.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_hour")


def _create_book() -> None:
    op.create_table(
        "price_book",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("loaded_at", UtcTime(), nullable=False),
        sa.Column("origin", text(16), nullable=False),
        sa.Column("digest", exact_text(64), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_price_book"),
    )
    op.create_table(
        "price",
        sa.Column("is_own", FLAG, nullable=False),
        sa.Column("model", exact_text(128), nullable=False),
        *(
            sa.Column(name, exact_text(32), nullable=False)
            for name in ("version", "scope", "tier", "region", "unit", "variant")
        ),
        sa.Column("above_tokens", COUNT, nullable=False),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_to", UtcTime(), nullable=True),
        sa.Column("amount", exact_text(32), nullable=False),
        sa.Column("currency", exact_text(3), nullable=False),
        sa.Column("source", text(256), nullable=False),
        sa.Column("dated", UtcTime(), nullable=False),
        sa.Column("book_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(
            *("is_own", "model", "version", "scope", "tier", "region", "unit", "variant", "above_tokens", "valid_from"),
            name="pk_price",
        ),
    )
    op.create_table(
        "model_deployment",
        sa.Column("host", exact_text(256), nullable=False),
        sa.Column("name", exact_text(128), nullable=False),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_to", UtcTime(), nullable=True),
        sa.Column("model", exact_text(128), nullable=False),
        *(sa.Column(name, exact_text(32), nullable=False) for name in ("version", "sku", "region")),
        sa.Column("book_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("host", "name", "valid_from", name="pk_model_deployment"),
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
