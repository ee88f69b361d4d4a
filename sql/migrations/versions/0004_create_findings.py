"""Create what upkeep needs: findings, actions on quarantine, and since when a delivery waits."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, JSON_TEXT, SERIAL, UtcTime, exact_text, text

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add to what is there; the release before neither reads nor needs any of it."""
    op.add_column("waiting", sa.Column("stored_at", UtcTime(), nullable=True))
    op.add_column("quarantine", sa.Column("discarded_at", UtcTime(), nullable=True))
    op.create_index("ix_delivery_enqueued_at", "delivery", ["enqueued_at"], unique=False)
    op.create_table(
        "quarantine_action",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("acted_at", UtcTime(), nullable=False),
        sa.Column("actor", text(256), nullable=False),
        sa.Column("action", text(16), nullable=False),
        sa.Column("event_id", exact_text(32), nullable=False),
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("partition_id", exact_text(32), nullable=False),
        sa.Column("sequence", COUNT, nullable=False),
        sa.Column("enqueued_at", UtcTime(), nullable=False),
        sa.Column("result", text(16), nullable=False),
        sa.Column("reason", text(512), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine_action"),
    )
    op.create_table(
        "finding",
        sa.Column("id", exact_text(128), nullable=False),
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("hour", UtcTime(), nullable=False),
        sa.Column("kind", text(32), nullable=False),
        sa.Column("number", COUNT, nullable=False),
        sa.Column("detail", JSON_TEXT, nullable=True),
        sa.Column("found_at", UtcTime(), nullable=False),
        sa.Column("resolved_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
    )
    op.create_index("ix_finding_hour", "finding", ["hour", "id"], unique=False)


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
