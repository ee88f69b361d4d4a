"""Keep grants to read texts for a case."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import UtcTime, exact_text, text

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add a table, which the release before neither reads nor writes."""
    op.create_table(
        "content_grant",
        sa.Column("id", exact_text(32), nullable=False),
        sa.Column("case_id", exact_text(128), nullable=False),
        sa.Column("reader", exact_text(256), nullable=False),
        sa.Column("reason", text(512), nullable=False),
        sa.Column("hours", sa.Integer, nullable=False),
        sa.Column("wanted_by", text(256), nullable=False),
        sa.Column("wanted_at", UtcTime(), nullable=False),
        sa.Column("given_by", text(256), nullable=True),
        sa.Column("given_at", UtcTime(), nullable=True),
        sa.Column("valid_to", UtcTime(), nullable=True),
        sa.Column("ended_by", text(256), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_content_grant"),
    )
    op.create_index("ix_content_grant_reader", "content_grant", ["reader", "case_id"])
    op.create_index("ix_content_grant_wanted", "content_grant", ["wanted_at", "id"])


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
