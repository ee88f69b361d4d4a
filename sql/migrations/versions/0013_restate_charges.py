"""Restate the charges of a period by another version of the price book."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, Money, UtcTime, exact_text, text

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add tables; the release before neither reads nor writes any of them."""
    op.create_table(
        "restatement",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("starts_from", UtcTime(), nullable=False),
        sa.Column("starts_before", UtcTime(), nullable=False),
        sa.Column("price_version", sa.Integer, nullable=True),
        sa.Column("reason", text(512), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("version", name="pk_restatement"),
    )
    op.create_table(
        "restated_amount",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("stage", exact_text(8), nullable=False),
        sa.Column("currency", exact_text(3), nullable=False),
        sa.Column("amount", Money(), nullable=True),
        sa.Column("requests", COUNT, nullable=False),
        sa.Column("unpriced_requests", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("version", "stage", "currency", name="pk_restated_amount"),
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
