"""Create the claims of bodies in Blob storage; say what an interaction waits for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import JSON_TEXT, UtcTime, exact_text

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create table `claim`, and `awaited` of the interactions."""
    op.add_column("interaction", sa.Column("awaited", JSON_TEXT, nullable=True))
    op.create_table(
        "claim",
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("document", exact_text(64), nullable=False),
        sa.Column("noted_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "document", name="pk_claim"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claim_due_at", "claim", ["due_at"])
